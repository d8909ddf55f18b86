// What the connection to the system grants: shared events, chains, real time.
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#import "server/device/apple/client_calls.h"
#import "server/device/apple/guard.h"
#import "server/device/apple/probe_parts.h"

namespace anex::device::apple {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRuns = 201, kWarmUps = 5;
// How long after a run its signal may come.
constexpr absl::Duration kSignalPatience = absl::Milliseconds(200);
constexpr absl::Duration kLook = absl::Milliseconds(1);
constexpr size_t kStatsBytes = 4096;
// A tail that much shorter or longer is another one.
constexpr double kShorter = 0.8, kLonger = 1.25;

constexpr Needed kEventNeeds[] = {{"IOSurfaceSharedEvent", "new"},
                                  {"IOSurfaceSharedEvent", "signaledValue"},
                                  {"IOSurfaceSharedEvent", "setSignaledValue:"},
                                  {"_ANESharedEvents", "sharedEventsWithSignalEvents:waitEvents:"},
                                  {"_ANERequest", "setSharedEvents:"}};

// The client and its name for the loaded model, as other ways of evaluating want them. REQUIRES:
// LacksClient says "".
ClientModel ClientOf(const ProbeRig& rig) {
  return {
    [rig.model() sharedConnection], [rig.model() model], @{}
  };
}
std::string LacksClient(const Framework& framework) {
  return Lacks(framework,
               {{"_ANEInMemoryModel", "model"}, {"_ANEInMemoryModel", "sharedConnection"}});
}

std::string LacksEvents(const Framework& framework, const Needed& factory) {
  const auto& [event, value, set_value, events, set_events] = kEventNeeds;
  return Lacks(framework, {event, value, set_value, events, set_events, factory});
}

// An evaluation with events; `event` says afterwards what happened to it.
absl::Status EvaluateWith(const ProbeContext& context, WeightRig& made, NSArray* signals,
                          NSArray* waits) {
  id events = [context.parts.framework->classes().shared_events sharedEventsWithSignalEvents:signals
                                                                                  waitEvents:waits];
  if (events == nil) return absl::UnavailableError("the framework makes no events object");
  auto request = made.rig->NewRequest();
  if (!request.ok()) return request.status();
  [request->get() setSharedEvents:events];
  if (absl::Status ran = made.rig->EvaluateAnew(request->get()); !ran.ok()) return ran;
  return made.rig->OutputsAre(made.test) ? absl::OkStatus() : absl::DataLossError("wrong results");
}

bool IsSignalled(id<IOSurfaceEvent> event, uint64_t value) {
  const absl::Time patience = absl::Now() + kSignalPatience;
  while ([event signaledValue] < value && absl::Now() < patience) absl::SleepFor(kLook);
  return [event signaledValue] >= value;
}

absl::StatusOr<ObjcPtr<id<IOSurfaceEvent>>> NewEvent(const ProbeContext& context) {
  id<IOSurfaceEvent> event = [context.parts.framework->classes().event new];
  if (event == nil) return absl::UnavailableError("the system makes no shared event");
  return ObjcPtr<id<IOSurfaceEvent>>::Adopt(event);
}

// What a chain is made of: the rig's surfaces by symbol. nil where the framework makes nothing.
id<ANEChainingRequest> NewChain(const ProbeContext& context, const ProbeRig& rig,
                                IOSurfaceRef stats) {
  const Classes& classes = context.parts.framework->classes();
  const auto buffer = [&](IOSurfaceRef surface, const LiveTensor& tensor, int64_t source) {
    return [classes.chain_buffer
        bufferWithIOSurfaceObject:[classes.surface objectWithIOSurface:surface]
                      symbolIndex:@(tensor.symbol)
                           source:source];
  };
  id input = buffer(rig.input(0), rig.live().inputs[0], 0);
  id output = buffer(rig.output(0), rig.live().outputs[0], 1);
  if (input == nil || output == nil) return nil;
  NSMutableArray *inputs = [NSMutableArray array], *outputs = [NSMutableArray array],
                 *sets = [NSMutableArray array], *none = [NSMutableArray array];
  [inputs addObject:input];
  [outputs addObject:output];
  id set = [classes.output_sets objectWithstatsSurRef:stats outputBuffer:outputs];
  if (set == nil) return nil;
  [sets addObject:set];
  return [classes.chaining_request chainingRequestWithInputs:inputs
                                                  outputSets:sets
                                             lbInputSymbolId:none
                                            lbOutputSymbolId:none
                                              procedureIndex:@0
                                                signalEvents:none
                                           transactionHandle:@0
                                              fwEnqueueDelay:@0
                                                memoryPoolId:@0];
}

struct Tail {
  std::vector<double> plain, real_time;  // us
};

absl::StatusOr<double> TimedUs(const ClientModel& known, EvaluateWay way, id<ANERequest> request) {
  const auto began = Clock::now();
  absl::Status ran = Guard("evaluate", [&] { return EvaluateByClient(known, way, request); });
  if (!ran.ok()) return ran;
  return std::chrono::duration<double, std::micro>(Clock::now() - began).count();
}

// The two take turns, so that what disturbs the machine meets both.
absl::StatusOr<Tail> TimeTail(const ProbeContext& context, const ClientModel& known,
                              id<ANERequest> request) {
  Tail tail;
  for (int i = 0; i < kWarmUps + kRuns; ++i) {
    const absl::StatusOr<double> plain = TimedUs(known, EvaluateWay::kModel, request);
    if (!plain.ok()) return plain.status();
    const absl::StatusOr<double> real_time = TimedUs(known, EvaluateWay::kRealTime, request);
    if (!real_time.ok()) return real_time.status();
    if (i < kWarmUps) continue;
    tail.plain.push_back(*plain);
    tail.real_time.push_back(*real_time);
    context.control.Progress();
  }
  return tail;
}

std::string CompareTails(double plain_us, double real_time_us) {
  if (real_time_us < kShorter * plain_us) {
    return absl::StrFormat("yes: %.1f times shorter", plain_us / real_time_us);
  }
  if (real_time_us > kLonger * plain_us) {
    return absl::StrFormat("no: %.1f times longer", real_time_us / plain_us);
  }
  return "no difference";
}

}  // namespace

absl::StatusOr<Answer> ProbeSharedEvents(const ProbeContext& context) {
  constexpr uint64_t kValue = 7;
  const Classes& classes = context.parts.framework->classes();
  const std::string lacks = LacksEvents(
      *context.parts.framework,
      {"_ANESharedSignalEvent", "signalEventWithValue:symbolIndex:eventType:sharedEvent:"});
  if (!lacks.empty()) return Answer{lacks, {}};
  absl::StatusOr<WeightRig> made = MakeWeightRig(context);
  if (!made.ok()) return made.status();
  absl::StatusOr<ObjcPtr<id<IOSurfaceEvent>>> event = NewEvent(context);
  if (!event.ok()) return event.status();
  id signal = [classes.signal_event signalEventWithValue:kValue
                                             symbolIndex:0
                                               eventType:0
                                             sharedEvent:event->get()];
  if (signal == nil) return Answer{"unavailable: the framework makes no signal", {}};
  NSMutableArray *signals = [NSMutableArray array], *waits = [NSMutableArray array];
  [signals addObject:signal];
  const absl::Status ran = EvaluateWith(context, *made, signals, waits);
  if (!ran.ok()) return Answer{absl::StrCat("no: ", Words(ran)), {}};
  if (IsSignalled(event->get(), kValue)) return Answer{"yes", {}};
  return Answer{"no: the run succeeds, and nothing is signalled", {}};
}

absl::StatusOr<Answer> ProbeEventWait(const ProbeContext& context) {
  constexpr uint64_t kValue = 7;
  const Classes& classes = context.parts.framework->classes();
  const std::string lacks = LacksEvents(*context.parts.framework,
                                        {"_ANESharedWaitEvent", "waitEventWithValue:sharedEvent:"});
  if (!lacks.empty()) return Answer{lacks, {}};
  absl::StatusOr<WeightRig> made = MakeWeightRig(context);
  if (!made.ok()) return made.status();
  absl::StatusOr<ObjcPtr<id<IOSurfaceEvent>>> event = NewEvent(context);
  if (!event.ok()) return event.status();
  [event->get() setSignaledValue:kValue];
  id wait = [classes.wait_event waitEventWithValue:kValue sharedEvent:event->get()];
  if (wait == nil) return Answer{"unavailable: the framework makes no wait", {}};
  NSMutableArray *signals = [NSMutableArray array], *waits = [NSMutableArray array];
  [waits addObject:wait];
  const absl::Status ran = EvaluateWith(context, *made, signals, waits);
  if (!ran.ok()) return Answer{absl::StrCat("no: ", Words(ran)), {}};
  return Answer{"yes, for one that has been signalled", {}};
}

absl::StatusOr<Answer> ProbeChaining(const ProbeContext& context) {
  const Framework& framework = *context.parts.framework;
  const std::string lacks = Lacks(
      framework,
      {{"_ANEInMemoryModel", "model"},
       {"_ANEInMemoryModel", "sharedConnection"},
       {"_ANEClient", "prepareChainingWithModel:options:chainingReq:qos:error:"},
       {"_ANEBuffer", "bufferWithIOSurfaceObject:symbolIndex:source:"},
       {"_ANEIOSurfaceOutputSets", "objectWithstatsSurRef:outputBuffer:"},
       {"_ANEChainingRequest", "validate"},
       {"_ANEChainingRequest",
        "chainingRequestWithInputs:outputSets:lbInputSymbolId:lbOutputSymbolId:procedureIndex:"
        "signalEvents:transactionHandle:fwEnqueueDelay:memoryPoolId:"}});
  if (!lacks.empty()) return Answer{lacks, {}};
  absl::StatusOr<WeightRig> made = MakeWeightRig(context);
  if (!made.ok()) return made.status();
  auto stats = shm::CreateIosurfaceRegion(kStatsBytes, "probe");
  if (!stats.ok()) return stats.status();
  id<ANEChainingRequest> chain =
      NewChain(context, *made->rig, static_cast<const shm::IosurfaceRegion&>(**stats).surface());
  if (chain == nil) return Answer{"unavailable: the framework makes no chaining request", {}};
  if (![chain validate]) return Answer{"no: the framework finds the chain invalid", {}};
  const ClientModel known = ClientOf(*made->rig);
  NSError* error = nil;
  if ([known.client prepareChainingWithModel:known.model
                                     options:known.options
                                 chainingReq:chain
                                         qos:kQos
                                       error:&error]) {
    return Answer{"a chain can be prepared; whether it runs is not tried", {}};
  }
  return Answer{absl::StrCat("no: ", Words(StatusOf("prepare", error))), {}};
}

// Asked for when this instance was made: a second one would be given back for the first.
absl::StatusOr<Answer> ProbeRealTimeTask(const ProbeContext& context) {
  const RealTimeTrial& task = context.tested.real_time;
  if (!task.status.ok()) return Answer{absl::StrCat("no: ", Words(task.status)), {}};
  return Answer{task.kept ? "yes, and the device keeps it" : "yes, but it slows the engine",
                {{"with_us", static_cast<double>(task.with_ns) / 1000},
                 {"without_us", static_cast<double>(task.without_ns) / 1000}}};
}

absl::StatusOr<Answer> ProbeRealTimeLoad(const ProbeContext& context) {
  const Framework& framework = *context.parts.framework;
  const std::string lacks =
      Lacks(framework, {{"_ANEInMemoryModel", "model"},
                        {"_ANEInMemoryModel", "sharedConnection"},
                        {"_ANEClient", "loadRealTimeModel:options:qos:error:"},
                        {"_ANEClient", "unloadRealTimeModel:options:qos:error:"}});
  if (!lacks.empty()) return Answer{lacks, {}};
  absl::StatusOr<WeightRig> made = MakeWeightRig(context);
  if (!made.ok()) return made.status();
  const ClientModel known = ClientOf(*made->rig);
  NSError* error = nil;
  if (![known.client loadRealTimeModel:known.model options:known.options qos:kQos error:&error]) {
    return Answer{absl::StrCat("no: ", Words(StatusOf("load", error))), {}};
  }
  const BOOL gone = [known.client unloadRealTimeModel:known.model
                                              options:known.options
                                                  qos:kQos
                                                error:&error];
  return Answer{
      gone ? "yes"
           : absl::StrCat("yes, but it cannot be unloaded: ", Words(StatusOf("unload", error))),
      {}};
}

absl::StatusOr<Answer> ProbeRealTimeEvaluate(const ProbeContext& context) {
  const Framework& framework = *context.parts.framework;
  std::string lacks = LacksClient(framework);
  if (lacks.empty()) {
    lacks = Lacks(framework, {{"_ANEClient", "evaluateWithModel:options:request:qos:error:"},
                              {"_ANEClient", "evaluateRealTimeWithModel:options:request:error:"}});
  }
  if (!lacks.empty()) return Answer{lacks, {}};
  absl::StatusOr<WeightRig> made = MakeWeightRig(context);
  if (!made.ok()) return made.status();
  auto request = made->rig->NewRequest();
  if (!request.ok()) return request.status();
  absl::StatusOr<Tail> tail = TimeTail(context, ClientOf(*made->rig), request->get());
  if (!tail.ok()) return Answer{absl::StrCat("no: ", Words(tail.status())), {}};
  if (!made->rig->OutputsAre(made->test)) return Answer{"no: wrong results", {}};
  const double plain_p99 = Percentile99(tail->plain), real_p99 = Percentile99(tail->real_time);
  return Answer{
      absl::StrCat(CompareTails(plain_p99, real_p99),
                   context.tested.real_time.kept ? ", with" : ", without", " the real-time task"),
      {{"plain_median_us", Median(tail->plain)},
       {"plain_p99_us", plain_p99},
       {"real_time_median_us", Median(tail->real_time)},
       {"real_time_p99_us", real_p99}}};
}

}  // namespace anex::device::apple
