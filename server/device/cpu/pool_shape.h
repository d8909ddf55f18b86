// What max_pool, avg_pool and l2_pool compute. Shared by both modes. Pure.
#ifndef ANEX_SERVER_DEVICE_CPU_POOL_SHAPE_H_
#define ANEX_SERVER_DEVICE_CPU_POOL_SHAPE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "server/device/cpu/op_site.h"
#include "server/device/cpu/window_shape.h"

namespace anex::device::cpu {

enum class Pool : uint8_t { kMax, kAverage, kL2 };

struct PoolShape : WindowShape {
  Pool pool = Pool::kMax;
  int64_t planes = 0;   // batch entries times channels
  Spatial pad_after{};  // that averages count in; a window that ceil_mode adds may reach further
  bool exclude_padding = false;

  // What the sum of the window at `o` is divided by. 0 if it holds nothing to average.
  int64_t Divisor(const Spatial& o) const;
};

absl::StatusOr<PoolShape> ReadPool(const OpSite& site);

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_POOL_SHAPE_H_
