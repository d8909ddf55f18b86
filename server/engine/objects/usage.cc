#include "server/engine/objects/usage.h"

namespace anex::engine {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

}  // namespace

void Usage::Finished(const absl::Status& status, int64_t queue_ns) {
  if (status.ok()) {
    completed_.fetch_add(1, kRelaxed);
  } else if (absl::IsCancelled(status)) {
    cancelled_.fetch_add(1, kRelaxed);
  } else {
    failed_.fetch_add(1, kRelaxed);
  }
  queue_ns_.fetch_add(queue_ns, kRelaxed);
  queue_.Add(queue_ns);
}

void Usage::Ran(int64_t device_ns, int64_t end_ns) {
  evaluations_.fetch_add(1, kRelaxed);
  device_ns_.fetch_add(device_ns, kRelaxed);
  runs_.Add(device_ns);
  busy_.Add(end_ns - device_ns, end_ns);
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
