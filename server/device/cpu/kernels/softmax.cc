#include <algorithm>
#include <optional>

#include "server/device/cpu/kernels/kernels.h"
#include "server/device/cpu/kernels/reader.h"
#include "server/device/cpu/kernels/rows.h"

namespace anex::device::cpu {
namespace {

constexpr int64_t kColumns = 64;  // normalised at a time when the axis is not the last

bool IsFast(DType dtype) { return dtype == DType::kFp16 || dtype == DType::kFp32; }

// Each thread works in floats of its own: a row, or a block of columns.
class SoftmaxKernel final : public Kernel {
 public:
  SoftmaxKernel(Rows rows, const View& x)
      : ops_(ActiveVectorOps()),
        rows_(rows),
        width_(std::min(kColumns, rows.inner)),
        x_(PackedView(x.dtype, Shape{x.elements()})),
        dtype_(x.dtype) {}

  uint64_t scratch_bytes(int slots) const override {
    return static_cast<uint64_t>(SlotFloats() * slots) * sizeof(float);
  }

  void Run(const RunContext& run) const override {
    const int64_t blocks = (rows_.inner + width_ - 1) / width_;
    const int64_t items = rows_.outer * blocks;
    const int64_t each = ItemsPerTask(rows_.length * width_ * 4);  // exp costs about four copies
    run.pool->ParallelFor((items + each - 1) / each, [&](int64_t task, int slot) {
      float* scratch = reinterpret_cast<float*>(run.scratch) + slot * SlotFloats();
      const int64_t end = std::min(items, (task + 1) * each);
      for (int64_t i = task * each; i < end; ++i) {
        if (rows_.inner == 1) {
          RunRow(run, i, scratch);
        } else {
          RunColumns(run, i / blocks, i % blocks * width_, scratch);
        }
      }
    });
  }

 private:
  int64_t SlotFloats() const { return (rows_.length * width_ + 15) / 16 * 16; }

  void RunRow(const RunContext& run, int64_t row, float* scratch) const {
    const auto n = static_cast<size_t>(rows_.length);
    const float* x = x_.Load(run.in[0].data, row * rows_.length, n, scratch);
    const auto sum = static_cast<float>(ops_.exp_minus(x, ops_.max(x, n), scratch, n));
    ops_.divide_by(scratch, sum, n);
    StoreFloats(ops_, dtype_, scratch, run.out[0].data, row * rows_.length, n);
  }

  void Apply(ElementwiseOp op, const float* x, const float* y, float* out, size_t n) const {
    ops_.elementwise[static_cast<size_t>(op)](x, y, nullptr, out, n, 0, 0);
  }

  void RunColumns(const RunContext& run, int64_t outer, int64_t first, float* scratch) const {
    const auto n = static_cast<size_t>(std::min(width_, rows_.inner - first));
    alignas(64) float largest[kColumns], total[kColumns];
    alignas(64) double sums[kColumns] = {};
    const auto at = [&](int64_t row) { return (outer * rows_.length + row) * rows_.inner + first; };
    for (int64_t row = 0; row < rows_.length; ++row) {
      float* mine = scratch + row * width_;
      const float* x = x_.Load(run.in[0].data, at(row), n, mine);
      if (x != mine) std::copy_n(x, n, mine);
      if (row == 0) std::copy_n(mine, n, largest);
      Apply(ElementwiseOp::kMaximum, largest, mine, largest, n);
    }
    for (int64_t row = 0; row < rows_.length; ++row) {
      float* mine = scratch + row * width_;
      Apply(ElementwiseOp::kSub, mine, largest, mine, n);
      Apply(ElementwiseOp::kExp, mine, nullptr, mine, n);
      ops_.add_columns(mine, sums, n);
    }
    for (size_t i = 0; i < n; ++i) total[i] = static_cast<float>(sums[i]);
    for (int64_t row = 0; row < rows_.length; ++row) {
      float* mine = scratch + row * width_;
      Apply(ElementwiseOp::kRealDiv, mine, total, mine, n);
      StoreFloats(ops_, dtype_, mine, run.out[0].data, at(row), n);
    }
  }

  const VectorOps& ops_;
  const Rows rows_;
  const int64_t width_;
  const Reader x_;
  const DType dtype_;
};

}  // namespace

MadeKernel MakeSoftmax(OpSite& site) {
  if (!IsFast(site.ResultType().dtype)) return nullptr;
  const Shape& shape = site.TypeOf("x").shape;
  const std::optional<Rows> rows =
      RowsAlong(shape, {FromZero(site.IntOr("axis", -1), shape.rank())});
  if (!rows.has_value()) return nullptr;
  return std::make_unique<SoftmaxKernel>(*rows, site.InputView(site.Use("x")));
}

}  // namespace anex::device::cpu
