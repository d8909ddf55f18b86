#include <memory>
#include <string_view>
#include <vector>

#include "server/device/cpu/function_kernel.h"
#include "server/device/cpu/reference/mover.h"
#include "server/device/cpu/reference/reference.h"

namespace anex::device::cpu::reference {

namespace {

// first, first + step, ... of integers: they wrap as sums of integers do.
std::unique_ptr<Kernel> MakeIntegers(int64_t first, int64_t step) {
  return MakeFunctionKernel([first, step](const RunContext& run) {
    const int64_t count = run.out[0].view->elements();
    auto value = static_cast<uint64_t>(first);
    for (int64_t i = 0; i < count; ++i, value += static_cast<uint64_t>(step)) {
      PutInt(run.out[0], i, static_cast<int64_t>(value));
    }
  });
}

}  // namespace

MadeKernel MakeFill(OpSite& site) {
  const bool range = site.op() == "range_1d";
  const std::string_view first = range ? "start" : "value";
  if (!IsFloat(site.TypeOf(first).dtype)) {
    return MakeIntegers(site.Int(first), range ? site.Int("step") : 0);
  }
  const double start = site.Double(first);
  const double step = range ? site.Double("step") : 0;
  return MakeFunctionKernel([start, step](const RunContext& run) {
    const int64_t count = run.out[0].view->elements();
    for (int64_t i = 0; i < count; ++i) {
      PutDouble(run.out[0], i, step == 0 ? start : start + step * static_cast<double>(i));
    }
  });
}

// on_value where the new axis stands at the index, off_value elsewhere: everywhere, if the index is
// outside.
MadeKernel MakeOneHot(OpSite& site) {
  const Shape& indices = site.TypeOf("indices").shape;
  const int axis = FromZero(site.IntOr("axis", -1), indices.rank() + 1);
  site.Use("indices");
  site.Use("on_value");
  site.Use("off_value");
  return MakeMover([=](const RunContext& run, const Index& index) {
    Index which{};
    for (int i = 0; i < indices.rank(); ++i) which[i] = index[i < axis ? i : i + 1];
    const int64_t on = GetInt(run.in[0], Position(indices, which, indices.rank()));
    return Source{index[axis] == on ? size_t{1} : size_t{2}, 0};
  });
}

}  // namespace anex::device::cpu::reference
