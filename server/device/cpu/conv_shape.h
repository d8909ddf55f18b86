// What conv computes: sizes per spatial axis. Shared by both modes. Pure.
#ifndef ANEX_SERVER_DEVICE_CPU_CONV_SHAPE_H_
#define ANEX_SERVER_DEVICE_CPU_CONV_SHAPE_H_

#include <array>
#include <cstdint>

#include "absl/status/statusor.h"
#include "server/device/cpu/op_site.h"

namespace anex::device::cpu {

inline constexpr int kMaxSpatial = 3;

struct ConvShape {
  int64_t batch = 0, groups = 1;
  int64_t in_channels = 0, out_channels = 0;  // of one group
  int spatial = 0;                            // axes: 1, 2 or 3
  // Axes that are not there have size 1, stride 1, no padding.
  std::array<int64_t, kMaxSpatial> in{1, 1, 1}, out{1, 1, 1}, kernel{1, 1, 1};
  std::array<int64_t, kMaxSpatial> stride{1, 1, 1}, dilation{1, 1, 1}, pad{0, 0, 0};

  int64_t in_size() const { return in[0] * in[1] * in[2]; }
  int64_t out_size() const { return out[0] * out[1] * out[2]; }
  int64_t kernel_size() const { return kernel[0] * kernel[1] * kernel[2]; }
  // One multiplication per channel, nothing moved: a plain matrix product.
  bool pointwise() const;
};

// Reads x, weight, strides, dilations, groups, pad_type, pad of a conv. UNIMPLEMENTED for more than
// three spatial axes and for a pad_type that nobody knows.
absl::StatusOr<ConvShape> ReadConv(const OpSite& site);

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_CONV_SHAPE_H_
