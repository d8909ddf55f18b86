// What one session, kernel or device has used: counts, device time, waiting time. Written by the
// dispatcher, many notes at a time, read by status pages.
//
// Threads: any; relaxed counters. A reader sees each counter at some recent moment, not all at one.
#ifndef ANEX_SERVER_ENGINE_OBJECTS_USAGE_H_
#define ANEX_SERVER_ENGINE_OBJECTS_USAGE_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>

#include "absl/status/status.h"
#include "proto/values/status_values.h"
#include "server/profile/busy_window.h"
#include "server/profile/histogram.h"

namespace anex::engine {

// One turn of a submission on the device, its end, or both.
struct UsageNote {
  bool ran = false;       // a kernel: an evaluation
  int64_t device_ns = 0;  // of the turn, computing or copying; 0 if it did neither
  int64_t end_ns = 0;     // when that ended
  // The one completion: OK counts as completed, CANCELLED as cancelled, all else as failed.
  std::optional<absl::StatusCode> finished;
  int64_t queue_ns = 0;  // of a completion: from acceptance to the first step
};

class Usage {
 public:
  void Submitted(uint64_t count = 1) { submitted_.fetch_add(count, std::memory_order_relaxed); }
  // Of one device, in the order of their ends.
  void Add(std::span<const UsageNote> notes);

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
