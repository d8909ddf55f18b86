// Convolutions over [N, C, spatial...] with one to three spatial dimensions.
#include "absl/strings/str_cat.h"
#include "server/mil/op_context.h"
#include "server/mil/ops/families.h"
#include "server/mil/ops/window.h"

namespace anex::mil {
namespace {

bool CheckRanks(OpContext& context) {
  const int rank = context.ShapeOf("x").rank();
  if (rank < 3 || rank > 5) {
    context.Mismatch("x", absl::StrCat("x must be [N, C, spatial...] of rank 3, 4 or 5, found ",
                                       context.ShapeOf("x").ToString()));
    return false;
  }
  if (context.ShapeOf("weight").rank() == rank) return true;
  context.Mismatch("weight", absl::StrCat("weight ", context.ShapeOf("weight").ToString(),
                                          " must have the rank of x, ", rank));
  return false;
}

bool CheckBias(OpContext& context, int64_t channels) {
  if (!context.Has("bias") || context.ShapeOf("bias") == Shape{channels}) return true;
  context.Mismatch("bias", absl::StrCat("bias must have shape [", channels, "], found ",
                                        context.ShapeOf("bias").ToString()));
  return false;
}

std::vector<int64_t> KernelOf(const Shape& weight) {
  return {weight.dims().begin() + 2, weight.dims().end()};
}

Inferred Result(OpContext& context, int64_t channels, const std::vector<int64_t>& spatial) {
  std::vector<int64_t> dims{context.ShapeOf("x")[0], channels};
  dims.insert(dims.end(), spatial.begin(), spatial.end());
  const std::optional<Shape> shape = context.MakeShape("x", dims);
  if (!shape.has_value()) return std::nullopt;
  return std::vector{TensorType{context.DTypeOf("x"), *shape}};
}

Inferred InferConv(OpContext& context) {
  if (!CheckRanks(context) || !context.CheckInts("groups", 1, 1)) return std::nullopt;
  const Shape x = context.ShapeOf("x"), weight = context.ShapeOf("weight");
  const int64_t groups = context.Int("groups");
  if (x[1] % groups != 0 || weight[1] != x[1] / groups) {
    return context.Mismatch(
        "weight",
        absl::StrCat("weight ", weight.ToString(), " does not fit x ", x.ToString(), " in ", groups,
                     groups == 1 ? " group" : " groups"),
        "weight is [outputs, inputs / groups, kernel...]; groups divides inputs and outputs");
  }
  if (!CheckBias(context, weight[0])) return std::nullopt;
  if (weight[0] % groups != 0) {
    // Core ML's own type check does not ask for it.
    context.Doubt("groups",
                  absl::StrCat(weight[0], " outputs do not divide into ", groups,
                               " groups; output o belongs to group o * ", groups, " / ", weight[0]),
                  "no other framework takes such a convolution: is the weight's shape right?");
  }
  const std::optional<Window> window = ReadWindow(context, KernelOf(weight), true);
  if (!window.has_value()) return std::nullopt;
  const auto spatial = CountWindows(context, *window, x, false);
  if (!spatial.has_value()) return std::nullopt;
  return Result(context, weight[0], *spatial);
}

// The largest size along one dimension that a convolution of this window turns into `size`.
int64_t Spread(const Window& window, size_t i, int64_t size) {
  if (window.same) return size * window.strides[i];
  return (size - 1) * window.strides[i] + window.Span(i) - window.before[i] - window.after[i];
}

Inferred InferConvTranspose(OpContext& context) {
  if (!CheckRanks(context) || !context.CheckInts("groups", 1, 1)) return std::nullopt;
  const Shape x = context.ShapeOf("x"), weight = context.ShapeOf("weight");
  const int64_t groups = context.Int("groups");
  if (weight[0] != x[1] || x[1] % groups != 0 || weight[1] > (int64_t{1} << 40) / groups) {
    return context.Mismatch("weight",
                            absl::StrCat("weight ", weight.ToString(), " does not fit x ",
                                         x.ToString(), " in ", groups, " groups"),
                            "weight is [inputs, outputs / groups, kernel...]");
  }
  const int64_t channels = weight[1] * groups;
  if (!CheckBias(context, channels)) return std::nullopt;
  const std::optional<Window> window = ReadWindow(context, KernelOf(weight), true);
  if (!window.has_value()) return std::nullopt;
  if (context.Text("pad_type") == "same_lower") {
    return context.Fail("pad_type", "conv_transpose knows valid, same and custom");
  }
  std::vector<int64_t> spatial;
  for (size_t i = 0; i < window->kernel.size(); ++i) {
    if (x[static_cast<int>(i) + 2] > (int64_t{1} << 22) || window->strides[i] > (1 << 20) ||
        window->kernel[i] > (1 << 20) || window->dilations[i] > (1 << 20)) {
      return context.Mismatch("x", "sizes, strides and dilations beyond 2^20 are not possible");
    }
    spatial.push_back(Spread(*window, i, x[static_cast<int>(i) + 2]));
  }
  if (context.Has("output_shape")) {
    if (!context.CheckInts("output_shape", static_cast<size_t>(x.rank()), 1)) return std::nullopt;
    const std::vector<int64_t> wanted = context.Ints("output_shape");
    if (wanted[0] != x[0] || wanted[1] != channels) {
      return context.Mismatch("output_shape",
                              absl::StrCat("output_shape must begin with ", x[0], ", ", channels));
    }
    spatial.assign(wanted.begin() + 2, wanted.end());
  }
  return Result(context, channels, spatial);
}

constexpr Parameter kConv[] = {
    Arg("x", kFloats),
    Arg("weight", kFloats).LooselyLike("x"),
    Arg("bias", kFloats).LooselyLike("x").Optional(),
    ConstInts("strides").Computed(),
    ConstText("pad_type").OrText("valid"),
    ConstInts("pad").Computed(),
    ConstInts("dilations").Computed(),
    Arg("groups", kIntegers).Constant().Scalar().OrInt(1),
};
constexpr Parameter kConvTranspose[] = {
    Arg("x", kFloats),
    Arg("weight", kFloats).LooselyLike("x"),
    Arg("bias", kFloats).LooselyLike("x").Optional(),
    ConstInts("output_shape").Optional(),
    ConstInts("strides").Computed(),
    ConstText("pad_type").OrText("valid"),
    ConstInts("pad").Computed(),
    ConstInts("dilations").Computed(),
    Arg("groups", kIntegers).Constant().Scalar().OrInt(1),
};

constexpr OpSignature kOps[] = {
    {"conv", kConv, InferConv},
    {"conv_transpose", kConvTranspose, InferConvTranspose},
};

}  // namespace

std::span<const OpSignature> ConvOps() { return kOps; }

}  // namespace anex::mil
