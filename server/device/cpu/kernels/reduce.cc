#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "proto/wire/half.h"
#include "server/device/cpu/kernels/kernels.h"
#include "server/device/cpu/kernels/reader.h"
#include "server/device/cpu/kernels/rows.h"

namespace anex::device::cpu {
namespace {

constexpr int64_t kBlock = 1024;   // elements widened at a time, along a row
constexpr int64_t kColumns = 256;  // columns reduced at a time, across rows

enum class Total { kSum, kAbs, kSquares, kMax, kMin };
enum class Finish { kNone, kMean, kRoot };

struct Reduction {
  Total total;
  Finish finish;
};

std::optional<Reduction> ReductionOf(const std::string& op) {
  if (op == "reduce_sum") return Reduction{Total::kSum, Finish::kNone};
  if (op == "reduce_mean") return Reduction{Total::kSum, Finish::kMean};
  if (op == "reduce_max") return Reduction{Total::kMax, Finish::kNone};
  if (op == "reduce_min") return Reduction{Total::kMin, Finish::kNone};
  if (op == "reduce_l1_norm") return Reduction{Total::kAbs, Finish::kNone};
  if (op == "reduce_l2_norm") return Reduction{Total::kSquares, Finish::kRoot};
  if (op == "reduce_sum_square") return Reduction{Total::kSquares, Finish::kNone};
  return std::nullopt;
}

class ReduceKernel final : public Kernel {
 public:
  ReduceKernel(Reduction what, Rows rows, const View& x, DType result)
      : ops_(ActiveVectorOps()),
        what_(what),
        rows_(rows),
        x_(PackedView(x.dtype, Shape{x.elements()})),
        result_(result) {}

  void Run(const RunContext& run) const override {
    if (rows_.inner == 1) {
      const int64_t each = ItemsPerTask(rows_.length);
      run.pool->ParallelFor((rows_.outer + each - 1) / each, [&](int64_t task, int) {
        const int64_t end = std::min(rows_.outer, (task + 1) * each);
        for (int64_t row = task * each; row < end; ++row) Store(run, row, RowTotal(run, row));
      });
      return;
    }
    const int64_t blocks = (rows_.inner + kColumns - 1) / kColumns;
    const int64_t each = ItemsPerTask(rows_.length * std::min(kColumns, rows_.inner));
    const int64_t items = rows_.outer * blocks;
    run.pool->ParallelFor((items + each - 1) / each, [&](int64_t task, int) {
      const int64_t end = std::min(items, (task + 1) * each);
      for (int64_t i = task * each; i < end; ++i) {
        ReduceColumns(run, i / blocks, i % blocks * kColumns);
      }
    });
  }

 private:
  double RowTotal(const RunContext& run, int64_t row) const {
    alignas(64) float block[kBlock];
    double total = what_.total == Total::kMax   ? -std::numeric_limits<double>::infinity()
                   : what_.total == Total::kMin ? std::numeric_limits<double>::infinity()
                                                : 0.0;
    for (int64_t at = 0; at < rows_.length; at += kBlock) {
      const auto n = static_cast<size_t>(std::min(kBlock, rows_.length - at));
      const float* x = x_.Load(run.in[0].data, row * rows_.length + at, n, block);
      switch (what_.total) {
        case Total::kSum:
          total += ops_.sum(x, n);
          break;
        case Total::kAbs:
          total += ops_.sum_abs(x, n);
          break;
        case Total::kSquares:
          total += ops_.sum_squares(x, n);
          break;
        case Total::kMax:
          total = Larger(total, ops_.max(x, n));
          break;
        case Total::kMin:
          total = -Larger(-total, -ops_.min(x, n));
          break;
      }
    }
    return total;
  }

  static double Larger(double a, double b) { return a > b || std::isnan(a) ? a : b; }

  // Columns [first, first + n) of outer block `outer`.
  void ReduceColumns(const RunContext& run, int64_t outer, int64_t first) const {
    const auto n = static_cast<size_t>(std::min(kColumns, rows_.inner - first));
    alignas(64) float x_block[kColumns], best[kColumns];
    alignas(64) double totals[kColumns] = {};
    const bool extreme = what_.total == Total::kMax || what_.total == Total::kMin;
    const auto better = static_cast<size_t>(what_.total == Total::kMax ? ElementwiseOp::kMaximum
                                                                       : ElementwiseOp::kMinimum);
    for (int64_t row = 0; row < rows_.length; ++row) {
      const int64_t at = (outer * rows_.length + row) * rows_.inner + first;
      const float* x = x_.Load(run.in[0].data, at, n, x_block);
      if (extreme && row == 0) {
        std::copy_n(x, n, best);
      } else if (extreme) {
        ops_.elementwise[better](best, x, nullptr, best, n, 0, 0);
      } else {
        AddTo(x, totals, n);
      }
    }
    for (size_t i = 0; i < n; ++i) {
      Store(run, outer * rows_.inner + first + static_cast<int64_t>(i),
            extreme ? double{best[i]} : totals[i]);
    }
  }

  void AddTo(const float* x, double* totals, size_t n) const {
    if (what_.total == Total::kSum) return ops_.add_columns(x, totals, n);
    if (what_.total == Total::kAbs) return ops_.add_abs_columns(x, totals, n);
    ops_.add_squares_columns(x, totals, n);
  }

  void Store(const RunContext& run, int64_t i, double total) const {
    if (what_.finish == Finish::kMean) total /= static_cast<double>(rows_.length);
    if (what_.finish == Finish::kRoot) total = std::sqrt(total);
    if (result_ == DType::kFp16) {
      run.out[0].as<uint16_t>()[i] = DoubleToHalf(total);
    } else {
      run.out[0].as<float>()[i] = static_cast<float>(total);
    }
  }

  const VectorOps& ops_;
  const Reduction what_;
  const Rows rows_;
  const Reader x_;
  const DType result_;
};

// Along the last axis. The first of equals wins, and the first NaN beats everything.
class ArgReduceKernel final : public Kernel {
 public:
  ArgReduceKernel(Rows rows, const View& x, bool largest, DType result)
      : rows_(rows),
        x_(PackedView(x.dtype, Shape{x.elements()})),
        largest_(largest),
        result_(result) {}

  uint64_t scratch_bytes(int slots) const override {
    return static_cast<uint64_t>(rows_.length * slots) * sizeof(float);
  }

  void Run(const RunContext& run) const override {
    const int64_t each = ItemsPerTask(rows_.length);
    run.pool->ParallelFor((rows_.outer + each - 1) / each, [&](int64_t task, int slot) {
      float* scratch = reinterpret_cast<float*>(run.scratch) + slot * rows_.length;
      const int64_t end = std::min(rows_.outer, (task + 1) * each);
      for (int64_t row = task * each; row < end; ++row) {
        const float* x =
            x_.Load(run.in[0].data, row * rows_.length, static_cast<size_t>(rows_.length), scratch);
        Store(run, row, Best(x));
      }
    });
  }

 private:
  int64_t Best(const float* x) const {
    int64_t best = 0;
    for (int64_t i = 0; i < rows_.length; ++i) {
      if (x[i] != x[i]) return i;
      if (largest_ ? x[i] > x[best] : x[i] < x[best]) best = i;
    }
    return best;
  }

  void Store(const RunContext& run, int64_t row, int64_t best) const {
    if (result_ == DType::kInt32) {
      run.out[0].as<int32_t>()[row] = static_cast<int32_t>(best);
    } else {
      run.out[0].as<uint16_t>()[row] = static_cast<uint16_t>(best);
    }
  }

  const Rows rows_;
  const Reader x_;
  const bool largest_;
  const DType result_;
};

}  // namespace

MadeKernel MakeArgReduce(OpSite& site) {
  const DType result = site.ResultType().dtype, dtype = site.TypeOf("x").dtype;
  if (dtype != DType::kFp16 && dtype != DType::kFp32) return nullptr;
  if (result != DType::kInt32 && result != DType::kUint16) return nullptr;
  const Shape& shape = site.TypeOf("x").shape;
  const std::optional<Rows> rows =
      RowsAlong(shape, {FromZero(site.IntOr("axis", -1), shape.rank())});
  if (!rows.has_value() || rows->inner != 1) return nullptr;
  return std::make_unique<ArgReduceKernel>(*rows, site.InputView(site.Use("x")),
                                           site.op() == "reduce_argmax", result);
}

MadeKernel MakeReduce(OpSite& site) {
  const DType dtype = site.ResultType().dtype;
  if (dtype != DType::kFp16 && dtype != DType::kFp32) return nullptr;
  const std::optional<Reduction> what = ReductionOf(site.op());
  const Shape& shape = site.TypeOf("x").shape;
  const std::optional<Rows> rows = RowsAlong(shape, site.Axes("axes", shape.rank()));
  if (!what.has_value() || !rows.has_value()) return nullptr;
  return std::make_unique<ReduceKernel>(*what, *rows, site.InputView(site.Use("x")), dtype);
}

}  // namespace anex::device::cpu
