// One step of a job: pin, run or copy or publish or fence. All that touches the device, the bytes
// and the parameter sets; knows nothing of lanes and holds no lock.
//
// Threads: the device thread, which owns the job for the length of the call.
#ifndef ANEX_SERVER_ENGINE_RUN_STEP_RUNNER_H_
#define ANEX_SERVER_ENGINE_RUN_STEP_RUNNER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "server/engine/clock.h"
#include "server/engine/run/job.h"
#include "server/engine/run/run_watch.h"

namespace anex::engine {

struct StepResult {
  enum class Kind : uint8_t {
    kMore = 0,       // the chain has more steps
    kBlocked = 1,    // a fence or a fenced set: nothing was done, look again later
    kFinished = 2,   // with `status`
    kAbandoned = 3,  // the watchdog owns the job; only what is co-owned may be touched
  };
  Kind kind = Kind::kFinished;
  absl::Status status;
  bool inside_step = false;  // kMore: of a step that goes on
  int64_t device_ns = 0;     // computing or copying, for the scheduler
  Kernel* kernel = nullptr;  // that had the device, if one did; the job keeps it alive
  bool ran = false;          // it ran to its end
  int64_t end_ns = 0;        // when the step ended; 0 if nobody has looked
  int64_t wall_ns = 0;       // how long it had the device's thread
};

// A step that begins at `now_ns`. Appends to job.completion what it did (steps_done, device_ns,
// generation, step_ns). One look at the clock, when the step has ended.
StepResult DoStep(Job& job, RunWatch& watch, const Clock& clock, int64_t now_ns);

bool IsChain(const Work& work);
// How many times a job of this work needs the device's thread.
uint64_t TurnsOf(const Work& work);
// How many parameter sets a job of this work pins at a time, at most.
size_t SetsOf(const Work& work);
// The kernel of a job that is one invocation, or null.
Kernel* KernelOf(const Work& work);
// What the device was doing for a job, in words without names of other sessions: "the run of an
// invocation", "step 3 of iteration 0 of a chain".
std::string DescribeStep(const Job& job);
// DEADLINE_EXCEEDED for a job whose next step is not run any more: how long it waited, or how far
// it came.
absl::Status LateStatus(const Job& job, int64_t now_ns);
// The same for one that was stopped because its deadline passed.
absl::Status LateStatusOfRun(const Job& job, int64_t now_ns);
// The invocation that the job's next or current step runs; null if it runs none.
const Invocation* InvocationOf(const Job& job);

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RUN_STEP_RUNNER_H_
