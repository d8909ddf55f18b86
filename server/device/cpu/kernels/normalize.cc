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
      ops_.normalize(x, 0, 1 / length, 0, out, n);
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
  if (!rows.has_value() || rows->inner != 1) return nullptr;  // the reference does the others
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
