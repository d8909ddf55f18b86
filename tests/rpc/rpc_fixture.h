// A real GrpcServer on a real engine, with clients on socket pairs that are registered as the front
// door would: who they are and which socket they came by is the test's choice. The device is the
// cpu device, with faults on order.
#ifndef ANEX_TESTS_RPC_RPC_FIXTURE_H_
#define ANEX_TESTS_RPC_RPC_FIXTURE_H_

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "anex/v1/admin.grpc.pb.h"
#include "anex/v1/chains.grpc.pb.h"
#include "anex/v1/daemon.grpc.pb.h"
#include "anex/v1/execution.grpc.pb.h"
#include "anex/v1/invocations.grpc.pb.h"
#include "anex/v1/kernels.grpc.pb.h"
#include "anex/v1/parameters.grpc.pb.h"
#include "anex/v1/sessions.grpc.pb.h"
#include "anex/v1/surfaces.grpc.pb.h"
#include "server/door/connection_registry.h"
#include "server/engine/engine.h"
#include "server/ring/ring_door.h"
#include "server/rpc/grpc_server.h"
#include "tests/doubles/fault_device.h"

namespace anex::rpc {

struct Reply {
  grpc::Status status;
  std::string epoch;  // of the initial metadata; "" if there was none
};

// One connection to the daemon, perhaps with a session on it.
class Client {
 public:
  explicit Client(std::shared_ptr<grpc::Channel> channel) : channel_(std::move(channel)) {}

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  template <typename Service>
  std::unique_ptr<typename Service::Stub> Stub() const {
    return Service::NewStub(channel_);
  }
  // A context with 20 s of deadline and the session's secret, if there is one.
  std::unique_ptr<grpc::ClientContext> Context() const;
  void set_secret(std::string secret) { secret_ = std::move(secret); }
  const std::string& secret() const { return secret_; }

  // Any method, by its path, with one request message and then half-close.
  Reply CallByPath(const std::string& path, const std::string& request = "") const;

  // --- the work of an ordinary client; a failure fails the test -------------------------------
  v1::OpenSessionResponse OpenSession(const std::string& key = "");
  uint64_t CreateSurface();  // fp16 [2, 3]
  grpc::Status WriteSurface(uint64_t surface, const std::vector<float>& values);
  std::vector<float> ReadSurface(uint64_t surface);
  uint64_t CreateLane();
  uint64_t CreateFence();

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::string secret_;
};

// y = 2 * (x - w) + 1, fp16 [2, 3]: a swap of the inputs shows.
std::string ProgramText();
// Its parts, ready to be sent or spoiled: header, text in two pieces, trailer.
std::vector<v1::ProgramPart> ProgramParts(const std::string& text);
grpc::Status SendParts(const Client& client, const std::vector<v1::ProgramPart>& parts,
                       v1::CompileResponse* response, bool half_close = true);

// A kernel with its surfaces, prepared, and a lane.
struct Ready {
  uint64_t kernel = 0, x = 0, w = 0, y = 0, invocation = 0, lane = 0;
  v1::Submission Run(uint64_t user_data) const;
};
Ready GetReady(Client& client);

// An Execute stream that a test drives step by step.
class Execute {
 public:
  explicit Execute(const Client& client, uint32_t credits = 8);
  uint32_t credits() const { return credits_; }
  uint32_t messages() const { return messages_; }  // that have brought completions
  bool Send(const std::vector<v1::Submission>& submissions);
  // Reads until `count` completions have come, or the stream ends.
  std::vector<v1::Completion> Receive(size_t count);
  void HalfClose() { stream_->WritesDone(); }
  void Cancel() { context_->TryCancel(); }
  grpc::Status Finish() { return stream_->Finish(); }

 private:
  std::unique_ptr<v1::Execution::Stub> stub_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::ExecuteRequest, v1::ExecuteResponse>> stream_;
  uint32_t credits_ = 0, messages_ = 0;
};

class RpcTest : public testing::Test {
 protected:
  void SetUp() override { Start({}); }
  void TearDown() override;
  void Start(engine::Limits limits);

  Client Connect(door::ListenerRole role = door::ListenerRole::kOwner, uint32_t uid = 501);
  // One whose connection holds little that it has not read: the daemon's writes soon stand still.
  Client ConnectNarrow();
  Client ConnectWithSession();
  // The daemon answers and computes: run after every kind of bad input.
  void ExpectServes();
  engine::Caller Operator() const;
  const SessionStatus* FindSession(const DaemonStatus& status, uint64_t session) const;

  std::vector<std::pair<SessionId, std::string>> EndedSessions();

  std::shared_ptr<device::Faults> faults_ = std::make_shared<device::Faults>();
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<door::ConnectionRegistry> connections_;
  std::unique_ptr<ring::RingDoor> rings_;
  std::unique_ptr<GrpcServer> server_;
  int64_t next_pid_ = 1000;

 private:
  int Accept(door::ListenerRole role, uint32_t uid);  // the client's end
  absl::Mutex ended_mutex_;
  std::vector<std::pair<SessionId, std::string>> ended_ ABSL_GUARDED_BY(ended_mutex_);
};

}  // namespace anex::rpc

#endif  // ANEX_TESTS_RPC_RPC_FIXTURE_H_
