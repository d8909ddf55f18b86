#include "proto/convert/tensor_convert.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/convert/utf8.h"

namespace anex::convert {
namespace {

absl::Status Invalid(const std::string& what) { return absl::InvalidArgumentError(what); }

}  // namespace

v1::DType ToProto(DType dtype) { return static_cast<v1::DType>(dtype); }

absl::StatusOr<DType> FromProto(v1::DType dtype) {
  if (!v1::DType_IsValid(dtype)) return Invalid(absl::StrCat("dtype ", dtype, " is unknown"));
  return static_cast<DType>(dtype);
}

void ToProto(const TensorLayout& layout, v1::TensorLayout* message) {
  if (layout.dtype == DType::kInvalid) return;
  message->set_dtype(ToProto(layout.dtype));
  for (int64_t dim : layout.shape.dims()) message->add_shape(dim);
  for (int64_t stride : layout.stride_span()) message->add_stride_bytes(stride);
  message->set_allocation_bytes(layout.allocation_bytes);
}

absl::StatusOr<TensorLayout> FromProto(const v1::TensorLayout& message) {
  TensorLayout layout;
  auto dtype = FromProto(message.dtype());
  if (!dtype.ok()) return dtype.status();
  if (*dtype == DType::kInvalid) {
    if (message.shape_size() != 0 || message.stride_bytes_size() != 0 ||
        message.allocation_bytes() != 0) {
      return Invalid("a layout without a dtype must be empty");
    }
    return layout;
  }
  auto shape = Shape::Make({message.shape().data(), static_cast<size_t>(message.shape_size())});
  if (!shape.ok()) return shape.status();
  if (message.stride_bytes_size() != message.shape_size()) {
    return Invalid(absl::StrCat("a layout of ", message.shape_size(), " axes has ",
                                message.stride_bytes_size(), " strides"));
  }
  layout.dtype = *dtype;
  layout.shape = *shape;
  std::copy(message.stride_bytes().begin(), message.stride_bytes().end(), layout.strides.begin());
  layout.allocation_bytes = message.allocation_bytes();
  if (absl::Status good = CheckLayout(layout); !good.ok()) return good;
  return layout;
}

void ToProto(const Region& region, v1::Region* message) {
  for (int64_t begin : region.begin) message->add_begin(begin);
  for (int64_t size : region.size) message->add_size(size);
}

absl::StatusOr<Region> FromProto(const v1::Region& message) {
  if (message.begin_size() > kMaxRank || message.begin_size() != message.size_size()) {
    return Invalid(absl::StrCat("a region has ", message.begin_size(), " begins and ",
                                message.size_size(), " sizes; give one of each per axis, at most ",
                                kMaxRank));
  }
  Region region;
  region.begin.assign(message.begin().begin(), message.begin().end());
  region.size.assign(message.size().begin(), message.size().end());
  return region;
}

void ToProto(const PortRef& port, v1::PortRef* message) {
  message->set_kernel_id(port.kernel.value());
  message->set_function(ToUtf8(port.function));
  message->set_port(ToUtf8(port.port));
}

absl::StatusOr<PortRef> FromProto(const v1::PortRef& message) {
  return PortRef{KernelId(message.kernel_id()), message.function(), message.port()};
}

v1::Access ToProto(Access access) {
  return access == Access::kReadWrite ? v1::ACCESS_READ_WRITE : v1::ACCESS_READ_ONLY;
}

absl::StatusOr<Access> FromProto(v1::Access access) {
  switch (access) {
    case v1::ACCESS_READ_ONLY:
      return Access::kReadOnly;
    case v1::ACCESS_READ_WRITE:
      return Access::kReadWrite;
    default:
      return Invalid("access must be read-only or read-write");
  }
}

}  // namespace anex::convert
