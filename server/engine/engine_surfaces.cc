// The engine's verbs about surfaces: create, hand over, import, share, read and write.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/engine/engine_impl.h"
#include "server/engine/objects/region_copy.h"

namespace anex::engine {
namespace {

// A surface that a session in this process holds read-only. The bytes are the same; the type says
// no.
class ReadOnlyView final : public shm::SharedRegion {
 public:
  explicit ReadOnlyView(std::shared_ptr<shm::SharedRegion> region) : region_(std::move(region)) {}
  std::byte* data() override { return region_->data(); }
  const std::byte* data() const override { return std::as_const(*region_).data(); }
  uint64_t size() const override { return region_->size(); }
  shm::RegionAccess access() const override { return shm::RegionAccess::kReadOnly; }
  absl::StatusOr<shm::OwnedDescriptor> Share(shm::RegionAccess) const override {
    return region_->Share(shm::RegionAccess::kReadOnly);
  }
  absl::Status Lock(shm::RegionAccess access) override { return region_->Lock(access); }
  absl::Status Unlock(shm::RegionAccess access) override { return region_->Unlock(access); }

 private:
  const std::shared_ptr<shm::SharedRegion> region_;
};

// What `have` allows of `wanted`.
absl::Status CheckAccess(Access have, Access wanted) {
  if (wanted == Access::kReadOnly || have == Access::kReadWrite) return absl::OkStatus();
  return absl::PermissionDeniedError("the surface was granted read-only");
}

bool SameShape(const Shape& a, const Shape& b) {
  std::vector<int64_t> x, y;
  std::copy_if(a.dims().begin(), a.dims().end(), std::back_inserter(x),
               [](int64_t dim) { return dim != 1; });
  std::copy_if(b.dims().begin(), b.dims().end(), std::back_inserter(y),
               [](int64_t dim) { return dim != 1; });
  return x == y;
}

struct NamedLayout {
  std::string name;  // for messages
  TensorLayout layout;
};

absl::StatusOr<NamedLayout> PortLayout(const Session& session, const PortRef& ref) {
  absl::StatusOr<std::shared_ptr<const KernelEntry>> entry = session.kernels.Find(ref.kernel);
  if (!entry.ok()) return entry.status();
  const Kernel& kernel = *(*entry)->kernel;
  absl::StatusOr<size_t> function = kernel.FindFunction(ref.function);
  if (!function.ok()) return function.status();
  absl::StatusOr<size_t> port = kernel.FindPort(*function, ref.port);
  if (!port.ok()) return port.status();
  const FunctionInfo& info = kernel.functions()[*function];
  return NamedLayout{absl::StrCat("port \"", ref.port, "\" of function \"", info.name, "\""),
                     info.ports[*port].layout};
}

absl::Status Disagree(const NamedLayout& a, const NamedLayout& b) {
  return absl::FailedPreconditionError(
      absl::StrCat("no one layout fits: ", a.name, " wants ", a.layout.ToString(), ", ", b.name,
                   " wants ", b.layout.ToString(), "; use two surfaces and a copy step"));
}

// Copies between a surface's region and packed bytes, with the region locked.
template <typename Copy>
absl::Status WithLocked(shm::SharedRegion& region, shm::RegionAccess access, const Copy& copy) {
  if (absl::Status locked = region.Lock(access); !locked.ok()) return locked;
  copy();
  return region.Unlock(access);
}

absl::StatusOr<TensorLayout> PackedLayoutOf(const TensorLayout& layout, const Region& region) {
  absl::StatusOr<Region> resolved = ResolveRegion(layout, region, "region");
  if (!resolved.ok()) return resolved.status();
  return MakePackedLayout(layout.dtype, RegionShape(*resolved));
}

absl::Status CheckImport(const TensorLayout& layout_untrusted, std::string_view label) {
  if (absl::Status labelled = CheckLabel(label, "label"); !labelled.ok()) return labelled;
  return CheckLayout(layout_untrusted);
}

// `charge`: for the region, in the session's budget. REQUIRES: CheckImport was OK.
absl::StatusOr<SurfaceInfo> Import(Session& session, ByteCharge charge,
                                   std::shared_ptr<shm::SharedRegion> region,
                                   const TensorLayout& layout, std::string_view label) {
  if (region->size() < layout.allocation_bytes) {
    return absl::OutOfRangeError(absl::StrCat(
        "the region has ", region->size(), " bytes, the layout needs ", layout.allocation_bytes));
  }
  const Access access =
      region->access() == shm::RegionAccess::kReadWrite ? Access::kReadWrite : Access::kReadOnly;
  std::shared_ptr<Surface> surface =
      SurfacePool::Adopt(std::move(region), layout, label, std::move(charge));
  // Here and not when it was offered: the side channel's thread has no time for it.
  if (absl::Status touched = surface->region()->Touch(); !touched.ok()) return touched;
  const SurfaceEntry entry = SurfaceEntry::Of(std::move(surface), access, SurfaceOrigin::kImported);
  absl::StatusOr<SurfaceId> id = session.surfaces.Add(entry);
  if (!id.ok()) return id.status();
  return entry.Info(*id);
}

}  // namespace

absl::StatusOr<TensorLayout> Engine::Impl::LayoutFor(const Session& session, DType dtype,
                                                     const Shape& shape,
                                                     std::span<const PortRef> fits) const {
  if (fits.empty()) {
    if (dtype == DType::kInvalid) {
      return absl::InvalidArgumentError("name a dtype and a shape, or ports to fit");
    }
    absl::StatusOr<DeviceInstance> instance = DispatcherOf(default_device).slot().Current();
    if (!instance.ok()) return instance.status();
    return instance->device->PreferredLayout(dtype, shape);
  }
  absl::StatusOr<NamedLayout> first = PortLayout(session, fits[0]);
  if (!first.ok()) return first.status();
  TensorLayout layout = first->layout;
  for (const PortRef& ref : fits.subspan(1)) {
    absl::StatusOr<NamedLayout> other = PortLayout(session, ref);
    if (!other.ok()) return other.status();
    if (!SameElements(layout, other->layout)) return Disagree(*first, *other);
    layout.allocation_bytes = std::max(layout.allocation_bytes, other->layout.allocation_bytes);
  }
  const bool agrees =
      dtype == DType::kInvalid || (dtype == layout.dtype && SameShape(shape, layout.shape));
  if (agrees) return layout;
  return absl::InvalidArgumentError(absl::StrCat(first->name, " wants ", layout.ToString(),
                                                 ", asked for ", std::string(DTypeName(dtype)), " ",
                                                 shape.ToString()));
}

absl::StatusOr<SurfaceInfo> Engine::CreateSurface(const Caller& caller, const SurfaceSpec& spec) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  if (absl::Status label = CheckLabel(spec.label, "label"); !label.ok()) return label;
  absl::StatusOr<TensorLayout> layout =
      impl_->LayoutFor(**session, spec.dtype, spec.shape, spec.fits);
  if (!layout.ok()) return layout.status();
  absl::StatusOr<std::shared_ptr<Surface>> surface = (*session)->pool().Create(*layout, spec.label);
  if (!surface.ok()) return surface.status();
  const SurfaceEntry entry =
      SurfaceEntry::Of(*std::move(surface), Access::kReadWrite, SurfaceOrigin::kCreated);
  absl::StatusOr<SurfaceId> id = (*session)->surfaces.Add(entry);
  if (!id.ok()) return id.status();
  return entry.Info(*id);
}

absl::StatusOr<std::string> Engine::PrepareHandover(const Caller& caller, SurfaceId surface,
                                                    Access access) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<SurfaceEntry> entry = (*session)->surfaces.Find(surface);
  if (!entry.ok()) return entry.status();
  if (absl::Status allowed = CheckAccess(entry->access, access); !allowed.ok()) return allowed;
  const std::shared_ptr<Surface>& shared = entry->surface();
  if (!impl_->options.regions_share_read_only && shared->origin() != SurfaceOrigin::kImported) {
    if (entry->access != Access::kReadWrite) {
      return absl::UnimplementedError(
          "the surface was granted read-only, and this machine hands memory over for writing only; "
          "read it through messages, bind it, or ask for a grant that allows writing");
    }
    access = Access::kReadWrite;
  }
  const auto region_access =
      access == Access::kReadWrite ? shm::RegionAccess::kReadWrite : shm::RegionAccess::kReadOnly;
  const int64_t expires =
      impl_->clock.Now() + static_cast<int64_t>(impl_->limits.Get(&Limits::unpublished_import_ns));
  absl::StatusOr<QuotaPlace> place = impl_->surface_quota->Take();
  if (!place.ok()) return place.status();
  PendingHandover pending{shared, Handover{shared->region(), region_access, nullptr},
                          *std::move(place)};
  return impl_->AddToken(impl_->handovers, **session, std::move(pending), expires);
}

absl::StatusOr<std::string> Engine::PrepareHandover(const Caller& caller, Handover handover) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  const int64_t expires =
      impl_->clock.Now() + static_cast<int64_t>(impl_->limits.Get(&Limits::unpublished_import_ns));
  absl::StatusOr<QuotaPlace> place = impl_->surface_quota->Take();
  if (!place.ok()) return place.status();
  PendingHandover pending{nullptr, std::move(handover), *std::move(place)};
  return impl_->AddToken(impl_->handovers, **session, std::move(pending), expires);
}

absl::StatusOr<Handover> Engine::TakeHandover(SessionId session, std::string_view token) {
  absl::StatusOr<PendingHandover> pending =
      impl_->handovers.TakeOwn(session, token, impl_->clock.Now());
  if (!pending.ok()) return pending.status();
  return std::move(pending->handover);
}

absl::StatusOr<std::shared_ptr<shm::SharedRegion>> Engine::MapSurface(const Caller& caller,
                                                                      SurfaceId surface) {
  if (caller.identity.kind != Identity::Kind::kInProcess) {
    return absl::FailedPreconditionError(
        "only callers in this process map directly; others prepare a hand-over");
  }
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<SurfaceEntry> entry = (*session)->surfaces.Find(surface);
  if (!entry.ok()) return entry.status();
  if (entry->access == Access::kReadWrite) return entry->surface()->region();
  return std::make_shared<ReadOnlyView>(entry->surface()->region());
}

absl::StatusOr<std::string> Engine::OfferRegion(SessionId session,
                                                std::shared_ptr<shm::SharedRegion> region) {
  const absl::StatusOr<std::shared_ptr<Session>> owner = impl_->sessions.Find(session);
  if (!owner.ok()) return owner.status();
  const int64_t expires =
      impl_->clock.Now() + static_cast<int64_t>(impl_->limits.Get(&Limits::unpublished_import_ns));
  absl::StatusOr<ByteCharge> charge = (*owner)->pool().TakeBudget(region->size());
  if (!charge.ok()) return charge.status();
  absl::StatusOr<QuotaPlace> place = impl_->surface_quota->Take();
  if (!place.ok()) return place.status();
  PendingOffer offer{*std::move(place), *std::move(charge), std::move(region)};
  return impl_->AddToken(impl_->offers, **owner, std::move(offer), expires);
}

absl::StatusOr<SurfaceInfo> Engine::ImportSurface(const Caller& caller, std::string_view token,
                                                  const TensorLayout& layout_untrusted,
                                                  std::string_view label) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  if (absl::Status sane = CheckImport(layout_untrusted, label); !sane.ok()) return sane;
  absl::StatusOr<PendingOffer> offer =
      impl_->offers.TakeOwn((*session)->id(), token, impl_->clock.Now());
  if (!offer.ok()) return offer.status();
  offer->place.Reset();  // the surface has one of its own
  return Import(**session, std::move(offer->charge), std::move(offer->region), layout_untrusted,
                label);
}

absl::StatusOr<SurfaceInfo> Engine::ImportGlobalIosurface(const Caller& caller, uint32_t number,
                                                          const TensorLayout& layout_untrusted,
                                                          std::string_view label) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  if (absl::Status sane = CheckImport(layout_untrusted, label); !sane.ok()) return sane;
  if (impl_->options.find_global_iosurface == nullptr) {
    return absl::PermissionDeniedError(
        "surfaces are not looked up by their global numbers, which every process of the machine "
        "could guess: hand the surface over on the side channel (Import), or start anexd with "
        "allow_global_iosurfaces");
  }
  absl::StatusOr<std::shared_ptr<shm::SharedRegion>> region =
      impl_->options.find_global_iosurface(number, layout_untrusted.allocation_bytes);
  if (!region.ok()) return region.status();
  absl::StatusOr<ByteCharge> charge = (*session)->pool().TakeBudget((*region)->size());
  if (!charge.ok()) return charge.status();
  return Import(**session, *std::move(charge), *std::move(region), layout_untrusted, label);
}

absl::StatusOr<GrantTicket> Engine::GrantSurface(const Caller& caller, SurfaceId surface,
                                                 Access access) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<SurfaceEntry> entry = (*session)->surfaces.Find(surface);
  if (!entry.ok()) return entry.status();
  if (absl::Status allowed = CheckAccess(entry->access, access); !allowed.ok()) return allowed;
  entry->surface()->MarkShared();
  absl::StatusOr<std::string> ticket =
      impl_->AddToken(impl_->grants, **session, GrantOffer{entry->surface(), access});
  if (!ticket.ok()) return ticket.status();
  return GrantTicket{*std::move(ticket)};
}

absl::StatusOr<SurfaceInfo> Engine::ClaimGrant(const Caller& caller, std::string_view ticket) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  // A place first: a ticket that is refused for want of one can be used again later.
  SurfaceEntry entry;
  const auto take = [&](SurfaceId) -> absl::StatusOr<SurfaceEntry> {
    absl::StatusOr<GrantOffer> offer = impl_->grants.Take(ticket, impl_->clock.Now());
    if (!offer.ok()) return offer.status();
    entry = SurfaceEntry::Of(std::move(offer->surface), offer->access, SurfaceOrigin::kGranted);
    return entry;
  };
  absl::StatusOr<SurfaceId> id = (*session)->surfaces.AddIf(take);
  if (!id.ok()) return id.status();
  return entry.Info(*id);
}

absl::StatusOr<SurfaceInfo> Engine::DescribeSurface(const Caller& caller, SurfaceId surface) const {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<SurfaceEntry> entry = (*session)->surfaces.Find(surface);
  if (!entry.ok()) return entry.status();
  return entry->Info(surface);
}

absl::StatusOr<std::string> Engine::ReadSurface(const Caller& caller, SurfaceId surface,
                                                const Region& region) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<SurfaceEntry> entry = (*session)->surfaces.Find(surface);
  if (!entry.ok()) return entry.status();
  const TensorLayout& layout = entry->surface()->layout();
  absl::StatusOr<TensorLayout> packed = PackedLayoutOf(layout, region);
  if (!packed.ok()) return packed.status();
  absl::StatusOr<RegionCopy> copy = RegionCopy::Make(layout, region, *packed, {});
  if (!copy.ok()) return copy.status();
  std::string bytes(PayloadBytes(*packed), '\0');
  shm::SharedRegion& memory = *entry->surface()->region();
  absl::Status copied = WithLocked(memory, shm::RegionAccess::kReadOnly, [&] {
    copy->Run(std::as_const(memory).data(), reinterpret_cast<std::byte*>(bytes.data()));
  });
  if (!copied.ok()) return copied;
  return bytes;
}

absl::Status Engine::WriteSurface(const Caller& caller, SurfaceId surface, const Region& region,
                                  std::string_view packed) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  absl::StatusOr<SurfaceEntry> entry = (*session)->surfaces.Find(surface);
  if (!entry.ok()) return entry.status();
  absl::Status allowed = CheckAccess(entry->access, Access::kReadWrite);
  if (!allowed.ok()) return allowed;
  const TensorLayout& layout = entry->surface()->layout();
  absl::StatusOr<TensorLayout> from = PackedLayoutOf(layout, region);
  if (!from.ok()) return from.status();
  if (packed.size() != PayloadBytes(*from)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the region ", from->shape.ToString(), " of ", std::string(DTypeName(layout.dtype)),
        " takes ", PayloadBytes(*from), " bytes, found ", packed.size()));
  }
  absl::StatusOr<RegionCopy> copy = RegionCopy::Make(*from, {}, layout, region);
  if (!copy.ok()) return copy.status();
  shm::SharedRegion& memory = *entry->surface()->region();
  return WithLocked(memory, shm::RegionAccess::kReadWrite, [&] {
    copy->Run(reinterpret_cast<const std::byte*>(packed.data()), memory.data());
  });
}

absl::Status Engine::ReleaseSurface(const Caller& caller, SurfaceId surface) {
  absl::StatusOr<std::shared_ptr<Session>> session = impl_->SessionOf(caller);
  if (!session.ok()) return session.status();
  return (*session)->surfaces.Remove(surface).status();
}

}  // namespace anex::engine
