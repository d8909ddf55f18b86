// Which waiting lane gets the device next: policy only. The dispatcher is the mechanism and asks.
//
// Threads: none, no lock, no clock: the dispatcher's lock guards it, and a simulation can drive it.
// Use: Add a lane; SetReady as it gains and loses work that can be tried; Next names one without
// taking it; Served tells what it then used, before Next is asked again. A lane whose head turns
// out to be blocked is set not ready; with Served and 0 if the look at it shall cost it something.
// Served also of a lane that was not named, nor ready, for what else it took.
#ifndef ANEX_SERVER_ENGINE_RUN_SCHEDULER_H_
#define ANEX_SERVER_ENGINE_RUN_SCHEDULER_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "proto/values/execution_values.h"
#include "proto/wire/handle.h"
#include "server/engine/run/qos_class.h"

namespace anex::engine {

struct ScheduledLane {
  uint64_t lane = 0;
  uint64_t user = 0;  // the account that its session belongs to, as a local uid
  SessionId session;
  QosClass qos = QosClass::kDefault;
  uint32_t weight = 1;    // of the session among those of its user
  bool reserved = false;  // was admitted to the real-time class (reservation.h)
};

class Scheduler {
 public:
  virtual ~Scheduler() = default;
  // Not ready. FAILED_PRECONDITION for a real-time lane without a reservation.
  virtual absl::Status Add(const ScheduledLane& lane) = 0;
  virtual void Remove(uint64_t lane) = 0;
  // `deadline_ns` is that of the lane's front submission; it orders the real-time class.
  virtual void SetReady(uint64_t lane, bool ready, int64_t deadline_ns = INT64_MAX) = 0;
  // A ready lane; nullopt if there is none. Asked again without a change it says the same.
  virtual std::optional<uint64_t> Next() = 0;
  // One step of the lane used the device for `device_ns` (copies count).
  virtual void Served(uint64_t lane, int64_t device_ns) = 0;

  // From now on, for present and future lanes.
  virtual void SetUserWeight(uint64_t user, uint32_t weight) = 0;
  virtual void SetSessionWeight(SessionId session, uint32_t weight) = 0;
  virtual void SetShares(const ClassShares& shares) = 0;

  // The same policy at the same point, to look ahead with.
  virtual std::unique_ptr<Scheduler> Clone() const = 0;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RUN_SCHEDULER_H_
