// Functions of one float tensor: roots, exponentials, trigonometry, activations.
#include <array>

#include "absl/strings/str_cat.h"
#include "server/mil/op_context.h"
#include "server/mil/ops/families.h"

namespace anex::mil {
namespace {

Inferred SameAsX(OpContext& context) { return std::vector{context.TypeOf("x")}; }

Inferred InferGelu(OpContext& context) {
  constexpr std::string_view kModes[] = {"EXACT", "TANH_APPROXIMATION", "SIGMOID_APPROXIMATION"};
  if (!context.CheckText("mode", kModes)) return std::nullopt;
  return SameAsX(context);
}

// A double does not hold every integer of 64 bits.
bool IsBelow(const OpContext& context, double low, double high) {
  const DType dtype = context.DTypeOf("alpha");
  if (!IsInteger(dtype)) return low < high;
  const int64_t alpha = context.Int("alpha"), beta = context.Int("beta");
  if (dtype != DType::kUint64) return alpha < beta;
  return static_cast<uint64_t>(alpha) < static_cast<uint64_t>(beta);
}

// From ios17 on the bounds must be in order.
Inferred InferClip(OpContext& context) {
  const double low = context.Double("alpha"), high = context.Double("beta");
  if (context.opset() >= 17 && !IsBelow(context, low, high)) {
    return context.Fail("alpha", absl::StrCat("alpha, ", low, ", must be below beta, ", high));
  }
  return SameAsX(context);
}

// One slope per channel, channels being axis 1.
Inferred InferPerChannel(OpContext& context, std::string_view slope) {
  const Shape& x = context.ShapeOf("x");
  if (x.rank() < 2) return context.Mismatch("x", "needs a tensor with channels, rank 2 or more");
  if (context.ShapeOf(slope) == Shape{x[1]}) return SameAsX(context);
  return context.Mismatch(
      slope, absl::StrCat("`", std::string(slope), "` must have shape [", x[1],
                          "], one per channel, found ", context.ShapeOf(slope).ToString()));
}

Inferred InferPrelu(OpContext& context) { return InferPerChannel(context, "alpha"); }

Inferred InferSoftplusParametric(OpContext& context) {
  if (!InferPerChannel(context, "alpha").has_value()) return std::nullopt;
  return InferPerChannel(context, "beta");
}

constexpr Parameter Number(std::string_view name) {
  return Arg(name, kFloats).Constant().Scalar().LooselyLike("x");
}
constexpr Parameter PerChannel(std::string_view name) {
  return Arg(name, kFloats).LooselyLike("x");
}

constexpr Parameter kFloat[] = {Arg("x", kFloats)};
constexpr Parameter kNumber[] = {Arg("x", kNumbers)};
constexpr Parameter kRsqrt[] = {Arg("x", kFloats), Number("epsilon").OrNumber(1e-12)};
constexpr Parameter kLog[] = {Arg("x", kFloats), Number("epsilon").OrNumber(1e-45)};
constexpr Parameter kInverse[] = {Arg("x", kFloats), Number("epsilon").OrNumber(1e-4)};
constexpr Parameter kLeaky[] = {Arg("x", kFloats), Number("alpha").OrNumber(0.01)};
constexpr Parameter kElu[] = {Arg("x", kFloats), Number("alpha").OrNumber(1)};
constexpr Parameter kThreshold[] = {
    Arg("x", kNumbers), Arg("alpha", kNumbers).Constant().Scalar().Like("x").OrNumber(1)};
constexpr Parameter kThresholdedRelu[] = {Arg("x", kFloats), Number("alpha").OrNumber(1)};
constexpr Parameter kClip[] = {Arg("x", kNumbers),
                               Arg("alpha", kNumbers).Constant().Scalar().Like("x"),
                               Arg("beta", kNumbers).Constant().Scalar().Like("x")};
constexpr Parameter kClampedRelu[] = {Arg("x", kFloats), Number("alpha"), Number("beta")};
constexpr Parameter kHardSigmoid[] = {Arg("x", kFloats), Number("alpha").OrNumber(0.2),
                                      Number("beta").OrNumber(0.5)};
constexpr Parameter kScaledTanh[] = {Arg("x", kFloats), Number("alpha").OrNumber(1),
                                     Number("beta").OrNumber(1)};
constexpr Parameter kLinearActivation[] = {Arg("x", kFloats), Number("alpha"),
                                           Number("beta").OrNumber(0)};
constexpr Parameter kGelu[] = {Arg("x", kFloats), ConstText("mode").OrText("EXACT")};
constexpr Parameter kPrelu[] = {Arg("x", kFloats), PerChannel("alpha")};
constexpr Parameter kSoftplusParametric[] = {Arg("x", kFloats), PerChannel("alpha"),
                                             PerChannel("beta")};

constexpr OpSignature kOps[] = {
    {"relu", kFloat, SameAsX},
    {"relu6", kFloat, SameAsX},
    {"sigmoid", kFloat, SameAsX},
    {"silu", kFloat, SameAsX},
    {"tanh", kFloat, SameAsX},
    {"softplus", kFloat, SameAsX},
    {"softsign", kFloat, SameAsX},
    {"erf", kFloat, SameAsX},
    {"exp", kFloat, SameAsX},
    {"exp2", kNumber, SameAsX},
    {"sqrt", kFloat, SameAsX},
    {"sin", kFloat, SameAsX},
    {"cos", kFloat, SameAsX},
    {"tan", kFloat, SameAsX},
    {"asin", kFloat, SameAsX},
    {"acos", kFloat, SameAsX},
    {"atan", kFloat, SameAsX},
    {"sinh", kFloat, SameAsX},
    {"cosh", kFloat, SameAsX},
    {"atanh", kFloat, SameAsX},
    {"rsqrt", kRsqrt, SameAsX},
    {"log", kLog, SameAsX},
    {"inverse", kInverse, SameAsX},
    {"leaky_relu", kLeaky, SameAsX},
    {"elu", kElu, SameAsX},
    {"threshold", kThreshold, SameAsX},
    {"thresholded_relu", kThresholdedRelu, SameAsX},
    {"clip", kClip, InferClip},
    {"clamped_relu", kClampedRelu, SameAsX},
    {"sigmoid_hard", kHardSigmoid, SameAsX},
    {"scaled_tanh", kScaledTanh, SameAsX},
    {"linear_activation", kLinearActivation, SameAsX},
    {"gelu", kGelu, InferGelu},
    {"prelu", kPrelu, InferPrelu},
    {"softplus_parametric", kSoftplusParametric, InferSoftplusParametric},
};

}  // namespace

std::span<const OpSignature> ActivationOps() { return kOps; }

}  // namespace anex::mil
