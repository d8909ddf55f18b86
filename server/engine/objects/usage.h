// What one session, kernel or device has used: counts, device time, waiting time. Written by the
// dispatcher, many notes at a time, read by status pages.
//
// Threads: any; relaxed counters. A reader sees each counter at some recent moment, not all at one.
#ifndef ANEX_SERVER_ENGINE_OBJECTS_USAGE_H_
#define ANEX_SERVER_ENGINE_OBJECTS_USAGE_H_

#include <array>
#include <atomic>
#include <cstddef>
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

// A few notes, added up once for all the accounts that they go to.
class UsageSum {
 public:
  static constexpr size_t kMostNotes = 64;

  // REQUIRES: at most kMostNotes, of one device, in the order of their ends.
  explicit UsageSum(std::span<const UsageNote> notes);

 private:
  friend class Usage;
  struct Durations {  // those next to each other that fall into one place of a histogram
    size_t bucket;
    uint64_t times;
  };
  struct Span {
    int64_t begin_ns, end_ns;
  };
  template <typename T>
  struct Few {
    std::array<T, kMostNotes> items;  // the first `count`
    size_t count = 0;
    std::span<const T> all() const { return {items.data(), count}; }
  };
  static void Count(Few<Durations>& to, int64_t ns);
  void CountTurn(int64_t device_ns, int64_t end_ns);

  uint64_t completed_ = 0, failed_ = 0, cancelled_ = 0, evaluations_ = 0;
  int64_t device_ns_ = 0, queue_ns_ = 0;
  int64_t first_end_ns_ = 0;  // of the last span
  Few<Durations> runs_, queues_;
  Few<Span> busy_;
};

class Usage {
 public:
  void Submitted(uint64_t count = 1) { submitted_.fetch_add(count, std::memory_order_relaxed); }
  void Add(const UsageSum& sum);

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
