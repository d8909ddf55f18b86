#include "tests/rpc/rpc_fixture.h"

#include <fcntl.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/generic/generic_stub.h>
#include <sys/socket.h>

#include <chrono>
#include <span>

#include "proto/wire/half.h"
#include "server/device/cpu/cpu_device.h"
#include "server/device/device_list.h"
#include "tests/system/descriptors.h"

namespace anex::rpc {
namespace {

constexpr auto kPatience = std::chrono::seconds(20);

std::string Fp16(const std::vector<float>& values) {
  std::string bytes;
  for (float value : values) {
    const uint16_t half = FloatToHalf(value);
    bytes.append(reinterpret_cast<const char*>(&half), sizeof(half));
  }
  return bytes;
}

std::vector<float> FromFp16(const std::string& bytes) {
  std::vector<float> values;
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    uint16_t half;
    std::memcpy(&half, bytes.data() + i, sizeof(half));
    values.push_back(HalfToFloat(half));
  }
  return values;
}

}  // namespace

// --- Client
// ---------------------------------------------------------------------------------------

std::unique_ptr<grpc::ClientContext> Client::Context() const {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + kPatience);
  if (!secret_.empty()) context->AddMetadata("anex-session-secret", secret_);
  return context;
}

Reply Client::CallByPath(const std::string& path, const std::string& request) const {
  grpc::GenericStub stub(channel_);
  grpc::CompletionQueue queue;
  const auto context = Context();
  const grpc::Slice slice(request);
  const grpc::ByteBuffer message(&slice, 1);
  auto call = stub.PrepareUnaryCall(context.get(), path, message, &queue);
  call->StartCall();
  grpc::ByteBuffer answer;
  Reply reply;
  call->Finish(&answer, &reply.status, &queue);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  const auto& metadata = context->GetServerInitialMetadata();
  if (const auto epoch = metadata.find("anex-daemon-epoch"); epoch != metadata.end()) {
    reply.epoch.assign(epoch->second.data(), epoch->second.size());
  }
  return reply;
}

v1::OpenSessionResponse Client::OpenSession(const std::string& key) {
  v1::OpenSessionRequest request;
  request.set_client_name("test");
  request.set_idempotency_key(key);
  v1::OpenSessionResponse response;
  const auto context = std::make_unique<grpc::ClientContext>();
  const grpc::Status status = Stub<v1::Sessions>()->Open(context.get(), request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  secret_ = response.secret();
  return response;
}

uint64_t Client::CreateSurface() {
  v1::CreateSurfaceRequest request;
  request.set_dtype(v1::DTYPE_FP16);
  request.add_shape(2);
  request.add_shape(3);
  v1::CreateSurfaceResponse response;
  const grpc::Status status = Stub<v1::Surfaces>()->Create(Context().get(), request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.surface().surface_id();
}

grpc::Status Client::WriteSurface(uint64_t surface, const std::vector<float>& values) {
  const std::string bytes = Fp16(values);
  const auto stub = Stub<v1::Surfaces>();
  const auto context = Context();
  v1::WriteSurfaceResponse response;
  auto writer = stub->Write(context.get(), &response);
  v1::WriteSurfaceRequest part;
  part.mutable_header()->set_surface_id(surface);
  part.mutable_header()->set_total_bytes(bytes.size());
  writer->Write(part);
  for (const std::string& piece : {bytes.substr(0, 5), bytes.substr(5)}) {
    part.set_data(piece);
    writer->Write(part);
  }
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  if (status.ok()) {
    EXPECT_EQ(response.bytes_written(), bytes.size());
  }
  return status;
}

std::vector<float> Client::ReadSurface(uint64_t surface) {
  v1::ReadSurfaceRequest request;
  request.set_surface_id(surface);
  const auto stub = Stub<v1::Surfaces>();
  const auto context = Context();
  auto reader = stub->Read(context.get(), request);
  std::string bytes;
  v1::ReadSurfaceResponse part;
  while (reader->Read(&part)) bytes += part.data();
  const grpc::Status status = reader->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(part.total_bytes(), bytes.size());
  return FromFp16(bytes);
}

uint64_t Client::CreateLane() {
  v1::CreateLaneResponse response;
  const grpc::Status status =
      Stub<v1::Execution>()->CreateLane(Context().get(), v1::CreateLaneRequest(), &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.lane_id();
}

uint64_t Client::CreateFence() {
  v1::CreateFenceResponse response;
  const grpc::Status status =
      Stub<v1::Execution>()->CreateFence(Context().get(), v1::CreateFenceRequest(), &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.fence_id();
}

// --- Programs
// -------------------------------------------------------------------------------------

std::string ProgramText() {
  return "program(1.3)\n{\n"
         "  func main<ios18>(tensor<fp16, [2, 3]> x, tensor<fp16, [2, 3]> w) {\n"
         "    tensor<fp16, [2, 3]> d = sub(x = x, y = w);\n"
         "    tensor<fp16, [2, 3]> t = mul(x = d, y = fp16(2));\n"
         "    tensor<fp16, [2, 3]> y = add(x = t, y = fp16(1));\n"
         "  } -> (y);\n}\n";
}

std::vector<v1::ProgramPart> ProgramParts(const std::string& text) {
  std::vector<v1::ProgramPart> parts(4);
  parts[0].mutable_header()->set_name("model.mil");
  parts[0].mutable_header()->set_text_bytes(text.size());
  parts[1].set_text(text.substr(0, text.size() / 3));
  parts[2].set_text(text.substr(text.size() / 3));
  parts[3].mutable_trailer()->set_total_bytes(text.size());
  return parts;
}

grpc::Status SendParts(const Client& client, const std::vector<v1::ProgramPart>& parts,
                       v1::CompileResponse* response, bool half_close) {
  const auto stub = client.Stub<v1::Kernels>();
  const auto context = client.Context();
  auto writer = stub->Compile(context.get(), response);
  for (const v1::ProgramPart& part : parts) {
    if (!writer->Write(part)) break;
  }
  if (half_close) {
    writer->WritesDone();
  } else {
    context->TryCancel();
  }
  return writer->Finish();
}

// --- Execution
// ------------------------------------------------------------------------------------

v1::Submission Ready::Run(uint64_t user_data) const {
  v1::Submission submission;
  submission.set_lane_id(lane);
  submission.set_user_data(user_data);
  submission.set_invocation_id(invocation);
  return submission;
}

Ready GetReady(Client& client) {
  Ready ready;
  v1::CompileResponse compiled;
  const grpc::Status status = SendParts(client, ProgramParts(ProgramText()), &compiled);
  EXPECT_TRUE(status.ok()) << status.error_message();
  ready.kernel = compiled.kernel().kernel_id();
  v1::PrepareInvocationRequest prepare;
  prepare.set_kernel_id(ready.kernel);
  for (const auto& [port, surface] :
       {std::pair("x", &ready.x), std::pair("w", &ready.w), std::pair("y", &ready.y)}) {
    *surface = client.CreateSurface();
    v1::Binding* binding = prepare.add_bindings();
    binding->set_port(port);
    binding->set_surface_id(*surface);
  }
  v1::PrepareInvocationResponse prepared;
  const grpc::Status bound =
      client.Stub<v1::Invocations>()->Prepare(client.Context().get(), prepare, &prepared);
  EXPECT_TRUE(bound.ok()) << bound.error_message();
  ready.invocation = prepared.invocation_id();
  ready.lane = client.CreateLane();
  return ready;
}

Execute::Execute(const Client& client, uint32_t credits)
    : stub_(client.Stub<v1::Execution>()),
      context_(client.Context()),
      stream_(stub_->Execute(context_.get())) {
  v1::ExecuteRequest request;
  request.mutable_open()->set_credits(credits);
  v1::ExecuteResponse response;
  if (stream_->Write(request) && stream_->Read(&response)) credits_ = response.credits();
}

bool Execute::Send(const std::vector<v1::Submission>& submissions) {
  v1::ExecuteRequest request;
  request.mutable_submissions()->Assign(submissions.begin(), submissions.end());
  return stream_->Write(request);
}

std::vector<v1::Completion> Execute::Receive(size_t count) {
  std::vector<v1::Completion> completions;
  v1::ExecuteResponse response;
  while (completions.size() < count && stream_->Read(&response)) {
    EXPECT_EQ(response.credits(), 0u) << "credits come once";
    ++messages_;
    completions.insert(completions.end(), response.completions().begin(),
                       response.completions().end());
  }
  return completions;
}

// --- RpcTest
// --------------------------------------------------------------------------------------

void RpcTest::Start(engine::Limits limits) {
  server_.reset();
  engine_.reset();
  limits.attach_deadline_ns = 3600'000'000'000;  // these clients have no side channel
  auto devices = device::DeviceList::Make(
      {device::FaultDeviceFactory(device::cpu::CpuDeviceFactory({.threads = 1}), faults_)});
  ASSERT_TRUE(devices.ok()) << devices.status();
  engine::EngineOptions options{*std::move(devices)};
  options.version = "0.1.0";
  options.build = "test";
  options.runtime_dir = "/run/anexd";
  options.side_channel = "/run/anexd/side.sock";
  options.limits = limits;
  auto engine = engine::Engine::Create(std::move(options));
  ASSERT_TRUE(engine.ok()) << engine.status();
  engine_ = *std::move(engine);
  connections_ = std::make_unique<door::ConnectionRegistry>(64);
  rings_ = std::make_unique<ring::RingDoor>(*engine_, nullptr);
  GrpcServerOptions server;
  server.rings = rings_.get();
  server.engine = engine_.get();
  server.connections = connections_.get();
  server.on_session_ended = [this](SessionId session, std::string_view reason) {
    absl::MutexLock lock(&ended_mutex_);
    ended_.emplace_back(session, reason);
  };
  auto started = GrpcServer::Start(server);
  ASSERT_TRUE(started.ok()) << started.status();
  server_ = *std::move(started);
}

void RpcTest::TearDown() {
  faults_->ReleaseRuns();
  faults_->ReleaseCompiles();
  server_.reset();
  engine_.reset();
}

int RpcTest::Accept(door::ListenerRole role, uint32_t uid) {
  int ends[2];
  EXPECT_EQ(test::NewSocketPair(ends), 0);
  for (const int end : ends) EXPECT_EQ(::fcntl(end, F_SETFL, O_NONBLOCK), 0);
  door::Peer peer;
  peer.uid = uid;
  peer.pid = ++next_pid_;
  auto entered = connections_->Register(shm::OwnedDescriptor(ends[0]), peer, role);
  EXPECT_TRUE(entered.ok()) << entered.status();
  server_->Adopt(*std::move(entered), role);
  return ends[1];
}

Client RpcTest::Connect(door::ListenerRole role, uint32_t uid) {
  return Client(grpc::CreateInsecureChannelFromFd("test", Accept(role, uid)));
}

Client RpcTest::ConnectNarrow() {
  const int end = Accept(door::ListenerRole::kOwner, 501);
  const int bytes = 16 << 10;
  EXPECT_EQ(::setsockopt(end, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)), 0);
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 64 << 10);
  return Client(grpc::CreateCustomInsecureChannelFromFd("test", end, arguments));
}

Client RpcTest::ConnectWithSession() {
  Client client = Connect();
  client.OpenSession();
  return client;
}

void RpcTest::ExpectServes() {
  Client client = ConnectWithSession();
  const Ready ready = GetReady(client);
  ASSERT_TRUE(client.WriteSurface(ready.x, {1, 2, 3, 4, 5, 6}).ok());
  ASSERT_TRUE(client.WriteSurface(ready.w, {6, 4, 2, 1, 3, 5}).ok());
  v1::EvaluateRequest request;
  *request.mutable_submission() = ready.Run(1);
  v1::EvaluateResponse response;
  const grpc::Status status =
      client.Stub<v1::Execution>()->Evaluate(client.Context().get(), request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.completion().status().code(), 0) << response.DebugString();
  EXPECT_EQ(client.ReadSurface(ready.y), (std::vector<float>{-9, -3, 3, 7, 5, 3}));
  EXPECT_TRUE(client.CallByPath("/anex.v1.Sessions/Close").status.ok());
}

engine::Caller RpcTest::Operator() const {
  engine::Caller caller;
  caller.role = Role::kOwner;
  return caller;
}

const SessionStatus* RpcTest::FindSession(const DaemonStatus& status, uint64_t session) const {
  for (const SessionStatus& entry : status.sessions) {
    if (entry.id.value() == session) return &entry;
  }
  return nullptr;
}

std::vector<std::pair<SessionId, std::string>> RpcTest::EndedSessions() {
  absl::MutexLock lock(&ended_mutex_);
  return ended_;
}

}  // namespace anex::rpc
