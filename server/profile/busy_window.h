// The share of the last second and the last minute that something was busy.
//
// Threads: any; one short lock. Times are monotonic nanoseconds given by the caller.
// Invariant: memory is fixed; what is older than a minute is forgotten.
#ifndef ANEX_SERVER_PROFILE_BUSY_WINDOW_H_
#define ANEX_SERVER_PROFILE_BUSY_WINDOW_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace anex::profile {

class BusyWindow {
 public:
  // Busy from `begin_ns` to `end_ns`. Spans may overlap; shares are then clamped to 1.
  void Add(int64_t begin_ns, int64_t end_ns);
  double Share1s(int64_t now_ns) const;
  double Share60s(int64_t now_ns) const;

 private:
  // The length of a bucket is a constant: every evaluation divides by it several times.
  template <int64_t kBucketNs, size_t kCount>
  struct Ring {
    std::array<int64_t, kCount> index{};  // which bucket of time a place stands for, plus one
    std::array<int64_t, kCount> busy{};
    void Add(int64_t begin_ns, int64_t end_ns);
    double Share(int64_t now_ns) const;
  };

  mutable absl::Mutex mutex_;
  Ring<50'000'000, 21> second_ ABSL_GUARDED_BY(mutex_);
  Ring<1'000'000'000, 61> minute_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace anex::profile

#endif  // ANEX_SERVER_PROFILE_BUSY_WINDOW_H_
