// Memory of one surface as this process sees it: mapped at the first use, then kept. The common
// part of Surface and ParameterSet; users of the SDK meet it through those.
//
// Threads: any; the mapping is made once. Invariant: a failed mapping is tried again at the next
// use, a mapping that stands is never replaced, so views of it stay good while this object lives.
#ifndef ANEX_CLIENT_ANEX_MAPPED_TENSOR_H_
#define ANEX_CLIENT_ANEX_MAPPED_TENSOR_H_

#include <memory>
#include <span>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "client/anex/session_core.h"
#include "client/anex/tensor_view.h"
#include "proto/shm/shared_region.h"
#include "proto/values/surface_values.h"

namespace anex::internal {

class MappedTensor {
 public:
  MappedTensor(CorePtr core, SurfaceId surface, const TensorLayout& layout, Access access)
      : core_(std::move(core)), surface_(surface), layout_(layout), access_(access) {}

  const TensorLayout& layout() const { return layout_; }
  Access access() const { return access_; }
  // PERMISSION_DENIED when writing to a read-only surface.
  absl::StatusOr<std::shared_ptr<shm::SharedRegion>> Map(Access access);

  template <typename T>
  absl::StatusOr<TensorView<T>> View() {
    constexpr Access kWanted = std::is_const_v<T> ? Access::kReadOnly : Access::kReadWrite;
    absl::StatusOr<std::shared_ptr<shm::SharedRegion>> region = Map(kWanted);
    if (!region.ok()) return region.status();
    return TensorView<T>::Make((*region)->data(), (*region)->size(), layout_);
  }
  // Float values into and out of any float dtype, row-major, one rounding.
  absl::Status CopyFrom(std::span<const float> values);
  absl::Status CopyTo(std::span<float> values);
  // Packed row-major little-endian bytes of the tensor's own dtype, any dtype.
  absl::Status CopyFromBytes(std::string_view packed);
  absl::StatusOr<std::string> ToBytes();
  absl::Status FillZero();

 private:
  CorePtr core_;
  const SurfaceId surface_;
  const TensorLayout layout_;
  const Access access_;
  absl::Mutex mutex_;
  std::shared_ptr<shm::SharedRegion> region_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace anex::internal

#endif  // ANEX_CLIENT_ANEX_MAPPED_TENSOR_H_
