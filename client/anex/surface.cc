#include "client/anex/surface.h"

#include <utility>

namespace anex {

Surface::Surface(internal::CorePtr core, SurfaceInfo info)
    : handle_(core, info.id),
      info_(std::move(info)),
      tensor_(std::make_unique<internal::MappedTensor>(std::move(core), info_.id, info_.layout,
                                                       info_.access)) {}

absl::Status Surface::CopyFrom(std::span<const float> values) const {
  return tensor_ == nullptr ? internal::EmptyObject() : tensor_->CopyFrom(values);
}

absl::Status Surface::CopyTo(std::span<float> values) const {
  return tensor_ == nullptr ? internal::EmptyObject() : tensor_->CopyTo(values);
}

absl::Status Surface::CopyFromBytes(std::string_view packed) const {
  return tensor_ == nullptr ? internal::EmptyObject() : tensor_->CopyFromBytes(packed);
}

absl::StatusOr<std::string> Surface::ToBytes() const {
  if (tensor_ == nullptr) return internal::EmptyObject();
  return tensor_->ToBytes();
}

absl::Status Surface::FillZero() const {
  return tensor_ == nullptr ? internal::EmptyObject() : tensor_->FillZero();
}

absl::StatusOr<std::string> Surface::ReadThroughTransport(const Region& region) const {
  const absl::StatusOr<Transport*> transport = handle_.Live();
  if (!transport.ok()) return transport.status();
  return (*transport)->ReadSurface(id(), region);
}

absl::Status Surface::WriteThroughTransport(std::string_view packed, const Region& region) const {
  const absl::StatusOr<Transport*> transport = handle_.Live();
  return transport.ok() ? (*transport)->WriteSurface(id(), region, packed) : transport.status();
}

absl::StatusOr<std::string> Surface::Grant(Access access) const {
  const absl::StatusOr<Transport*> transport = handle_.Live();
  if (!transport.ok()) return transport.status();
  return (*transport)->GrantSurface(id(), access);
}

absl::StatusOr<SurfaceInfo> Surface::Describe() const {
  const absl::StatusOr<Transport*> transport = handle_.Live();
  if (!transport.ok()) return transport.status();
  return (*transport)->DescribeSurface(id());
}

absl::Status Surface::Release() {
  tensor_.reset();
  return handle_.Release();
}

}  // namespace anex
