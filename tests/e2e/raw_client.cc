#include "tests/e2e/raw_client.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "anex/v1/execution.grpc.pb.h"
#include "anex/v1/invocations.grpc.pb.h"
#include "anex/v1/kernels.grpc.pb.h"
#include "anex/v1/rings.grpc.pb.h"
#include "anex/v1/sessions.grpc.pb.h"
#include "anex/v1/surfaces.grpc.pb.h"
#include "proto/wire/token_hex.h"

namespace anex::test {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

std::unique_ptr<grpc::ClientContext> ContextOf(const std::string& secret) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + absl::ToChronoSeconds(kPatience));
  if (!secret.empty()) context->AddMetadata("anex-session-secret", secret);
  return context;
}

absl::Status Said(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

SideChannelToken TokenOf(const std::string& hex) {
  return SideChannelTokenFromHex(hex).value_or(SideChannelToken{});
}

}  // namespace

std::shared_ptr<grpc::Channel> NewChannel(const std::string& socket) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel("unix:" + socket, grpc::InsecureChannelCredentials(), arguments);
}

absl::StatusOr<std::unique_ptr<RawClient>> RawClient::Open(std::shared_ptr<grpc::Channel> channel,
                                                           const std::string& name) {
  std::unique_ptr<RawClient> client(new RawClient);
  client->channel_ = std::move(channel);
  v1::OpenSessionRequest request;
  request.set_client_name(name);
  v1::OpenSessionResponse response;
  absl::Status opened =
      Said(v1::Sessions::NewStub(client->channel_)->Open(ContextOf("").get(), request, &response));
  if (!opened.ok()) return opened;
  client->secret_ = response.secret();
  opened = client->Attach(response.side_channel(), response.side_channel_token());
  if (!opened.ok()) return opened;
  return client;
}

absl::Status RawClient::Attach(const std::string& path, const std::string& token_hex) {
  absl::StatusOr<std::unique_ptr<shm::SideChannel>> side = shm::ConnectSideChannel(path, kPatience);
  if (!side.ok()) return side.status();
  side_ = *std::move(side);
  absl::Status sent = side_->Send(SideChannelFrame::Hello(TokenOf(token_hex)), -1, kPatience);
  if (!sent.ok()) return sent;
  const absl::StatusOr<shm::ReceivedFrame> answer = side_->Receive(kPatience);
  if (!answer.ok()) return answer.status();
  if (answer->frame.kind == FrameKind::kWelcome) return absl::OkStatus();
  return absl::InternalError("the side channel did not say welcome");
}

absl::StatusOr<shm::ReceivedFrame> RawClient::Claim(const std::string& token_hex) {
  absl::Status sent =
      side_->Send(SideChannelFrame::Claim(++requests_, TokenOf(token_hex)), -1, kPatience);
  if (!sent.ok()) return sent;
  absl::StatusOr<shm::ReceivedFrame> answer = side_->Receive(kPatience);
  if (!answer.ok()) return answer.status();
  if (answer->frame.has_descriptor) return answer;
  return absl::InternalError("a claim brought no descriptor");
}

absl::Status RawClient::MakeWork(const std::string& kernel_digest, uint32_t entries) {
  v1::CompileByDigestRequest compile;
  compile.set_digest(kernel_digest);
  v1::CompileResponse compiled;
  absl::Status made = Said(v1::Kernels::NewStub(channel_)->CompileByDigest(ContextOf(secret_).get(),
                                                                           compile, &compiled));
  if (!made.ok()) return made;
  v1::PrepareInvocationRequest prepare;
  prepare.set_kernel_id(compiled.kernel().kernel_id());
  const auto surfaces = v1::Surfaces::NewStub(channel_);
  const std::pair<const char*, std::pair<int, int>> kPorts[] = {
      {"x", {4, 3}}, {"W", {2, 4}}, {"y", {2, 3}}};
  for (const auto& [port, dims] : kPorts) {
    v1::CreateSurfaceRequest create;
    create.set_dtype(v1::DTYPE_FP16);
    create.add_shape(dims.first);
    create.add_shape(dims.second);
    v1::CreateSurfaceResponse created;
    made = Said(surfaces->Create(ContextOf(secret_).get(), create, &created));
    if (!made.ok()) return made;
    v1::Binding* binding = prepare.add_bindings();
    binding->set_port(port);
    binding->set_surface_id(created.surface().surface_id());
    v1::PrepareHandoverRequest handover;
    handover.set_surface_id(created.surface().surface_id());
    handover.set_access(v1::ACCESS_READ_WRITE);
    v1::PrepareHandoverResponse handed;
    made = Said(surfaces->PrepareHandover(ContextOf(secret_).get(), handover, &handed));
    if (!made.ok()) return made;
    absl::StatusOr<shm::ReceivedFrame> memory = Claim(handed.token());
    if (!memory.ok()) return memory.status();
    auto region = shm::MapRegionUntrusted(std::move(memory->descriptor), memory->frame.bytes,
                                          shm::RegionAccess::kReadWrite);
    if (!region.ok()) return region.status();
    mapped_.push_back(*std::move(region));
  }
  v1::PrepareInvocationResponse prepared;
  made = Said(
      v1::Invocations::NewStub(channel_)->Prepare(ContextOf(secret_).get(), prepare, &prepared));
  if (!made.ok()) return made;
  invocation_ = prepared.invocation_id();
  v1::CreateFenceResponse fence;
  made = Said(v1::Execution::NewStub(channel_)->CreateFence(ContextOf(secret_).get(),
                                                            v1::CreateFenceRequest(), &fence));
  if (!made.ok()) return made;
  fence_ = fence.fence_id();
  return OpenRing(entries);
}

absl::Status RawClient::RenewRing(uint32_t entries) {
  v1::ReleaseLaneRequest request;
  request.set_lane_id(lane_);
  v1::ReleaseLaneResponse response;
  const absl::Status released = Said(
      v1::Execution::NewStub(channel_)->ReleaseLane(ContextOf(secret_).get(), request, &response));
  return released.ok() ? OpenRing(entries) : released;
}

absl::Status RawClient::OpenRing(uint32_t entries) {
  v1::OpenRingRequest request;
  request.set_submission_entries(entries);
  request.set_completion_entries(entries);
  v1::OpenRingResponse response;
  absl::Status opened =
      Said(v1::Rings::NewStub(channel_)->Open(ContextOf(secret_).get(), request, &response));
  if (!opened.ok()) return opened;
  lane_ = response.lane_id();
  absl::StatusOr<shm::ReceivedFrame> memory = Claim(response.region_token());
  if (!memory.ok()) return memory.status();
  auto region = shm::MapRegionUntrusted(std::move(memory->descriptor), memory->frame.bytes,
                                        shm::RegionAccess::kReadWrite);
  if (!region.ok()) return region.status();
  region_ = *std::move(region);
  absl::StatusOr<shm::ReceivedFrame> bell = Claim(response.doorbell_token());
  if (!bell.ok()) return bell.status();
  auto ring =
      shm::ClientRing::Attach(region_, shm::Doorbell::AdoptRinger(std::move(bell->descriptor)));
  if (!ring.ok()) return ring.status();
  ring_ = *std::move(ring);
  return absl::OkStatus();
}

shm::RingParts RawClient::Parts() const {
  return shm::RingParts(region_->data(), ring_->geometry());
}

}  // namespace anex::test
