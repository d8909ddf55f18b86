#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
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

// T is int64_t, or uint64_t for the type of that name.
template <typename T>
T AddInteger(Reduction reduction, T total, T x) {
  const auto sum = static_cast<uint64_t>(total), value = static_cast<uint64_t>(x);
  switch (reduction) {
    case Reduction::kMax:
      return std::max(total, x);
    case Reduction::kMin:
      return std::min(total, x);
    case Reduction::kProd:
      return static_cast<T>(sum * value);
    case Reduction::kL1:
      return static_cast<T>(sum + (x < T{0} ? 0 - value : value));
    case Reduction::kSumSquare:
      return static_cast<T>(sum + value * value);
    default:
      return static_cast<T>(sum + value);
  }
}

template <typename T>
int64_t ReduceIntegers(Reduction reduction, const TensorRef& x, const Parts& parts,
                       const Index& kept) {
  T total = reduction == Reduction::kProd ? 1 : 0;
  const bool extreme = reduction == Reduction::kMax || reduction == Reduction::kMin;
  ForReduced(x.view->shape, parts, kept, [&](int64_t at, int64_t number) {
    const T value = static_cast<T>(GetInt(x, at));
    const bool first = extreme && number == 0;
    total = first ? value : AddInteger(reduction, total, value);
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

// T holds every element of x.
template <typename T>
int64_t ArgOne(bool largest, const TensorRef& x, const Parts& parts, const Index& kept) {
  T best = 0;
  int64_t where = -1;
  bool best_is_nan = false;
  ForReduced(x.view->shape, parts, kept, [&](int64_t at, int64_t number) {
    T value;
    bool is_nan = false;
    if constexpr (std::is_floating_point_v<T>) {
      value = GetDouble(x, at);
      is_nan = std::isnan(value);
    } else {
      value = static_cast<T>(GetInt(x, at));
    }
    const bool better = largest ? value > best : value < best;
    // The first of equals wins, and the first NaN beats everything, as in numpy.
    if (where < 0 || (!best_is_nan && (better || is_nan))) {
      best = value;
      best_is_nan = is_nan;
      where = number;
    }
  });
  return where;
}

int64_t ArgOf(bool largest, const TensorRef& x, const Parts& parts, const Index& kept) {
  if (HoldsFloats(x)) return ArgOne<double>(largest, x, parts, kept);
  return HoldsUint64(x) ? ArgOne<uint64_t>(largest, x, parts, kept)
                        : ArgOne<int64_t>(largest, x, parts, kept);
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
          PutInt(run.out[0], i++,
                 HoldsUint64(run.in[0])
                     ? ReduceIntegers<uint64_t>(reduction, run.in[0], parts, kept)
                     : ReduceIntegers<int64_t>(reduction, run.in[0], parts, kept));
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
      PutInt(run.out[0], i++, ArgOf(largest, run.in[0], parts, kept));
    } while (Advance(parts.kept, kept));
  });
}

}  // namespace anex::device::cpu::reference
