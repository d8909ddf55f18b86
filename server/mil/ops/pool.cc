// Pooling over [N, C, spatial...].
#include "absl/strings/str_cat.h"
#include "server/mil/op_context.h"
#include "server/mil/ops/families.h"
#include "server/mil/ops/window.h"

namespace anex::mil {
namespace {

Inferred InferPool(OpContext& context) {
  const Shape x = context.ShapeOf("x");
  if (x.rank() < 3 || x.rank() > 5) {
    return context.Mismatch("x", absl::StrCat("x must be [N, C, spatial...] of rank 3, 4 or 5, "
                                              "found ",
                                              x.ToString()));
  }
  if (!context.CheckInts("kernel_sizes", static_cast<size_t>(x.rank() - 2), 1)) return std::nullopt;
  const std::optional<Window> window = ReadWindow(context, context.Ints("kernel_sizes"), false);
  if (!window.has_value()) return std::nullopt;
  const bool round_up = context.Has("ceil_mode") && context.Bool("ceil_mode");
  const auto spatial = CountWindows(context, *window, x, round_up);
  if (!spatial.has_value()) return std::nullopt;
  std::vector<int64_t> dims{x[0], x[1]};
  dims.insert(dims.end(), spatial->begin(), spatial->end());
  const std::optional<Shape> shape = context.MakeShape("x", dims);
  if (!shape.has_value()) return std::nullopt;
  return std::vector{TensorType{context.DTypeOf("x"), *shape}};
}

constexpr Parameter kMaxPool[] = {Arg("x", kFloats),
                                  ConstInts("kernel_sizes"),
                                  ConstInts("strides").Computed(),
                                  ConstText("pad_type").OrText("valid"),
                                  ConstInts("pad").Computed(),
                                  ConstBool("ceil_mode").OrBool(false)};
constexpr Parameter kAvgPool[] = {Arg("x", kFloats),
                                  ConstInts("kernel_sizes"),
                                  ConstInts("strides").Computed(),
                                  ConstText("pad_type").OrText("valid"),
                                  ConstInts("pad").Computed(),
                                  ConstBool("exclude_padding_from_average").OrBool(false),
                                  ConstBool("ceil_mode").OrBool(false)};
constexpr Parameter kL2Pool[] = {
    Arg("x", kFloats), ConstInts("kernel_sizes"), ConstInts("strides").Computed(),
    ConstText("pad_type").OrText("valid"), ConstInts("pad").Computed()};

constexpr OpSignature kOps[] = {
    {"max_pool", kMaxPool, InferPool},
    {"avg_pool", kAvgPool, InferPool},
    {"l2_pool", kL2Pool, InferPool},
};

}  // namespace

std::span<const OpSignature> PoolOps() { return kOps; }

}  // namespace anex::mil
