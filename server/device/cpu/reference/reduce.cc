#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "server/device/cpu/function_kernel.h"
#include "server/device/cpu/reference/element.h"
#include "server/device/cpu/reference/reference.h"

namespace anex::device::cpu::reference {
namespace {

enum class Reduction { kSum, kMean, kMax, kMin, kProd, kL1, kL2, kSumSquare, kLogSum, kLogSumExp };

constexpr struct {
  std::string_view op;
  Reduction reduction;
} kReductions[] = {
    {"reduce_sum", Reduction::kSum},        {"reduce_mean", Reduction::kMean},
    {"reduce_max", Reduction::kMax},        {"reduce_min", Reduction::kMin},
    {"reduce_prod", Reduction::kProd},      {"reduce_l1_norm", Reduction::kL1},
    {"reduce_l2_norm", Reduction::kL2},     {"reduce_sum_square", Reduction::kSumSquare},
    {"reduce_log_sum", Reduction::kLogSum}, {"reduce_log_sum_exp", Reduction::kLogSumExp},
};

// The part of a shape that a reduction keeps, and the part that it runs over; each has the rank of
// the whole, with 1 where the other has the size.
struct Parts {
  Shape kept, reduced;
  int64_t count = 1;  // elements of `reduced`
};

Parts PartsOf(const Shape& shape, const std::vector<int>& axes) {
  std::vector<int64_t> kept(shape.dims().begin(), shape.dims().end());
  std::vector<int64_t> reduced(kept.size(), 1);
  for (const int axis : axes) std::swap(kept[axis], reduced[axis]);
  Parts parts{*Shape::Make(kept), *Shape::Make(reduced)};
  parts.count = parts.reduced.ElementCount();
  return parts;
}

// Calls f(position, number) for every element that goes into the one at `kept`.
template <typename F>
void ForReduced(const Shape& shape, const Parts& parts, const Index& kept, F f) {
  Index reduced{};
  int64_t number = 0;
  do {
    Index index{};
    for (int axis = 0; axis < shape.rank(); ++axis) index[axis] = kept[axis] + reduced[axis];
    f(Position(shape, index, shape.rank()), number++);
  } while (Advance(parts.reduced, reduced));
}

double Maximum(double a, double b) { return a > b || std::isnan(a) ? a : b; }
double Minimum(double a, double b) { return a < b || std::isnan(a) ? a : b; }

double Start(Reduction reduction) {
  switch (reduction) {
    case Reduction::kMax:
      return -std::numeric_limits<double>::infinity();
    case Reduction::kMin:
      return std::numeric_limits<double>::infinity();
    case Reduction::kProd:
      return 1;
    default:
      return 0;
  }
}

double Add(Reduction reduction, double total, double x) {
  switch (reduction) {
    case Reduction::kMax:
      return Maximum(total, x);
    case Reduction::kMin:
      return Minimum(total, x);
    case Reduction::kProd:
      return total * x;
    case Reduction::kL1:
      return total + std::fabs(x);
    case Reduction::kL2:
    case Reduction::kSumSquare:
      return total + x * x;
    default:
      return total + x;
  }
}

double Finish(Reduction reduction, double total, int64_t count) {
  switch (reduction) {
    case Reduction::kMean:
      return total / static_cast<double>(count);
    case Reduction::kL2:
      return std::sqrt(total);
    case Reduction::kLogSum:
      return std::log(total);
    default:
      return total;
  }
}

double LogSumExp(const TensorRef& x, const Parts& parts, const Index& kept) {
  double largest = -std::numeric_limits<double>::infinity();
  ForReduced(x.view->shape, parts, kept,
             [&](int64_t at, int64_t) { largest = Maximum(largest, GetDouble(x, at)); });
  if (std::isinf(largest)) return largest;
  double sum = 0;
  ForReduced(x.view->shape, parts, kept,
             [&](int64_t at, int64_t) { sum += std::exp(GetDouble(x, at) - largest); });
  return largest + std::log(sum);
}

double ReduceOne(Reduction reduction, const TensorRef& x, const Parts& parts, const Index& kept) {
  if (reduction == Reduction::kLogSumExp) return LogSumExp(x, parts, kept);
  double total = Start(reduction);
  ForReduced(x.view->shape, parts, kept,
             [&](int64_t at, int64_t) { total = Add(reduction, total, GetDouble(x, at)); });
  return Finish(reduction, total, parts.count);
}

int64_t ArgOne(bool largest, const TensorRef& x, const Parts& parts, const Index& kept) {
  double best = 0;
  int64_t where = -1;
  ForReduced(x.view->shape, parts, kept, [&](int64_t at, int64_t number) {
    const double value = GetDouble(x, at);
    const bool better = largest ? value > best : value < best;
    // The first of equals wins, and the first NaN beats everything, as in numpy.
    if (where < 0 || (!std::isnan(best) && (better || std::isnan(value)))) {
      best = value;
      where = number;
    }
  });
  return where;
}

}  // namespace

MadeKernel MakeReduce(OpSite& site) {
  for (const auto& row : kReductions) {
    if (row.op != site.op()) continue;
    const Shape& shape = site.TypeOf("x").shape;
    site.Use("x");
    const Parts parts = PartsOf(shape, site.Axes("axes", shape.rank()));
    return MakeFunctionKernel([parts, reduction = row.reduction](const RunContext& run) {
      Index kept{};
      int64_t i = 0;
      do {
        PutDouble(run.out[0], i++, ReduceOne(reduction, run.in[0], parts, kept));
      } while (Advance(parts.kept, kept));
    });
  }
  return site.Unsupported("it is not a known reduction");
}

MadeKernel MakeArgReduce(OpSite& site) {
  const Shape& shape = site.TypeOf("x").shape;
  site.Use("x");
  const Parts parts = PartsOf(shape, {FromZero(site.IntOr("axis", -1), shape.rank())});
  return MakeFunctionKernel([parts, largest = site.op() == "reduce_argmax"](const RunContext& run) {
    Index kept{};
    int64_t i = 0;
    do {
      PutInt(run.out[0], i++, ArgOne(largest, run.in[0], parts, kept));
    } while (Advance(parts.kept, kept));
  });
}

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

MadeKernel MakeLayerNorm(OpSite& site) {
  const Shape& shape = site.TypeOf("x").shape;
  const Parts parts = PartsOf(shape, site.Axes("axes", shape.rank()));
  site.Use("x");
  const size_t gamma = site.Has("gamma") ? site.Use("gamma") : 0;  // 0 is x: none
  const size_t beta = site.Has("beta") ? site.Use("beta") : 0;
  const double epsilon = site.DoubleOr("epsilon", 1e-5);
  return MakeFunctionKernel([=](const RunContext& run) {
    const TensorRef& x = run.in[0];
    const auto n = static_cast<double>(parts.count);
    Index kept{};
    do {
      double sum = 0, squares = 0;
      ForReduced(x.view->shape, parts, kept, [&](int64_t at, int64_t) { sum += GetDouble(x, at); });
      const double mean = sum / n;
      ForReduced(x.view->shape, parts, kept, [&](int64_t at, int64_t) {
        squares += (GetDouble(x, at) - mean) * (GetDouble(x, at) - mean);
      });
      const double scale = 1 / std::sqrt(squares / n + epsilon);
      // gamma and beta have the shape of the reduced axes: their elements come in this order too.
      ForReduced(x.view->shape, parts, kept, [&](int64_t at, int64_t number) {
        const double g = gamma != 0 ? GetDouble(run.in[gamma], number) : 1;
        const double b = beta != 0 ? GetDouble(run.in[beta], number) : 0;
        PutDouble(run.out[0], at, (GetDouble(x, at) - mean) * scale * g + b);
      });
    } while (Advance(parts.kept, kept));
  });
}

}  // namespace anex::device::cpu::reference
