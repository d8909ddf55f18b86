// Operations without a path to the engine, on all chips or on some.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/mil/ane/ane_facts.h"
#include "server/mil/ane/ane_families.h"
#include "server/mil/ane/ane_sources.h"

namespace anex::mil {
namespace {

constexpr int64_t kMostArgAxis = 2048;

void FindIt(const OpSite& site, AneReport& report) {
  report.At(site, absl::StrCat(site.op.op, " has no path to the engine"));
}

void FindDoubtful(const OpSite& site, AneReport& report) {
  report.At(site, absl::StrCat(site.op.op, " may have no path to the engine"));
}

void FindRuntimeIndices(const OpSite& site, AneReport& report) {
  if (!site.IsRuntime("indices")) return;
  report.At(site, absl::StrCat("the indices of ", site.op.op, " come at run time"));
}

void FindStaticIndices(const OpSite& site, AneReport& report) {
  if (site.IsRuntime("x") && site.IsFixed("indices")) {
    report.At(site, absl::StrCat(site.op.op, " with indices known at compile time"));
  }
}

void FindArg(const OpSite& site, AneReport& report) {
  std::string what = absl::StrCat(site.op.op, " gives integers");
  const Shape* x = site.ShapeOf("x");
  const std::vector<int64_t> axis = site.Ints("axis");
  if (x != nullptr && axis.size() == 1) {
    const int64_t at = axis[0] < 0 ? axis[0] + x->rank() : axis[0];
    const int64_t extent = at >= 0 && at < x->rank() ? (*x)[static_cast<int>(at)] : 0;
    if (extent > kMostArgAxis) {
      absl::StrAppend(&what, ", and its axis has ", extent, " elements, over ", kMostArgAxis);
    }
  }
  report.At(site, what);
}

constexpr AneRule kRules[] = {
    {.id = "ANE0401",
     .title = "a recurrent layer",
     .kind = AneClass::kRefused,
     .known = kM1s | kM2s | kM4s | kM5s,
     .explanation = "lstm, gru and rnn are not compiled for the engine by any of the sources.",
     .rewrite = "unroll the steps into matmul (or conv), sigmoid and tanh, or run it on the cpu "
                "device",
     .evidence = {{kForgeSweep, "gru, lstm and rnn do not compile", Certainty::kMeasured},
                  {kStudyDispatch, "gru, lstm and rnn go to the CPU", Certainty::kMeasured},
                  {kGuideMatrix, "no path on any family", Certainty::kMeasured},
                  {"hollance/neural-engine docs/unsupported-layers.md",
                   "recurrent layers do not run on the ANE", Certainty::kClaimed}},
     .example = {"tensor<fp16, [32, 8, 128]> x",
                 "tensor<fp16, [8, 128]> z = fill(shape = tensor<int32, [2]>([8, 128]), value = "
                 "fp16(0));\n"
                 "tensor<fp16, [512, 128]> wi = const()[val = tensor<fp16, [512, 128]>(BLOBFILE("
                 "path = string(\"@model_path/weights/i.bin\"), offset = uint64(64)))];\n"
                 "tensor<fp16, [512, 128]> wh = const()[val = tensor<fp16, [512, 128]>(BLOBFILE("
                 "path = string(\"@model_path/weights/h.bin\"), offset = uint64(64)))];\n"
                 "tensor<fp16, [32, 8, 128]> y, tensor<fp16, [8, 128]> h, tensor<fp16, [8, 128]> c "
                 "= lstm(x = x, initial_h = z, initial_c = z, weight_ih = wi, weight_hh = wh, "
                 "direction = string(\"forward\"), output_sequence = bool(true));",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x, tensor<fp16, [1, 64, 1, 512]> z",
              "tensor<fp16, [1, 64, 1, 512]> g = sigmoid(x = x);\n"
              "tensor<fp16, [1, 64, 1, 512]> t = tanh(x = z);\n"
              "tensor<fp16, [1, 64, 1, 512]> h = mul(x = g, y = t);",
              "h"},
     .ops = {"lstm", "gru", "rnn"},
     .on_op = FindIt},
    {.id = "ANE0402",
     .title = "writing by index",
     .kind = AneClass::kRefused,
     .known = kM1s | kM2s | kM4s | kM5s,
     .explanation = "The scatter family has no path on any family of chips.",
     .rewrite = "write by a mask: y = select(cond = mask, a = new, b = old), with the mask made on "
                "the host",
     .evidence = {{kForgeSweep, "scatter, scatter_along_axis and scatter_nd do not compile",
                   Certainty::kMeasured},
                  {kStudyDispatch, "scatter and scatter_along_axis are not supported",
                   Certainty::kMeasured},
                  {kGuideMatrix, "no path on any family", Certainty::kMeasured}},
     .example = {"tensor<fp16, [64, 512]> x, tensor<fp16, [64, 512]> z",
                 "tensor<fp16, [64, 512]> y = scatter(data = x, indices = tensor<int32, [64]>([0, "
                 "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, "
                 "23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, "
                 "43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, "
                 "63]), updates = z, axis = int32(0), mode = string(\"add\"), validate_indices = "
                 "bool(false));",
                 "y"},
     .mend = {"tensor<fp16, [64, 512]> x, tensor<fp16, [64, 512]> z",
              "tensor<fp16, [64, 512]> y = add(x = x, y = z);", "y"},
     .ops = {"scatter", "scatter_along_axis", "scatter_nd"},
     .on_op = FindIt},
    {.id = "ANE0403",
     .title = "reading by indices that come at run time",
     .kind = AneClass::kRefused,
     .known = kM1s | kM4s,
     .explanation = "Indices are integers, and integers do not reach the engine; with indices that "
                    "are known only at run time the whole gather goes elsewhere. On the M1 a small "
                    "software form exists and outside it the compiler aborts.",
     .rewrite = "gather on the host, or multiply with a one-hot matrix that the host writes",
     .evidence = {{kForgeSweep, "gather, gather_along_axis and gather_nd do not compile",
                   Certainty::kMeasured},
                  {kStudyDispatch, "gather with runtime indices goes to the CPU",
                   Certainty::kMeasured},
                  {kGuideMatrix, "gather is native from the M2 on", Certainty::kMeasured, true}},
     .example = {"tensor<fp16, [64, 512]> p, tensor<fp16, [64, 512]> x",
                 "tensor<int8, [64, 512]> i = quantize(input = p, scale = fp16(1), output_dtype = "
                 "string(\"int8\"));\n"
                 "tensor<fp16, [64, 512]> y = gather_along_axis(x = x, indices = i, axis = "
                 "int32(0));",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 512]> i, tensor<fp16, [1, 64, 512]> x",
              "tensor<fp16, [1, 64, 64]> y = matmul(x = i, y = x, transpose_x = bool(false), "
              "transpose_y = bool(true));\n"
              "tensor<fp16, [1, 64, 512]> z = matmul(x = y, y = x, transpose_x = bool(false), "
              "transpose_y = bool(false));",
              "z"},
     .ops = {"gather", "gather_nd", "gather_along_axis"},
     .on_op = FindRuntimeIndices},
    {.id = "ANE0404",
     .title = "reading by fixed indices on M1 and M2",
     .kind = AneClass::kWrongAnswer,
     .known = kM1s | kM2s,
     .clear = kM4s | kM5s,
     .explanation = "On the M1 gather exists only for batch 1, depth 1 and an index of three "
                    "elements; elsewhere the compiler aborts. On M1 and M2 a gather along the last "
                    "axis becomes slices that begin inside a row, and those return wrong elements.",
     .rewrite = "gather along an axis that is not the last, or spell it as slice_by_size and "
                "concat on another axis",
     .evidence = {{kForgeQuirks,
                   "a last-axis gather returns wrong elements on the A13 and A14 "
                   "generations, right ones from the A16 on",
                   Certainty::kMeasured},
                  {kGuideMatrix, "on the M1 valid only for batch 1 and depth 1",
                   Certainty::kMeasured},
                  {kStudyDispatch, "gather with fixed indices runs on the M4",
                   Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 64, 512]> x",
                 "tensor<fp16, [1, 64, 32]> g = gather(x = x, indices = tensor<int32, [32]>([0, "
                 "2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 42, "
                 "44, 46, 48, 50, 52, 54, 56, 58, 60, 62]), axis = int32(2));\n"
                 "tensor<fp16, [1, 64, 512]> y = tanh(x = x);",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 512]> x",
              "tensor<fp16, [1, 32, 512]> g = slice_by_index(x = x, begin = tensor<int32, [3]>([0, "
              "0, 0]), end = tensor<int32, [3]>([1, 64, 512]), stride = tensor<int32, [3]>([1, 2, "
              "1]));\n"
              "tensor<fp16, [1, 64, 512]> y = tanh(x = x);",
              "y"},
     .ops = {"gather", "gather_nd", "gather_along_axis"},
     .on_op = FindStaticIndices},
    {.id = "ANE0405",
     .title = "the index of the largest or smallest element",
     .kind = AneClass::kRefused,
     .known = kM1s | kM4s,
     .explanation = "reduce_argmax and reduce_argmin give int32, which is enough to keep them off "
                    "the engine. Where the hardware form was reached its axis has at most 2048 "
                    "elements, because indices are kept in fp16.",
     .rewrite = "return the values and take the argmax on the host, or compare with reduce_max",
     .evidence = {{kForgeSweep, "reduce_argmax and reduce_argmin do not compile",
                   Certainty::kMeasured},
                  {kStudyDispatch, "the int32 output is not supported", Certainty::kMeasured},
                  {kGuideRules, "an axis over 2048 is rejected", Certainty::kMeasured},
                  {kGuideMatrix, "argmax along one axis is native on all families",
                   Certainty::kMeasured, true}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<int32, [1, 64, 1]> i = reduce_argmax(x = x, axis = int32(3), keep_dims = "
                 "bool(false));\n"
                 "tensor<fp16, [1, 64, 1, 512]> y = relu(x = x);",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [1, 64, 1, 1]> m = reduce_max(x = x, axes = tensor<int32, [1]>([3]), "
              "keep_dims = bool(true));\n"
              "tensor<fp16, [1, 64, 1, 512]> y = sub(x = x, y = m);",
              "y"},
     .ops = {"reduce_argmax", "reduce_argmin"},
     .on_op = FindArg},
    {.id = "ANE0406",
     .title = "random numbers",
     .kind = AneClass::kRefused,
     .known = kM1s | kM2s | kM4s | kM5s,
     .explanation = "The random_ operations are not compiled for the engine.",
     .rewrite = "draw the numbers on the host and pass them as an input",
     .evidence = {{kForgeSweep,
                   "random_bernoulli, _categorical, _normal and _uniform do not "
                   "compile",
                   Certainty::kMeasured},
                  {kStudyDispatch, "random_normal is not supported", Certainty::kMeasured},
                  {kGuideMatrix, "random_uniform has a hardware form from the M3 on",
                   Certainty::kDecompiled, true}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<fp16, [1, 64, 1, 512]> r = random_uniform(shape = tensor<int32, [4]>([1, "
                 "64, 1, 512]), low = fp16(0), high = fp16(1), seed = int32(1));\n"
                 "tensor<fp16, [1, 64, 1, 512]> y = add(x = x, y = r);",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> r, tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [1, 64, 1, 512]> y = add(x = x, y = r);", "y"},
     .ops = {"random_bernoulli", "random_categorical", "random_normal", "random_uniform"},
     .on_op = FindIt},
    {.id = "ANE0407",
     .title = "an inverse or hyperbolic function",
     .kind = AneClass::kRefused,
     .known = kM1s | kM4s,
     .explanation =
         "tan, asin, acos, sinh, cosh and atanh have no table on the engine. atan, tanh, "
         "exp and log have.",
     .rewrite = "build it from exp and log, for instance sinh(x) = (exp(x) - exp(-x)) / 2, with x "
                "bounded so that exp stays within fp16",
     .evidence = {{kForgeSweep, "none of them compiles", Certainty::kMeasured},
                  {kStudyDispatch, "asin, acos, tan, sinh, cosh and atanh are not supported",
                   Certainty::kMeasured},
                  {kGuideMatrix, "no path on any family", Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<fp16, [1, 64, 1, 512]> y = sinh(x = x);", "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [1, 64, 1, 512]> b = clip(x = x, alpha = fp16(-8), beta = fp16(8));\n"
              "tensor<fp16, [1, 64, 1, 512]> p = exp(x = b);\n"
              "tensor<fp16, [1, 64, 1, 512]> n = inverse(x = p, epsilon = fp16(0x1p-24));\n"
              "tensor<fp16, [1, 64, 1, 512]> d = sub(x = p, y = n);\n"
              "tensor<fp16, [1, 64, 1, 512]> y = mul(x = d, y = fp16(0x1p-1));",
              "y"},
     .ops = {"tan", "asin", "acos", "sinh", "cosh", "atanh", "asinh", "acosh"},
     .on_op = FindIt},
    {.id = "ANE0408",
     .title = "sin or cos before the M3",
     .kind = AneClass::kUnsure,
     .known = kM1s | kM2s,
     .clear = kM3s | kM4s | kM5s | kM6s,
     .explanation = "sin and cos have a hardware form from the M3 on. On M1 and M2 one source sees "
                    "them rejected and another sees them compile.",
     .rewrite = "use a polynomial on a bounded argument, or a table that the host computes (as for "
                "rotary embeddings)",
     .evidence = {{kGuideMatrix, "M1 and M2 reject them", Certainty::kMeasured},
                  {kForgeSweep, "sin and cos compile", Certainty::kMeasured, true}},
     .example =
         {"tensor<fp16, [1, 64, 1, 512]> x",
          "tensor<fp16, [1, 64, 1, 512]> b = clip(x = x, alpha = fp16(-1), beta = fp16(1));\n"
          "tensor<fp16, [1, 64, 1, 512]> y = sin(x = b);",
          "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> s, tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [1, 64, 1, 512]> y = mul(x = x, y = s);", "y"},
     .ops = {"sin", "cos"},
     .on_op = FindDoubtful},
    {.id = "ANE0409",
     .title = "and, or, exclusive or of bools",
     .kind = AneClass::kUnsure,
     .known = kM1s | kM2s | kM5s,
     .clear = kM4s,
     .explanation = "logical_and, logical_or and logical_xor do not compile for the engine by two "
                    "sources; a third runs logical_and on the M4.",
     .rewrite = "keep masks as fp16 0 and 1: minimum for and, maximum for or, not_equal for "
                "exclusive or",
     .evidence = {{kForgeSweep, "none of the three compiles", Certainty::kMeasured},
                  {kGuideMatrix, "no path on any family", Certainty::kMeasured},
                  {kStudyDispatch, "logical_and is supported on the M4", Certainty::kMeasured,
                   true}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x, tensor<fp16, [1, 64, 1, 512]> z",
                 "tensor<bool, [1, 64, 1, 512]> p = greater(x = x, y = fp16(0));\n"
                 "tensor<bool, [1, 64, 1, 512]> q = greater(x = z, y = fp16(0));\n"
                 "tensor<bool, [1, 64, 1, 512]> b = logical_and(x = p, y = q);\n"
                 "tensor<fp16, [1, 64, 1, 512]> y = select(cond = b, a = x, b = z);",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x, tensor<fp16, [1, 64, 1, 512]> z",
              "tensor<fp16, [1, 64, 1, 512]> m = minimum(x = x, y = z);\n"
              "tensor<bool, [1, 64, 1, 512]> b = greater(x = m, y = fp16(0));\n"
              "tensor<fp16, [1, 64, 1, 512]> y = select(cond = b, a = x, b = z);",
              "y"},
     .ops = {"logical_and", "logical_or", "logical_xor"},
     .on_op = FindDoubtful},
    {.id = "ANE0410",
     .title = "remainder or product",
     .kind = AneClass::kRefused,
     .known = kM1s | kM2s | kM4s | kM5s,
     .explanation = "mod and reduce_prod have no path on any family of chips.",
     .rewrite = "mod(x, y) = x - y * floor_div(x, y); for a product of positive numbers take the "
                "exp of the sum of logs",
     .evidence = {{kForgeSweep, "mod and reduce_prod do not compile", Certainty::kMeasured},
                  {kStudyDispatch, "mod and reduce_prod are not supported", Certainty::kMeasured},
                  {kGuideMatrix, "no path on any family", Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<fp16, [1, 64, 1, 512]> y = mod(x = x, y = fp16(3));", "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [1, 64, 1, 512]> q = floor_div(x = x, y = fp16(3));\n"
              "tensor<fp16, [1, 64, 1, 512]> p = mul(x = q, y = fp16(3));\n"
              "tensor<fp16, [1, 64, 1, 512]> y = sub(x = x, y = p);",
              "y"},
     .ops = {"mod", "reduce_prod"},
     .on_op = FindIt},
    {.id = "ANE0411",
     .title = "running sums",
     .kind = AneClass::kUnsure,
     .known = kM1s | kM4s,
     .explanation = "cumsum does not compile by two sources; a third reaches it on the M1 by a way "
                    "that MIL text does not have.",
     .rewrite = "multiply with a constant triangle of ones: matmul(x, triangle)",
     .evidence = {{kForgeSweep, "cumsum does not compile", Certainty::kMeasured},
                  {kStudyDispatch, "cumsum is not supported", Certainty::kMeasured},
                  {kGuideMatrix, "native on the M1 by a runtime path of its own",
                   Certainty::kMeasured, true}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<fp16, [1, 64, 1, 512]> y = cumsum(x = x, axis = int32(3), exclusive = "
                 "bool(false), reverse = bool(false));",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 512]> t, tensor<fp16, [1, 64, 512]> x",
              "tensor<fp16, [1, 64, 64]> y = matmul(x = x, y = t, transpose_x = bool(false), "
              "transpose_y = bool(true));\n"
              "tensor<fp16, [1, 64, 512]> z = matmul(x = y, y = x, transpose_x = bool(false), "
              "transpose_y = bool(false));",
              "z"},
     .ops = {"cumsum"},
     .on_op = FindDoubtful},
    {.id = "ANE0412",
     .title = "an operation on shapes, positions or windows",
     .kind = AneClass::kRefused,
     .known = kM1s | kM2s | kM4s | kM5s,
     .explanation =
         "band_part, one_hot, non_zero, shape, sliding_windows and reverse_sequence have "
         "no path on any family of chips.",
     .rewrite =
         "shapes are fixed, so compute the mask, the one-hot matrix or the shape before, and "
         "write it as a constant",
     .evidence = {{kForgeSweep, "none of them compiles", Certainty::kMeasured},
                  {kStudyDispatch,
                   "band_part, one_hot, non_zero and sliding_windows are not "
                   "supported",
                   Certainty::kMeasured},
                  {kGuideMatrix, "no path on any family", Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 1, 512, 512]> x",
                 "tensor<fp16, [1, 1, 512, 512]> y = band_part(x = x, lower = int32(-1), upper = "
                 "int32(0));",
                 "y"},
     .mend = {"tensor<fp16, [1, 1, 512, 512]> m, tensor<fp16, [1, 1, 512, 512]> x",
              "tensor<fp16, [1, 1, 512, 512]> y = mul(x = x, y = m);", "y"},
     .ops = {"band_part", "one_hot", "non_zero", "shape", "sliding_windows", "reverse_sequence",
             "reshape_like"},
     .on_op = FindIt},
    {.id = "ANE0413",
     .title = "identity",
     .kind = AneClass::kUnsure,
     .known = kM1s | kM3s,
     .explanation = "identity does not compile by one source, and breaks kernels of several "
                    "outputs by another; a third sees it compile as an alias.",
     .rewrite = "leave it out: return the value itself, under the name that the output should have",
     .evidence = {{kForgeSweep, "identity does not compile", Certainty::kMeasured},
                  {"christopherkarani/Espresso tasks/lessons.md (M3 Max)",
                   "no-op identities at the outputs broke the compiler on kernels of several "
                   "outputs",
                   Certainty::kClaimed},
                  {kGuideMatrix, "identity is native", Certainty::kMeasured, true}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<fp16, [1, 64, 1, 512]> r = relu(x = x);\n"
                 "tensor<fp16, [1, 64, 1, 512]> y = identity(x = r);",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x", "tensor<fp16, [1, 64, 1, 512]> y = relu(x = x);",
              "y"},
     .ops = {"identity"},
     .on_op = FindDoubtful},
    {.id = "ANE0414",
     .title = "a range made at run time",
     .kind = AneClass::kUnsure,
     .known = kM1s | kM4s,
     .explanation =
         "range_1d compiled in one sweep on the M1, is rejected by its code generator by "
         "another source, and is not supported on the M4 by a third.",
     .rewrite = "write the numbers as a constant",
     .evidence = {{kStudyDispatch, "range_1d is not supported", Certainty::kMeasured},
                  {kGuideMatrix, "the code generator of the M1 rejects it", Certainty::kMeasured},
                  {kForgeSweep, "range_1d compiles", Certainty::kMeasured, true}},
     .example = {"tensor<fp16, [1, 1024, 1, 32]> x",
                 "tensor<fp16, [32]> r = range_1d(start = fp16(0), end = fp16(32), step = "
                 "fp16(1));\n"
                 "tensor<fp16, [1, 1024, 1, 32]> y = add(x = x, y = r);",
                 "y"},
     .mend = {"tensor<fp16, [1, 1024, 1, 32]> x",
              "tensor<fp16, [1, 1024, 1, 32]> y = add(x = x, y = fp16(1));", "y"},
     .ops = {"range_1d"},
     .on_op = FindDoubtful},
    {.id = "ANE0415",
     .title = "top k on the M1",
     .kind = AneClass::kUnsure,
     .known = kM1s,
     .clear = kM2s | kM4s | kM5s,
     .explanation = "topk needs a sorting unit that came with the M2. On the M1 it is rejected by "
                    "the code generator, by another source for k of 3 and 4 only.",
     .rewrite = "return the values and sort on the host, or take repeated reduce_max for a small k",
     .evidence = {{kGuideMatrix, "rejected on the M1, native from the M2 on", Certainty::kMeasured},
                  {kForgeQuirks, "k of 3 and 4 is rejected, other k run", Certainty::kMeasured},
                  {kForgeSweep, "topk compiles", Certainty::kMeasured, true},
                  {kStudyDispatch, "topk runs on the M4, up to k = 40 of 32000",
                   Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<fp16, [1, 64, 1, 32]> v, tensor<uint16, [1, 64, 1, 32]> i = topk(x = x, "
                 "k = int32(32), axis = int32(3), ascending = bool(false), sort = bool(true), "
                 "return_indices = bool(true), output_indices_dtype = string(\"uint16\"));\n"
                 "tensor<fp16, [1, 64, 1, 512]> y = relu(x = x);",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [1, 64, 1, 1]> m = reduce_max(x = x, axes = tensor<int32, [1]>([3]), "
              "keep_dims = bool(true));\n"
              "tensor<fp16, [1, 64, 1, 512]> y = sub(x = x, y = m);",
              "y"},
     .ops = {"topk"},
     .on_op = FindDoubtful},
    {.id = "ANE0416",
     .title = "sorting by index",
     .kind = AneClass::kUnsure,
     .known = kM1s | kM4s,
     .explanation = "argsort gives int32, which the engine has not; the sorting unit itself exists "
                    "from the M2 on.",
     .rewrite = "sort on the host, or use topk where its k is enough",
     .evidence = {{kForgeSweep, "argsort does not compile", Certainty::kMeasured},
                  {kStudyDispatch, "the int32 result of argsort is not supported",
                   Certainty::kMeasured},
                  {kGuideMatrix, "native from the M2 on", Certainty::kMeasured, true}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<int32, [1, 64, 1, 512]> i = argsort(x = x, axis = int32(3), ascending = "
                 "bool(true));\n"
                 "tensor<fp16, [1, 64, 1, 512]> y = relu(x = x);",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x", "tensor<fp16, [1, 64, 1, 512]> y = relu(x = x);",
              "y"},
     .ops = {"argsort"},
     .on_op = FindDoubtful},
    {.id = "ANE0417",
     .title = "state in the program",
     .kind = AneClass::kUnsure,
     .known = kM1s,
     .explanation =
         "read_state, write_state and slice_update did not compile in a sweep of single "
         "operations; they need buffers that are input and output at once, which Core ML "
         "provides and the direct path is not shown to.",
     .rewrite =
         "make the state an input and an output, and loop it back (a chain does that without "
         "a copy)",
     .evidence = {{kForgeSweep, "read_state and slice_update do not compile", Certainty::kMeasured},
                  {kGuideMatrix, "native, given the plumbing of in-out tensors",
                   Certainty::kMeasured, true}},
     .example = {"state<tensor<fp16, [1, 64, 1, 512]>> s, tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<fp16, [1, 64, 1, 512]> old = read_state(input = s);\n"
                 "tensor<fp16, [1, 64, 1, 512]> y = add(x = x, y = old);",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> s, tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [1, 64, 1, 512]> y = add(x = x, y = s);", "y"},
     .ops = {"read_state", "write_state", "slice_update"},
     .on_op = FindDoubtful},
    {.id = "ANE0418",
     .title = "resizing on the M1",
     .kind = AneClass::kWrongAnswer,
     .known = kM1s,
     .clear = kM2s | kM4s | kM5s,
     .explanation =
         "Resizing belongs to a texture unit that came with the M2. The M1 does it by "
         "other means, with different rounding; crop_resize, resample and affine it does "
         "not have at all.",
     .rewrite = "resize on the host, or by conv_transpose with fixed weights; check the result "
                "against the cpu device",
     .evidence = {{kGuideMatrix,
                   "a software way with different rounding on the M1, native from the "
                   "M2 on",
                   Certainty::kMeasured},
                  {kAneTrain, "no upsampling was found to work", Certainty::kMeasured}},
     .example =
         {"tensor<fp16, [1, 64, 16, 64]> x",
          "tensor<fp16, [1, 64, 32, 128]> y = upsample_bilinear(x = x, scale_factor_height = "
          "fp32(2), scale_factor_width = fp32(2), align_corners = bool(false));",
          "y"},
     .mend = {"tensor<fp16, [1, 64, 32, 128]> x", "tensor<fp16, [1, 64, 32, 128]> y = relu(x = x);",
              "y"},
     .ops = {"upsample_bilinear", "upsample_nearest_neighbor", "resize", "resize_bilinear",
             "resize_nearest_neighbor", "crop_resize", "resample", "affine"},
     .on_op = FindDoubtful},
};

}  // namespace

std::span<const AneRule> AneOperationRules() { return kRules; }

}  // namespace anex::mil
