// Numbers that the engine cannot hold or keeps badly, where constants and bounded operations show
// that they occur.
#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "absl/strings/str_cat.h"
#include "server/mil/ane/ane_facts.h"
#include "server/mil/ane/ane_families.h"
#include "server/mil/ane/ane_sources.h"
#include "server/mil/diagnostic.h"

namespace anex::mil {
namespace {

constexpr double kAccumulatorLimit = 32768;  // 16 integer bits with sign
constexpr double kHalfMax = 65504;
constexpr int kLeastExponentSum = -16;  // of a product that the accumulator keeps
constexpr double kExpLimit = 11.09;     // exp of more is over 65504
constexpr double kTrigLimit = 3.14159;

std::string Shown(const ValueRange& range) { return absl::StrCat(range.low, " to ", range.high); }

bool BiasIsOut(const OpSite& site) {
  return site.IsFixed("bias") && site.Range("bias").bounded() &&
         site.Range("bias").Magnitude() >= kAccumulatorLimit;
}

std::optional<AccumulatorRange> Accumulator(const OpSite& site) {
  if (BiasIsOut(site)) return std::nullopt;  // ANE0903 says it
  return site.facts.accumulators.Find(site.op, site.facts.ranges, kAccumulatorLimit);
}

void FindOverflow(const OpSite& site, AneReport& report) {
  const std::optional<AccumulatorRange> found = Accumulator(site);
  if (!found.has_value() || !found->surely_out) return;
  report.At(site, absl::StrCat("an output of this ", site.op.op, " comes to ",
                               Shown(found->certain), ", beyond 32768"));
}

void FindPossibleOverflow(const OpSite& site, AneReport& report) {
  const std::optional<AccumulatorRange> found = Accumulator(site);
  if (!found.has_value() || found->surely_out) return;
  if (found->worst.Magnitude() < kAccumulatorLimit) return;
  report.At(site, absl::StrCat("an output of this ", site.op.op, " can come to ",
                               Shown(found->worst), ", beyond 32768"));
}

void FindBias(const OpSite& site, AneReport& report) {
  if (!BiasIsOut(site)) return;
  report.At(site, absl::StrCat("the bias reaches ", site.Range("bias").Magnitude(),
                               ", and is where the accumulator starts"));
}

bool IsComputedWith(std::string_view argument) {
  constexpr std::string_view kOperands[] = {"x",    "y",         "a",      "b",           "weight",
                                            "bias", "attn_mask", "values", "constant_val"};
  return std::ranges::find(kOperands, argument) != std::end(kOperands);
}

void FindNotFinite(const FunctionFacts& facts, AneReport& report) {
  std::unordered_set<ValueId> seen;
  for (const Operation& op : facts.function.operations) {
    for (const Argument& argument : op.arguments) {
      if (!IsComputedWith(argument.name)) continue;
      for (ValueId id : argument.values) {
        const ConstantSummary& summary = facts.constants[id];
        if (!summary.has_nan && !summary.has_infinity) continue;
        if (!seen.insert(id).second) continue;
        report.At(op.where,
                  absl::StrCat("operand ", argument.name, " of this ", op.op, " has ",
                               summary.has_nan ? "nan" : "infinity", " among its constants"));
      }
    }
  }
}

int Exponent(double magnitude) { return magnitude > 0 ? std::ilogb(magnitude) : -1000; }

void FindVanishing(const OpSite& site, AneReport& report) {
  const bool matmul = site.op.op == "matmul";
  const ValueRange x = site.Range("x"), w = site.Range(matmul ? "y" : "weight");
  if (!x.bounded() || !w.bounded() || x.Magnitude() == 0 || w.Magnitude() == 0) return;
  const int sum = Exponent(x.Magnitude()) + Exponent(w.Magnitude());
  if (sum >= kLeastExponentSum) return;
  report.At(site, absl::StrCat("the largest product of this ", site.op.op, " is ",
                               x.Magnitude() * w.Magnitude(), ", which is dropped"));
}

void FindHalfOverflow(const OpSite& site, AneReport& report) {
  if (site.op.results.empty() || site.ResultType() != DType::kFp16) return;
  const ValueRange range = site.facts.ranges[site.op.results[0]];
  if (range.low <= kHalfMax && range.high >= -kHalfMax) return;
  report.At(site, absl::StrCat("every element of this ", site.op.op, " is beyond 65504 (",
                               Shown(range), ")"));
}

void FindBareSoftmax(const OpSite& site, AneReport& report) {
  const Operation* from = site.Producer("x");
  if (from == nullptr || from->op != "exp") return;
  const OpSite exp{site.facts, *from};
  const Operation* shift = exp.Producer("x");
  if (exp.Range("x").high <= kExpLimit || (shift != nullptr && shift->op == "sub")) return;
  report.At(exp, "exp that is summed, of values that are not kept under 11.09");
}

void FindLostEpsilon(const OpSite& site, AneReport& report) {
  const std::optional<ValueId> id = site.Id("epsilon");
  if (!id.has_value() || site.facts.value(*id).constant == nullptr) return;
  const Value& epsilon = site.facts.value(*id);
  const bool written = epsilon.where.line != 0;
  if (!written || site.Range("epsilon") != ValueRange{0, 0}) return;
  report.At(site, absl::StrCat("the epsilon of this ", site.op.op, " is 0 in ",
                               std::string(DTypeName(epsilon.type.tensor.dtype))));
}

void FindWideAngle(const OpSite& site, AneReport& report) {
  if (site.Range("x").Magnitude() <= kTrigLimit) return;
  report.At(site, absl::StrCat(site.op.op, " of values that are not kept within pi"));
}

void FindLogOfZero(const OpSite& site, AneReport& report) {
  const ValueRange x = site.Range("x");
  const bool zero_occurs = std::isfinite(x.low) && x.low <= 0 && x.high >= 0;
  if (!zero_occurs || site.Range("epsilon") != ValueRange{0, 0}) return;
  report.At(site, absl::StrCat("log of ", Shown(x)));
}

constexpr AneRule kRules[] = {
    {.id = "ANE0901",
     .title = "an accumulator that surely overflows",
     .kind = AneClass::kWrongAnswer,
     .known = kM1s | kM2s | kM4s | kM5s | kM6s,
     .explanation =
         "conv, linear and matmul add up in a fixed-point register with 16 bits before the point. "
         "At 32768, half of what fp16 can hold, it becomes infinity and stays so, even if later "
         "terms would bring it back. Constants show here that an output goes beyond for every "
         "input. int8 by int8 adds up as integers and is not concerned.",
     .rewrite =
         "scale the weights (or the input) down by a power of two and the result up in a mul "
         "of its own, which has the range of fp16",
     .evidence = {{kStudyNumerics, "from 32768 on infinity, on M4 and M6 alike; 32752 passes",
                   Certainty::kMeasured},
                  {kGuideNumerics, "from 32768 on infinity, partial sums included, on the M1",
                   Certainty::kMeasured},
                  {kForgeCliffs, "matmul outputs become infinite near 32752 on M2 Pro and M5",
                   Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 2, 64, 512]> x",
                 "tensor<fp16, [1, 2, 64, 512]> c = clip(x = x, alpha = fp16(100), beta = "
                 "fp16(200));\n"
                 "tensor<fp16, [2, 2, 1, 1]> w = const()[val = tensor<fp16, [2, 2, 1, 1]>([[[[1]], "
                 "[[2]]], [[[300]], [[300]]]])];\n"
                 "tensor<fp16, [1, 2, 64, 512]> y = conv(x = c, weight = w);",
                 "y"},
     .mend = {"tensor<fp16, [1, 2, 64, 512]> x",
              "tensor<fp16, [1, 2, 64, 512]> c = clip(x = x, alpha = fp16(100), beta = "
              "fp16(200));\n"
              "tensor<fp16, [2, 2, 1, 1]> w = const()[val = tensor<fp16, [2, 2, 1, 1]>([[[[1]], "
              "[[2]]], [[[30]], [[30]]]])];\n"
              "tensor<fp16, [1, 2, 64, 512]> y = conv(x = c, weight = w);",
              "y"},
     .ops = {"conv", "linear", "matmul"},
     .on_op = FindOverflow},
    {.id = "ANE0902",
     .title = "an accumulator that can overflow",
     .kind = AneClass::kUnsure,
     .known = kM1s | kM2s | kM4s | kM5s | kM6s,
     .explanation = "As ANE0901, for some inputs: the operand is bounded (by sigmoid, softmax, "
                    "clip, ...), and "
                    "the worst of what its bounds and the constant weights allow is 32768 or more.",
     .rewrite =
         "scale the weights (or the input) down by a power of two and the result up in a mul "
         "of its own, which has the range of fp16",
     .evidence = {{kStudyNumerics, "from 32768 on infinity, on M4 and M6 alike",
                   Certainty::kMeasured},
                  {kGuideNumerics, "from 32768 on infinity on the M1", Certainty::kMeasured},
                  {kForgeCliffs, "the same on M2 Pro and M5", Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 2, 64, 512]> x",
                 "tensor<fp16, [1, 2, 64, 512]> c = sigmoid(x = x);\n"
                 "tensor<fp16, [2, 2, 1, 1]> w = const()[val = tensor<fp16, [2, 2, 1, 1]>([[[[1]], "
                 "[[2]]], [[[20000]], [[20000]]]])];\n"
                 "tensor<fp16, [1, 2, 64, 512]> y = conv(x = c, weight = w);",
                 "y"},
     .mend = {"tensor<fp16, [1, 2, 64, 512]> x",
              "tensor<fp16, [1, 2, 64, 512]> c = sigmoid(x = x);\n"
              "tensor<fp16, [2, 2, 1, 1]> w = const()[val = tensor<fp16, [2, 2, 1, 1]>([[[[1]], "
              "[[2]]], [[[2000]], [[2000]]]])];\n"
              "tensor<fp16, [1, 2, 64, 512]> y = conv(x = c, weight = w);",
              "y"},
     .ops = {"conv", "linear", "matmul"},
     .on_op = FindPossibleOverflow},
    {.id = "ANE0903",
     .title = "a bias that the accumulator cannot hold",
     .kind = AneClass::kWrongAnswer,
     .known = kM4s | kM6s,
     .explanation = "The bias is the first value of the accumulator, so it is bound by 32768 and "
                    "kept in steps of 2^-16; one beyond makes every output infinite.",
     .rewrite = "leave the bias out and add it in an add of its own, which has the range of fp16",
     .evidence = {{kStudyNumerics, "the bias starts the Q15.16 accumulator (H11)",
                   Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 2, 64, 512]> x",
                 "tensor<fp16, [2, 2, 1, 1]> w = const()[val = tensor<fp16, [2, 2, 1, 1]>([[[[1]], "
                 "[[2]]], [[[3]], [[4]]]])];\n"
                 "tensor<fp16, [2]> b = const()[val = tensor<fp16, [2]>([1, 40000])];\n"
                 "tensor<fp16, [1, 2, 64, 512]> y = conv(x = x, weight = w, bias = b);",
                 "y"},
     .mend = {"tensor<fp16, [1, 2, 64, 512]> x",
              "tensor<fp16, [2, 2, 1, 1]> w = const()[val = tensor<fp16, [2, 2, 1, 1]>([[[[1]], "
              "[[2]]], [[[3]], [[4]]]])];\n"
              "tensor<fp16, [1, 2, 1, 1]> b = const()[val = tensor<fp16, [1, 2, 1, 1]>([[[[1]], "
              "[[40000]]]])];\n"
              "tensor<fp16, [1, 2, 64, 512]> p = conv(x = x, weight = w);\n"
              "tensor<fp16, [1, 2, 64, 512]> y = add(x = p, y = b);",
              "y"},
     .ops = {"conv", "linear"},
     .on_op = FindBias},
    {.id = "ANE0904",
     .title = "infinity or nan among the constants",
     .kind = AneClass::kWrongAnswer,
     .known = kM1s | kM4s | kM6s,
     .explanation =
         "The engine has neither as IEEE has them. In products infinity is read as 65536 and nan "
         "as "
         "a number beyond; elsewhere nan becomes infinity, infinity minus infinity and 0 times "
         "infinity become 0. A mask of -inf therefore behaves unlike on a CPU.",
     .rewrite = "use -65504 where a mask has -inf, and no nan at all",
     .evidence = {{kStudyNumerics,
                   "inf decodes as 2^16, nan as 1.5 times 2^16 and more; nan + 1 is "
                   "infinity",
                   Certainty::kMeasured},
                  {kGuideNumerics, "nan is read as infinity; inf - inf and 0 * inf give 0",
                   Certainty::kMeasured},
                  {"maderix/ANE training programs (M4)",
                   "masks are built with 0 and -65504, never -inf", Certainty::kClaimed}},
     .example = {"tensor<fp16, [1, 2, 64, 512]> x",
                 "tensor<fp16, [1, 2, 1, 1]> m = const()[val = tensor<fp16, [1, 2, 1, 1]>([[[[0]], "
                 "[[-inf]]]])];\n"
                 "tensor<fp16, [1, 2, 64, 512]> s = add(x = x, y = m);\n"
                 "tensor<fp16, [1, 2, 64, 512]> y = softmax(x = s, axis = int32(1));",
                 "y"},
     .mend = {"tensor<fp16, [1, 2, 64, 512]> x",
              "tensor<fp16, [1, 2, 1, 1]> m = const()[val = tensor<fp16, [1, 2, 1, 1]>([[[[0]], "
              "[[-65504]]]])];\n"
              "tensor<fp16, [1, 2, 64, 512]> s = add(x = x, y = m);\n"
              "tensor<fp16, [1, 2, 64, 512]> y = softmax(x = s, axis = int32(1));",
              "y"},
     .on_function = FindNotFinite},
    {.id = "ANE0905",
     .title = "products so small that they are dropped",
     .kind = AneClass::kWrongAnswer,
     .known = kM4s | kM6s,
     .explanation =
         "A product whose exponents add up to -17 or less is dropped whole, before it is added, so "
         "a sum of many such products is 0. Here every product of the operation is that small.",
     .rewrite = "scale the weights up by a power of two and the result down in a mul of its own",
     .evidence = {{kStudyNumerics,
                   "exponent sums from -16 on are kept, from -17 down dropped (H12)",
                   Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 2, 64, 512]> x",
                 "tensor<fp16, [1, 2, 64, 512]> c = sigmoid(x = x);\n"
                 "tensor<fp16, [2, 2, 1, 1]> w = const()[val = tensor<fp16, [2, 2, 1, 1]>([[[["
                 "0x1p-18]], [[0x1p-19]]], [[[0x1p-20]], [[0x1p-18]]]])];\n"
                 "tensor<fp16, [1, 2, 64, 512]> y = conv(x = c, weight = w);",
                 "y"},
     .mend = {"tensor<fp16, [1, 2, 64, 512]> x",
              "tensor<fp16, [1, 2, 64, 512]> c = sigmoid(x = x);\n"
              "tensor<fp16, [2, 2, 1, 1]> w = const()[val = tensor<fp16, [2, 2, 1, 1]>([[[["
              "0x1p-8]], [[0x1p-9]]], [[[0x1p-10]], [[0x1p-8]]]])];\n"
              "tensor<fp16, [1, 2, 64, 512]> p = conv(x = c, weight = w);\n"
              "tensor<fp16, [1, 2, 64, 512]> y = mul(x = p, y = fp16(0x1p-10));",
              "y"},
     .ops = {"conv", "linear", "matmul"},
     .on_op = FindVanishing},
    {.id = "ANE0906",
     .title = "a result that fp16 cannot hold",
     .kind = AneClass::kWrongAnswer,
     .known = kM1s | kM4s | kM6s,
     .explanation = "Every element of this result is beyond 65504, whatever the input: it is "
                    "infinity on the engine, and on any device that stores fp16.",
     .rewrite = "scale the operands, or move this step to the host",
     .evidence = {{kStudyNumerics, "256 * 256 is infinity on the elementwise path",
                   Certainty::kMeasured},
                  {kGuideNumerics, "what is above 65504 becomes infinity silently",
                   Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<fp16, [1, 64, 1, 512]> c = clip(x = x, alpha = fp16(300), beta = "
                 "fp16(400));\n"
                 "tensor<fp16, [1, 64, 1, 512]> y = mul(x = c, y = c);",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [1, 64, 1, 512]> c = clip(x = x, alpha = fp16(30), beta = fp16(40));\n"
              "tensor<fp16, [1, 64, 1, 512]> y = mul(x = c, y = c);",
              "y"},
     .ops = {"add", "sub", "mul", "square", "exp", "exp2", "real_div", "reduce_sum"},
     .on_op = FindHalfOverflow},
    {.id = "ANE0907",
     .title = "a softmax written out without subtracting the largest value",
     .kind = AneClass::kWrongAnswer,
     .known = kM1s,
     .explanation = "exp of more than 11.09 is infinity in fp16, and so are the sum and the "
                    "quotient. The softmax operation subtracts the largest value in hardware.",
     .rewrite = "use softmax, or subtract reduce_max before exp",
     .evidence = {{kGuideNumerics,
                   "bare exp overflows at 11.094; softmax of [1000, 1, 2, 3] is "
                   "right",
                   Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<fp16, [1, 64, 1, 512]> e = exp(x = x);\n"
                 "tensor<fp16, [1, 1, 1, 512]> s = reduce_sum(x = e, axes = tensor<int32, "
                 "[1]>([1]), keep_dims = bool(true));\n"
                 "tensor<fp16, [1, 64, 1, 512]> y = real_div(x = e, y = s);",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [1, 64, 1, 512]> y = softmax(x = x, axis = int32(1));", "y"},
     .ops = {"reduce_sum"},
     .on_op = FindBareSoftmax},
    {.id = "ANE0908",
     .title = "an epsilon that is lost in fp16",
     .kind = AneClass::kWrongAnswer,
     .known = kM1s | kM2s | kM4s | kM5s,
     .explanation = "The least number of fp16 is 2^-24, about 6e-8. An epsilon below half of it is "
                    "0, and does not keep rsqrt, log or a normalisation from dividing by zero.",
     .rewrite = "use an epsilon of 2^-16 (1.5e-5) and more in fp16",
     .evidence = {{kGuideNumerics,
                   "fp16 denormals end at 2^-24, and inside sums the M1 takes "
                   "denormals for 0",
                   Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<fp16, [1, 64, 1, 512]> y = rsqrt(x = x, epsilon = fp16(0x1p-30));", "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [1, 64, 1, 512]> y = rsqrt(x = x, epsilon = fp16(0x1p-16));", "y"},
     .ops = {"rsqrt", "log", "inverse", "layer_norm", "instance_norm", "batch_norm", "l2_norm"},
     .on_op = FindLostEpsilon},
    {.id = "ANE0909",
     .title = "an angle beyond pi",
     .kind = AneClass::kUnsure,
     .known = kM1s,
     .explanation = "sin, cos and atan reduce their argument before the table, and near the seams "
                    "of that reduction the error reaches 0.04 to 0.12. Another source finds sin "
                    "good to 0.0006.",
     .rewrite = "fold the argument into [-pi, pi] before, or compute the table on the host (as for "
                "rotary embeddings)",
     .evidence = {{kGuideNumerics, "absolute errors of 0.04 to 0.12 near the seams",
                   Certainty::kMeasured},
                  {kStudyNumerics, "largest error of sin 0.00063 on the M6", Certainty::kMeasured,
                   true}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<fp16, [1, 64, 1, 512]> y = atan(x = x);", "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [1, 64, 1, 512]> b = clip(x = x, alpha = fp16(-1), beta = fp16(1));\n"
              "tensor<fp16, [1, 64, 1, 512]> y = atan(x = b);",
              "y"},
     .ops = {"sin", "cos", "atan"},
     .on_op = FindWideAngle},
    {.id = "ANE0910",
     .title = "a log that meets zero",
     .kind = AneClass::kWrongAnswer,
     .known = kM1s,
     .explanation = "log(0) is -45440 on the engine, a finite number, where a CPU has -infinity; "
                    "log of a negative number is 0 rather than nan. Tests for infinity or nan "
                    "further on do not see it.",
     .rewrite = "give log an epsilon that fp16 can hold, or take the maximum with it before",
     .evidence = {{kGuideNumerics, "log of +0 is -45440; log of -1 is +0", Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<fp16, [1, 64, 1, 512]> r = relu(x = x);\n"
                 "tensor<fp16, [1, 64, 1, 512]> y = log(x = r);",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [1, 64, 1, 512]> r = relu(x = x);\n"
              "tensor<fp16, [1, 64, 1, 512]> y = log(x = r, epsilon = fp16(0x1p-14));",
              "y"},
     .ops = {"log"},
     .on_op = FindLogOfZero},
};

}  // namespace

std::span<const AneRule> AneNumberRules() { return kRules; }

}  // namespace anex::mil
