#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <vector>

#include "server/device/cpu/function_kernel.h"
#include "server/device/cpu/reference/element.h"
#include "server/device/cpu/reference/parts.h"
#include "server/device/cpu/reference/reference.h"

namespace anex::device::cpu::reference {
namespace {

double Maximum(double a, double b) { return a > b || std::isnan(a) ? a : b; }

// The axes from `first` on.
std::vector<int> AxesFrom(int first, int rank) {
  std::vector<int> axes(static_cast<size_t>(rank - first));
  std::iota(axes.begin(), axes.end(), first);
  return axes;
}

// An operand that may be missing.
using MaybeOperand = std::optional<size_t>;

MaybeOperand UseIfThere(OpSite& site, std::string_view argument) {
  return site.Has(argument) ? MaybeOperand(site.Use(argument)) : std::nullopt;
}

double Number(const RunContext& run, MaybeOperand operand, int64_t i, double otherwise) {
  return operand.has_value() ? GetDouble(run.in[*operand], i) : otherwise;
}

struct Statistics {
  double mean = 0, variance = 0;
};

Statistics StatisticsOf(const TensorRef& x, const Parts& parts, const Index& kept) {
  const auto n = static_cast<double>(parts.count);
  double sum = 0, squares = 0;
  ForReduced(x.view->shape, parts, kept, [&](int64_t at, int64_t) { sum += GetDouble(x, at); });
  const double mean = sum / n;
  ForReduced(x.view->shape, parts, kept, [&](int64_t at, int64_t) {
    squares += (GetDouble(x, at) - mean) * (GetDouble(x, at) - mean);
  });
  return {mean, squares / n};
}

double SumOfSquares(const TensorRef& x, const Parts& parts, const Index& kept) {
  double sum = 0;
  ForReduced(x.view->shape, parts, kept,
             [&](int64_t at, int64_t) { sum += GetDouble(x, at) * GetDouble(x, at); });
  return sum;
}

}  // namespace

MadeKernel MakeSoftmax(OpSite& site) {
  const Shape& shape = site.TypeOf("x").shape;
  site.Use("x");
  const Parts parts = PartsOf(shape, {FromZero(site.IntOr("axis", -1), shape.rank())});
  return MakeFunctionKernel([parts](const RunContext& run) {
    const TensorRef &x = run.in[0], &out = run.out[0];
    const Shape& whole = x.view->shape;
    Index kept{};
    do {
      double largest = -std::numeric_limits<double>::infinity(), sum = 0;
      ForReduced(whole, parts, kept,
                 [&](int64_t at, int64_t) { largest = Maximum(largest, GetDouble(x, at)); });
      ForReduced(whole, parts, kept,
                 [&](int64_t at, int64_t) { sum += std::exp(GetDouble(x, at) - largest); });
      ForReduced(whole, parts, kept, [&](int64_t at, int64_t) {
        PutDouble(out, at, std::exp(GetDouble(x, at) - largest) / sum);
      });
    } while (Advance(parts.kept, kept));
  });
}

// gamma and beta have the shape of the reduced axes: their elements come in the order of the loop.
MadeKernel MakeLayerNorm(OpSite& site) {
  const Shape& shape = site.TypeOf("x").shape;
  const Parts parts = PartsOf(shape, site.Axes("axes", shape.rank()));
  site.Use("x");
  const MaybeOperand gamma = UseIfThere(site, "gamma"), beta = UseIfThere(site, "beta");
  const double epsilon = site.DoubleOr("epsilon", 1e-5);
  return MakeFunctionKernel([=](const RunContext& run) {
    const TensorRef& x = run.in[0];
    Index kept{};
    do {
      const Statistics all = StatisticsOf(x, parts, kept);
      const double scale = 1 / std::sqrt(all.variance + epsilon);
      ForReduced(x.view->shape, parts, kept, [&](int64_t at, int64_t number) {
        PutDouble(run.out[0], at,
                  (GetDouble(x, at) - all.mean) * scale * Number(run, gamma, number, 1) +
                      Number(run, beta, number, 0));
      });
    } while (Advance(parts.kept, kept));
  });
}

MadeKernel MakeBatchNorm(OpSite& site) {
  const Parts parts = PartsOf(site.TypeOf("x").shape, {1});
  site.Use("x");
  const size_t mean = site.Use("mean"), variance = site.Use("variance");
  const MaybeOperand gamma = UseIfThere(site, "gamma"), beta = UseIfThere(site, "beta");
  const double epsilon = site.DoubleOr("epsilon", 1e-5);
  return MakeFunctionKernel([=](const RunContext& run) {
    const TensorRef& x = run.in[0];
    Index kept{};
    do {
      ForReduced(x.view->shape, parts, kept, [&](int64_t at, int64_t channel) {
        const double scale = 1 / std::sqrt(GetDouble(run.in[variance], channel) + epsilon);
        const double centred = GetDouble(x, at) - GetDouble(run.in[mean], channel);
        PutDouble(run.out[0], at,
                  centred * scale * Number(run, gamma, channel, 1) + Number(run, beta, channel, 0));
      });
    } while (Advance(parts.kept, kept));
  });
}

MadeKernel MakeInstanceNorm(OpSite& site) {
  const Shape& shape = site.TypeOf("x").shape;
  const Parts parts = PartsOf(shape, AxesFrom(2, shape.rank()));
  site.Use("x");
  const MaybeOperand gamma = UseIfThere(site, "gamma"), beta = UseIfThere(site, "beta");
  const double epsilon = site.DoubleOr("epsilon", 1e-5);
  return MakeFunctionKernel([=](const RunContext& run) {
    const TensorRef& x = run.in[0];
    Index kept{};
    do {
      const Statistics all = StatisticsOf(x, parts, kept);
      const double scale = 1 / std::sqrt(all.variance + epsilon) * Number(run, gamma, kept[1], 1);
      const double shift = Number(run, beta, kept[1], 0);
      ForReduced(x.view->shape, parts, kept, [&](int64_t at, int64_t) {
        PutDouble(run.out[0], at, (GetDouble(x, at) - all.mean) * scale + shift);
      });
    } while (Advance(parts.kept, kept));
  });
}

// By the length of the last three axes taken together.
MadeKernel MakeL2Norm(OpSite& site) {
  const Shape& shape = site.TypeOf("x").shape;
  const Parts parts = PartsOf(shape, AxesFrom(shape.rank() - 3, shape.rank()));
  site.Use("x");
  const double epsilon = site.DoubleOr("epsilon", 1e-6);
  return MakeFunctionKernel([=](const RunContext& run) {
    const TensorRef& x = run.in[0];
    Index kept{};
    do {
      const double length = std::sqrt(SumOfSquares(x, parts, kept) + epsilon);
      ForReduced(x.view->shape, parts, kept, [&](int64_t at, int64_t) {
        PutDouble(run.out[0], at, GetDouble(x, at) / length);
      });
    } while (Advance(parts.kept, kept));
  });
}

// The window of channel c begins size / 2 channels before it; beyond the ends there are zeros,
// which count in the average.
MadeKernel MakeLocalResponseNorm(OpSite& site) {
  const Shape& shape = site.TypeOf("x").shape;
  site.Use("x");
  const int64_t size = site.Int("size");
  const double alpha = site.DoubleOr("alpha", 1e-4) / static_cast<double>(size);
  const double beta = site.DoubleOr("beta", 0.75), k = site.DoubleOr("k", 1);
  return MakeFunctionKernel([=](const RunContext& run) {
    const TensorRef& x = run.in[0];
    Index index{};
    int64_t i = 0;
    do {
      double sum = 0;
      Index near = index;
      const int64_t last = std::min(shape[1] - 1, index[1] - size / 2 + size - 1);
      for (near[1] = std::max<int64_t>(0, index[1] - size / 2); near[1] <= last; ++near[1]) {
        const double value = GetDouble(x, Position(shape, near, shape.rank()));
        sum += value * value;
      }
      PutDouble(run.out[0], i, GetDouble(x, i) / std::pow(k + alpha * sum, beta));
      ++i;
    } while (Advance(shape, index));
  });
}

}  // namespace anex::device::cpu::reference
