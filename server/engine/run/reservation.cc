#include "server/engine/run/reservation.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace anex::engine {
namespace {

// The reservations use a share of less than 1 each, so doubles err by less than 1e-12 here.
constexpr double kSlack = 1e-9;

absl::Status CheckOne(const Reservation& wanted) {
  if (wanted.period_ns < kLeastPeriodNs || wanted.period_ns > kMostPeriodNs) {
    return absl::OutOfRangeError(absl::StrCat("a period is from ", kLeastPeriodNs, " to ",
                                              kMostPeriodNs, " ns, found ", wanted.period_ns));
  }
  if (wanted.budget_ns < 1 || wanted.budget_ns > wanted.period_ns) {
    return absl::OutOfRangeError(absl::StrCat("a budget is from 1 ns to its period of ",
                                              wanted.period_ns, " ns, found ", wanted.budget_ns));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Admit(const Reservation& wanted, std::span<const Reservation> kept,
                   int64_t longest_step_ns, const ClassShares& shares) {
  if (absl::Status legal = CheckOne(wanted); !legal.ok()) return legal;
  double parts = 0;
  int64_t steps = 1;
  for (const uint32_t permille : shares.kept_permille) {
    parts += permille / 1000.0;
    steps += permille > 0 ? 1 : 0;
  }
  std::vector<Reservation> all(kept.begin(), kept.end());
  all.push_back(wanted);
  std::sort(all.begin(), all.end(),
            [](const Reservation& a, const Reservation& b) { return a.period_ns < b.period_ns; });
  double used = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    const double period = static_cast<double>(all[i].period_ns);
    used += static_cast<double>(all[i].budget_ns) / period;
    if (i + 1 < all.size() && all[i + 1].period_ns == all[i].period_ns) continue;
    const double blocked = static_cast<double>(steps) * static_cast<double>(longest_step_ns);
    const double free = 1 - parts - blocked / period;
    if (used <= free + kSlack) continue;
    return absl::ResourceExhaustedError(absl::StrFormat(
        "the reservations would need %.1f %% of each period of %d ns, and %.1f %% can be promised: "
        "the longest step takes %d ns and may come %d times, other classes keep %.1f %%; ask for a "
        "smaller budget or a longer period",
        100 * used, all[i].period_ns, std::max(0.0, 100 * free), longest_step_ns, steps,
        100 * parts));
  }
  return absl::OkStatus();
}

}  // namespace anex::engine
