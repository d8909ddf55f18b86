// Hierarchical weighted fair queueing by measured device time: first the class (class_turns.h),
// then its users by weight, a user's sessions by weight, a session's lanes alike (fair_share.h at
// each of the three). In the real-time class the earliest deadline goes first.
//
//   classes --- user --- session --- lane
//           |         |          `-- lane
//           |         `- session --- lane
//           `-- user --- ...
//
// A turn is one step of a submission, charged with what it used at every level from the lane up.
// A step that used less than kLeastNs counts as that: a lane of fences and publishes takes the
// device's thread, if not the device.
//
// Starvation bound: a ready lane has its next turn after a device time that depends on the number
// and weights of those it shares with and on the longest step, but not on how much they have
// queued: fair_share.h says how long at each level, class_turns.h at the top; scheduler_simulation_
// test.cc puts it together.
//
// Threads: none. Deterministic. Next, Served and SetReady cost O(log n) and allocate nothing.
#ifndef ANEX_SERVER_ENGINE_RUN_FAIR_SCHEDULER_H_
#define ANEX_SERVER_ENGINE_RUN_FAIR_SCHEDULER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "proto/values/hash_map.h"
#include "server/engine/run/class_turns.h"
#include "server/engine/run/fair_share.h"
#include "server/engine/run/indexed_heap.h"
#include "server/engine/run/scheduler.h"

namespace anex::engine {

class FairScheduler final : public Scheduler {
 public:
  static constexpr int64_t kLeastNs = 1000;

  absl::Status Add(const ScheduledLane& lane) override;
  void Remove(uint64_t lane) override;
  void SetReady(uint64_t lane, bool ready, int64_t deadline_ns = INT64_MAX) override;
  std::optional<uint64_t> Next() override;
  void Served(uint64_t lane, int64_t device_ns) override;
  void SetUserWeight(uint64_t user, uint32_t weight) override;
  void SetSessionWeight(SessionId session, uint32_t weight) override;
  void SetShares(const ClassShares& shares) override { turns_.SetShares(shares); }
  std::unique_ptr<Scheduler> Clone() const override;

 private:
  using Child = FairShare::Child;
  // The children of a node stand at their number in the node's FairShare.
  struct SessionNode {
    SessionId id;
    FairShare share;
    std::vector<uint64_t> lanes;
  };
  struct UserNode {
    uint64_t id = 0;
    FairShare share;
    std::vector<SessionNode> sessions;
    HashMap<SessionId, Child> by_id;
  };
  struct ClassNode {
    FairShare share;
    std::vector<UserNode> users;
    HashMap<uint64_t, Child> by_id;
  };
  struct RealTime {
    std::vector<uint64_t> lanes;  // by slot
    std::vector<uint32_t> free;
    IndexedHeap<int64_t> by_deadline;
  };
  // The way to a lane from the top.
  struct Place {
    uint8_t qos = 0;
    Child user = 0, session = 0, lane = 0;  // real time: `lane` is its slot
  };

  Place AddFair(const ScheduledLane& lane);
  Place AddRealTime(const ScheduledLane& lane);
  Child UserOf(ClassNode& its_class, uint64_t user);
  Child SessionOf(UserNode& user, SessionId session, uint32_t weight);
  void RemoveFair(const Place& place);
  void ForgetSession(UserNode& user, Child child);  // that has no lanes any more
  uint32_t WeightOf(uint64_t user) const;

  ClassTurns turns_;
  RealTime real_time_;
  std::array<ClassNode, kQosClasses> classes_;  // that of real time stays empty
  HashMap<uint64_t, Place> places_;
  HashMap<uint64_t, uint32_t> user_weights_;  // those that are not 1
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RUN_FAIR_SCHEDULER_H_
