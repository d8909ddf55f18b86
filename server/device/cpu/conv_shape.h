// What conv and conv_transpose compute: channels beside the window. Shared by both modes. Pure.
#ifndef ANEX_SERVER_DEVICE_CPU_CONV_SHAPE_H_
#define ANEX_SERVER_DEVICE_CPU_CONV_SHAPE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "server/device/cpu/op_site.h"
#include "server/device/cpu/window_shape.h"

namespace anex::device::cpu {

// For conv_transpose the window is that of the convolution it is the gradient of: `in` is the size
// of its result, `out` that of x.
struct ConvShape : WindowShape {
  int64_t batch = 0, groups = 1;
  int64_t in_channels = 0;   // of one group
  int64_t out_channels = 0;  // of all groups

  // Output channels are shared out among the groups in order; where they do not divide, as evenly
  // as that can be.
  bool even() const { return out_channels % groups == 0; }
  int64_t GroupOf(int64_t channel) const { return channel * groups / out_channels; }
  int64_t out_channels_of_group() const { return out_channels / groups; }  // REQUIRES: even()
  // One multiplication per channel, nothing moved: a plain matrix product.
  bool pointwise() const;
};

// Reads x, weight, strides, dilations, groups, pad_type, pad. UNIMPLEMENTED for more than three
// spatial axes and for a pad_type that nobody knows.
absl::StatusOr<ConvShape> ReadConv(const OpSite& site);
absl::StatusOr<ConvShape> ReadConvTranspose(const OpSite& site);

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_CONV_SHAPE_H_
