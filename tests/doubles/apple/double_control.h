// How a test tells the fake AppleNeuralEngine what to do wrong, and sees what was asked of it.
// Plain data: a list of faults as text, so that a daemon gets them from its environment
// (ANEX_ANE_DOUBLE=...) as a test in this process gets them from a call.
//
//   "load=error:6*2, evaluate=raise, order=size, row=128, limit=8"
//
//   compile, load, unload, evaluate, map = error:CODE | raise | no | nil    at the next calls
//   descriptor, model, request = nil | raise
//       `*N` behind it: the next N only; for ever else
//   compile_ms, evaluate_ms, completion_ms = N   takes so long
//   evaluate = hang           until ane_double_release()
//   evaluate = zeros | swap | lost     says YES and writes zeros; takes the first two inputs for
//   one
//                             another; once says that the program is not there (code 23)
//   order = declared | name | size | reverse    of the live tensors
//   row = N                   rows start at multiples of N bytes (64)
//   limit = N                 programs loaded at once; beyond it load fails with code 6
//   ane = no | virtual        the machine
//   realtime = yes            beginRealTimeTask says so
//   realtime_us = N           an evaluation takes that much longer while there is such a task
//
// What engines are said to differ in, each off if it is not named:
//   refuse = TEXT             the compiler refuses programs with that text in them
//   compiles = N              so many programs compile in all, then none
//   weights = reload          a load reads the weight files anew
//   buffer = file | values    weightsBuffer holds the weights to use, as their file or bare
//   binding = place           inputs are taken by their place in the request, not by symbol
//   least = N                 surfaces of tensors with fewer bytes are a mismatch (0x1d)
//   procedures = N            a program's first procedure runs for every index below N
//   refuse_qos = N, slow_qos = N   that service class is refused; takes 5 ms more
//   plain_ms = N              evaluations that are not real-time take so much longer
//   stats = zero | masked | refused    no time; only with a mask; a mask makes the load fail
//   events = yes | silent | error:CODE | raise    shared events; silent: no signal. Else code 25
//   chain = yes | invalid | nil | error:CODE      prepareChaining. Else code 15
//   rtload = yes | stuck      loadRealTimeModel; stuck: no unload. Else code 2
//
//   memory = off | client = off    that way of loading always fails
//
// Threads: any.
#ifndef ANEX_TESTS_DOUBLES_APPLE_DOUBLE_CONTROL_H_
#define ANEX_TESTS_DOUBLES_APPLE_DOUBLE_CONTROL_H_

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// What has been asked for since the last ane_double_reset.
struct AneDoubleCounts {
  uint64_t compiles, loads, unloads, evaluates, maps, unmaps, purges;
  uint64_t real_time_tasks;  // begun
  uint64_t loaded_now, requests_now, models_now, compiled_now;
  uint64_t real_time_now;  // tasks that have begun and not ended
};

// Instead of all earlier faults. Ends the process if it cannot read them: a test must not pass by a
// slip in its faults.
void ane_double_faults(const char* faults);
// Faults off, what has been compiled forgotten, counts at 0.
void ane_double_reset(void);
// Until ane_double_reset: the selector of that class (or of its instances) is gone, or has these
// types ("v16@0:8"). Ends the process if there is none.
void ane_double_change_selector(const char* class_name, const char* selector, bool of_class,
                                const char* types_or_null);
// Lets calls go on that hang.
void ane_double_release(void);
struct AneDoubleCounts ane_double_counts(void);
// Of the folders that programs have been compiled in since ane_double_reset: those that still
// exist.
uint64_t ane_double_folders_left(void);
// The names before "=" at which something can go wrong, without those that only set something:
// divided by blanks.
const char* ane_double_points(void);

#ifdef __cplusplus
}
#endif

#endif  // ANEX_TESTS_DOUBLES_APPLE_DOUBLE_CONTROL_H_
