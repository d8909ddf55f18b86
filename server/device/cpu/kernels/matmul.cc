#include <vector>

#include "server/device/cpu/kernels/kernels.h"
#include "server/device/cpu/kernels/product.h"

namespace anex::device::cpu {
namespace {

bool IsFast(DType dtype) { return dtype == DType::kFp16 || dtype == DType::kFp32; }

// Operand `argument`, copied first if its axes lie in a way that CBLAS cannot take.
View UseMatrix(OpSite& site, std::string_view argument) {
  const bool as_it_lies = IsMatrixLike(site.ViewOf(argument));
  return site.InputView(as_it_lies ? site.UseAsItLies(argument) : site.Use(argument));
}

}  // namespace

MadeKernel MakeMatmul(OpSite& site) {
  if (!IsFast(site.ResultType().dtype)) return nullptr;
  ProductSpec spec;
  spec.result = site.ResultType().dtype;
  const View x = UseMatrix(site, "x"), y = UseMatrix(site, "y");
  spec.shape =
      MatmulShapeOf(x, site.BoolOr("transpose_x", false), y, site.BoolOr("transpose_y", false));
  spec.constant_x = site.ConstantOf("x");
  spec.constant_y = site.ConstantOf("y");
  return MakeProduct(spec);
}

MadeKernel MakeLinear(OpSite& site) {
  if (!IsFast(site.ResultType().dtype)) return nullptr;
  ProductSpec spec;
  spec.result = site.ResultType().dtype;
  // All rows of x are one matrix: one product instead of one per batch entry.
  View x = site.InputView(site.Use("x"));
  const Shape& weight = site.TypeOf("weight").shape;
  const View rows = PackedView(x.dtype, Shape{x.elements() / weight[1], weight[1]});
  const View y = UseMatrix(site, "weight");
  spec.shape = MatmulShapeOf(rows, false, y, true);
  spec.constant_y = site.ConstantOf("weight");
  if (site.Has("bias")) {
    spec.bias = ProductBias::kPerColumn;
    spec.bias_dtype = site.InputView(site.Use("bias")).dtype;
  }
  return MakeProduct(spec);
}

}  // namespace anex::device::cpu
