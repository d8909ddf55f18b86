// Real-time reservations: whether a set of them can be kept. Policy only, a pure function: what
// makes, holds and charges reservations asks it before it lets a lane into the real-time class.
//
// A reservation is a budget of device time in every period, to be used by the period's end. The
// class runs them earliest deadline first, above all others; but a step that is on the device stays
// there until it ends, and each other class keeps a part of the device's time (qos_class.h), which
// it takes in steps too. So for every period P among them, what can come up within P:
//
//   (1 + classes that keep a part) * longest step + P * their parts + every budget whose period
//   is at most P, as a part of P     must fit into P.
//
// Any thread.
#ifndef ANEX_SERVER_ENGINE_RUN_RESERVATION_H_
#define ANEX_SERVER_ENGINE_RUN_RESERVATION_H_

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "server/engine/run/qos_class.h"

namespace anex::engine {

inline constexpr int64_t kLeastPeriodNs = 100'000;
inline constexpr int64_t kMostPeriodNs = 10'000'000'000;

struct Reservation {
  int64_t period_ns = 0;  // kLeastPeriodNs .. kMostPeriodNs
  int64_t budget_ns = 0;  // 1 .. period_ns
};

// OK if `wanted` can be kept beside those that are. `longest_step_ns` is the longest step that
// anybody on this device may run, which nothing can interrupt. OUT_OF_RANGE for a period or budget
// that is none; RESOURCE_EXHAUSTED names the period that would not hold and what is left of it.
absl::Status Admit(const Reservation& wanted, std::span<const Reservation> kept,
                   int64_t longest_step_ns, const ClassShares& shares);

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RUN_RESERVATION_H_
