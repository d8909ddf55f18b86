// What one session, kernel or device has used: counts, device time, waiting time. Written by the
// dispatcher, read by status pages.
//
// Threads: any; relaxed counters. A reader sees each counter at some recent moment, not all at one.
#ifndef ANEX_SERVER_ENGINE_OBJECTS_USAGE_H_
#define ANEX_SERVER_ENGINE_OBJECTS_USAGE_H_

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"
#include "proto/values/status_values.h"
#include "server/profile/busy_window.h"
#include "server/profile/histogram.h"

namespace anex::engine {

class Usage {
 public:
  void Submitted() { submitted_.fetch_add(1, std::memory_order_relaxed); }
  // One completion: OK counts as completed, CANCELLED as cancelled, all else as failed.
  // `queue_ns` from acceptance to the first step.
  void Finished(const absl::Status& status, int64_t queue_ns);
  // One kernel run (a step of a chain too) that ended at `end_ns` and took `device_ns`.
  void Ran(int64_t device_ns, int64_t end_ns);

  UsageCounters Snapshot() const;
  int64_t RunPercentile(double fraction) const { return runs_.Percentile(fraction); }
  double DeviceShare1s(int64_t now_ns) const { return busy_.Share1s(now_ns); }
  double DeviceShare60s(int64_t now_ns) const { return busy_.Share60s(now_ns); }

 private:
  std::atomic<uint64_t> submitted_{0}, completed_{0}, failed_{0}, cancelled_{0}, evaluations_{0};
  std::atomic<int64_t> device_ns_{0}, queue_ns_{0};
  profile::Histogram queue_, runs_;
  profile::BusyWindow busy_;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_OBJECTS_USAGE_H_
