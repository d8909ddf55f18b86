// Element types.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/mil/ane/ane_facts.h"
#include "server/mil/ane/ane_families.h"
#include "server/mil/ane/ane_sources.h"
#include "server/mil/diagnostic.h"

namespace anex::mil {
namespace {

std::string Typed(std::string_view name, DType dtype) {
  return absl::StrCat(Shown(name), " is ", std::string(DTypeName(dtype)));
}

// Reports the tensor ports whose type is in `wanted`.
void FindPorts(const FunctionFacts& facts, bool (*wanted)(DType), AneReport& report) {
  std::vector<ValueId> ports = facts.TensorInputs();
  ports.insert(ports.end(), facts.function.outputs.begin(), facts.function.outputs.end());
  for (ValueId id : ports) {
    const Value& value = facts.value(id);
    if (!wanted(value.type.tensor.dtype)) continue;
    report.At(value.where, absl::StrCat("port ", Typed(value.name, value.type.tensor.dtype)));
  }
}

void FindFloat32Ports(const FunctionFacts& facts, AneReport& report) {
  FindPorts(
      facts, [](DType t) { return t == DType::kFp32; }, report);
}

void FindIntegerPorts(const FunctionFacts& facts, AneReport& report) {
  FindPorts(
      facts, [](DType t) { return (IsInteger(t) && t != DType::kUint8) || t == DType::kBool; },
      report);
}

void FindOddFloats(const FunctionFacts& facts, AneReport& report) {
  for (const Value& value : facts.function.values) {
    const DType dtype = value.type.tensor.dtype;
    if (value.type.kind == TypeKind::kString || value.where.line == 0) continue;
    if (dtype == DType::kBf16 || dtype == DType::kFp64) {
      report.At(value.where, Typed(value.name, dtype));
    }
  }
}

void FindFloat32Work(const OpSite& site, AneReport& report) {
  if (site.op.results.empty()) return;
  const bool wide = site.ResultType() == DType::kFp32;
  if (wide) report.At(site, absl::StrCat(site.op.op, " is asked for in fp32"));
}

void FindIntegerWork(const OpSite& site, AneReport& report) {
  for (ValueId id : site.RuntimeOperands()) {
    const DType dtype = site.facts.value(id).type.tensor.dtype;
    if (!IsInteger(dtype)) continue;
    report.At(site, absl::StrCat(site.op.op, " works on ", std::string(DTypeName(dtype))));
    return;
  }
}

void FindIntegerCast(const OpSite& site, AneReport& report) {
  const std::optional<ValueId> x = site.Id("x");
  if (!x.has_value() || site.facts.fixed[*x]) return;
  const DType from = site.facts.value(*x).type.tensor.dtype, to = site.ResultType();
  if (!IsInteger(from) && !IsInteger(to)) return;
  report.At(site, absl::StrCat("cast from ", std::string(DTypeName(from)), " to ",
                               std::string(DTypeName(to))));
}

void FindFloatCast(const OpSite& site, AneReport& report) {
  const std::optional<ValueId> x = site.Id("x");
  if (!x.has_value() || site.facts.fixed[*x]) return;
  const DType from = site.facts.value(*x).type.tensor.dtype, to = site.ResultType();
  if (!IsFloat(from) || !IsFloat(to)) return;
  report.At(site, absl::StrCat("cast from ", std::string(DTypeName(from)), " to ",
                               std::string(DTypeName(to))));
}

void FindZeroPoint(const OpSite& site, AneReport& report) {
  const std::vector<int64_t> points = site.Ints("zero_point");
  const auto odd = std::ranges::find_if(points, [](int64_t point) { return point != 0; });
  if (odd == points.end()) return;
  report.At(site, absl::StrCat("the zero point is ", *odd));
}

void FindAffine(const OpSite& site, AneReport& report) {
  report.At(site, "weights of 8 bits with a scale");
}

void FindBlockwise(const OpSite& site, AneReport& report) {
  report.At(site, "weights scaled block by block");
}

constexpr AneRule kRules[] = {
    {.id = "ANE0301",
     .title = "a port of fp32",
     .kind = AneClass::kSlow,
     .known = kM4s | kM5s,
     .explanation = "The engine computes in fp16. An fp32 port costs twice the bytes and a "
                    "conversion inside the program at each end.",
     .rewrite = "declare the port fp16 and convert where the data is made",
     .evidence = {{kOrion, "fp16 ports are about 37 percent faster", Certainty::kMeasured},
                  {kGuideOps, "an fp32 input is not accepted at all", Certainty::kMeasured, true}},
     .example = {"tensor<fp32, [1, 64, 1, 512]> x",
                 "tensor<fp16, [1, 64, 1, 512]> h = cast(x = x, dtype = string(\"fp16\"));\n"
                 "tensor<fp16, [1, 64, 1, 512]> y = relu(x = h);",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x", "tensor<fp16, [1, 64, 1, 512]> y = relu(x = x);",
              "y"},
     .on_function = FindFloat32Ports},
    {.id = "ANE0302",
     .title = "a port of integers or bools",
     .kind = AneClass::kRefused,
     .known = kM1s | kM4s,
     .explanation = "Program inputs are fp16, or uint8 for an image that the program dequantizes. "
                    "Other integer ports and bools do not reach the engine.",
     .rewrite = "pass the values as fp16 (exact up to 2048) and keep indices on the host",
     .evidence = {{kGuideOps, "inputs of int32, int8 and others are rejected",
                   Certainty::kMeasured},
                  {kStudyDispatch, "no int32 tensor is supported on the engine",
                   Certainty::kMeasured}},
     .example = {"tensor<int32, [1, 32, 1, 512]> x",
                 "tensor<int32, [1, 32, 512]> y = reshape(x = x, shape = "
                 "tensor<int32, [3]>([1, 32, 512]));",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [1, 64, 512]> y = reshape(x = x, shape = "
              "tensor<int32, [3]>([1, 64, 512]));",
              "y"},
     .on_function = FindIntegerPorts},
    {.id = "ANE0303",
     .title = "arithmetic on integers",
     .kind = AneClass::kRefused,
     .known = kM1s | kM4s,
     .explanation = "There is no integer arithmetic on tensors: add, mul, matmul, comparisons and "
                    "reductions of integers have no engine path. (The int8 convolution between "
                    "quantize and dequantize is another matter.)",
     .rewrite = "compute in fp16; integers are exact there up to 2048",
     .evidence = {{kStudyDispatch, "add, mul and matmul of int32 are not supported",
                   Certainty::kMeasured},
                  {kGuideNumerics, "int32 is accepted as a type and not implemented behind it",
                   Certainty::kMeasured}},
     .example = {"tensor<uint8, [1, 128, 1, 512]> x, tensor<uint8, [1, 128, 1, 512]> z",
                 "tensor<bool, [1, 128, 1, 512]> m = greater(x = x, y = z);\n"
                 "tensor<fp16, [1, 128, 1, 512]> y = cast(x = m, dtype = string(\"fp16\"));",
                 "y"},
     .mend = {"tensor<fp16, [1, 128, 1, 512]> x, tensor<fp16, [1, 128, 1, 512]> z",
              "tensor<bool, [1, 128, 1, 512]> m = greater(x = x, y = z);\n"
              "tensor<fp16, [1, 128, 1, 512]> y = cast(x = m, dtype = string(\"fp16\"));",
              "y"},
     .ops = {"add",        "sub",         "mul",   "real_div",  "floor_div",  "mod",
             "maximum",    "minimum",     "abs",   "matmul",    "reduce_sum", "reduce_max",
             "reduce_min", "reduce_mean", "equal", "not_equal", "greater",    "greater_equal",
             "less",       "less_equal",  "clip",  "square",    "select"},
     .on_op = FindIntegerWork},
    {.id = "ANE0304",
     .title = "a cast from or to integers",
     .kind = AneClass::kRefused,
     .known = kM1s | kM4s,
     .explanation = "Casts between floats and integers do not compile for the engine.",
     .rewrite = "cast on the host, or keep the values fp16 and use floor where the cast rounded",
     .evidence = {{kForgeSweep, "cast does not compile", Certainty::kMeasured},
                  {kStudyDispatch, "casts between fp16 and int32, and to int8, are not supported",
                   Certainty::kMeasured},
                  {kGuideMatrix, "a cast to int32 is rejected on the M1", Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<int32, [1, 64, 1, 512]> i = cast(x = x, dtype = string(\"int32\"));\n"
                 "tensor<fp16, [1, 64, 1, 512]> y = cast(x = i, dtype = string(\"fp16\"));",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x", "tensor<fp16, [1, 64, 1, 512]> y = floor(x = x);",
              "y"},
     .ops = {"cast"},
     .on_op = FindIntegerCast},
    {.id = "ANE0305",
     .title = "a cast between floats on M1 and M2",
     .kind = AneClass::kUnsure,
     .known = kM1s | kM2s,
     .needs_chip = true,
     .os = "macOS 26.3",
     .explanation = "On M1 and M2 a program that casts its fp32 ports to fp16 was found not to "
                    "compile, and the same program with fp16 ports did. Another source runs such "
                    "casts on the M1.",
     .rewrite = "declare the ports fp16 and convert on the host",
     .evidence = {{kMaderixM1, "M1 and M2 cannot do the cast; fp16 ports work",
                   Certainty::kMeasured},
                  {kGuideMatrix, "casts between fp16 and fp32 run on the M1", Certainty::kMeasured,
                   true}},
     .target = "ane:m2",
     .example = {.whole = R"(program(1.0)
[buildInfo = dict<tensor<string, []>, tensor<string, []>>({{"coremlc-version", "3505.4.1"}})]
{
    func main<ios16>(tensor<fp16, [1, 64, 1, 512]> x) {
        tensor<fp32, [1, 64, 1, 512]> w = cast(x = x, dtype = tensor<string, []>("fp32"));
        tensor<fp16, [1, 64, 1, 512]> y = cast(x = w, dtype = tensor<string, []>("fp16"));
    } -> (y);
}
)"},
     .mend = {.whole = R"(program(1.0)
[buildInfo = dict<tensor<string, []>, tensor<string, []>>({{"coremlc-version", "3505.4.1"}})]
{
    func main<ios16>(tensor<fp16, [1, 64, 1, 512]> x) {
        tensor<fp16, [1, 64, 1, 512]> y = relu(x = x);
    } -> (y);
}
)"},
     .ops = {"cast"},
     .on_op = FindFloatCast},
    {.id = "ANE0306",
     .title = "bf16 or fp64",
     .kind = AneClass::kRefused,
     .known = kM1s,
     .explanation = "The engine has fp16. bf16 is accepted by name and not implemented; bf16 and "
                    "fp64 cannot be the type of a port.",
     .rewrite = "use fp16; check that the values stay within 65504",
     .evidence = {{kGuideOps, "bf16 is not usable as a program input or output",
                   Certainty::kMeasured}},
     .example = {"tensor<bf16, [1, 64, 1, 512]> x",
                 "tensor<bf16, [1, 64, 512]> y = reshape(x = x, shape = "
                 "tensor<int32, [3]>([1, 64, 512]));",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [1, 64, 512]> y = reshape(x = x, shape = "
              "tensor<int32, [3]>([1, 64, 512]));",
              "y"},
     .on_function = FindOddFloats},
    {.id = "ANE0307",
     .title = "arithmetic asked for in fp32",
     .kind = AneClass::kWrongAnswer,
     .known = kM1s | kM2s | kM5s,
     .explanation = "fp32 is accepted as a type, but multiplier, tables and output are fp16 "
                    "whatever the text says; only the accumulator is wide. A program that relies "
                    "on fp32 between two operations loses digits, and values over 65504.",
     .rewrite = "do this step on the host or the cpu device, or scale it so that fp16 is enough",
     .evidence = {{kGuideNumerics, "fp32 annotations do not reach the silicon as wider arithmetic",
                   Certainty::kMeasured},
                  {kForgeQuirks, "fp32 is not implemented; such programs are rejected",
                   Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<fp32, [1, 64, 1, 512]> w = cast(x = x, dtype = string(\"fp32\"));\n"
                 "tensor<fp32, [1, 64, 1, 512]> s = mul(x = w, y = w);\n"
                 "tensor<fp16, [1, 64, 1, 512]> y = cast(x = s, dtype = string(\"fp16\"));",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [1, 64, 1, 512]> y = mul(x = x, y = x);", "y"},
     .ops = {"add",     "sub",        "mul",        "real_div",    "pow",        "matmul",
             "linear",  "conv",       "reduce_sum", "reduce_mean", "reduce_max", "reduce_l2_norm",
             "softmax", "layer_norm", "rsqrt",      "sqrt",        "exp",        "log",
             "sigmoid", "tanh",       "relu",       "maximum",     "minimum"},
     .on_op = FindFloat32Work},
    {.id = "ANE0308",
     .title = "a zero point that is not 0",
     .kind = AneClass::kUnsure,
     .known = kM1s,
     .explanation = "On the M1 quantised weights are symmetric: the hardware form has a scale and "
                    "no zero point. Whether the compiler folds another zero point into the weights "
                    "is not told.",
     .rewrite = "quantise symmetrically, with zero_point 0",
     .evidence = {{kGuideNumerics, "on the M1 generation the zero point is 0",
                   Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<int8, [1, 64, 1, 512]> q = quantize(input = x, scale = fp16(0x1p-4), "
                 "zero_point = int8(3), output_dtype = string(\"int8\"));\n"
                 "tensor<fp16, [1, 64, 1, 512]> y = dequantize(input = q, scale = fp16(0x1p-4));",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<int8, [1, 64, 1, 512]> q = quantize(input = x, scale = fp16(0x1p-4), "
              "output_dtype = string(\"int8\"));\n"
              "tensor<fp16, [1, 64, 1, 512]> y = dequantize(input = q, scale = fp16(0x1p-4));",
              "y"},
     .ops = {"quantize", "dequantize", "constexpr_affine_dequantize"},
     .on_op = FindZeroPoint},
    {.id = "ANE0309",
     .title = "8-bit weights that save no bandwidth on the M1",
     .kind = AneClass::kSlow,
     .known = kM1s,
     .clear = kM2s | kM3s | kM4s | kM5s | kM6s,
     .explanation =
         "On the M1 weights of 8 bits with a scale are unfolded to fp16 in memory before "
         "they are used: the file is smaller, the traffic is not. From the M2 on they "
         "stream as they are.",
     .rewrite = "use a palette of 4 bits (constexpr_lut_to_dense) or sparse weights, which stream "
                "on the M1 too",
     .evidence = {{kGuideNumerics,
                   "int8 weights run at the latency of fp16 on the M1, at about "
                   "half of it on the M2",
                   Certainty::kMeasured}},
     .example =
         {"tensor<fp16, [1, 64, 1, 512]> x",
          "tensor<fp16, [64, 64, 1, 1]> w = constexpr_affine_dequantize()[quantized_data = "
          "tensor<int8, [64, 64, 1, 1]>(BLOBFILE(path = string(\"@model_path/weights/w.bin\"), "
          "offset = uint64(64))), scale = fp16(0x1p-6), zero_point = int8(0), axis = int32(0)];\n"
          "tensor<fp16, [1, 64, 1, 512]> y = conv(x = x, weight = w);",
          "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [64, 64, 1, 1]> w = const()[val = tensor<fp16, [64, 64, 1, "
              "1]>(BLOBFILE(path = string(\"@model_path/weights/w.bin\"), offset = uint64(64)))];\n"
              "tensor<fp16, [1, 64, 1, 512]> y = conv(x = x, weight = w);",
              "y"},
     .ops = {"constexpr_affine_dequantize"},
     .on_op = FindAffine},
    {.id = "ANE0310",
     .title = "blockwise weights that save no bandwidth before the M3",
     .kind = AneClass::kSlow,
     .known = kM1s | kM2s,
     .clear = kM5s,
     .explanation = "Weights scaled block by block are unfolded to fp16 in memory on M1 and M2. "
                    "The sources place the first chip that streams them at the M3 or the M5.",
     .rewrite = "use one scale for each output channel, or a palette of 4 bits",
     .evidence = {{kGuideMatrix, "blockwise weights fold to fp16 on M1 and M2, stream from the M3",
                   Certainty::kDecompiled},
                  {kGuideNumerics, "blockwise weights fold on M1 and M2, stream on the M5",
                   Certainty::kMeasured}},
     .example =
         {"tensor<fp16, [1, 64, 1, 512]> x",
          "tensor<fp16, [64, 64, 1, 1]> w = constexpr_blockwise_shift_scale(data = tensor<int8, "
          "[64, 64, 1, 1]>(BLOBFILE(path = string(\"@model_path/weights/w.bin\"), offset = "
          "uint64(64))), scale = tensor<fp16, [1, 2, 1, 1]>([[[[0x1p-6]], [[0x1p-5]]]]));\n"
          "tensor<fp16, [1, 64, 1, 512]> y = conv(x = x, weight = w);",
          "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [64, 64, 1, 1]> w = const()[val = tensor<fp16, [64, 64, 1, "
              "1]>(BLOBFILE(path = string(\"@model_path/weights/w.bin\"), offset = uint64(64)))];\n"
              "tensor<fp16, [1, 64, 1, 512]> y = conv(x = x, weight = w);",
              "y"},
     .ops = {"constexpr_blockwise_shift_scale"},
     .on_op = FindBlockwise},
};

}  // namespace

std::span<const AneRule> AneTypeRules() { return kRules; }

}  // namespace anex::mil
