// The arithmetic of sliding windows, shared by convolution and pooling.
#ifndef ANEX_SERVER_MIL_OPS_WINDOW_H_
#define ANEX_SERVER_MIL_OPS_WINDOW_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "server/mil/op_context.h"

namespace anex::mil {

// Windows over the spatial dimensions of x, [N, C, spatial...].
struct Window {
  std::vector<int64_t> kernel, strides, dilations;  // one per spatial dimension
  std::vector<int64_t> before, after;               // padding
  bool same = false;                                // pad_type same or same_lower

  // What one window spans along `axis`, dilation counted in.
  int64_t Span(size_t axis) const { return (kernel[axis] - 1) * dilations[axis] + 1; }
};

// Fills in strides, dilations (if the operation has them) and pad, and reads them. nullopt after a
// report. `kernel` has one size per spatial dimension.
std::optional<Window> ReadWindow(OpContext& context, std::vector<int64_t> kernel, bool dilated);

// Windows that fit along each spatial dimension of `x`; nullopt after a report that none does.
std::optional<std::vector<int64_t>> CountWindows(OpContext& context, const Window& window,
                                                 const Shape& x, bool round_up);

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_OPS_WINDOW_H_
