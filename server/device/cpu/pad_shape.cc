#include "server/device/cpu/pad_shape.h"

#include <string>
#include <vector>

#include "server/device/cpu/reference/element.h"

namespace anex::device::cpu {

int64_t PadShape::Source(int axis, int64_t at) const {
  const int64_t size = in[axis];
  at -= before[static_cast<size_t>(axis)];
  if (at >= 0 && at < size) return at;
  if (mode == PadMode::kConstant) return -1;
  if (mode == PadMode::kReplicate || size == 1) return at < 0 ? 0 : size - 1;
  const int64_t period = 2 * (size - 1);
  const int64_t folded = ((at % period) + period) % period;
  return folded < size ? folded : period - folded;
}

void PutPadding(const PadShape& pad, const TensorRef& out, int64_t i) {
  HoldsFloats(out) ? PutDouble(out, i, pad.value) : PutInt(out, i, pad.whole);
}

absl::StatusOr<PadShape> ReadPad(const OpSite& site) {
  const bool floats = IsFloat(site.ResultType().dtype);
  PadShape shape{.value = floats ? site.DoubleOr("constant_val", 0) : 0,
                 .whole = floats ? 0 : site.IntOr("constant_val", 0),
                 .in = site.TypeOf("x").shape,
                 .out = site.ResultType().shape};
  const std::string mode = site.Has("mode") ? site.Text("mode") : "constant";
  if (mode == "reflect") {
    shape.mode = PadMode::kReflect;
  } else if (mode == "replicate") {
    shape.mode = PadMode::kReplicate;
  } else if (mode != "constant") {
    return site.Unsupported("unknown mode " + mode);
  }
  const std::vector<int64_t> pad = site.Ints("pad");
  const auto rank = static_cast<size_t>(shape.in.rank());
  const size_t first = rank - pad.size() / 2;  // axes before are not padded
  for (size_t axis = first; axis < rank; ++axis) shape.before[axis] = pad[2 * (axis - first)];
  return shape;
}

}  // namespace anex::device::cpu
