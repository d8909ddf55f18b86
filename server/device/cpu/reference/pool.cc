#include <cmath>
#include <limits>

#include "server/device/cpu/function_kernel.h"
#include "server/device/cpu/pool_shape.h"
#include "server/device/cpu/reference/element.h"
#include "server/device/cpu/reference/reference.h"

namespace anex::device::cpu::reference {
namespace {

// Calls f with every element of `plane` that the window at `o` holds.
template <typename F>
void ForWindow(const PoolShape& pool, const TensorRef& x, int64_t plane, const Spatial& o, F f) {
  ForSpatial(pool.kernel, [&](const Spatial& k) {
    Spatial at;
    for (int axis = 0; axis < kMaxSpatial; ++axis) {
      at[axis] = pool.InputAt(axis, o[axis], k[axis]);
      if (at[axis] < 0 || at[axis] >= pool.in[axis]) return;
    }
    f(GetDouble(x, plane * pool.in_size() + Flat(pool.in, at)));
  });
}

// Padding never wins a maximum, and counts for nothing in sums.
double PoolOne(const PoolShape& pool, const TensorRef& x, int64_t plane, const Spatial& o) {
  double total = pool.pool == Pool::kMax ? -std::numeric_limits<double>::infinity() : 0;
  ForWindow(pool, x, plane, o, [&](double value) {
    if (pool.pool == Pool::kMax) {
      total = total > value || std::isnan(total) ? total : value;
    } else {
      total += pool.pool == Pool::kL2 ? value * value : value;
    }
  });
  if (pool.pool == Pool::kL2) return std::sqrt(total);
  if (pool.pool == Pool::kMax) return total;
  const int64_t divisor = pool.Divisor(o);
  return divisor == 0 ? 0 : total / static_cast<double>(divisor);
}

}  // namespace

MadeKernel MakePool(OpSite& site) {
  absl::StatusOr<PoolShape> pool = ReadPool(site);
  if (!pool.ok()) return pool.status();
  site.Use("x");
  return MakeFunctionKernel([pool = *pool](const RunContext& run) {
    int64_t i = 0;
    for (int64_t plane = 0; plane < pool.planes; ++plane) {
      ForSpatial(pool.out, [&](const Spatial& o) {
        PutDouble(run.out[0], i++, PoolOne(pool, run.in[0], plane, o));
      });
    }
  });
}

}  // namespace anex::device::cpu::reference
