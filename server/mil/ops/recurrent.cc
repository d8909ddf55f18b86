// Recurrent layers over sequences [T, B, I].
#include "absl/strings/str_cat.h"
#include "server/mil/op_context.h"
#include "server/mil/ops/families.h"

namespace anex::mil {
namespace {

bool CheckShape(OpContext& context, std::string_view argument, const Shape& wanted) {
  if (!context.Has(argument) || context.ShapeOf(argument) == wanted) return true;
  context.Mismatch(argument,
                   absl::StrCat("`", std::string(argument), "` must have shape ", wanted.ToString(),
                                ", found ", context.ShapeOf(argument).ToString()));
  return false;
}

// Gates in the order i, f, o, g. Bidirectional runs have a second set of weights (_back) and twice
// the width of state.
Inferred InferLstm(OpContext& context) {
  constexpr std::string_view kDirections[] = {"forward", "reverse", "bidirectional"};
  const Shape x = context.ShapeOf("x"), hh = context.ShapeOf("weight_hh");
  if (!context.CheckText("direction", kDirections)) return std::nullopt;
  if (x.rank() != 3 || hh.rank() != 2 || hh[0] != 4 * hh[1]) {
    return context.Mismatch(
        "weight_hh", absl::StrCat("x is [T, B, I] and weight_hh [4 H, H]; found ", x.ToString(),
                                  " and ", hh.ToString()));
  }
  const int64_t hidden = hh[1];
  const bool both = context.Text("direction") == "bidirectional";
  const int64_t width = both ? 2 * hidden : hidden;
  if (both && (!context.Has("weight_ih_back") || !context.Has("weight_hh_back"))) {
    return context.Fail("direction",
                        "a bidirectional lstm needs weight_ih_back and weight_hh_back");
  }
  const bool fits = CheckShape(context, "initial_h", {x[1], width}) &&
                    CheckShape(context, "initial_c", {x[1], width}) &&
                    CheckShape(context, "weight_ih", {4 * hidden, x[2]}) &&
                    CheckShape(context, "bias", {4 * hidden}) &&
                    CheckShape(context, "weight_ih_back", {4 * hidden, x[2]}) &&
                    CheckShape(context, "weight_hh_back", {4 * hidden, hidden}) &&
                    CheckShape(context, "bias_back", {4 * hidden});
  if (!fits) return std::nullopt;
  const DType dtype = context.DTypeOf("x");
  const Shape state{x[1], width};
  const bool sequence = context.Bool("output_sequence");
  const std::optional<Shape> output =
      context.MakeShape("x", std::vector<int64_t>{sequence ? x[0] : 1, x[1], width});
  if (!output.has_value()) return std::nullopt;
  return std::vector{TensorType{dtype, *output}, TensorType{dtype, state},
                     TensorType{dtype, state}};
}

constexpr Parameter Floats(std::string_view name) { return Arg(name, kFloats).Like("x"); }

constexpr Parameter kLstm[] = {
    Arg("x", kFloats),
    Floats("initial_h"),
    Floats("initial_c"),
    Floats("weight_ih"),
    Floats("weight_hh"),
    Floats("bias").Optional(),
    Floats("weight_ih_back").Optional(),
    Floats("weight_hh_back").Optional(),
    Floats("bias_back").Optional(),
    ConstText("direction").OrText("forward"),
    ConstBool("output_sequence").OrBool(false),
    ConstText("recurrent_activation").OrText("sigmoid"),
    ConstText("cell_activation").OrText("tanh"),
    ConstText("activation").OrText("tanh"),
    Floats("clip").Constant().Scalar().Optional(),
};

constexpr OpSignature kOps[] = {{"lstm", kLstm, InferLstm}};

}  // namespace

std::span<const OpSignature> RecurrentOps() { return kOps; }

}  // namespace anex::mil
