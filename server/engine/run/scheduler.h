// Which waiting lane gets the device next: policy only. The dispatcher is the mechanism and asks.
//
// Threads: none, no lock, no clock: the dispatcher's lock guards it, and a simulation can drive it.
// Use: Add a lane; SetReady as it gains and loses work that can be tried; Next names one without
// taking it; Served tells what it then used. A lane whose head turns out to be blocked is set not
// ready without Served, and so loses no turn.
#ifndef ANEX_SERVER_ENGINE_RUN_SCHEDULER_H_
#define ANEX_SERVER_ENGINE_RUN_SCHEDULER_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "proto/values/execution_values.h"
#include "proto/wire/handle.h"

namespace anex::engine {

struct ScheduledLane {
  uint64_t lane = 0;
  SessionId session;
  QosClass qos = QosClass::kDefault;
  uint32_t weight = 1;  // of the session
};

class Scheduler {
 public:
  virtual ~Scheduler() = default;
  virtual void Add(const ScheduledLane& lane) = 0;  // not ready
  virtual void Remove(uint64_t lane) = 0;
  virtual void SetReady(uint64_t lane, bool ready) = 0;
  // A ready lane; nullopt if there is none. Asked again without a change it says the same.
  virtual std::optional<uint64_t> Next() const = 0;
  // One step of the lane used the device for `device_ns` (copies count). Called before the lane is
  // ready again.
  virtual void Served(uint64_t lane, int64_t device_ns) = 0;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RUN_SCHEDULER_H_
