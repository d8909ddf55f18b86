#include "server/engine/run/reservation.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace anex::engine {
namespace {

// The reservations use a share of less than 1 each, so doubles err by less than 1e-12 here.
constexpr double kSlack = 1e-9;

// "12.3 %", of a part of 1.
std::string Percent(double part) {
  const auto permille = static_cast<int64_t>(std::llround(1000 * part));
  return absl::StrCat(permille / 10, ".", permille % 10, " %");
}

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
    return absl::ResourceExhaustedError(absl::StrCat(
        "the reservations would need ", Percent(used), " of each period of ", all[i].period_ns,
        " ns, and ", Percent(std::max(0.0, free)), " can be promised: the longest step takes ",
        longest_step_ns, " ns and may come ", steps, " times, other classes keep ", Percent(parts),
        "; ask for a smaller budget or a longer period"));
  }
  return absl::OkStatus();
}

}  // namespace anex::engine
