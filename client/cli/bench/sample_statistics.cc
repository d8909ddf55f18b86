#include "client/cli/bench/sample_statistics.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace anex::bench {
namespace {

constexpr int kDraws = 2000;         // the 2.5 % tails then hold 50 draws each
constexpr size_t kFewestRounds = 3;  // of fewer the tails say nothing

// xorshift64*: the same draws with every library, which std's distributions do not promise.
class Dice {
 public:
  size_t Below(size_t bound) {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<size_t>((state_ * 0x2545F4914F6CDD1Dull) >> 33) % bound;
  }

 private:
  uint64_t state_ = 0x9E3779B97F4A7C15ull;
};

std::vector<double> Pool(const Rounds& rounds) {
  std::vector<double> all;
  for (const auto& round : rounds) all.insert(all.end(), round.begin(), round.end());
  return all;
}

// Of sorted or unsorted samples, in place.
double MedianOf(std::vector<double>& samples) {
  const size_t middle = samples.size() / 2;
  std::nth_element(samples.begin(), samples.begin() + static_cast<ptrdiff_t>(middle),
                   samples.end());
  if (samples.size() % 2 == 1) return samples[middle];
  const double below =
      *std::max_element(samples.begin(), samples.begin() + static_cast<ptrdiff_t>(middle));
  return (below + samples[middle]) / 2;
}

Rounds WithoutEmpty(const Rounds& rounds) {
  Rounds kept;
  for (const auto& round : rounds) {
    if (!round.empty()) kept.push_back(round);
  }
  return kept;
}

double MedianOfDrawn(const Rounds& rounds, const std::vector<size_t>& drawn,
                     std::vector<double>& scratch) {
  scratch.clear();
  for (const size_t i : drawn) scratch.insert(scratch.end(), rounds[i].begin(), rounds[i].end());
  return MedianOf(scratch);
}

void Draw(Dice& dice, size_t rounds, std::vector<size_t>& drawn) {
  drawn.resize(rounds);
  for (size_t& each : drawn) each = dice.Below(rounds);
}

}  // namespace

double Quantile(std::vector<double> samples, double q) {
  std::sort(samples.begin(), samples.end());
  const double at = std::clamp(q, 0.0, 1.0) * static_cast<double>(samples.size() - 1);
  const size_t low = static_cast<size_t>(std::floor(at));
  const size_t high = std::min(low + 1, samples.size() - 1);
  return samples[low] + (samples[high] - samples[low]) * (at - static_cast<double>(low));
}

std::optional<Spread> SpreadOf(const Rounds& rounds) {
  const std::vector<double> all = Pool(rounds);
  if (all.empty()) return std::nullopt;
  return Spread{.median = Quantile(all, 0.5),
                .p25 = Quantile(all, 0.25),
                .p75 = Quantile(all, 0.75),
                .p99 = Quantile(all, 0.99),
                .least = Quantile(all, 0),
                .most = Quantile(all, 1),
                .samples = all.size()};
}

std::optional<RatioEstimate> EstimateRatio(const Rounds& above_all, const Rounds& below_all,
                                           Pairing pairing) {
  const Rounds above = WithoutEmpty(above_all), below = WithoutEmpty(below_all);
  std::vector<double> scratch_above = Pool(above), scratch_below = Pool(below);
  if (scratch_above.empty() || scratch_below.empty()) return std::nullopt;
  const double median_below = MedianOf(scratch_below);
  if (!(median_below > 0)) return std::nullopt;
  RatioEstimate estimate{.ratio = MedianOf(scratch_above) / median_below};
  if (std::min(above.size(), below.size()) < kFewestRounds) return estimate;
  const bool together = pairing == Pairing::kSameRun && above.size() == below.size();
  Dice dice;
  std::vector<size_t> drawn;
  std::vector<double> ratios;
  for (int i = 0; i < kDraws; ++i) {
    Draw(dice, above.size(), drawn);
    const double over = MedianOfDrawn(above, drawn, scratch_above);
    if (!together) Draw(dice, below.size(), drawn);
    const double under = MedianOfDrawn(below, drawn, scratch_below);
    if (under > 0) ratios.push_back(over / under);
  }
  if (ratios.empty()) return estimate;
  estimate.low = Quantile(ratios, 0.025);
  estimate.high = Quantile(ratios, 0.975);
  estimate.interval_known = true;
  return estimate;
}

double JainIndex(const std::vector<double>& shares) {
  double sum = 0, squares = 0;
  for (const double share : shares) {
    sum += share;
    squares += share * share;
  }
  return squares > 0 ? sum * sum / (static_cast<double>(shares.size()) * squares) : 0;
}

}  // namespace anex::bench
