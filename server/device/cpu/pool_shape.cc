#include "server/device/cpu/pool_shape.h"

#include <algorithm>
#include <vector>

namespace anex::device::cpu {

int64_t PoolShape::Divisor(const Spatial& o) const {
  int64_t count = 1;
  for (int axis = 0; axis < kMaxSpatial; ++axis) {
    int64_t first = o[axis] * stride[axis] - pad[axis];
    int64_t end = first + kernel[axis];
    if (exclude_padding) {
      first = std::max<int64_t>(first, 0);
      end = std::min(end, in[axis]);
    } else {
      end = std::min(end, in[axis] + pad_after[axis]);
    }
    count *= std::max<int64_t>(0, end - first);
  }
  return count;
}

absl::StatusOr<PoolShape> ReadPool(const OpSite& site) {
  const Shape &x = site.TypeOf("x").shape, &out = site.ResultType().shape;
  PoolShape pool;
  absl::Status status = ReadSpatial(site, x, pool, pool.in);
  status.Update(ReadSpatial(site, out, pool, pool.out));
  if (!status.ok()) return status;
  const std::vector<int64_t> kernel = site.Ints("kernel_sizes");
  std::copy(kernel.begin(), kernel.end(), pool.kernel.begin() + pool.Place(0));
  if (status = ReadWindow(site, pool); !status.ok()) return status;
  pool.pool = site.op() == "max_pool"   ? Pool::kMax
              : site.op() == "avg_pool" ? Pool::kAverage
                                        : Pool::kL2;
  pool.planes = x[0] * x[1];
  pool.exclude_padding = site.BoolOr("exclude_padding_from_average", false);
  const bool custom = site.Has("pad_type") && site.Text("pad_type") == "custom";
  const std::vector<int64_t> pad = custom ? site.Ints("pad") : std::vector<int64_t>();
  for (int i = 0; i < pool.spatial; ++i) {
    const int at = pool.Place(i);
    const int64_t reach = pool.InputAt(at, pool.out[at] - 1, pool.kernel[at] - 1) + 1 - pool.in[at];
    const bool same = site.Text("pad_type").starts_with("same");
    pool.pad_after[at] = custom ? pad[2 * i + 1] : same ? std::max<int64_t>(0, reach) : 0;
  }
  return pool;
}

}  // namespace anex::device::cpu
