#include "server/session_doors.h"

#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "proto/wire/token_hex.h"

namespace anex::server {
namespace {

std::string Hex(const SideChannelToken& token) {
  return absl::BytesToHexString(SideChannelTokenToBytes(token));
}

engine::Identity IdentityOf(const door::Peer& peer) {
  engine::Identity identity;
  identity.kind = engine::Identity::Kind::kLocalUser;
  identity.uid = peer.uid;
  identity.pid = peer.pid;
  return identity;
}

}  // namespace

absl::StatusOr<SessionId> EngineSideChannelHost::Attach(const SideChannelToken& token,
                                                        const door::Peer& peer) {
  absl::StatusOr<SessionId> session = engine_.AttachSideChannel(Hex(token), IdentityOf(peer));
  if (session.ok()) {
    log_.Debug("side channel attached", {{"session", session->value()}, {"pid", peer.pid}});
  } else if (const auto left_out = refusals_.Admit()) {
    log_.Warning("side channel refused", {{"pid", peer.pid},
                                          {"uid", peer.uid},
                                          {"reason", session.status()},
                                          {"left_out", *left_out}});
  }
  return session;
}

absl::StatusOr<door::Delivery> EngineSideChannelHost::TakeHandover(SessionId session,
                                                                   const SideChannelToken& token) {
  absl::StatusOr<engine::Handover> handover = engine_.TakeHandover(session, Hex(token));
  if (!handover.ok()) return handover.status();
  return door::Delivery{std::move(handover->region), handover->access, std::move(handover->bell)};
}

absl::StatusOr<SideChannelToken> EngineSideChannelHost::OfferRegion(
    SessionId session, std::shared_ptr<shm::SharedRegion> region) {
  const absl::StatusOr<std::string> hex = engine_.OfferRegion(session, std::move(region));
  if (!hex.ok()) return hex.status();
  const std::optional<SideChannelToken> token = SideChannelTokenFromHex(*hex);
  if (!token) return absl::InternalError("the engine made an import token of the wrong length");
  return *token;
}

void EngineSideChannelHost::SessionGone(SessionId session, door::SessionEnd end) {
  engine_.SessionGone(session, door::SessionEndName(end));
}

ByeReason ByeReasonOf(std::string_view reason) {
  return reason.find("evict") != std::string_view::npos ? ByeReason::kEvicted : ByeReason::kClosed;
}

void DoorKeeper::OnConnection(shm::OwnedDescriptor connection, const door::Peer& peer,
                              door::ListenerRole role) {
  if (role != door::ListenerRole::kSideChannel) return adopt_grpc_(std::move(connection), role);
  const absl::Status adopted = side_door_.Adopt(std::move(connection), peer);
  if (!adopted.ok()) OnRefused(role, adopted);
}

void DoorKeeper::LogRefusal(std::string_view where, const absl::Status& why) {
  const auto left_out = refusals_.Admit();
  if (!left_out) return;
  log_.Warning("connection refused", {{"socket", where}, {"reason", why}, {"left_out", *left_out}});
}

void DoorKeeper::OnRefused(door::ListenerRole role, const absl::Status& why) {
  LogRefusal(door::ListenerRoleName(role), why);
}

void DoorKeeper::OnPeer(std::unique_ptr<shm::SideChannel> channel, const door::Peer& peer) {
  const absl::Status adopted = side_door_.Adopt(std::move(channel), peer);
  if (!adopted.ok()) OnPeerRefused(adopted);
}

void DoorKeeper::OnPeerRefused(const absl::Status& why) {
  LogRefusal(door::kSurfaceServiceName, why);
}

void DoorKeeper::OnServiceLost(const absl::Status& why) {
  log_.Error("surfaces are not handed over: clients do not find the service",
             {{"service", door::kSurfaceServiceName}, {"reason", why}});
}

void DoorKeeper::OnListenerLost(door::ListenerRole role, const absl::Status& outcome) {
  const std::string_view socket = door::ListenerRoleName(role);
  if (outcome.ok()) {
    log_.Warning("socket file was gone; made a new one", {{"socket", socket}});
  } else {
    log_.Error("socket file is gone; clients cannot find this daemon",
               {{"socket", socket}, {"reason", outcome}});
  }
}

}  // namespace anex::server
