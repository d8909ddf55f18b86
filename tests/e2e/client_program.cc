// A client that the fault tests start, stop and kill: client_program SOCKET SCRIPT.
// Each script prints "ready" once it holds what its name says, then goes on until it is ended.

#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "anex/v1/kernels.grpc.pb.h"
#include "anex/v1/parameters.grpc.pb.h"
#include "anex/v1/surfaces.grpc.pb.h"
#include "client/anex/connect.h"
#include "client/transport/grpc_transport.h"
#include "tests/conformance/history_client.h"
#include "tests/e2e/fixture.h"
#include "tests/e2e/raw_client.h"
#include "tests/system/descriptors.h"

namespace anex::test {
namespace {

void Ready(const std::string& what = "") {
  std::printf("ready %s\n", what.c_str());
  std::fflush(stdout);
}

template <typename T>
T Must(absl::StatusOr<T> value, const char* what) {
  if (!value.ok()) {
    std::fprintf(stderr, "%s: %s\n", what, std::string(value.status().message()).c_str());
    std::_Exit(3);
  }
  return *std::move(value);
}

std::unique_ptr<Transport> Session(const std::string& socket, const std::string& name) {
  auto transport = Must(ConnectGrpc(socket), "connect");
  OpenSpec spec;
  spec.client_name = name;
  Must(transport->Open(spec), "open");
  return transport;
}

SurfaceId Surface(Transport& transport, std::initializer_list<int64_t> dims) {
  SurfaceSpec spec;
  spec.dtype = DType::kFp16;
  spec.shape = Shape(dims);
  return Must(transport.CreateSurface(spec), "surface").id;
}

InvocationId Matmul(Transport& transport) {
  const KernelId kernel = Must(transport.Compile(MatmulProgram(), {}), "compile").id;
  return Must(transport.Prepare({kernel,
                                 "",
                                 {{"x", Surface(transport, {4, 3})},
                                  {"W", Surface(transport, {2, 4})},
                                  {"y", Surface(transport, {2, 3})}}}),
              "prepare");
}

// Mapped surfaces, a kernel, a leased parameter set, a chain, a lane with a ring: one of
// everything.
void Hold(const std::string& socket) {
  auto transport = Session(socket, "hold");
  for (int i = 0; i < 8; ++i) {
    Must(transport->MapSurface(Surface(*transport, {64, 1024}), Access::kReadWrite), "map");
  }
  const InvocationId invocation = Matmul(*transport);
  ParameterSetSpec set;
  set.parameters.push_back({"W", DType::kFp16, Shape({2, 4}), {}});
  const ParameterSetId id = Must(transport->CreateParameterSet(set), "set").id;
  Must(transport->BeginWrite(id, absl::Seconds(20)), "lease");
  ChainSpec chain;
  chain.steps = {invocation, invocation};
  Must(transport->DefineChain(chain), "chain");
  const auto ring = Must(transport->OpenRing(Must(transport->CreateLane({}), "lane"), 8), "ring");
  Ready();
  while (true) ::pause();
}

// Keeps evaluations in flight on a stream, or through a ring.
void Loop(const std::string& socket, bool through_ring) {
  auto transport = Session(socket, through_ring ? "ring-loop" : "loop");
  Submission submission;
  submission.target = Matmul(*transport).value();
  submission.lane = Must(transport->CreateLane({}), "lane");
  auto stream = through_ring ? Must(transport->OpenRing(submission.lane, 16), "ring")
                             : Must(transport->OpenStream(16), "stream");
  uint64_t completed = 0;
  for (int i = 0; i < 8; ++i) (void)stream->Submit({&submission, 1});
  while (true) {
    const Completion completion = Must(stream->Next(absl::Seconds(20)), "completion");
    if (!completion.status.ok()) std::_Exit(4);
    if (++completed == 8) Ready();
    (void)stream->Submit({&submission, 1});
  }
}

// Submits as fast as credits allow and never reads a completion.
void NeverReads(const std::string& socket, bool through_ring) {
  auto transport = Session(socket, through_ring ? "ring-never-reads" : "never-reads");
  Submission submission;
  submission.target = Matmul(*transport).value();
  submission.lane = Must(transport->CreateLane({}), "lane");
  auto stream = through_ring ? Must(transport->OpenRing(submission.lane, 64), "ring")
                             : Must(transport->OpenStream(64), "stream");
  for (int i = 0; i < 64; ++i) (void)stream->Submit({&submission, 1});
  Ready();
  while (true) ::pause();
}

// Forks a child that keeps every descriptor, and tells its pid.
void Fork(const std::string& socket) {
  auto transport = Session(socket, "fork");
  Must(transport->MapSurface(Surface(*transport, {64, 64}), Access::kReadWrite), "map");
  const pid_t child = ::fork();
  if (child == 0) {
    while (true) ::pause();
  }
  Ready(absl::StrCat(child));
  while (true) ::pause();
}

// Compiles ever new programs.
void Compiler(const std::string& socket) {
  auto transport = Session(socket, "compiler");
  for (int i = 0;; ++i) {
    ProgramSource source;
    source.text = MilProgram(absl::StrCat("tensor<fp16, [", 1 + i % 4096, "]> a"),
                             absl::StrCat("    tensor<fp16, [", 1 + i % 4096,
                                          "]> b = relu(x = a)[name = string(\"b\")];"),
                             "b");
    const KernelId kernel = Must(transport->Compile(source, {}), "compile").id;
    if (i == 3) Ready();
    (void)transport->ReleaseKernel(kernel);
  }
}

// Publishes generation after generation through mapped buffers while evaluating.
void Publisher(const std::string& socket) {
  auto transport = Session(socket, "publisher");
  ParameterSetSpec spec;
  spec.parameters.push_back({"W", DType::kFp16, Shape({2, 4}), {}});
  const ParameterSetInfo set = Must(transport->CreateParameterSet(spec), "set");
  for (int i = 0;; ++i) {
    const WriteLease lease = Must(transport->BeginWrite(set.id, absl::Seconds(20)), "lease");
    WriteHalves(*transport, set.parameters[0].buffers[lease.buffer], {1, 2, 3, 4, 5, 6, 7, 8});
    if (i == 3) Ready();
    Must(transport->Publish(lease.id, lease.generation), "publish");
  }
}

// A session with a second connection on which a script speaks the protocol itself, to stop in the
// middle of a message stream.
struct HalfSpoken {
  HalfSpoken(const std::string& socket, const std::string& name)
      : transport(Must(ConnectGrpc(socket), "connect")),
        channel(grpc::CreateChannel("unix:" + socket, grpc::InsecureChannelCredentials())) {
    OpenSpec spec;
    spec.client_name = name;
    context.AddMetadata("anex-session-secret", Must(transport->Open(spec), "open").secret);
  }
  // Writes wait until the daemon has read most of what came before: much of this is in its hands.
  template <typename Writer, typename Message>
  static void SendSome(Writer& writer, const Message& message, int times) {
    for (int i = 0; i < times; ++i) {
      if (!writer->Write(message)) std::_Exit(5);
    }
  }

  std::unique_ptr<Transport> transport;
  std::shared_ptr<grpc::Channel> channel;
  grpc::ClientContext context;
};

// Half of a program's weights.
void HalfProgram(const std::string& socket) {
  HalfSpoken half(socket, "half-program");
  const auto stub = v1::Kernels::NewStub(half.channel);
  v1::CompileResponse response;
  const auto writer = stub->Compile(&half.context, &response);
  const std::string text = ConvProgramWithoutWeights().text;
  v1::ProgramPart part;
  part.mutable_header()->set_name("half");
  part.mutable_header()->set_text_bytes(text.size());
  part.mutable_header()->add_weights()->set_path("weights/w.bin");
  part.mutable_header()->mutable_weights(0)->set_bytes(64 << 20);
  writer->Write(part);
  part.set_text(text);
  writer->Write(part);
  for (uint64_t i = 0; i < 32; ++i) {
    part.mutable_weights()->set_offset(i << 20);
    part.mutable_weights()->set_data(std::string(1 << 20, 'w'));
    HalfSpoken::SendSome(writer, part, 1);
  }
  Ready();
  while (true) ::pause();
}

// Half of a surface's bytes.
void HalfWrite(const std::string& socket) {
  HalfSpoken half(socket, "half-write");
  const SurfaceId surface = Surface(*half.transport, {4096, 4096});
  const auto stub = v1::Surfaces::NewStub(half.channel);
  v1::WriteSurfaceResponse response;
  const auto writer = stub->Write(&half.context, &response);
  v1::WriteSurfaceRequest part;
  part.mutable_header()->set_surface_id(surface.value());
  part.mutable_header()->set_total_bytes(32 << 20);
  writer->Write(part);
  part.set_data(std::string(1 << 20, 's'));
  HalfSpoken::SendSome(writer, part, 16);
  Ready();
  while (true) ::pause();
}

// What the daemon runs for scripts that write their ring themselves.
std::unique_ptr<RawClient> WithRing(const std::string& socket, const std::string& name,
                                    std::unique_ptr<Transport>& keeper) {
  keeper = Session(socket, "keeper");  // of the kernel
  const std::string digest = Must(keeper->Compile(MatmulProgram(), {}), "compile").digest;
  auto client = Must(RawClient::Open(NewChannel(socket), name), "open");
  if (const absl::Status made = client->MakeWork(digest, 8); !made.ok()) {
    std::fprintf(stderr, "work: %s\n", std::string(made.message()).c_str());
    std::_Exit(3);
  }
  return client;
}

void TakeOne(RawClient& client) {
  shm::ClientRing::Taken taken;
  while (!client.ring().Take(taken)) {
    if (!client.ring().Wait(absl::Seconds(20))) std::_Exit(4);
  }
  if (taken.completion.status != 0) std::_Exit(5);
}

// Stops itself with half an entry written; writes the rest when it is continued.
void RingHalfWritten(const std::string& socket) {
  std::unique_ptr<Transport> keeper;
  const auto client = WithRing(socket, "ring-half-written", keeper);
  client->Put(client->Run());
  TakeOne(*client);
  const shm::RingParts parts = client->Parts();
  const RingEntryWords words = Encode(client->Run(2));
  const auto write = [&](size_t from, size_t to) {
    for (size_t i = from; i < to; ++i) parts.submission(1).words[i].store(words[i]);
  };
  write(0, words.size() / 2);
  Ready();
  ::raise(SIGSTOP);
  write(words.size() / 2, words.size());
  // The entry is where Submit writes it, too, and the same.
  client->Put(client->Run(2));
  TakeOne(*client);
  std::printf("done 2\n");
  std::fflush(stdout);
  while (true) ::pause();
}

// Lies in one ring after another: first with counters that are right, entries of nonsense and bells
// for nothing, so that the daemon goes on looking; then it breaks the ring, goes on writing
// everywhere in it, and takes a new one. Says "lied N" after the N-th.
void RingLiar(const std::string& socket) {
  std::unique_ptr<Transport> keeper;
  const auto client = WithRing(socket, "ring-liar", keeper);
  std::mt19937 random(11);
  for (uint64_t rings = 1;; ++rings) {
    const shm::RingParts parts = client->Parts();
    shm::ClientRing::Taken taken;
    for (int i = 0; i < 2000; ++i) {
      RingSubmission lie = client->Run(static_cast<uint64_t>(i));
      lie.verb = static_cast<RingVerb>(random() % 8);
      lie.target = random();
      parts.frame->daemon_asleep.value.store(1);  // rings, whether or not it has to
      client->Put(lie);
      while (client->ring().Take(taken)) {
      }
    }
    for (int i = 0; i < 200; ++i) {
      parts.frame->submission_tail.value.store(random());
      parts.frame->completion_head.value.store(random());
      parts.frame->state.value.store(random());
      for (auto& word : parts.submission(random()).words) word.store(random());
      parts.frame->daemon_asleep.value.store(1);
      client->Put(client->Run());
    }
    std::printf("lied %llu\n", static_cast<unsigned long long>(rings));
    std::fflush(stdout);
    if (rings == 3) Ready();
    if (const absl::Status renewed = client->RenewRing(8); !renewed.ok()) {
      std::fprintf(stderr, "renew: %s\n", std::string(renewed.message()).c_str());
      std::_Exit(3);
    }
  }
}

// Makes random moves (history_client.h) and prints each before it makes it, or as it sees it.
void MakeHistory(const std::string& socket, SubmitMode mode) {
  const auto print = [](const HistoryEvent& event) {
    std::printf("event %d %u %llu %d %d\n", static_cast<int>(event.kind), event.lane,
                static_cast<unsigned long long>(event.id), event.has_deadline ? 1 : 0,
                static_cast<int>(event.code));
    std::fflush(stdout);
  };
  const char* seed = std::getenv("ANEX_SEED");
  const auto client =
      Must(HistoryClient::Make(
               Must(Connect({.endpoint = socket, .client_name = "history"}), "connect"), mode,
               seed == nullptr ? 1 : static_cast<uint32_t>(std::stoul(seed)), print),
           "prepare");
  for (int move = 0;; ++move) {
    if (move == 30) Ready();
    if (const absl::Status moved = client->Move(); !moved.ok()) {
      std::fprintf(stderr, "move %d: %s\n", move, std::string(moved.message()).c_str());
      std::_Exit(3);
    }
  }
}

// Connects to all sockets of the daemon without a pause, says nothing, and lets go of the oldest.
void Flood(const std::string& socket) {
  const auto transport = Session(socket, "flood");
  const std::string folder = socket.substr(0, socket.rfind('/'));
  std::vector<std::string> sockets;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_socket()) sockets.push_back(entry.path());
  }
  std::deque<shm::OwnedDescriptor> open;
  for (uint64_t i = 0;; ++i) {
    shm::OwnedDescriptor connection(test::NewSocket());
    ::fcntl(connection.get(), F_SETFL, O_NONBLOCK);
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::strncpy(address.sun_path, sockets[i % sockets.size()].c_str(),
                 sizeof(address.sun_path) - 1);
    // One that is turned away, or finds the queue full, was a try all the same.
    (void)::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    open.push_back(std::move(connection));
    if (open.size() > 300) open.pop_front();
    if (i == 1000) Ready();
  }
}

// Half of an update, with the lease held for long.
void HalfUpdate(const std::string& socket) {
  HalfSpoken half(socket, "half-update");
  ParameterSetSpec spec;
  spec.parameters.push_back({"W", DType::kFp16, Shape({4096, 2048}), {}});
  const ParameterSetInfo set = Must(half.transport->CreateParameterSet(spec), "set");
  const WriteLease lease = Must(half.transport->BeginWrite(set.id, absl::Seconds(20)), "lease");
  const auto stub = v1::Parameters::NewStub(half.channel);
  v1::UpdateResponse response;
  const auto writer = stub->Update(&half.context, &response);
  v1::UpdateRequest request;
  request.set_lease_id(lease.id.value());
  request.mutable_chunk()->set_parameter("W");
  request.mutable_chunk()->set_dtype(v1::DTYPE_FP16);
  const std::string data(1 << 20, 'u');
  request.mutable_chunk()->set_data(data);
  request.mutable_chunk()->set_crc32(static_cast<uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(data.data()), static_cast<uInt>(data.size()))));
  for (uint64_t i = 0; i < 8; ++i) {
    request.mutable_chunk()->set_element_offset(i << 19);
    HalfSpoken::SendSome(writer, request, 1);
  }
  Ready();
  while (true) ::pause();
}

}  // namespace
}  // namespace anex::test

int main(int argc, char** argv) {
  using namespace anex::test;
  const std::map<std::string, std::function<void(const std::string&)>> scripts = {
      {"hold", Hold},
      {"loop", [](const std::string& socket) { Loop(socket, false); }},
      {"ring-loop", [](const std::string& socket) { Loop(socket, true); }},
      {"never-reads", [](const std::string& socket) { NeverReads(socket, false); }},
      {"ring-never-reads", [](const std::string& socket) { NeverReads(socket, true); }},
      {"fork", Fork},
      {"compiler", Compiler},
      {"publisher", Publisher},
      {"half-program", HalfProgram},
      {"half-write", HalfWrite},
      {"half-update", HalfUpdate},
      {"ring-half-written", RingHalfWritten},
      {"ring-liar", RingLiar},
      {"flood", Flood},
      {"history-ring",
       [](const std::string& socket) { MakeHistory(socket, anex::SubmitMode::kRing); }},
      {"history-stream",
       [](const std::string& socket) { MakeHistory(socket, anex::SubmitMode::kStream); }}};
  if (argc != 3 || !scripts.count(argv[2])) {
    std::fprintf(stderr, "usage: client_program SOCKET SCRIPT\n");
    return 2;
  }
  scripts.at(argv[2])(argv[1]);
}
