// Matrix products.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/mil/ane/ane_facts.h"
#include "server/mil/ane/ane_families.h"
#include "server/mil/ane/ane_sources.h"

namespace anex::mil {
namespace {

constexpr int64_t kInnerStep = 32, kMostInner = 32768, kMostRuntimeWeight = 4096;

// How many products each element of the result adds up; 0 if it cannot be told.
int64_t Inner(const OpSite& site) {
  const Shape* x = site.ShapeOf("x");
  if (x == nullptr || x->rank() < 2) return 0;
  return (*x)[x->rank() - (site.function().Bool(site.op, "transpose_x") ? 2 : 1)];
}

bool BothRuntime(const OpSite& site) { return site.IsRuntime("x") && site.IsRuntime("y"); }

void FindOddInner(const OpSite& site, AneReport& report) {
  const int64_t inner = Inner(site);
  if (inner == 0 || inner % kInnerStep == 0 || !BothRuntime(site)) return;
  report.At(site, absl::StrCat("the inner dimension is ", inner, ", no multiple of ", kInnerStep));
}

void FindConstant(const OpSite& site, AneReport& report) {
  for (const char* operand : {"x", "y"}) {
    if (!site.IsFixed(operand) || site.ShapeOf(operand)->ElementCount() == 1) continue;
    report.At(site, absl::StrCat("operand ", operand, " of this matmul is a constant"));
    return;
  }
}

void FindLongInner(const OpSite& site, AneReport& report) {
  const int64_t inner = Inner(site);
  if (inner <= kMostInner) return;
  report.At(site, absl::StrCat("the inner dimension is ", inner, ", over ", kMostInner));
}

void FindDeep(const OpSite& site, AneReport& report) {
  if (site.Result().rank() < 5) return;
  report.At(site, absl::StrCat("a matmul of rank ", site.Result().rank()));
}

void FindDeepLinear(const OpSite& site, AneReport& report) {
  const Shape* x = site.ShapeOf("x");
  if (x == nullptr || x->rank() < 5) return;
  report.At(site, absl::StrCat("a linear layer on an input of rank ", x->rank()));
}

void FindLargeWeight(const OpSite& site, AneReport& report) {
  if (!BothRuntime(site)) return;
  for (const char* operand : {"x", "y"}) {
    const Shape& shape = *site.ShapeOf(operand);
    if (shape.rank() < 2) continue;
    const int64_t longest = std::max(shape[shape.rank() - 1], shape[shape.rank() - 2]);
    if (longest <= kMostRuntimeWeight) continue;
    report.At(site, absl::StrCat("operand ", operand, " ", shape.ToString(), " is over ",
                                 kMostRuntimeWeight, " x ", kMostRuntimeWeight));
    return;
  }
}

constexpr AneRule kRules[] = {
    {.id = "ANE0601",
     .title = "an inner dimension that is no multiple of 32",
     .kind = AneClass::kWrongAnswer,
     .known = kM1s,
     .os = "macOS 26",
     .explanation = "On the M1 a matmul of two runtime operands gives zeros, without an error, "
                    "unless the dimension that is summed over is a multiple of 32. Other projects "
                    "ask for multiples of 16 on later chips.",
     .rewrite = "pad the inner dimension of both operands with zeros to the next multiple of 32",
     .evidence = {{kAneTrain, "16, 48, 80 and 112 give zeros; 32, 64, 96, 128, 192, 384 work",
                   Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 512, 48]> a, tensor<fp16, [1, 512, 48]> b",
                 "tensor<fp16, [1, 512, 512]> y = matmul(x = a, y = b, transpose_y = bool(true));",
                 "y"},
     .mend = {"tensor<fp16, [1, 512, 64]> a, tensor<fp16, [1, 512, 64]> b",
              "tensor<fp16, [1, 512, 512]> y = matmul(x = a, y = b, transpose_y = bool(true));",
              "y"},
     .ops = {"matmul"},
     .on_op = FindOddInner},
    {.id = "ANE0602",
     .title = "a matmul with a constant on the M1",
     .kind = AneClass::kRefused,
     .known = kM1s,
     .clear = kM3s | kM4s,
     .os = "macOS 26",
     .explanation = "On the M1 a constant operand of matmul is an InvalidMILProgram. On M3 and M4 "
                    "such programs run.",
     .rewrite = "spell it as a 1x1 conv, whose weights may be constant, or pass the matrix as an "
                "input",
     .evidence = {{kAneTrain, "a baked operand of matmul is an InvalidMILProgram",
                   Certainty::kMeasured},
                  {kRustaneUltra,
                   "a matmul with a constant permutation compiles and runs on the "
                   "M3 Ultra and M4",
                   Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 512, 64]> x",
                 "tensor<fp16, [64, 64]> w = const()[val = tensor<fp16, [64, 64]>(BLOBFILE(path = "
                 "string(\"@model_path/weights/w.bin\"), offset = uint64(64)))];\n"
                 "tensor<fp16, [1, 512, 64]> y = matmul(x = x, y = w);",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [64, 64, 1, 1]> w = const()[val = tensor<fp16, [64, 64, 1, 1]>("
              "BLOBFILE(path = string(\"@model_path/weights/w.bin\"), offset = uint64(64)))];\n"
              "tensor<fp16, [1, 64, 1, 512]> y = conv(x = x, weight = w);",
              "y"},
     .ops = {"matmul"},
     .on_op = FindConstant},
    {.id = "ANE0603",
     .title = "an inner dimension over 32768",
     .kind = AneClass::kRefused,
     .known = kM4s,
     .os = "macOS 27",
     .explanation = "The dimension that a matmul sums over may have at most 32768 elements on the "
                    "M4 (and no axis more than 16384 up to the M3).",
     .rewrite = "split the inner dimension, multiply the pieces and add the results",
     .evidence = {{kStudyDispatch, "32768 is supported, 40000 is not", Certainty::kMeasured}},
     .target = "ane:m4",
     .example = {"tensor<fp16, [1, 64, 40000]> a, tensor<fp16, [1, 64, 40000]> b",
                 "tensor<fp16, [1, 64, 64]> p = matmul(x = a, y = b, transpose_y = bool(true));\n"
                 "tensor<fp16, [1, 64, 40000]> y = relu(x = a);",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 4096]> a, tensor<fp16, [1, 64, 4096]> b",
              "tensor<fp16, [1, 64, 64]> p = matmul(x = a, y = b, transpose_y = bool(true));\n"
              "tensor<fp16, [1, 64, 4096]> y = relu(x = a);",
              "y"},
     .ops = {"matmul"},
     .on_op = FindLongInner},
    {.id = "ANE0604",
     .title = "a matmul of rank 5",
     .kind = AneClass::kRefused,
     .known = kM1s,
     .explanation = "The engine's product has batch, channels, height and width; the depth axis "
                    "must be 1 on both operands. A batched matmul of rank 5 builds and is then "
                    "rejected by the back end.",
     .rewrite = "merge the leading axes with reshape so that the operands have rank 3 or 4",
     .evidence = {{kGuideOps, "rank 5 is rejected by the compiler on the device",
                   Certainty::kMeasured},
                  {kGuideRules, "depth over 1 is not supported for matmul inputs",
                   Certainty::kDecompiled}},
     .example = {"tensor<fp16, [1, 2, 4, 64, 64]> a, tensor<fp16, [1, 2, 4, 64, 64]> b",
                 "tensor<fp16, [1, 2, 4, 64, 64]> y = matmul(x = a, y = b);", "y"},
     .mend = {"tensor<fp16, [1, 8, 64, 64]> a, tensor<fp16, [1, 8, 64, 64]> b",
              "tensor<fp16, [1, 8, 64, 64]> y = matmul(x = a, y = b);", "y"},
     .ops = {"matmul"},
     .on_op = FindDeep},
    {.id = "ANE0605",
     .title = "a linear layer on rank 5",
     .kind = AneClass::kRefused,
     .known = kM1s,
     .explanation = "The validator of fully connected layers refuses an input of rank 5 and more.",
     .rewrite = "merge the leading axes with reshape first",
     .evidence = {{kGuideRules, "Apple's text: cannot support Linear with input rank >= 5",
                   Certainty::kDecompiled}},
     .example = {"tensor<fp16, [1, 2, 4, 64, 64]> x",
                 "tensor<fp16, [64, 64]> w = const()[val = tensor<fp16, [64, 64]>(BLOBFILE(path = "
                 "string(\"@model_path/weights/w.bin\"), offset = uint64(64)))];\n"
                 "tensor<fp16, [1, 2, 4, 64, 64]> y = linear(x = x, weight = w);",
                 "y"},
     .mend = {"tensor<fp16, [8, 64, 64]> x",
              "tensor<fp16, [64, 64]> w = const()[val = tensor<fp16, [64, 64]>(BLOBFILE(path = "
              "string(\"@model_path/weights/w.bin\"), offset = uint64(64)))];\n"
              "tensor<fp16, [8, 64, 64]> y = linear(x = x, weight = w);",
              "y"},
     .ops = {"linear", "linear_activation"},
     .on_op = FindDeepLinear},
    {.id = "ANE0606",
     .title = "a runtime matrix over 4096 x 4096 on the M5",
     .kind = AneClass::kRefused,
     .known = kM5s,
     .clear = kM4s,
     .explanation = "Weights that come as an input of matmul were found to work up to 4096 x 4096 "
                    "on the M5; larger ones are not shown to.",
     .rewrite = "cut the matrix into blocks of at most 4096 x 4096",
     .evidence = {{kMaderixM5, "dynamic weights up to 4096 x 4096", Certainty::kClaimed},
                  {kRustane, "runtime matrices of 5120 and more run, slowly (ANE0513)",
                   Certainty::kMeasured, true}},
     .example = {"tensor<fp16, [1, 4160, 64]> a, tensor<fp16, [1, 4160, 64]> b",
                 "tensor<fp16, [1, 64, 64]> p = matmul(x = a, y = b, transpose_x = bool(true));\n"
                 "tensor<fp16, [1, 4160, 64]> y = relu(x = a);",
                 "y"},
     .mend = {"tensor<fp16, [1, 4096, 64]> a, tensor<fp16, [1, 4096, 64]> b",
              "tensor<fp16, [1, 64, 64]> p = matmul(x = a, y = b, transpose_x = bool(true));\n"
              "tensor<fp16, [1, 4096, 64]> y = relu(x = a);",
              "y"},
     .ops = {"matmul"},
     .on_op = FindLargeWeight},
};

}  // namespace

std::span<const AneRule> AneMatmulRules() { return kRules; }

}  // namespace anex::mil
