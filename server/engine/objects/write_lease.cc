#include "server/engine/objects/write_lease.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "proto/wire/half.h"
#include "server/engine/objects/name_hint.h"

namespace anex::engine {
namespace {

bool Converts(DType from, DType to) {
  return from == to || (from == DType::kFp32 && to == DType::kFp16);
}

void StoreRun(const char* data, DType from, DType to, int64_t count, std::byte* target) {
  if (from == to) {
    std::memcpy(target, data, static_cast<size_t>(count) * ElementSize(to));
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    float value;
    std::memcpy(&value, data + i * 4, 4);
    const uint16_t half = FloatToHalf(value);
    std::memcpy(target + i * 2, &half, 2);
  }
}

// The byte of row-major element `element`.
int64_t OffsetOfElement(const TensorLayout& layout, int64_t element) {
  int64_t offset = 0;
  for (int axis = layout.shape.rank() - 1; axis >= 0; --axis) {
    offset += element % layout.shape[axis] * layout.strides[axis];
    element /= layout.shape[axis];
  }
  return offset;
}

// Elements that lie together in memory: all of a packed tensor, a row of a padded one, else one.
int64_t RunLength(const TensorLayout& layout) {
  int64_t run = 1;
  for (int axis = layout.shape.rank() - 1; axis >= 0; --axis) {
    if (layout.shape[axis] == 1) continue;
    if (layout.strides[axis] != run * static_cast<int64_t>(ElementSize(layout.dtype))) break;
    run *= layout.shape[axis];
  }
  return run;
}

}  // namespace

uint32_t Crc32(const std::string& data) {
  return static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

absl::StatusOr<uint64_t> Lease::Accept(size_t index, const std::string& name,
                                       const TensorLayout& layout, const WeightChunk& chunk,
                                       uint32_t found_crc32) {
  if (!spoiled_.ok()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the update has failed before and can only be aborted: ", std::string(spoiled_.message())));
  }
  absl::StatusOr<uint64_t> elements = CheckChunk(index, layout, chunk, found_crc32);
  if (elements.ok()) return elements;
  spoiled_ = absl::Status(
      elements.status().code(),
      absl::StrCat("parameter ", Quoted(name), ": ", std::string(elements.status().message())));
  return spoiled_;
}

absl::StatusOr<uint64_t> Lease::CheckChunk(size_t index, const TensorLayout& layout,
                                           const WeightChunk& chunk, uint32_t found_crc32) const {
  if (!Converts(chunk.dtype, layout.dtype)) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected ", std::string(DTypeName(layout.dtype)),
                     layout.dtype == DType::kFp16 ? " or fp32" : "", ", found ",
                     std::string(DTypeName(chunk.dtype))));
  }
  const uint64_t size = ElementSize(chunk.dtype);
  if (chunk.data.empty() || chunk.data.size() % size != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(chunk.data.size(), " bytes are no whole number of elements of ", size));
  }
  const uint64_t elements = chunk.data.size() / size;
  const uint64_t total = static_cast<uint64_t>(layout.shape.ElementCount());
  const uint64_t next = written_[index];
  if (chunk.element_offset != next) {
    return absl::OutOfRangeError(absl::StrCat(chunk.element_offset > next ? "a gap" : "an overlap",
                                              ": element ", next, " is next, the chunk begins at ",
                                              chunk.element_offset));
  }
  if (elements > total - next) {
    return absl::OutOfRangeError(absl::StrCat("an overrun: ", elements, " elements from ", next,
                                              " in a parameter of ", total));
  }
  if (found_crc32 != chunk.crc32) {
    return absl::DataLossError(absl::StrCat("the chunk at element ", next, " has CRC-32 ",
                                            absl::Hex(found_crc32), ", was sent with ",
                                            absl::Hex(chunk.crc32), "; abort and send again"));
  }
  return elements;
}

absl::Status Lease::CheckComplete(const std::vector<std::string>& names,
                                  const std::vector<uint64_t>& element_counts) const {
  if (!spoiled_.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the update failed and must be aborted: ", std::string(spoiled_.message())));
  }
  for (size_t i = 0; i < names.size(); ++i) {
    if (written_[i] == 0 || written_[i] == element_counts[i]) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("parameter ", Quoted(names[i]), " is unfinished: ", written_[i], " of ",
                     element_counts[i], " elements were sent; send the rest or abort"));
  }
  return absl::OkStatus();
}

void StoreElements(const WeightChunk& chunk, uint64_t elements, const TensorLayout& layout,
                   std::byte* tensor) {
  const int64_t run = RunLength(layout);
  const size_t from_size = ElementSize(chunk.dtype);
  const int64_t begin = static_cast<int64_t>(chunk.element_offset);
  const int64_t end = begin + static_cast<int64_t>(elements);
  const char* data = chunk.data.data();
  for (int64_t at = begin; at < end;) {
    const int64_t count = std::min(end, (at / run + 1) * run) - at;
    StoreRun(data, chunk.dtype, layout.dtype, count, tensor + OffsetOfElement(layout, at));
    data += static_cast<size_t>(count) * from_size;
    at += count;
  }
}

}  // namespace anex::engine
