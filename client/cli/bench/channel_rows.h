// The mapped memory of one fp16 surface as rows: channels at axis 1, columns at the last axis, all
// other axes 1. What the device's layout puts between rows is skipped.
//
// Threads: the view is a value; valid while the surface lives.
#ifndef ANEX_CLIENT_CLI_BENCH_CHANNEL_ROWS_H_
#define ANEX_CLIENT_CLI_BENCH_CHANNEL_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/anex/surface.h"

namespace anex::bench {

class ChannelRows {
 public:
  // Maps the surface. UNIMPLEMENTED for a layout that has gaps within a row.
  static absl::StatusOr<ChannelRows> Of(const Surface& surface);

  size_t elements() const { return channels_ * columns_; }
  // REQUIRES: elements() values of fp16 bits.
  void Fill(std::span<const uint16_t> values) const;
  // REQUIRES: `to` of the same channels and columns.
  void CopyTo(const ChannelRows& to) const;
  // DATA_LOSS says how many values are wrong, which is the first, and what it should be.
  absl::Status ExpectEqual(std::span<const uint16_t> expected, std::string_view what) const;
  // One value's bits.
  uint16_t& at(size_t channel, size_t column) const { return Row(channel)[column]; }

 private:
  uint16_t* Row(size_t channel) const {
    return reinterpret_cast<uint16_t*>(base_ + channel * stride_);
  }
  bool packed() const { return stride_ == columns_ * sizeof(uint16_t); }

  std::byte* base_ = nullptr;
  size_t channels_ = 0, columns_ = 0;
  size_t stride_ = 0;  // bytes from row to row
};

// The same for packed bytes that came in a message.
absl::Status ExpectEqualBytes(std::string_view found, std::span<const uint16_t> expected,
                              int64_t columns, std::string_view what);

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_CHANNEL_ROWS_H_
