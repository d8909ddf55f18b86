#include "server/engine/objects/usage.h"

namespace anex::engine {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
// Turns on the device that end within so little of one another are one span of time, as far as the
// shares of a second and a minute are concerned.
constexpr int64_t kOneSpanNs = 1'000'000;

template <typename T>
void AddTo(std::atomic<T>& counter, T amount) {
  if (amount != 0) counter.fetch_add(amount, kRelaxed);
}

}  // namespace

UsageSum::UsageSum(std::span<const UsageNote> notes) {
  for (const UsageNote& note : notes) {
    if (note.ran) {
      ++evaluations_;
      Count(runs_, note.device_ns);
    }
    if (note.device_ns > 0) CountTurn(note.device_ns, note.end_ns);
    if (!note.finished.has_value()) continue;
    ++(*note.finished == absl::StatusCode::kOk          ? completed_
       : *note.finished == absl::StatusCode::kCancelled ? cancelled_
                                                        : failed_);
    queue_ns_ += note.queue_ns;
    Count(queues_, note.queue_ns);
  }
}

void UsageSum::Count(Few<Durations>& to, int64_t ns) {
  const size_t bucket = profile::Histogram::BucketOf(ns);
  if (to.count > 0 && to.items[to.count - 1].bucket == bucket) {
    ++to.items[to.count - 1].times;
  } else {
    to.items[to.count++] = {bucket, 1};
  }
}

// Turns do not overlap, so all of a span's fit in before the end of its last one.
void UsageSum::CountTurn(int64_t device_ns, int64_t end_ns) {
  device_ns_ += device_ns;
  if (busy_.count > 0 && end_ns - first_end_ns_ <= kOneSpanNs) {
    Span& last = busy_.items[busy_.count - 1];
    const int64_t busy_ns = last.end_ns - last.begin_ns + device_ns;
    last = {end_ns - busy_ns, end_ns};
  } else {
    first_end_ns_ = end_ns;
    busy_.items[busy_.count++] = {end_ns - device_ns, end_ns};
  }
}

void Usage::Add(const UsageSum& sum) {
  AddTo(completed_, sum.completed_);
  AddTo(failed_, sum.failed_);
  AddTo(cancelled_, sum.cancelled_);
  AddTo(evaluations_, sum.evaluations_);
  AddTo(device_ns_, sum.device_ns_);
  AddTo(queue_ns_, sum.queue_ns_);
  for (const auto& [bucket, times] : sum.runs_.all()) runs_.AddTo(bucket, times);
  for (const auto& [bucket, times] : sum.queues_.all()) queue_.AddTo(bucket, times);
  for (const auto& [begin_ns, end_ns] : sum.busy_.all()) busy_.Add(begin_ns, end_ns);
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
