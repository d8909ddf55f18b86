#include "server/engine/objects/usage.h"

#include <algorithm>

namespace anex::engine {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
// Turns on the device that end within so little of one another are one span of time, so long as
// the shares of a second and a minute are shown.
constexpr int64_t kOneSpanNs = 1'000'000;

// Durations on their way into a histogram: a run of like ones is one addition.
class Durations {
 public:
  explicit Durations(profile::Histogram& to) : to_(to) {}
  ~Durations() { Flush(); }
  void Add(int64_t ns) {
    if (times_ > 0 && !profile::Histogram::SameBucket(ns, ns_)) Flush();
    ns_ = ns;
    ++times_;
  }

 private:
  void Flush() {
    if (times_ > 0) to_.Add(ns_, times_);
    times_ = 0;
  }
  profile::Histogram& to_;
  int64_t ns_ = 0;
  uint64_t times_ = 0;
};

// Turns on the device on their way into a window: what is close together goes as one span. They do
// not overlap, so all of it fits in before the last one's end.
class Turns {
 public:
  explicit Turns(profile::BusyWindow& to) : to_(to) {}
  ~Turns() { Flush(); }
  void Add(int64_t device_ns, int64_t end_ns) {
    if (end_ns - first_end_ns_ > kOneSpanNs) Flush();
    if (busy_ns_ == 0) first_end_ns_ = end_ns;
    busy_ns_ += device_ns;
    end_ns_ = std::max(end_ns_, end_ns);
  }

 private:
  void Flush() {
    if (busy_ns_ > 0) to_.Add(end_ns_ - busy_ns_, end_ns_);
    busy_ns_ = 0;
  }
  profile::BusyWindow& to_;
  int64_t busy_ns_ = 0, first_end_ns_ = 0, end_ns_ = 0;
};

template <typename T>
void AddTo(std::atomic<T>& counter, T amount) {
  if (amount != 0) counter.fetch_add(amount, kRelaxed);
}

}  // namespace

void Usage::Add(std::span<const UsageNote> notes) {
  uint64_t completed = 0, failed = 0, cancelled = 0, evaluations = 0;
  int64_t device_ns = 0, queue_ns = 0;
  Durations runs(runs_), queues(queue_);
  Turns turns(busy_);
  for (const UsageNote& note : notes) {
    if (note.ran) {
      ++evaluations;
      runs.Add(note.device_ns);
    }
    if (note.device_ns > 0) {
      device_ns += note.device_ns;
      turns.Add(note.device_ns, note.end_ns);
    }
    if (!note.finished.has_value()) continue;
    ++(*note.finished == absl::StatusCode::kOk          ? completed
       : *note.finished == absl::StatusCode::kCancelled ? cancelled
                                                        : failed);
    queue_ns += note.queue_ns;
    queues.Add(note.queue_ns);
  }
  AddTo(completed_, completed);
  AddTo(failed_, failed);
  AddTo(cancelled_, cancelled);
  AddTo(evaluations_, evaluations);
  AddTo(device_ns_, device_ns);
  AddTo(queue_ns_, queue_ns);
}

UsageCounters Usage::Snapshot() const {
  UsageCounters counters;
  counters.submitted = submitted_.load(kRelaxed);
  counters.completed = completed_.load(kRelaxed);
  counters.failed = failed_.load(kRelaxed);
  counters.cancelled = cancelled_.load(kRelaxed);
  counters.evaluations = evaluations_.load(kRelaxed);
  counters.device_ns = device_ns_.load(kRelaxed);
  counters.queue_ns = queue_ns_.load(kRelaxed);
  counters.queue_p50_ns = queue_.Percentile(0.5);
  counters.queue_p99_ns = queue_.Percentile(0.99);
  return counters;
}

}  // namespace anex::engine
