// Copying a rectangular part of one tensor onto a part of another, strides and all. Used by chains'
// copy steps, by ReadSurface and by WriteSurface.
//
// Threads: immutable once made; Run from any thread, on memory that nobody else writes meanwhile.
// Invariant: a RegionCopy was checked against both layouts: Run touches no byte outside of them.
#ifndef ANEX_SERVER_ENGINE_OBJECTS_REGION_COPY_H_
#define ANEX_SERVER_ENGINE_OBJECTS_REGION_COPY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/values/surface_values.h"
#include "proto/wire/tensor_layout.h"

namespace anex::engine {

// Fills in an empty region (all of the tensor). INVALID_ARGUMENT for another rank than the
// tensor's, OUT_OF_RANGE for what does not lie inside it (sums cannot overflow), naming the axis.
absl::StatusOr<Region> ResolveRegion(const TensorLayout& layout, const Region& region_untrusted,
                                     std::string_view what);
// The shape of a resolved region.
Shape RegionShape(const Region& resolved);
// True if two resolved regions of one tensor share an element.
bool RegionsOverlap(const Region& a, const Region& b);

class RegionCopy {
 public:
  // Regions may be empty (= whole). INVALID_ARGUMENT if dtypes differ or the sizes do (sizes of 1
  // apart: [1, N, M] fits [N, 1, M]).
  static absl::StatusOr<RegionCopy> Make(const TensorLayout& from, const Region& from_region,
                                         const TensorLayout& to, const Region& to_region);
  // Both point at the first byte of their tensors.
  void Run(const std::byte* from, std::byte* to) const { Run(from, to, 0, bytes()); }
  // The part from byte `begin` to `end` of those moved, in row-major order. REQUIRES: begin <= end
  // <= bytes().
  void Run(const std::byte* from, std::byte* to, uint64_t begin, uint64_t end) const;
  // Bytes that lie together on both sides: what one step of a copy moves.
  uint64_t run_bytes() const { return element_; }
  uint64_t bytes() const;  // of elements moved

 private:
  struct Axis {
    int64_t size = 1, from_stride = 0, to_stride = 0;
  };
  void Coalesce();

  uint64_t from_offset_ = 0, to_offset_ = 0;
  uint64_t element_ = 0;  // bytes that lie together on both sides, per innermost step
  std::array<Axis, kMaxRank> axes_{};
  int rank_ = 0;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_OBJECTS_REGION_COPY_H_
