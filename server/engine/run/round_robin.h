// Fair turns: the highest class first, in a class the sessions in turn, in a session its lanes in
// turn. A turn is one step, so a long chain and a single run count alike.
//
// Against starvation: a class that is ready and was passed over kStarvationCap times in a row gets
// one turn, the lowest such class first.
//
// Deterministic. Every call costs a constant number of steps and, but for Add, allocates nothing.
#ifndef ANEX_SERVER_ENGINE_RUN_ROUND_ROBIN_H_
#define ANEX_SERVER_ENGINE_RUN_ROUND_ROBIN_H_

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "server/engine/run/qos_class.h"
#include "server/engine/run/scheduler.h"

namespace anex::engine {

class RoundRobin final : public Scheduler {
 public:
  // A lower class gets at least one turn in this many + 1, i.e. about 6 %.
  static constexpr uint32_t kStarvationCap = 16;

  void Add(const ScheduledLane& lane) override;
  void Remove(uint64_t lane) override;
  void SetReady(uint64_t lane, bool ready) override;
  std::optional<uint64_t> Next() const override;
  void Served(uint64_t lane, int64_t device_ns) override;

 private:
  struct Group;
  struct Entry {
    uint64_t lane = 0;
    Group* group = nullptr;
    bool ready = false;
    std::list<Entry*> parked;  // its list node while it is not ready
    std::list<Entry*>::iterator node;
  };
  // The lanes of one session in one class.
  struct Group {
    SessionId session;
    size_t qos = 0;
    size_t lanes = 0;
    std::list<Entry*> ready;   // whose turn it is stands in front
    std::list<Group*> parked;  // its list node while it has no ready lane
    std::list<Group*>::iterator node;
  };
  struct Class {
    std::list<Group*> ready;
    uint32_t passed_over = 0;
    absl::flat_hash_map<SessionId, std::unique_ptr<Group>> groups;
  };

  const Class* Pick() const;

  std::array<Class, kQosClasses> classes_;
  absl::flat_hash_map<uint64_t, std::unique_ptr<Entry>> entries_;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RUN_ROUND_ROBIN_H_
