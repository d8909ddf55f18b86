// Attention, activations and normalisation.
#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"
#include "server/mil/ane/ane_facts.h"
#include "server/mil/ane/ane_families.h"
#include "server/mil/ane/ane_sources.h"

namespace anex::mil {
namespace {

constexpr int64_t kLongNorm = 4096;
constexpr int kFar = 4;  // steps back from a root to the reduction that feeds it

void FindMask(const OpSite& site, AneReport& report) {
  const Shape* mask = site.ShapeOf("attn_mask");
  if (mask == nullptr) return;
  std::string what = absl::StrCat("attn_mask ", mask->ToString(), " may be left out");
  if (mask->rank() >= 3 && (*mask)[mask->rank() - 3] > 1) {
    absl::StrAppend(&what, "; where masks work, one plane serves all heads, and this has ",
                    (*mask)[mask->rank() - 3]);
  }
  report.At(site, what);
}

void FindSoftmaxLength(const OpSite& site, AneReport& report) {
  const Shape* x = site.ShapeOf("x");
  const std::vector<int64_t> axis = site.Ints("axis");
  if (x == nullptr || axis.size() != 1) return;
  const int64_t at = axis[0] < 0 ? axis[0] + x->rank() : axis[0];
  if (at < 0 || at >= x->rank()) return;
  const int64_t length = (*x)[static_cast<int>(at)];
  if (std::has_single_bit(static_cast<uint64_t>(length))) return;
  report.At(site, absl::StrCat("softmax over ", length, " elements, no power of two"));
}

void FindLongNorm(const OpSite& site, AneReport& report) {
  const Shape* x = site.ShapeOf("x");
  if (x == nullptr) return;
  int64_t length = 1;
  for (int64_t axis : site.Ints("axes")) {
    const int64_t at = axis < 0 ? axis + x->rank() : axis;
    if (at >= 0 && at < x->rank()) length *= (*x)[static_cast<int>(at)];
  }
  if (length < kLongNorm) return;
  report.At(site, absl::StrCat("layer_norm over ", length, " elements"));
}

void FindGelu(const OpSite& site, AneReport& report) { report.At(site, "gelu may be refused"); }

void FindSilu(const OpSite& site, AneReport& report) {
  report.At(site, "silu is off by up to 0.015");
}

void FindMean(const OpSite& site, AneReport& report) {
  report.At(site, "reduce_mean may be refused");
}

// True if `op` gets its operand from a reduction, with only scalings and offsets in between.
bool FollowsReduction(const OpSite& site) {
  const Operation* from = site.Producer("x");
  for (int step = 0; from != nullptr && step < kFar; ++step) {
    if (from->op.starts_with("reduce_")) return true;
    if (from->op != "add" && from->op != "mul" && from->op != "real_div") return false;
    const OpSite here{site.facts, *from};
    from = here.Producer(here.IsRuntime("x") ? "x" : "y");
  }
  return false;
}

void FindRootOfReduction(const OpSite& site, AneReport& report) {
  if (FollowsReduction(site)) report.At(site, absl::StrCat(site.op.op, " of a reduction"));
}

// The operand that comes from sqrt, if one does.
void FindSpreadRoot(const OpSite& site, AneReport& report) {
  for (const char* operand : {"x", "y"}) {
    const Operation* from = site.Producer(operand);
    if (from == nullptr || from->op != "sqrt") continue;
    const bool spreads = site.ShapeOf(operand)->ElementCount() != site.Result().ElementCount();
    if (!spreads && site.op.op == "mul") continue;
    report.At(site, absl::StrCat(site.op.op, spreads ? " broadcasts" : " takes",
                                 " the result of a sqrt"));
    return;
  }
}

constexpr AneRule kRules[] = {
    {.id = "ANE0701",
     .title = "an attention mask that the ANE may ignore",
     .kind = AneClass::kWrongAnswer,
     .known = kM4s,
     .explanation =
         "scaled_dot_product_attention with attn_mask compiles and runs, and computes attention "
         "as if there were no mask: every position sees every other. Later work reports masked "
         "attention as supported, on another path (Core ML) or with one plane for all heads.",
     .rewrite = "write it out: matmul(q, k, transpose_y), mul by the scale, add the mask (0 and "
                "-65504), softmax, matmul with v",
     .evidence = {{kOrion, "a causal mask has no effect (6)", Certainty::kMeasured},
                  {"maderix/ANE training/test_ane_causal_attn.m (M4)",
                   "the mask is ignored; the written-out form is right", Certainty::kMeasured},
                  {kForgeQuirks, "a mask for each head is applied wrongly; one plane works",
                   Certainty::kMeasured},
                  {kStudyDispatch, "attention with a mask is supported through Core ML",
                   Certainty::kMeasured, true}},
     .example = {"tensor<fp16, [1, 12, 64, 64]> k, tensor<fp16, [1, 12, 64, 64]> q, "
                 "tensor<fp16, [1, 12, 64, 64]> v",
                 "tensor<fp16, [1, 1, 64, 64]> m = const()[val = tensor<fp16, [1, 1, 64, 64]>("
                 "BLOBFILE(path = string(\"@model_path/weights/mask.bin\"), offset = "
                 "uint64(64)))];\n"
                 "tensor<fp16, [1, 12, 64, 64]> y = scaled_dot_product_attention(query = q, key = "
                 "k, value = v, attn_mask = m);",
                 "y"},
     .mend = {"tensor<fp16, [1, 12, 64, 64]> k, tensor<fp16, [1, 12, 64, 64]> q, "
              "tensor<fp16, [1, 12, 64, 64]> v",
              "tensor<fp16, [1, 1, 64, 64]> m = const()[val = tensor<fp16, [1, 1, 64, 64]>("
              "BLOBFILE(path = string(\"@model_path/weights/mask.bin\"), offset = uint64(64)))];\n"
              "tensor<fp16, [1, 12, 64, 64]> s = matmul(x = q, y = k, transpose_y = bool(true));\n"
              "tensor<fp16, [1, 12, 64, 64]> t = mul(x = s, y = fp16(0x1p-3));\n"
              "tensor<fp16, [1, 12, 64, 64]> u = add(x = t, y = m);\n"
              "tensor<fp16, [1, 12, 64, 64]> p = softmax(x = u, axis = int32(-1));\n"
              "tensor<fp16, [1, 12, 64, 64]> y = matmul(x = p, y = v);",
              "y"},
     .ops = {"scaled_dot_product_attention"},
     .on_op = FindMask},
    {.id = "ANE0702",
     .title = "a softmax whose length is no power of two",
     .kind = AneClass::kUnsure,
     .known = kM3s,
     .explanation = "One project gets InvalidMILProgram for softmax over a length that is no power "
                    "of two. Others run such lengths, the vocabulary of 32000 among them.",
     .rewrite = "nothing, unless the program is refused: then pad the axis to a power of two with "
                "-65504",
     .evidence = {{kEspressoNotes, "InvalidMILProgram at compile time", Certainty::kClaimed},
                  {kMaderix, "a softmax over a vocabulary of 32000 is among its kernels",
                   Certainty::kClaimed, true},
                  {kStudyDispatch, "softmax over any axis is supported", Certainty::kMeasured,
                   true}},
     .example = {"tensor<fp16, [1, 96, 1, 480]> x",
                 "tensor<fp16, [1, 96, 1, 480]> y = softmax(x = x, axis = int32(-1));", "y"},
     .mend = {"tensor<fp16, [1, 96, 1, 512]> x",
              "tensor<fp16, [1, 96, 1, 512]> y = softmax(x = x, axis = int32(-1));", "y"},
     .ops = {"softmax"},
     .on_op = FindSoftmaxLength},
    {.id = "ANE0703",
     .title = "gelu",
     .kind = AneClass::kUnsure,
     .known = kM4s,
     .explanation =
         "One project cannot compile gelu on the direct path and writes out the tanh form; others "
         "compile it. Where it runs, EXACT and TANH_APPROXIMATION are the same table, off by up to "
         "0.006.",
     .rewrite = "write it out: 0.5 x (1 + tanh(0.7978846 (x + 0.044715 x^3)))",
     .evidence = {{kOrion, "ANECCompile fails for gelu (10)", Certainty::kMeasured},
                  {kForgeSweep, "gelu compiles", Certainty::kMeasured, true},
                  {kStudyNumerics, "both modes give the same bits; largest error 0.0062",
                   Certainty::kMeasured, true}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<fp16, [1, 64, 1, 512]> y = gelu(x = x, mode = string(\"EXACT\"));", "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [1, 64, 1, 512]> s = mul(x = x, y = x);\n"
              "tensor<fp16, [1, 64, 1, 512]> c = mul(x = s, y = x);\n"
              "tensor<fp16, [1, 64, 1, 512]> k = mul(x = c, y = fp16(0.044715));\n"
              "tensor<fp16, [1, 64, 1, 512]> a = add(x = x, y = k);\n"
              "tensor<fp16, [1, 64, 1, 512]> b = mul(x = a, y = fp16(0.7978846));\n"
              "tensor<fp16, [1, 64, 1, 512]> t = tanh(x = b);\n"
              "tensor<fp16, [1, 64, 1, 512]> o = add(x = t, y = fp16(1));\n"
              "tensor<fp16, [1, 64, 1, 512]> h = mul(x = x, y = fp16(0.5));\n"
              "tensor<fp16, [1, 64, 1, 512]> y = mul(x = h, y = o);",
              "y"},
     .ops = {"gelu"},
     .on_op = FindGelu},
    {.id = "ANE0704",
     .title = "silu",
     .kind = AneClass::kUnsure,
     .known = kM4s | kM6s,
     .explanation =
         "silu is a table of its own with 33 fitted points: its largest error is 0.015, and it is "
         "not 0 at 0. x times sigmoid(x) uses the table of sigmoid, whose error of 0.0034 is "
         "scaled by x where sigmoid bends; that comes to about half the error.",
     .rewrite = "if 0.015 is too much, write mul(x, sigmoid(x))",
     .evidence = {{kStudyNumerics, "largest error 0.015, not equal to x times the table of sigmoid",
                   Certainty::kMeasured},
                  {kGuideNumerics, "swish(0) is -0.00126", Certainty::kMeasured},
                  {kOrion, "silu has to be written out (10)", Certainty::kClaimed}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<fp16, [1, 64, 1, 512]> y = silu(x = x);", "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [1, 64, 1, 512]> s = sigmoid(x = x);\n"
              "tensor<fp16, [1, 64, 1, 512]> y = mul(x = x, y = s);",
              "y"},
     .ops = {"silu"},
     .on_op = FindSilu},
    {.id = "ANE0705",
     .title = "reduce_mean",
     .kind = AneClass::kUnsure,
     .known = kM3s,
     .explanation = "One project finds that reduce_mean does not exist for the direct path; others "
                    "compile it.",
     .rewrite = "reduce_sum and mul by 1/N, or fold 1/N into a weight that follows",
     .evidence = {{kEspressoNotes, "reduce_mean does not exist in raw MIL text",
                   Certainty::kClaimed},
                  {kForgeSweep, "reduce_mean compiles", Certainty::kMeasured, true},
                  {kStudyDispatch, "reduce_mean is supported", Certainty::kMeasured, true}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<fp16, [1, 1, 1, 512]> m = reduce_mean(x = x, axes = tensor<int32, "
                 "[1]>([1]), keep_dims = bool(true));\n"
                 "tensor<fp16, [1, 64, 1, 512]> y = sub(x = x, y = m);",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [1, 1, 1, 512]> s = reduce_sum(x = x, axes = tensor<int32, [1]>([1]), "
              "keep_dims = bool(true));\n"
              "tensor<fp16, [1, 1, 1, 512]> m = mul(x = s, y = fp16(0x1p-6));\n"
              "tensor<fp16, [1, 64, 1, 512]> y = sub(x = x, y = m);",
              "y"},
     .ops = {"reduce_mean"},
     .on_op = FindMean},
    {.id = "ANE0706",
     .title = "a square root of a reduction",
     .kind = AneClass::kRefused,
     .known = kM4s,
     .clear = kM1s,
     .explanation = "The compiler fails on sqrt and rsqrt whose operand comes from a reduction, as "
                    "in every normalisation that is written out. pow with -0.5 says the same and "
                    "compiles. (On the M1 it is the other way round: see ANE0806.)",
     .rewrite = "pow(x, -0.5) in place of rsqrt(x), pow(x, 0.5) in place of sqrt(x)",
     .evidence = {{kRustane, "rsqrt and sqrt after reductions fail to compile; pow(-0.5) works",
                   Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<fp16, [1, 64, 1, 512]> q = mul(x = x, y = x);\n"
                 "tensor<fp16, [1, 1, 1, 512]> s = reduce_sum(x = q, axes = tensor<int32, "
                 "[1]>([1]), keep_dims = bool(true));\n"
                 "tensor<fp16, [1, 1, 1, 512]> m = mul(x = s, y = fp16(0x1p-6));\n"
                 "tensor<fp16, [1, 1, 1, 512]> r = rsqrt(x = m, epsilon = fp16(0x1p-16));\n"
                 "tensor<fp16, [1, 64, 1, 512]> y = mul(x = x, y = r);",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [1, 64, 1, 512]> q = mul(x = x, y = x);\n"
              "tensor<fp16, [1, 1, 1, 512]> s = reduce_sum(x = q, axes = tensor<int32, [1]>([1]), "
              "keep_dims = bool(true));\n"
              "tensor<fp16, [1, 1, 1, 512]> m = mul(x = s, y = fp16(0x1p-6));\n"
              "tensor<fp16, [1, 1, 1, 512]> e = add(x = m, y = fp16(0x1p-16));\n"
              "tensor<fp16, [1, 1, 1, 512]> r = pow(x = e, y = fp16(-0.5));\n"
              "tensor<fp16, [1, 64, 1, 512]> y = mul(x = x, y = r);",
              "y"},
     .ops = {"rsqrt", "sqrt"},
     .on_op = FindRootOfReduction},
    {.id = "ANE0707",
     .title = "a square root that is broadcast or divided",
     .kind = AneClass::kWrongAnswer,
     .known = kM1s,
     .os = "macOS 26",
     .explanation = "On the M1 the result of sqrt cannot be used in the same program by a "
                    "broadcasting product or by a division: only the first channel gets a value, "
                    "or the quotient comes out upside down. sqrt alone, or multiplied with its own "
                    "shape, is right.",
     .rewrite = "return the root from one program and use it in the next, or multiply with "
                "pow(x, -0.5) where the chip has it",
     .evidence = {{kAneTrain,
                   "sqrt and broadcasting mul fills channel 0 alone; real_div(sqrt(a), "
                   "b) gives b / sqrt(a)",
                   Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> a, tensor<fp16, [1, 64, 1, 512]> b",
                 "tensor<fp16, [1, 64, 1, 512]> r = sqrt(x = a);\n"
                 "tensor<fp16, [1, 64, 1, 512]> y = real_div(x = b, y = r);",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> a, tensor<fp16, [1, 64, 1, 512]> b",
              "tensor<fp16, [1, 64, 1, 512]> r = pow(x = a, y = fp16(-0.5));\n"
              "tensor<fp16, [1, 64, 1, 512]> y = mul(x = b, y = r);",
              "y"},
     .ops = {"mul", "real_div"},
     .on_op = FindSpreadRoot},
    {.id = "ANE0708",
     .title = "a long layer_norm",
     .kind = AneClass::kUnsure,
     .known = kM2s,
     .os = "macOS 26.5",
     .explanation = "layer_norm over 4096 elements was seen to fail in the compiler now and then; "
                    "whether it does depends on the values of gamma and beta rather than on the "
                    "shape, and a failure slows the compiles that follow.",
     .rewrite = "normalise without gamma and beta, and multiply and add them afterwards",
     .evidence = {{"sbryngelson/ANEForge issue 149 (M2 Pro, macOS 26.5)",
                   "[2048, 4096] compiled once and failed later", Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 16, 4096]> x",
                 "tensor<fp16, [1, 16, 4096]> y = layer_norm(x = x, axes = tensor<int32, "
                 "[1]>([-1]), epsilon = fp16(0x1p-16));",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1024]> x",
              "tensor<fp16, [1, 64, 1024]> y = layer_norm(x = x, axes = tensor<int32, [1]>([-1]), "
              "epsilon = fp16(0x1p-16));",
              "y"},
     .ops = {"layer_norm"},
     .on_op = FindLongNorm},
};

}  // namespace

std::span<const AneRule> AneAttentionRules() { return kRules; }

}  // namespace anex::mil
