// The questions that every device is asked, in the same words: reports of two devices or systems
// can be laid side by side. A claim's name never changes its meaning. Constants, any thread.
#ifndef ANEX_SERVER_DEVICE_PROBE_QUESTIONS_H_
#define ANEX_SERVER_DEVICE_PROBE_QUESTIONS_H_

namespace anex::device {

struct ProbeQuestion {
  const char* claim;
  const char* question;
};

inline constexpr ProbeQuestion kAskSelectors{
    "selectors", "does the framework have the selectors and types that anexd calls?"},
    kAskWays{"ways", "which ways of loading and evaluating give right results, and how fast?"},
    kAskFunctionParameters{
        "function_parameters",
        "are inputs of unequal sizes right, with names, sizes and places in different orders?"},
    kAskInputBinding{"input_binding",
                     "is an input bound by what a request calls it, or by its place in a list?"},
    kAskOutputOrder{"output_order", "do outputs of unequal sizes land in their own surfaces?"},
    kAskSmallTensors{"small_tensors", "from which size on are tensors right?"},
    kAskConcat{"concat", "does an operation that joins its inputs compile, and is it right?"},
    kAskWeightReload{"weight_reload",
                     "does a program see new bytes in its weight files without a compile?"},
    kAskWeightsBuffer{"weights_buffer", "does a request's weightsBuffer replace baked weights?"},
    kAskProcedureIndex{"procedure_index", "which procedure indices run?"},
    kAskQosSweep{"qos_sweep",
                 "which service classes are taken, and do they change how long things take?"},
    kAskPerfStats{"perf_stats", "is the time on the hardware itself known?"},
    kAskSharedEvents{"shared_events",
                     "can a run signal an event that another device could wait for?"},
    kAskEventWait{"shared_event_wait", "can a run wait for an event of another device?"},
    kAskNativeChaining{"native_chaining", "does the device itself run chains?"},
    kAskRealtimeTask{"realtime_task", "does the system grant a real-time task?"},
    kAskRealtimeLoad{"realtime_load", "can a program be loaded for real time?"},
    kAskRealtimeEvaluate{"realtime_evaluate", "does evaluating in real time shorten the tail?"},
    kAskCompileBudget{"compile_budget",
                      "how many programs can one process compile, and have loaded at once?"};

}  // namespace anex::device

#endif  // ANEX_SERVER_DEVICE_PROBE_QUESTIONS_H_
