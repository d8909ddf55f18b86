#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "server/device/cpu/function_kernel.h"
#include "server/device/cpu/reference/element.h"
#include "server/device/cpu/reference/parts.h"
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

// The reductions that integers do without fractions; sums and products wrap around.
bool IsWhole(Reduction reduction) {
  return reduction != Reduction::kMean && reduction != Reduction::kL2 &&
         reduction != Reduction::kLogSum && reduction != Reduction::kLogSumExp;
}

uint64_t AddInteger(Reduction reduction, uint64_t total, int64_t x) {
  const auto value = static_cast<uint64_t>(x);
  switch (reduction) {
    case Reduction::kMax:
      return static_cast<int64_t>(total) > x ? total : value;
    case Reduction::kMin:
      return static_cast<int64_t>(total) < x ? total : value;
    case Reduction::kProd:
      return total * value;
    case Reduction::kL1:
      return total + (x < 0 ? 0 - value : value);
    case Reduction::kSumSquare:
      return total + value * value;
    default:
      return total + value;
  }
}

int64_t ReduceIntegers(Reduction reduction, const TensorRef& x, const Parts& parts,
                       const Index& kept) {
  uint64_t total = reduction == Reduction::kProd ? 1 : 0;
  const bool extreme = reduction == Reduction::kMax || reduction == Reduction::kMin;
  ForReduced(x.view->shape, parts, kept, [&](int64_t at, int64_t number) {
    const int64_t value = GetInt(x, at);
    const bool first = extreme && number == 0;
    total = first ? static_cast<uint64_t>(value) : AddInteger(reduction, total, value);
  });
  return static_cast<int64_t>(total);
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
        if (!HoldsFloats(run.in[0]) && IsWhole(reduction)) {
          PutInt(run.out[0], i++, ReduceIntegers(reduction, run.in[0], parts, kept));
        } else {
          PutDouble(run.out[0], i++, ReduceOne(reduction, run.in[0], parts, kept));
        }
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

}  // namespace anex::device::cpu::reference
