// Softmax and the normalisations.
#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "server/mil/op_context.h"
#include "server/mil/ops/families.h"

namespace anex::mil {
namespace {

Inferred SameAsX(OpContext& context) { return std::vector{context.TypeOf("x")}; }

Inferred InferSoftmax(OpContext& context) {
  if (!context.AxisOf("axis", context.ShapeOf("x").rank()).has_value()) return std::nullopt;
  return SameAsX(context);
}

bool CheckShape(OpContext& context, std::string_view argument, const Shape& wanted) {
  if (!context.Has(argument) || context.ShapeOf(argument) == wanted) return true;
  context.Mismatch(argument,
                   absl::StrCat("`", std::string(argument), "` must have shape ", wanted.ToString(),
                                ", found ", context.ShapeOf(argument).ToString()));
  return false;
}

Inferred InferLayerNorm(OpContext& context) {
  const Shape& x = context.ShapeOf("x");
  if (!context.Has("axes")) {
    std::vector<int64_t> all(static_cast<size_t>(x.rank()));
    std::iota(all.begin(), all.end(), int64_t{0});
    if (all.empty()) return context.Mismatch("x", "a scalar has no axes to normalise");
    context.FillInts("axes", all);
  }
  std::optional<std::vector<int>> axes = context.AxesOf("axes", context.ShapeOf("x").rank());
  if (!axes.has_value()) return std::nullopt;
  if (axes->empty()) {
    return context.Fail("axes", "no axes to normalise",
                        "leave `axes` out to normalise all of them");
  }
  std::ranges::sort(*axes);  // gamma's axes follow x, whatever the order of the list
  std::vector<int64_t> dims;
  for (int axis : *axes) dims.push_back(context.ShapeOf("x")[axis]);
  const std::optional<Shape> wanted = context.MakeShape("axes", dims);
  if (!wanted.has_value() || !CheckShape(context, "gamma", *wanted) ||
      !CheckShape(context, "beta", *wanted)) {
    return std::nullopt;
  }
  return SameAsX(context);
}

// Statistics and parameters of shape [C]; channels are axis 1.
Inferred InferChannelNorm(OpContext& context) {
  const Shape x = context.ShapeOf("x");
  if (x.rank() < 3 || x.rank() > 5) {
    return context.Mismatch("x", absl::StrCat("x must be [N, C, spatial...] of rank 3, 4 or 5, "
                                              "found ",
                                              x.ToString()));
  }
  for (std::string_view argument : {"mean", "variance", "gamma", "beta"}) {
    if (!CheckShape(context, argument, Shape{x[1]})) return std::nullopt;
  }
  return SameAsX(context);
}

// The last three axes together; those in front are a batch.
Inferred InferL2Norm(OpContext& context) {
  if (context.ShapeOf("x").rank() >= 3) return SameAsX(context);
  return context.Mismatch(
      "x", absl::StrCat("x needs rank 3 or more, found ", context.ShapeOf("x").ToString()));
}

// Each element by its neighbours in `size` channels; channels are axis 1.
Inferred InferLocalResponseNorm(OpContext& context) {
  const Shape x = context.ShapeOf("x");
  if (x.rank() < 3 || x.rank() > 5) {
    return context.Mismatch("x", absl::StrCat("x must be [N, C, spatial...] of rank 3, 4 or 5, "
                                              "found ",
                                              x.ToString()));
  }
  if (!context.CheckInts("size", 1, 1)) return std::nullopt;
  return SameAsX(context);
}

constexpr Parameter Floats(std::string_view name) { return Arg(name, kFloats).LooselyLike("x"); }
constexpr Parameter Number(std::string_view name, double value) {
  return Floats(name).Constant().Scalar().OrNumber(value);
}
constexpr Parameter Epsilon(double value) { return Number("epsilon", value); }

constexpr Parameter kSoftmax[] = {Arg("x", kFloats), Axis().OrInt(-1)};
constexpr Parameter kLayerNorm[] = {Arg("x", kFloats), ConstInts("axes").Computed(),
                                    Floats("gamma").Optional(), Floats("beta").Optional(),
                                    Epsilon(1e-5)};
constexpr Parameter kBatchNorm[] = {Arg("x", kFloats),         Floats("mean"),
                                    Floats("variance"),        Floats("gamma").Optional(),
                                    Floats("beta").Optional(), Epsilon(1e-5)};
constexpr Parameter kInstanceNorm[] = {Arg("x", kFloats), Floats("gamma").Optional(),
                                       Floats("beta").Optional(), Epsilon(1e-5)};
constexpr Parameter kL2Norm[] = {Arg("x", kFloats), Epsilon(1e-6)};
constexpr Parameter kLocalResponseNorm[] = {
    Arg("x", kFloats), Arg("size", kIntegers).Constant().Scalar(), Number("alpha", 1e-4),
    Number("beta", 0.75), Number("k", 1)};

constexpr OpSignature kOps[] = {
    {"softmax", kSoftmax, InferSoftmax},
    {"layer_norm", kLayerNorm, InferLayerNorm},
    {"batch_norm", kBatchNorm, InferChannelNorm},
    {"instance_norm", kInstanceNorm, InferChannelNorm},
    {"l2_norm", kL2Norm, InferL2Norm},
    {"local_response_norm", kLocalResponseNorm, InferLocalResponseNorm},
};

}  // namespace

std::span<const OpSignature> NormalizeOps() { return kOps; }

}  // namespace anex::mil
