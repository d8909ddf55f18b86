// Pooling over [N, C, spatial...].
#include "absl/strings/str_cat.h"
#include "server/mil/op_context.h"
#include "server/mil/ops/families.h"
#include "server/mil/ops/window.h"

namespace anex::mil {
namespace {

// Core ML rounds up in one and two dimensions, without "same" and with as much padding in front as
// behind.
bool CheckCeilMode(OpContext& context, const Window& window) {
  if (window.kernel.size() > 2) {
    context.Fail("ceil_mode", "ceil_mode is for one or two spatial dimensions");
    return false;
  }
  if (context.Text("pad_type") == "same") {
    context.Fail("ceil_mode",
                 "ceil_mode does not go with pad_type \"same\", which rounds up itself");
    return false;
  }
  if (window.before == window.after) return true;
  context.Fail("pad", "with ceil_mode padding must be the same in front and behind");
  return false;
}

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
  const bool round_up = context.Bool("ceil_mode");
  if (round_up && !CheckCeilMode(context, *window)) return std::nullopt;
  const auto spatial = CountWindows(context, *window, x, round_up);
  if (!spatial.has_value()) return std::nullopt;
  std::vector<int64_t> dims{x[0], x[1]};
  dims.insert(dims.end(), spatial->begin(), spatial->end());
  const std::optional<Shape> shape = context.MakeShape("x", dims);
  if (!shape.has_value()) return std::nullopt;
  return std::vector{TensorType{context.DTypeOf("x"), *shape}};
}

Inferred InferL2Pool(OpContext& context) {
  if (context.ShapeOf("x").rank() <= 4) return InferPool(context);
  return context.Mismatch("x", absl::StrCat("l2_pool has one or two spatial dimensions, found ",
                                            context.ShapeOf("x").ToString()));
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

constexpr OpSignature kOps[] = {
    {"max_pool", kMaxPool, InferPool},
    {"avg_pool", kAvgPool, InferPool},
    {"l2_pool", kMaxPool, InferL2Pool},
};

}  // namespace

std::span<const OpSignature> PoolOps() { return kOps; }

}  // namespace anex::mil
