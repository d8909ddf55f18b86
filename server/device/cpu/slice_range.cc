#include "server/device/cpu/slice_range.h"

#include <algorithm>

namespace anex::device::cpu {
namespace {

bool MaskAt(const std::vector<int64_t>& mask, size_t axis) {
  return axis < mask.size() && mask[axis] != 0;
}

std::vector<int64_t> IntsOrNone(const OpSite& site, std::string_view argument) {
  return site.Has(argument) ? site.Ints(argument) : std::vector<int64_t>();
}

}  // namespace

SliceRange SliceRangeOf(const OpSite& site) {
  const Shape& shape = site.TypeOf("x").shape;
  const std::vector<int64_t> begin = site.Ints("begin");
  const std::vector<int64_t> stride = IntsOrNone(site, "stride");
  const std::vector<int64_t> begin_mask = IntsOrNone(site, "begin_mask");
  const std::vector<int64_t> squeeze_mask = IntsOrNone(site, "squeeze_mask");
  SliceRange range;
  for (size_t axis = 0; axis < begin.size(); ++axis) {
    const int64_t size = shape[static_cast<int>(axis)];
    const int64_t step = axis < stride.size() ? stride[axis] : 1;
    int64_t start = begin[axis] < 0 ? begin[axis] + size : begin[axis];
    if (MaskAt(begin_mask, axis)) start = step > 0 ? 0 : size - 1;
    start = std::clamp<int64_t>(start, 0, size - 1);  // numpy clips a start that is outside
    range.start.push_back(start);
    range.step.push_back(step);
    range.squeezed.push_back(MaskAt(squeeze_mask, axis));
  }
  return range;
}

std::vector<int64_t> SplitStarts(const OpSite& site, int axis) {
  std::vector<int64_t> starts;
  int64_t next = 0;
  for (size_t i = 0; i < site.result_count(); ++i) {
    starts.push_back(next);
    next += site.ResultType(i).shape[axis];
  }
  return starts;
}

}  // namespace anex::device::cpu
