// Where slice_by_size, slice_by_index and split read: one start and step per axis. Pure.
#ifndef ANEX_SERVER_DEVICE_CPU_SLICE_RANGE_H_
#define ANEX_SERVER_DEVICE_CPU_SLICE_RANGE_H_

#include <cstdint>
#include <vector>

#include "server/device/cpu/op_site.h"

namespace anex::device::cpu {

struct SliceRange {
  std::vector<int64_t> start, step;  // per axis of the operand
  std::vector<bool> squeezed;        // axes that the result does not have
};

// The sizes of the result are the checker's; only where it starts and how it steps is needed.
// REQUIRES: op is slice_by_size or slice_by_index, with constant begin.
SliceRange SliceRangeOf(const OpSite& site);
// Start of each part of a split along `axis` (counted from 0).
std::vector<int64_t> SplitStarts(const OpSite& site, int axis);

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_SLICE_RANGE_H_
