#include "server/device/cpu/einsum_shape.h"
#include "server/device/cpu/function_kernel.h"
#include "server/device/cpu/reference/element.h"
#include "server/device/cpu/reference/reference.h"

namespace anex::device::cpu::reference {
namespace {

// Where both operands are read.
struct Places {
  int64_t x = 0, y = 0;
};

// The sum over all letters from number `next` on.
double Sum(const EinsumShape& shape, const RunContext& run, size_t next, Places at) {
  if (next == shape.summed.size()) return GetDouble(run.in[0], at.x) * GetDouble(run.in[1], at.y);
  double sum = 0;
  for (int64_t i = 0; i < shape.summed[next].size; ++i) {
    sum += Sum(shape, run, next + 1, at);
    at.x += shape.summed[next].x;
    at.y += shape.summed[next].y;
  }
  return sum;
}

// Fills the result in its order, letter by letter.
void Fill(const EinsumShape& shape, const RunContext& run, size_t next, Places at, int64_t& i) {
  if (next == shape.kept.size()) return PutDouble(run.out[0], i++, Sum(shape, run, 0, at));
  for (int64_t n = 0; n < shape.kept[next].size; ++n) {
    Fill(shape, run, next + 1, at, i);
    at.x += shape.kept[next].x;
    at.y += shape.kept[next].y;
  }
}

}  // namespace

MadeKernel MakeEinsum(OpSite& site) {
  const Shape x = site.InputView(site.Use("values", 0)).shape;
  const Shape y = site.InputView(site.Use("values", 1)).shape;
  return MakeFunctionKernel([shape = ReadEinsum(site, x, y)](const RunContext& run) {
    int64_t i = 0;
    Fill(shape, run, 0, {}, i);
  });
}

}  // namespace anex::device::cpu::reference
