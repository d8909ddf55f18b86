#include "server/ring/ring_door.h"

#include <memory>
#include <utility>

#include "proto/shm/doorbell.h"
#include "proto/shm/ring.h"
#include "server/ring/ring_source.h"

namespace anex::ring {

absl::StatusOr<OpenedRing> RingDoor::Open(const engine::Caller& caller, const RingSpec& spec) {
  if (spec.lane) return OpenOn(caller, spec, spec.lane);
  const absl::StatusOr<LaneId> lane = engine_.CreateLane(caller, spec.made_lane);
  if (!lane.ok()) return lane.status();
  absl::StatusOr<OpenedRing> opened = OpenOn(caller, spec, *lane);
  if (!opened.ok()) engine_.ReleaseLane(caller, *lane).IgnoreError();
  return opened;
}

absl::StatusOr<OpenedRing> RingDoor::OpenOn(const engine::Caller& caller, const RingSpec& spec,
                                            LaneId lane) {
  const absl::StatusOr<RingGeometry> geometry =
      RingGeometry::Make(spec.submission_entries, spec.completion_entries);
  if (!geometry.ok()) return geometry.status();
  absl::StatusOr<engine::Admission> admission =
      engine_.AdmitRing(caller, geometry->completion_entries, geometry->bytes());
  if (!admission.ok()) return admission.status();
  absl::StatusOr<std::unique_ptr<shm::DaemonRing>> ring =
      shm::DaemonRing::Create(*geometry, "anex-ring");
  if (!ring.ok()) return ring.status();
  absl::StatusOr<shm::Doorbell> bell = shm::Doorbell::Create();
  if (!bell.ok()) return bell.status();
  const std::shared_ptr<shm::SharedRegion> region = (*ring)->region();

  RingSource::Parts parts;
  parts.engine = &engine_;
  parts.caller.identity = caller.identity;
  parts.caller.role = caller.role;
  parts.caller.session = caller.session;
  parts.lane = lane;
  parts.ring = *std::move(ring);
  parts.bell = std::make_shared<const shm::Doorbell>(*std::move(bell));
  parts.admission = *std::move(admission);
  if (on_broken_) {
    parts.on_broken = [told = on_broken_, session = caller.session](std::string_view sentence) {
      told(session, sentence);
    };
  }
  const std::shared_ptr<const shm::Doorbell> shared_bell = parts.bell;
  const auto source = std::make_shared<RingSource>(std::move(parts));
  if (absl::Status s = engine_.AttachSource(caller, lane, spec.device, source); !s.ok()) return s;

  absl::StatusOr<std::string> region_token = engine_.PrepareHandover(
      caller, engine::Handover{region, shm::RegionAccess::kReadWrite, nullptr});
  absl::StatusOr<std::string> bell_token =
      engine_.PrepareHandover(caller, engine::Handover{.region = nullptr, .bell = shared_bell});
  if (region_token.ok() && bell_token.ok()) {
    return OpenedRing{lane, *std::move(region_token), *std::move(bell_token)};
  }
  engine_.DetachSource(caller, lane).IgnoreError();
  return region_token.ok() ? bell_token.status() : region_token.status();
}

absl::Status RingDoor::Close(const engine::Caller& caller, LaneId lane) {
  return engine_.DetachSource(caller, lane);
}

}  // namespace anex::ring
