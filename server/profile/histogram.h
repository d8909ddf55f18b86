// Durations counted into log-linear buckets: eight per power of two, so a percentile is off by at
// most 1/8 of its value. For figures on a status page, not for benchmarks.
//
// Threads: any; Add is one relaxed increment. A reader racing with writers sees some moment
// between. Bound: fixed size, no allocation.
#ifndef ANEX_SERVER_PROFILE_HISTOGRAM_H_
#define ANEX_SERVER_PROFILE_HISTOGRAM_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace anex::profile {

class Histogram {
 public:
  void Add(int64_t ns) { AddTo(BucketOf(ns), 1); }  // negative counts as 0
  // The same in two parts, for many durations that fall into one place.
  static size_t BucketOf(int64_t ns);
  void AddTo(size_t bucket, uint64_t times) {
    buckets_[bucket].fetch_add(times, std::memory_order_relaxed);
  }
  uint64_t count() const;
  // The middle of the bucket that holds the `fraction` quantile (0.5, 0.99); 0 when empty.
  int64_t Percentile(double fraction) const;

 private:
  static constexpr int kSubBits = 3;
  static constexpr int kSub = 1 << kSubBits;
  static constexpr size_t kBuckets = kSub * (63 - kSubBits + 1);

  static int64_t MiddleOf(size_t bucket);

  std::array<std::atomic<uint64_t>, kBuckets> buckets_{};
};

}  // namespace anex::profile

#endif  // ANEX_SERVER_PROFILE_HISTOGRAM_H_
