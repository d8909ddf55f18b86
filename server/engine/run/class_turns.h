// Which scheduling class goes next: the highest that has work, but for one that is owed time.
//
// Each class keeps a part of the device's time (ClassShares). While it has work, time that anybody
// uses is put down to it as owed at that rate; once something is owed it goes before all higher
// classes, longest overdue first. What it then uses is taken off, below zero too, so a long step is
// paid for by a longer wait. While a class has no work, time that others
// use puts nothing down to it but pays off its debts: it cannot come and go to be first each time.
// Steps that it was given because nothing higher waited cost it nothing.
//
// Starvation bound: with steps of at most L, a class that keeps f and has work gets each further
// amount A of service within (A + L) / f + 4 L / (1 - what the others keep) of device time.
//
// Threads: none. Values. Nothing allocates.
#ifndef ANEX_SERVER_ENGINE_RUN_CLASS_TURNS_H_
#define ANEX_SERVER_ENGINE_RUN_CLASS_TURNS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "server/engine/run/qos_class.h"

namespace anex::engine {

class ClassTurns {
 public:
  explicit ClassTurns(const ClassShares& shares = {}) : shares_(shares) {}
  void SetShares(const ClassShares& shares) { shares_ = shares; }

  void SetReady(size_t qos, bool ready) { ready_[qos] = ready; }
  // nullopt if no class has work.
  std::optional<size_t> Next() const;
  // A step of class `qos` used the device for `ns` >= 0.
  void Charge(size_t qos, int64_t ns);

 private:
  bool HigherIsReady(size_t qos) const;

  ClassShares shares_;
  std::array<bool, kQosClasses> ready_{};
  std::array<int64_t, kQosClasses> owed_{};  // nanoseconds times 1000
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RUN_CLASS_TURNS_H_
