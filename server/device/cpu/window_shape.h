// Windows that slide over the spatial axes of [N, C, spatial...]: what convolutions and pooling
// share. Pure.
#ifndef ANEX_SERVER_DEVICE_CPU_WINDOW_SHAPE_H_
#define ANEX_SERVER_DEVICE_CPU_WINDOW_SHAPE_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "server/device/cpu/op_site.h"

namespace anex::device::cpu {

inline constexpr int kMaxSpatial = 3;
using Spatial = std::array<int64_t, kMaxSpatial>;  // a size or a position

inline int64_t SizeOf(const Spatial& size) { return size[0] * size[1] * size[2]; }
inline int64_t Flat(const Spatial& size, const Spatial& at) {
  return (at[0] * size[1] + at[1]) * size[2] + at[2];
}

// Element `k` of the window at output position `o` reads input o * stride + k * dilation - pad.
struct WindowShape {
  int spatial = 0;  // axes: 1, 2 or 3
  // They stand at the end, so that the last is the one whose neighbours touch. Axes that are not
  // there have size 1, stride 1, no padding.
  Spatial in{1, 1, 1}, out{1, 1, 1}, kernel{1, 1, 1};
  Spatial stride{1, 1, 1}, dilation{1, 1, 1}, pad{0, 0, 0};

  // Where spatial axis number `i` of the program stands.
  int Place(int i) const { return kMaxSpatial - spatial + i; }
  int64_t in_size() const { return SizeOf(in); }
  int64_t out_size() const { return SizeOf(out); }
  int64_t kernel_size() const { return SizeOf(kernel); }
  // The input position, which may lie in the padding.
  int64_t InputAt(int axis, int64_t o, int64_t k) const {
    return o * stride[axis] + k * dilation[axis] - pad[axis];
  }
  // Output positions [first, second) along `axis` at which element `k` is inside the input.
  std::pair<int64_t, int64_t> Inside(int axis, int64_t k) const {
    const int64_t start = InputAt(axis, 0, k);
    const int64_t first = start >= 0 ? 0 : (-start + stride[axis] - 1) / stride[axis];
    const int64_t end = start >= in[axis] ? 0 : (in[axis] - 1 - start) / stride[axis] + 1;
    return {first, std::max(first, std::min(end, out[axis]))};
  }
};

// Reads strides, dilations, pad_type and pad into `window`, whose sizes are set. UNIMPLEMENTED for
// a pad_type that nobody knows.
absl::Status ReadWindow(const OpSite& site, WindowShape& window);

// Reads the number of spatial axes and their sizes, `size` of `window`, from `shape`, [N, C,
// spatial...]. UNIMPLEMENTED for more than three axes, or none.
absl::Status ReadSpatial(const OpSite& site, const Shape& shape, WindowShape& window,
                         Spatial& size);

// Calls f for every position in `size`, in row-major order.
template <typename F>
void ForSpatial(const Spatial& size, F f) {
  for (int64_t a = 0; a < size[0]; ++a) {
    for (int64_t b = 0; b < size[1]; ++b) {
      for (int64_t c = 0; c < size[2]; ++c) f(Spatial{a, b, c});
    }
  }
}

// The output positions among [first, end) (numbers in row-major order) at which element `k` is
// inside the input, as runs along the last axis: f(first output, first input, n). Inputs of a run
// are stride[2] apart. The first and the last run may begin before `first` and go on past `end`.
template <typename F>
void ForRuns(const WindowShape& window, const Spatial& k, int64_t first, int64_t end, F f) {
  std::array<std::pair<int64_t, int64_t>, kMaxSpatial> range;
  for (int axis = 0; axis < kMaxSpatial; ++axis) range[axis] = window.Inside(axis, k[axis]);
  const int64_t n = range[2].second - range[2].first;
  if (n == 0) return;
  const int64_t column = window.InputAt(2, range[2].first, k[2]);
  const int64_t rows = window.out[1];
  const int64_t first_row = first / window.out[2], last_row = (end - 1) / window.out[2];
  const int64_t a_end = std::min(range[0].second, last_row / rows + 1);
  for (int64_t a = std::max(range[0].first, first_row / rows); a < a_end; ++a) {
    const int64_t b_end = std::min(range[1].second, last_row - a * rows + 1);
    for (int64_t b = std::max(range[1].first, first_row - a * rows); b < b_end; ++b) {
      f(Flat(window.out, {a, b, range[2].first}),
        Flat(window.in, {window.InputAt(0, a, k[0]), window.InputAt(1, b, k[1]), column}), n);
    }
  }
}

// All output positions.
template <typename F>
void ForRuns(const WindowShape& window, const Spatial& k, F f) {
  ForRuns(window, k, 0, window.out_size(), f);
}

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_WINDOW_SHAPE_H_
