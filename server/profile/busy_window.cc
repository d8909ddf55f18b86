#include "server/profile/busy_window.h"

#include <algorithm>

namespace anex::profile {

template <int64_t kBucketNs, size_t kCount>
void BusyWindow::Ring<kBucketNs, kCount>::Add(int64_t begin_ns, int64_t end_ns) {
  const int64_t oldest = end_ns - kBucketNs * static_cast<int64_t>(kCount - 1);
  for (int64_t at = std::max({begin_ns, oldest, int64_t{0}}); at < end_ns;) {
    const int64_t number = at / kBucketNs;
    const int64_t until = std::min(end_ns, (number + 1) * kBucketNs);
    const size_t place = static_cast<size_t>(number % static_cast<int64_t>(kCount));
    if (index[place] < number + 1) {  // a newer bucket takes the place of a forgotten one
      index[place] = number + 1;
      busy[place] = 0;
    }
    if (index[place] == number + 1) busy[place] += until - at;
    at = until;
  }
}

// The window is the bucket that `now` is in and the kCount - 1 before it, of which the oldest
// counts by the part that is still inside.
template <int64_t kBucketNs, size_t kCount>
double BusyWindow::Ring<kBucketNs, kCount>::Share(int64_t now_ns) const {
  const int64_t window = kBucketNs * static_cast<int64_t>(kCount - 1);
  const int64_t current = now_ns / kBucketNs;
  const int64_t oldest = current - static_cast<int64_t>(kCount - 1);
  double sum = 0;
  for (size_t place = 0; place < kCount; ++place) {
    const int64_t number = index[place] - 1;
    if (index[place] == 0 || number < oldest || number > current) continue;
    const double inside =
        number == oldest ? 1.0 - static_cast<double>(now_ns % kBucketNs) / kBucketNs : 1.0;
    sum += inside * static_cast<double>(busy[place]);
  }
  return std::clamp(sum / static_cast<double>(window), 0.0, 1.0);
}

void BusyWindow::Add(int64_t begin_ns, int64_t end_ns) {
  absl::MutexLock lock(&mutex_);
  second_.Add(begin_ns, end_ns);
  minute_.Add(begin_ns, end_ns);
}

double BusyWindow::Share1s(int64_t now_ns) const {
  absl::MutexLock lock(&mutex_);
  return second_.Share(now_ns);
}

double BusyWindow::Share60s(int64_t now_ns) const {
  absl::MutexLock lock(&mutex_);
  return minute_.Share(now_ns);
}

}  // namespace anex::profile
