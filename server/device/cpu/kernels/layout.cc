#include <algorithm>
#include <cstring>
#include <vector>

#include "server/device/cpu/function_kernel.h"
#include "server/device/cpu/kernels/kernels.h"

namespace anex::device::cpu {
namespace {

struct Concat {
  int64_t outer = 1;            // rows of the result
  std::vector<uint64_t> bytes;  // that each operand adds to a row
  uint64_t row_bytes = 0;
};

void RunConcat(const Concat& concat, const RunContext& run) {
  const auto rows = [&](int64_t begin, int64_t end) {
    uint64_t start = 0;
    for (size_t i = 0; i < run.in.size(); ++i) {
      const uint64_t bytes = concat.bytes[i];
      for (auto row = static_cast<uint64_t>(begin); row < static_cast<uint64_t>(end); ++row) {
        std::memcpy(run.out[0].data + row * concat.row_bytes + start, run.in[i].data + row * bytes,
                    bytes);
      }
      start += bytes;
    }
  };
  // One memory bus: sharing pays only for what no longer fits into the caches.
  constexpr uint64_t kShared = 1u << 20;
  if (concat.row_bytes * static_cast<uint64_t>(concat.outer) < kShared || concat.outer < 2) {
    return rows(0, concat.outer);
  }
  const int64_t each = std::max<int64_t>(1, static_cast<int64_t>(kShared / 4 / concat.row_bytes));
  run.pool->ParallelFor((concat.outer + each - 1) / each, [&](int64_t i, int) {
    rows(i * each, std::min(concat.outer, (i + 1) * each));
  });
}

}  // namespace

MadeKernel MakeConcat(OpSite& site) {
  if (site.BoolOr("interleave", false)) return nullptr;
  const mil::TensorType& result = site.ResultType();
  const int axis = FromZero(site.Int("axis"), result.shape.rank());
  Concat concat;
  for (int i = 0; i < axis; ++i) concat.outer *= result.shape[i];
  for (size_t i = 0; i < site.CountOf("values"); ++i) {
    const View& part = site.InputView(site.Use("values", i));
    concat.bytes.push_back(part.bytes() / static_cast<uint64_t>(concat.outer));
    concat.row_bytes += concat.bytes.back();
  }
  return MakeFunctionKernel([concat](const RunContext& run) { RunConcat(concat, run); });
}

}  // namespace anex::device::cpu
