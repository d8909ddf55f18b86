#include "client/cli/bench/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace anex::bench {
namespace {

constexpr int kSubBits = 10;
constexpr size_t kSub = size_t{1} << kSubBits;
// Values below 2 * kSub have a bucket each; from there on kSub for each of the powers up to 2^62.
constexpr size_t kBuckets = 2 * kSub + (62 - kSubBits) * kSub;

}  // namespace

LatencyHistogram::LatencyHistogram() : counts_(kBuckets) {}

size_t LatencyHistogram::IndexOf(uint64_t ns) {
  if (ns < 2 * kSub) return static_cast<size_t>(ns);
  const int shift = std::bit_width(ns) - 1 - kSubBits;  // at least 1
  return static_cast<size_t>(shift) * kSub + static_cast<size_t>(ns >> shift);
}

int64_t LatencyHistogram::UpperEnd(size_t index) {
  if (index < 2 * kSub) return static_cast<int64_t>(index);
  const size_t shift = index / kSub - 1;
  const uint64_t leading = index - shift * kSub;  // kSub to 2 * kSub - 1
  return static_cast<int64_t>(((leading + 1) << shift) - 1);
}

void LatencyHistogram::Add(int64_t ns, uint64_t count) {
  if (count == 0) return;
  ns = std::max<int64_t>(ns, 0);
  counts_[IndexOf(static_cast<uint64_t>(ns))] += count;
  count_ += count;
  least_ = std::min(least_, ns);
  most_ = std::max(most_, ns);
  sum_ += static_cast<double>(ns) * static_cast<double>(count);
}

void LatencyHistogram::Merge(const LatencyHistogram& other) {
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  least_ = std::min(least_, other.least_);
  most_ = std::max(most_, other.most_);
  sum_ += other.sum_;
}

double LatencyHistogram::mean() const {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

int64_t LatencyHistogram::Percentile(double q) const {
  if (count_ == 0) return 0;
  const double wanted = std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(count_));
  const uint64_t rank = std::max<uint64_t>(1, static_cast<uint64_t>(wanted));
  uint64_t seen = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank) return std::min(UpperEnd(i), most_);
  }
  return most_;
}

std::vector<LatencyHistogram::Bucket> LatencyHistogram::Buckets() const {
  std::vector<Bucket> buckets;
  for (size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] > 0) buckets.push_back({UpperEnd(i), counts_[i]});
  }
  return buckets;
}

}  // namespace anex::bench
