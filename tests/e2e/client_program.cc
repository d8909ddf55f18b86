// A client that the fault tests start, stop and kill: client_program SOCKET SCRIPT.
// Each script prints "ready" once it holds what its name says, then goes on until it is ended.

#include <sys/types.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/transport/grpc_transport.h"
#include "tests/e2e/fixture.h"

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

// Mapped surfaces, a kernel, a leased parameter set, a chain, a lane: one of everything.
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
  Must(transport->CreateLane({}), "lane");
  Ready();
  while (true) ::pause();
}

// Keeps evaluations in flight on a stream.
void Loop(const std::string& socket) {
  auto transport = Session(socket, "loop");
  Submission submission;
  submission.target = Matmul(*transport).value();
  submission.lane = Must(transport->CreateLane({}), "lane");
  auto stream = Must(transport->OpenStream(16), "stream");
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
void NeverReads(const std::string& socket) {
  auto transport = Session(socket, "never-reads");
  Submission submission;
  submission.target = Matmul(*transport).value();
  submission.lane = Must(transport->CreateLane({}), "lane");
  auto stream = Must(transport->OpenStream(64), "stream");
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

}  // namespace
}  // namespace anex::test

int main(int argc, char** argv) {
  using namespace anex::test;
  const std::map<std::string, std::function<void(const std::string&)>> scripts = {
      {"hold", Hold}, {"loop", Loop},         {"never-reads", NeverReads},
      {"fork", Fork}, {"compiler", Compiler}, {"publisher", Publisher}};
  if (argc != 3 || !scripts.count(argv[2])) {
    std::fprintf(stderr, "usage: client_program SOCKET SCRIPT\n");
    return 2;
  }
  scripts.at(argv[2])(argv[1]);
}
