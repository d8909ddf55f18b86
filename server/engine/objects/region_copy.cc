#include "server/engine/objects/region_copy.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace anex::engine {
namespace {

std::string SizesOf(const Region& region) {
  return absl::StrCat("[", absl::StrJoin(region.size, ", "), "]");
}

// REQUIRES: resolved. Fits: begin < 2^47 and strides times begins stay inside the allocation.
uint64_t OffsetOf(const TensorLayout& layout, const Region& region) {
  uint64_t offset = 0;
  for (int axis = 0; axis < layout.shape.rank(); ++axis) {
    offset += static_cast<uint64_t>(region.begin[axis] * layout.strides[axis]);
  }
  return offset;
}

struct Extent {
  int64_t size, stride;
};

// The axes that move: sizes of 1 do not matter for what is copied.
int MovingAxes(const TensorLayout& layout, const Region& region,
               std::array<Extent, kMaxRank>& extents) {
  int count = 0;
  for (int axis = 0; axis < layout.shape.rank(); ++axis) {
    if (region.size[axis] == 1) continue;
    extents[count++] = {region.size[axis], layout.strides[axis]};
  }
  return count;
}

bool SameSizes(const std::array<Extent, kMaxRank>& a, const std::array<Extent, kMaxRank>& b,
               int count) {
  return std::equal(a.begin(), a.begin() + count, b.begin(),
                    [](const Extent& x, const Extent& y) { return x.size == y.size; });
}

}  // namespace

absl::StatusOr<Region> ResolveRegion(const TensorLayout& layout, const Region& region_untrusted,
                                     std::string_view what) {
  const size_t rank = static_cast<size_t>(layout.shape.rank());
  if (region_untrusted.begin.empty() && region_untrusted.size.empty()) {
    const std::span<const int64_t> dims = layout.shape.dims();
    return Region{std::vector<int64_t>(rank, 0), std::vector<int64_t>(dims.begin(), dims.end())};
  }
  if (region_untrusted.begin.size() != rank || region_untrusted.size.size() != rank) {
    return absl::InvalidArgumentError(absl::StrCat(
        std::string(what), ": a region of ", region_untrusted.begin.size(), " begins and ",
        region_untrusted.size.size(), " sizes in a tensor of rank ", rank));
  }
  for (size_t axis = 0; axis < rank; ++axis) {
    const int64_t begin = region_untrusted.begin[axis], size = region_untrusted.size[axis];
    const int64_t dim = layout.shape[static_cast<int>(axis)];
    if (begin < 0 || size < 1 || begin >= dim || size > dim - begin) {
      return absl::OutOfRangeError(absl::StrCat(std::string(what), ": axis ", axis, " has ", dim,
                                                " elements; a region that begins at ", begin,
                                                " with size ", size, " does not lie inside"));
    }
  }
  return region_untrusted;
}

Shape RegionShape(const Region& resolved) {
  return *Shape::Make(resolved.size);  // a part of a valid shape is valid
}

bool RegionsOverlap(const Region& a, const Region& b) {
  for (size_t axis = 0; axis < a.begin.size(); ++axis) {
    if (a.begin[axis] + a.size[axis] <= b.begin[axis]) return false;
    if (b.begin[axis] + b.size[axis] <= a.begin[axis]) return false;
  }
  return true;
}

absl::StatusOr<RegionCopy> RegionCopy::Make(const TensorLayout& from, const Region& from_region,
                                            const TensorLayout& to, const Region& to_region) {
  absl::StatusOr<Region> source = ResolveRegion(from, from_region, "source");
  if (!source.ok()) return source.status();
  absl::StatusOr<Region> target = ResolveRegion(to, to_region, "target");
  if (!target.ok()) return target.status();
  if (from.dtype != to.dtype) {
    return absl::InvalidArgumentError(
        absl::StrCat("a copy does not convert: the source is ", std::string(DTypeName(from.dtype)),
                     ", the target ", std::string(DTypeName(to.dtype))));
  }
  std::array<Extent, kMaxRank> reads{}, writes{};
  const int rank = MovingAxes(from, *source, reads);
  if (rank != MovingAxes(to, *target, writes) || !SameSizes(reads, writes, rank)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a copy's regions must have equal sizes: ", SizesOf(*source), " and ", SizesOf(*target)));
  }
  RegionCopy copy;
  copy.from_offset_ = OffsetOf(from, *source);
  copy.to_offset_ = OffsetOf(to, *target);
  copy.element_ = ElementSize(from.dtype);
  copy.rank_ = rank;
  for (int axis = 0; axis < rank; ++axis) {
    copy.axes_[axis] = {reads[axis].size, reads[axis].stride, writes[axis].stride};
  }
  copy.Coalesce();
  return copy;
}

// Folds innermost axes that are contiguous on both sides into the element, then neighbouring axes
// that are one run on both sides into one axis.
void RegionCopy::Coalesce() {
  while (rank_ > 0) {
    const Axis& last = axes_[rank_ - 1];
    const int64_t run = static_cast<int64_t>(element_);
    if (last.from_stride != run || last.to_stride != run) break;
    element_ *= static_cast<uint64_t>(last.size);
    --rank_;
  }
  for (int axis = rank_ - 1; axis > 0; --axis) {
    Axis& outer = axes_[axis - 1];
    const Axis inner = axes_[axis];
    if (outer.from_stride != inner.size * inner.from_stride) continue;
    if (outer.to_stride != inner.size * inner.to_stride) continue;
    outer = {outer.size * inner.size, inner.from_stride, inner.to_stride};
    std::copy(axes_.begin() + axis + 1, axes_.begin() + rank_, axes_.begin() + axis);
    --rank_;
  }
}

// Runs of element_ bytes that lie together, one after the other; `at` counts them by axis.
void RegionCopy::Run(const std::byte* from, std::byte* to, uint64_t begin, uint64_t end) const {
  std::array<int64_t, kMaxRank> at{};
  uint64_t run = begin / element_, into = begin % element_;
  from += from_offset_;
  to += to_offset_;
  for (int axis = rank_ - 1; axis >= 0; --axis) {
    const Axis& moved = axes_[axis];
    at[axis] = static_cast<int64_t>(run % static_cast<uint64_t>(moved.size));
    run /= static_cast<uint64_t>(moved.size);
    from += at[axis] * moved.from_stride;
    to += at[axis] * moved.to_stride;
  }
  while (begin < end) {
    const uint64_t count = std::min(element_ - into, end - begin);
    std::memcpy(to + into, from + into, count);
    begin += count;
    into = 0;
    for (int axis = rank_ - 1; axis >= 0; --axis) {
      const Axis& moved = axes_[axis];
      from += moved.from_stride;
      to += moved.to_stride;
      if (++at[axis] < moved.size) break;
      from -= moved.size * moved.from_stride;
      to -= moved.size * moved.to_stride;
      at[axis] = 0;
    }
  }
}

uint64_t RegionCopy::bytes() const {
  uint64_t bytes = element_;
  for (int axis = 0; axis < rank_; ++axis) bytes *= static_cast<uint64_t>(axes_[axis].size);
  return bytes;
}

}  // namespace anex::engine
