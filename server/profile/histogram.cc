#include "server/profile/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace anex::profile {

// Values below 8 have a bucket each; above, the three bits after the leading one choose among
// eight.
size_t Histogram::BucketOf(int64_t signed_ns) {
  const uint64_t ns = static_cast<uint64_t>(std::max<int64_t>(signed_ns, 0));
  if (ns < kSub) return ns;
  const int exponent = std::bit_width(ns) - 1;
  const uint64_t sub = (ns >> (exponent - kSubBits)) & (kSub - 1);
  return static_cast<size_t>(exponent - kSubBits + 1) * kSub + sub;
}

int64_t Histogram::MiddleOf(size_t bucket) {
  if (bucket < kSub) return static_cast<int64_t>(bucket);
  const int exponent = static_cast<int>(bucket / kSub) + kSubBits - 1;
  const uint64_t width = uint64_t{1} << (exponent - kSubBits);
  const uint64_t low = (kSub + bucket % kSub) * width;
  return static_cast<int64_t>(low + width / 2);
}

uint64_t Histogram::count() const {
  uint64_t sum = 0;
  for (const auto& bucket : buckets_) sum += bucket.load(std::memory_order_relaxed);
  return sum;
}

int64_t Histogram::Percentile(double fraction) const {
  const uint64_t total = count();
  if (total == 0) return 0;
  const double rank = std::ceil(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(total));
  const uint64_t wanted = std::max<uint64_t>(1, static_cast<uint64_t>(rank));
  uint64_t seen = 0;
  size_t last = 0;
  for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
    const uint64_t here = buckets_[bucket].load(std::memory_order_relaxed);
    if (here == 0) continue;
    seen += here;
    last = bucket;
    if (seen >= wanted) break;
  }
  return MiddleOf(last);
}

}  // namespace anex::profile
