// Ranks and extents.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/mil/ane/ane_facts.h"
#include "server/mil/ane/ane_families.h"
#include "server/mil/ane/ane_sources.h"
#include "server/mil/diagnostic.h"

namespace anex::mil {
namespace {

constexpr int kMostRank = 5;
constexpr int64_t kMostExtent = 65536, kMostExtentBeforeM4 = 16384;
constexpr int64_t kPaddedRow = 64;                 // bytes that a row of one element takes
constexpr uint64_t kPaddingWorthSaying = 1 << 20;  // bytes
constexpr uint64_t kCliff = 32u << 20;             // bytes that one operation works on

// Calls `find` with every tensor of the function that is not a constant scalar or vector.
void ForEachTensor(const FunctionFacts& facts, auto&& find) {
  for (const Value& value : facts.function.values) {
    if (value.type.kind != TypeKind::kString) find(value, value.type.tensor.shape);
  }
}

void FindHighRank(const FunctionFacts& facts, AneReport& report) {
  ForEachTensor(facts, [&](const Value& value, const Shape& shape) {
    if (shape.rank() <= kMostRank) return;
    report.At(value.where,
              absl::StrCat(Shown(value.name), " has rank ", shape.rank(), ", over ", kMostRank));
  });
}

void FindHuge(const FunctionFacts& facts, AneReport& report) {
  ForEachTensor(facts, [&](const Value& value, const Shape& shape) {
    const auto dims = shape.dims();
    if (dims.empty() || std::ranges::max(dims) <= kMostExtent) return;
    report.At(value.where, absl::StrCat(Shown(value.name), " ", shape.ToString(),
                                        " has an axis over ", kMostExtent));
  });
}

// Before the M4. Batch and channels of rank 4 and 5 go to 65536 everywhere.
bool IsLong(const Shape& shape) {
  const auto dims = shape.dims();
  for (size_t i = dims.size() >= 4 ? 2 : 0; i < dims.size(); ++i) {
    if (dims[i] > kMostExtentBeforeM4 && dims[i] <= kMostExtent) return true;
  }
  return false;
}

void FindLong(const FunctionFacts& facts, AneReport& report) {
  ForEachTensor(facts, [&](const Value& value, const Shape& shape) {
    if (!IsLong(shape)) return;
    report.At(value.where, absl::StrCat(Shown(value.name), " ", shape.ToString(),
                                        " has an axis over ", kMostExtentBeforeM4));
  });
}

void FindSingleton(const FunctionFacts& facts, AneReport& report) {
  for (const Operation& op : facts.function.operations) {
    if (op.op.starts_with("constexpr_")) continue;
    for (ValueId id : op.results) {
      const Value& value = facts.value(id);
      const Shape& shape = value.type.tensor.shape;
      if (shape.rank() < 3 || LastDim(shape) != 1) continue;
      const uint64_t padded = static_cast<uint64_t>(shape.ElementCount()) * kPaddedRow;
      if (padded < kPaddingWorthSaying) continue;
      report.At(value.where, absl::StrCat("each element of ", Shown(value.name), " ",
                                          shape.ToString(), " takes a row of ", kPaddedRow,
                                          " bytes, ", padded >> 20, " MiB in all"));
    }
  }
}

void FindWide(const FunctionFacts& facts, AneReport& report) {
  for (const Operation& op : facts.function.operations) {
    uint64_t bytes = 0;
    const auto add = [&](ValueId id) {
      if (facts.value(id).type.kind == TypeKind::kTensor) {
        bytes += BytesOf(facts.value(id).type.tensor);
      }
    };
    for (const Argument& argument : op.arguments) std::ranges::for_each(argument.values, add);
    std::ranges::for_each(op.results, add);
    if (bytes <= kCliff || op.op.starts_with("constexpr_")) continue;
    report.At(op.where,
              absl::StrCat(op.op, " reads and writes ", bytes >> 20, " MiB, over ", kCliff >> 20));
  }
}

constexpr AneRule kRules[] = {
    {.id = "ANE0201",
     .title = "a tensor of rank over 5",
     .kind = AneClass::kRefused,
     .known = kM1s | kM4s,
     .explanation = "The engine's tensors have at most five axes: batch, depth, channels, height "
                    "and width. A reshape or transpose through a higher rank does not compile.",
     .rewrite = "merge axes, or split the rearrangement into steps of rank 5 and less",
     .evidence = {{kGuideOps, "rank 6 is rejected; ranks 1 to 5 compile", Certainty::kMeasured},
                  {kStudyDispatch, "rank 5 runs on the engine; Core ML stops there",
                   Certainty::kMeasured},
                  {kForgeQuirks, "rank 6 and over fails in ANECCompile", Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<fp16, [1, 8, 8, 1, 16, 32]> r = reshape(x = x, shape = "
                 "tensor<int32, [6]>([1, 8, 8, 1, 16, 32]));\n"
                 "tensor<fp16, [1, 64, 1, 512]> y = reshape(x = r, shape = "
                 "tensor<int32, [4]>([1, 64, 1, 512]));",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [1, 64, 1, 16, 32]> r = reshape(x = x, shape = "
              "tensor<int32, [5]>([1, 64, 1, 16, 32]));\n"
              "tensor<fp16, [1, 64, 1, 512]> y = reshape(x = r, shape = "
              "tensor<int32, [4]>([1, 64, 1, 512]));",
              "y"},
     .on_function = FindHighRank},
    {.id = "ANE0202",
     .title = "an axis over 65536",
     .kind = AneClass::kRefused,
     .known = kM1s | kM2s | kM3s | kM4s | kM5s,
     .explanation = "No axis of a tensor may have more than 65536 elements, on any chip.",
     .rewrite = "fold the long axis into two, or cut the work into pieces",
     .evidence = {{kStudyDispatch, "65536 runs on the engine, 65537 does not",
                   Certainty::kMeasured},
                  {kGuideMatrix, "65536 is the limit of channels and batch on all families",
                   Certainty::kDecompiled}},
     .example = {"tensor<fp16, [1, 1, 1, 65600]> x",
                 "tensor<fp16, [1, 1, 1, 65600]> y = relu(x = x);", "y"},
     .mend = {"tensor<fp16, [1, 8, 1, 8208]> x", "tensor<fp16, [1, 8, 1, 8208]> y = relu(x = x);",
              "y"},
     .on_function = FindHuge},
    {.id = "ANE0203",
     .title = "an axis over 16384 before the M4",
     .kind = AneClass::kRefused,
     .known = kM1s | kM2s | kM3s,
     .clear = kM4s | kM5s | kM6s,
     .explanation = "Up to the M3 no axis may have more than 16384 elements, apart from the "
                    "batch and channels of a tensor of rank 4 or 5. From the M4 on the limit is "
                    "65536.",
     .rewrite = "move the long axis to the channels, or fold it into height and width",
     .evidence = {{kGuideOps,
                   "16384 compiles and 16385 is rejected, whatever the axis; channels "
                   "of a convolution are free of it",
                   Certainty::kMeasured},
                  {kGuideMatrix, "16384 for M1 to M3, 65536 from the A16 generation on",
                   Certainty::kDecompiled}},
     .example = {"tensor<fp16, [1, 1, 1, 32768]> x",
                 "tensor<fp16, [1, 1, 1, 32768]> y = relu(x = x);", "y"},
     .mend = {"tensor<fp16, [1, 1, 64, 512]> x", "tensor<fp16, [1, 1, 64, 512]> y = relu(x = x);",
              "y"},
     .on_function = FindLong},
    {.id = "ANE0204",
     .title = "a large tensor whose last axis is 1",
     .kind = AneClass::kSlow,
     .known = kM1s | kM2s | kM3s | kM4s | kM5s,
     .explanation = "The last axis is stored in rows of 64 bytes. One fp16 element alone takes a "
                    "whole row, 32 times its size, and the engine moves all of it. Reported from "
                    "1 MiB of such rows.",
     .rewrite = "put the sequence, or another long axis, last: [batch, channels, 1, positions]",
     .evidence = {{kAppleTransformers,
                   "the last axis is contiguous and aligned to 64 bytes; a "
                   "singleton is padded to 64 bytes",
                   Certainty::kClaimed},
                  {kGuideRules, "a singleton last axis wastes every lane but the first",
                   Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 512, 64, 32]> x",
                 "tensor<fp16, [1, 512, 64, 1]> m = reduce_max(x = x, axes = "
                 "tensor<int32, [1]>([3]), keep_dims = bool(true));\n"
                 "tensor<fp16, [1, 512, 64, 32]> y = sub(x = x, y = m);",
                 "y"},
     .mend = {"tensor<fp16, [1, 512, 32, 64]> x",
              "tensor<fp16, [1, 512, 1, 64]> m = reduce_max(x = x, axes = "
              "tensor<int32, [1]>([2]), keep_dims = bool(true));\n"
              "tensor<fp16, [1, 512, 32, 64]> y = sub(x = x, y = m);",
              "y"},
     .on_function = FindSingleton},
    {.id = "ANE0205",
     .title = "an operation that works on more than 32 MiB",
     .kind = AneClass::kSlow,
     .known = kM1s | kM4s,
     .explanation = "What does not fit the memory on the chip is streamed. Throughput was seen to "
                    "fall by about 30 percent where a kernel works on more than about 32 MB; "
                    "single operands stream from smaller sizes on.",
     .rewrite = "cut the operation into tiles of at most a few MiB, along positions or heads",
     .evidence = {{kMaderix, "about 30 percent less throughput beyond about 32 MB",
                   Certainty::kMeasured},
                  {kGuideRules, "an operand over 2 MB is tiled and streamed; results do not change",
                   Certainty::kMeasured}},
     .example = {"tensor<fp16, [1, 4096, 1, 4096]> x",
                 "tensor<fp16, [1, 4096, 1, 4096]> y = relu(x = x);", "y"},
     .mend = {"tensor<fp16, [1, 1024, 1, 4096]> x",
              "tensor<fp16, [1, 1024, 1, 4096]> y = relu(x = x);", "y"},
     .on_function = FindWide},
};

}  // namespace

std::span<const AneRule> AneShapeRules() { return kRules; }

}  // namespace anex::mil
