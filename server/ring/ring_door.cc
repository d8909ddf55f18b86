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
  parts.admission = std::make_shared<const engine::Admission>(*std::move(admission));
  if (on_broken_) {
    parts.on_broken = [told = on_broken_, session = caller.session](std::string_view sentence) {
      told(session, sentence);
    };
  }
  // Memory and descriptors are the session's until they are claimed, or not wanted any more.
  const absl::StatusOr<std::string> region_token = engine_.PrepareHandover(
      caller, {region, shm::RegionAccess::kReadWrite, nullptr, parts.admission});
  if (!region_token.ok()) return region_token.status();
  const absl::StatusOr<std::string> bell_token = engine_.PrepareHandover(
      caller, {.region = nullptr, .bell = parts.bell, .admission = parts.admission});
  parts.tokens = {*region_token, bell_token.ok() ? *bell_token : std::string()};
  const auto source = std::make_shared<RingSource>(std::move(parts));
  absl::Status opened = bell_token.status();
  if (opened.ok()) opened = engine_.AttachSource(caller, lane, spec.device, source);
  if (opened.ok()) return OpenedRing{lane, *region_token, *bell_token};
  source->Detached();
  return opened;
}

absl::Status RingDoor::Close(const engine::Caller& caller, LaneId lane) {
  return engine_.DetachSource(caller, lane);
}

}  // namespace anex::ring
