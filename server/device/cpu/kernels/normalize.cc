#include <cmath>
#include <optional>

#include "server/device/cpu/kernels/kernels.h"
#include "server/device/cpu/kernels/reader.h"
#include "server/device/cpu/kernels/rows.h"

namespace anex::device::cpu {
namespace {

bool IsFast(DType dtype) { return dtype == DType::kFp16 || dtype == DType::kFp32; }

// A vector of numbers beside x: gamma, beta, mean or variance. It may be missing.
class Numbers {
 public:
  Numbers(OpSite& site, std::string_view argument, int64_t count) : count_(count) {
    if (!site.Has(argument)) return;
    operand_ = site.Use(argument);
    reader_.emplace(PackedView(site.InputView(*operand_).dtype, Shape{count}));
  }
  // Null if missing. `scratch` has room for all of them.
  const float* Load(const RunContext& run, float* scratch) const {
    if (!operand_.has_value()) return nullptr;
    return reader_->Load(run.in[*operand_].data, 0, static_cast<size_t>(count_), scratch);
  }

 private:
  int64_t count_;
  std::optional<size_t> operand_;
  std::optional<Reader> reader_;
};

// Packed x as rows, several of them to a task, each in a slot's scratch memory.
struct RowLoop {
  Rows rows;
  Reader x;
  DType dtype;

  RowLoop(const Rows& shape, const View& view)
      : rows(shape), x(PackedView(view.dtype, Shape{view.elements()})), dtype(view.dtype) {}

  // f(row, its elements, memory of the same size that is stored afterwards).
  template <typename F>
  void Run(const RunContext& run, float* scratch, F f) const {
    const VectorOps& ops = ActiveVectorOps();
    const auto n = static_cast<size_t>(rows.length);
    const int64_t each = ItemsPerTask(rows.length);
    run.pool->ParallelFor((rows.outer + each - 1) / each, [&](int64_t task, int slot) {
      const int64_t end = std::min(rows.outer, (task + 1) * each);
      float* mine = scratch + slot * rows.length;
      for (int64_t row = task * each; row < end; ++row) {
        f(row, x.Load(run.in[0].data, row * rows.length, n, mine), mine);
        StoreFloats(ops, dtype, mine, run.out[0].data, row * rows.length, n);
      }
    });
  }
};

struct Statistics {
  double mean, variance;
};

Statistics StatisticsOf(const VectorOps& ops, const float* x, int64_t length) {
  const auto n = static_cast<size_t>(length);
  const auto count = static_cast<double>(length);
  const double mean = ops.sum(x, n) / count;
  return {mean, ops.sum_squared_differences(x, mean, n) / count};
}

class LayerNormKernel final : public Kernel {
 public:
  LayerNormKernel(OpSite& site, Rows rows)
      : loop_(rows, site.InputView(site.Use("x"))),
        gamma_(site, "gamma", rows.length),
        beta_(site, "beta", rows.length),
        epsilon_(site.DoubleOr("epsilon", 1e-5)) {}

  uint64_t scratch_bytes(int slots) const override {
    return static_cast<uint64_t>(loop_.rows.length * (slots + 2)) * sizeof(float);
  }

  void Run(const RunContext& run) const override {
    const auto n = static_cast<size_t>(loop_.rows.length);
    auto* scratch = reinterpret_cast<float*>(run.scratch);
    const float* gamma = gamma_.Load(run, scratch);
    const float* beta = beta_.Load(run, scratch + n);
    loop_.Run(run, scratch + 2 * n, [&](int64_t, const float* x, float* out) {
      const Statistics all = StatisticsOf(ops_, x, loop_.rows.length);
      ops_.normalize(x, all.mean, 1 / std::sqrt(all.variance + epsilon_), 0, out, n);
      if (gamma != nullptr) Apply(ElementwiseOp::kMul, out, gamma, n);
      if (beta != nullptr) Apply(ElementwiseOp::kAdd, out, beta, n);
    });
  }

 private:
  void Apply(ElementwiseOp op, float* x, const float* y, size_t n) const {
    ops_.elementwise[static_cast<size_t>(op)](x, y, nullptr, x, n, 0, 0);
  }

  const VectorOps& ops_ = ActiveVectorOps();
  const RowLoop loop_;
  const Numbers gamma_, beta_;
  const double epsilon_;
};

// Along axes that are not the last: columns side by side, a block of them at a time, in double.
class ColumnNormKernel final : public Kernel {
 public:
  ColumnNormKernel(OpSite& site, Rows rows)
      : rows_(rows),
        dtype_(site.ResultType().dtype),
        x_(PackedView(dtype_, Shape{site.InputView(site.Use("x")).elements()})),
        gamma_(site, "gamma", rows.length),
        beta_(site, "beta", rows.length),
        epsilon_(site.DoubleOr("epsilon", 1e-5)) {}

  uint64_t scratch_bytes(int) const override {
    return static_cast<uint64_t>(2 * rows_.length) * sizeof(float);
  }

  void Run(const RunContext& run) const override {
    auto* scratch = reinterpret_cast<float*>(run.scratch);
    const float* gamma = gamma_.Load(run, scratch);
    const float* beta = beta_.Load(run, scratch + rows_.length);
    const int64_t blocks = (rows_.inner + kColumns - 1) / kColumns;
    run.pool->ParallelFor(rows_.outer * blocks, [&](int64_t task, int) {
      RunColumns(run, task / blocks, task % blocks * kColumns, gamma, beta);
    });
  }

 private:
  static constexpr int64_t kColumns = 64;

  // f(row, its columns) for every row.
  template <typename F>
  void ForRows(const RunContext& run, int64_t outer, int64_t first, size_t n, F f) const {
    alignas(64) float block[kColumns];
    for (int64_t row = 0; row < rows_.length; ++row) {
      const int64_t at = (outer * rows_.length + row) * rows_.inner + first;
      f(row, at, x_.Load(run.in[0].data, at, n, block));
    }
  }

  void RunColumns(const RunContext& run, int64_t outer, int64_t first, const float* gamma,
                  const float* beta) const {
    const auto n = static_cast<size_t>(std::min(kColumns, rows_.inner - first));
    const auto count = static_cast<double>(rows_.length);
    alignas(64) double mean[kColumns] = {}, scale[kColumns] = {};
    ForRows(run, outer, first, n,
            [&](int64_t, int64_t, const float* x) { ops_.add_columns(x, mean, n); });
    for (size_t i = 0; i < n; ++i) mean[i] /= count;
    ForRows(run, outer, first, n, [&](int64_t, int64_t, const float* x) {
      for (size_t i = 0; i < n; ++i)
        scale[i] += (double{x[i]} - mean[i]) * (double{x[i]} - mean[i]);
    });
    for (size_t i = 0; i < n; ++i) scale[i] = 1 / std::sqrt(scale[i] / count + epsilon_);
    ForRows(run, outer, first, n, [&](int64_t row, int64_t at, const float* x) {
      const double g = gamma == nullptr ? 1 : gamma[row], b = beta == nullptr ? 0 : beta[row];
      alignas(64) float result[kColumns];
      for (size_t i = 0; i < n; ++i) {
        result[i] = static_cast<float>((double{x[i]} - mean[i]) * scale[i] * g + b);
      }
      StoreFloats(ops_, dtype_, result, run.out[0].data, at, n);
    });
  }

  const VectorOps& ops_ = ActiveVectorOps();
  const Rows rows_;
  const DType dtype_;
  const Reader x_;
  const Numbers gamma_, beta_;
  const double epsilon_;
};

// batch_norm and instance_norm: a row is one channel of one batch entry. With statistics given
// (batch_norm) they are per channel, else they are the row's own.
class ChannelNormKernel final : public Kernel {
 public:
  ChannelNormKernel(OpSite& site, const Shape& shape)
      : channels_(shape[1]),
        loop_({shape[0] * shape[1], shape.ElementCount() / (shape[0] * shape[1]), 1},
              site.InputView(site.Use("x"))),
        mean_(site, "mean", channels_),
        variance_(site, "variance", channels_),
        gamma_(site, "gamma", channels_),
        beta_(site, "beta", channels_),
        epsilon_(site.DoubleOr("epsilon", 1e-5)) {}

  uint64_t scratch_bytes(int slots) const override {
    return static_cast<uint64_t>(loop_.rows.length * slots + 4 * channels_) * sizeof(float);
  }

  void Run(const RunContext& run) const override {
    const auto n = static_cast<size_t>(loop_.rows.length);
    auto* scratch = reinterpret_cast<float*>(run.scratch);
    const float* mean = mean_.Load(run, scratch);
    const float* variance = variance_.Load(run, scratch + channels_);
    const float* gamma = gamma_.Load(run, scratch + 2 * channels_);
    const float* beta = beta_.Load(run, scratch + 3 * channels_);
    loop_.Run(run, scratch + 4 * channels_, [&](int64_t row, const float* x, float* out) {
      const int64_t channel = row % channels_;
      const Statistics all = mean != nullptr ? Statistics{mean[channel], variance[channel]}
                                             : StatisticsOf(ops_, x, loop_.rows.length);
      const double scale = 1 / std::sqrt(all.variance + epsilon_);
      ops_.normalize(x, all.mean, gamma != nullptr ? scale * gamma[channel] : scale,
                     beta != nullptr ? beta[channel] : 0, out, n);
    });
  }

 private:
  const VectorOps& ops_ = ActiveVectorOps();
  const int64_t channels_;
  const RowLoop loop_;
  const Numbers mean_, variance_, gamma_, beta_;
  const double epsilon_;
};

class L2NormKernel final : public Kernel {
 public:
  L2NormKernel(OpSite& site, Rows rows)
      : loop_(rows, site.InputView(site.Use("x"))), epsilon_(site.DoubleOr("epsilon", 1e-6)) {}

  uint64_t scratch_bytes(int slots) const override {
    return static_cast<uint64_t>(loop_.rows.length * slots) * sizeof(float);
  }

  void Run(const RunContext& run) const override {
    const auto n = static_cast<size_t>(loop_.rows.length);
    auto* scratch = reinterpret_cast<float*>(run.scratch);
    loop_.Run(run, scratch, [&](int64_t, const float* x, float* out) {
      const double length = std::sqrt(ops_.sum_squares(x, n) + epsilon_);
      ops_.normalize(x, 0, 1 / length, -0.0, out, n);  // a zero keeps its sign
    });
  }

 private:
  const VectorOps& ops_ = ActiveVectorOps();
  const RowLoop loop_;
  const double epsilon_;
};

}  // namespace

MadeKernel MakeLayerNorm(OpSite& site) {
  if (!IsFast(site.ResultType().dtype)) return nullptr;
  const Shape& shape = site.TypeOf("x").shape;
  const std::optional<Rows> rows = RowsAlong(shape, site.Axes("axes", shape.rank()));
  if (!rows.has_value()) return nullptr;  // the reference does axes that are not neighbours
  if (rows->inner != 1) return std::make_unique<ColumnNormKernel>(site, *rows);
  return std::make_unique<LayerNormKernel>(site, *rows);
}

MadeKernel MakeChannelNorm(OpSite& site) {
  if (!IsFast(site.ResultType().dtype)) return nullptr;
  return std::make_unique<ChannelNormKernel>(site, site.TypeOf("x").shape);
}

MadeKernel MakeL2Norm(OpSite& site) {
  if (!IsFast(site.ResultType().dtype)) return nullptr;
  const Shape& shape = site.TypeOf("x").shape;
  Rows rows;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    (axis < shape.rank() - 3 ? rows.outer : rows.length) *= shape[axis];
  }
  return std::make_unique<L2NormKernel>(site, rows);
}

}  // namespace anex::device::cpu
