// Where the elements of a resized tensor come from, axis by axis. Shared by both modes. Pure.
#ifndef ANEX_SERVER_DEVICE_CPU_RESIZE_SHAPE_H_
#define ANEX_SERVER_DEVICE_CPU_RESIZE_SHAPE_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/device/cpu/op_site.h"

namespace anex::device::cpu {

// How `out` points are laid over an interval of `in` elements. The names are MIL's, but for
// kTopLeft: the same as DEFAULT.
enum class Sampling : uint8_t {
  kTopLeft,             // i * in / out
  kStrictAlignCorners,  // first on first, last on last; a single point on the first
  kAlignCorners,        // the same; a single point in the middle
  kOffsetCorners,       // half a step from both ends of [0, in - 1]
  kUnalignCorners,      // centres on centres of equal cells
};

absl::StatusOr<Sampling> ReadSampling(const OpSite& site);
// Point `i` of `out` in an interval of `in` elements, within [0, in - 1]. `in` need not be whole.
double GridPoint(Sampling sampling, double in, int64_t out, int64_t i);

// Element i of the result along `axis`: x[low] and x[high], weighed (1 - weight) and weight. A
// weight of 0 reads x[low] alone.
struct AxisTaps {
  int axis = 0;
  std::vector<int64_t> low, high;
  std::vector<double> weight;
};

// The axes that are resized, in order. Of upsample_*, resize_*, resize.
absl::StatusOr<std::vector<AxisTaps>> ReadResize(const OpSite& site);

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_RESIZE_SHAPE_H_
