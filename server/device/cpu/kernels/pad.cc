#include <array>
#include <cstring>

#include "server/device/cpu/function_kernel.h"
#include "server/device/cpu/kernels/kernels.h"
#include "server/device/cpu/kernels/share.h"
#include "server/device/cpu/pad_shape.h"
#include "server/device/cpu/reference/element.h"

namespace anex::device::cpu {
namespace {

struct Pad {
  PadShape shape;
  size_t element = 1;
  std::array<std::byte, 8> value{};  // of one padded element

  // The row of x that row `row` of the result comes from; -1: there is none.
  int64_t SourceRow(int64_t row) const {
    const int last = shape.out.rank() - 1;
    int64_t from = 0, stride = 1;
    for (int axis = last - 1; axis >= 0; --axis) {
      const int64_t at = shape.Source(axis, row % shape.out[axis]);
      if (at < 0) return -1;
      from += at * stride;
      stride *= shape.in[axis];
      row /= shape.out[axis];
    }
    return from;
  }

  void Fill(std::byte* to, int64_t count) const {
    for (int64_t i = 0; i < count; ++i, to += element) std::memcpy(to, value.data(), element);
  }

  // Places [begin, end) of a row of the result, which lie before or behind x's own.
  void Border(const std::byte* from, std::byte* to, int64_t begin, int64_t end) const {
    const int last = shape.out.rank() - 1;
    if (shape.mode == PadMode::kConstant) {
      return Fill(to + static_cast<size_t>(begin) * element, end - begin);
    }
    for (int64_t at = begin; at < end; ++at) {
      std::memcpy(to + static_cast<size_t>(at) * element,
                  from + static_cast<size_t>(shape.Source(last, at)) * element, element);
    }
  }

  void Row(const std::byte* x, std::byte* to, int64_t row) const {
    const int last = shape.out.rank() - 1;
    const int64_t width = shape.out[last], own = shape.in[last];
    const int64_t source = SourceRow(row);
    if (source < 0) return Fill(to, width);
    const std::byte* from = x + static_cast<size_t>(source * own) * element;
    const int64_t before = shape.before[static_cast<size_t>(last)];
    Border(from, to, 0, before);
    std::memcpy(to + static_cast<size_t>(before) * element, from,
                static_cast<size_t>(own) * element);
    Border(from, to, before + own, width);
  }
};

}  // namespace

MadeKernel MakePad(OpSite& site) {
  absl::StatusOr<PadShape> shape = ReadPad(site);
  if (!shape.ok()) return shape.status();
  if (shape->out.rank() == 0) return nullptr;
  const DType dtype = site.ResultType().dtype;
  Pad pad{*shape, ElementSize(dtype), {}};
  const View one = PackedView(dtype, {});
  PutPadding(*shape, {pad.value.data(), &one}, 0);
  site.Use("x");
  return MakeFunctionKernel([pad](const RunContext& run) {
    const int64_t width = pad.shape.out[pad.shape.out.rank() - 1];
    const uint64_t row_bytes = static_cast<uint64_t>(width) * pad.element;
    ShareRows(
        run.pool, pad.shape.out.ElementCount() / width, row_bytes, [&](int64_t begin, int64_t end) {
          for (int64_t row = begin; row < end; ++row) {
            pad.Row(run.in[0].data, run.out[0].data + static_cast<uint64_t>(row) * row_bytes, row);
          }
        });
  });
}

}  // namespace anex::device::cpu
