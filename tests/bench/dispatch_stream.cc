#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "anex/v1/execution.grpc.pb.h"
#include "client/transport/grpc_connection.h"
#include "client/transport/grpc_submission_stream.h"
#include "tests/bench/dispatch_figures.h"
#include "tests/bench/measure.h"
#include "tests/e2e/fixture.h"
#include "tests/e2e/process.h"
#include "tests/system/processes.h"

namespace anex::bench {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(10);
constexpr uint32_t kCredits = 16;

// Answers every submission at once: what the messages and their way cost by themselves. The same
// kind of service, of server and of pollers as the daemon's.
class EchoExecution final : public v1::Execution::Service {
 public:
  grpc::Status Execute(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::ExecuteResponse, v1::ExecuteRequest>* stream) override {
    v1::ExecuteRequest request;
    while (stream->Read(&request)) {
      v1::ExecuteResponse response;
      if (request.has_open()) response.set_credits(kCredits);
      for (const v1::Submission& submission : request.submissions()) {
        v1::Completion* completion = response.add_completions();
        completion->set_lane_id(submission.lane_id());
        completion->set_user_data(submission.user_data());
        completion->set_total_ns(1);
      }
      if (!stream->Write(response)) break;
    }
    return grpc::Status::OK;
  }
};

std::function<void()> RoundTrip(SubmissionStream& stream, const Submission& submission) {
  return [&stream, submission] {
    Check(stream.Submit(std::span(&submission, 1)), "submit");
    Check(Must(stream.Next(kPatience), "next").status, "run");
  };
}

// So many submissions, each a message, kept in flight.
std::function<void()> Pipelined(SubmissionStream& stream, const Submission& submission) {
  return [&stream, submission] {
    constexpr uint32_t kInFlight = 12, kCount = 120;
    for (uint32_t sent = 0, finished = 0; finished < kCount; ++finished) {
      for (; sent < kCount && sent - finished < kInFlight; ++sent) {
        Check(stream.Submit(std::span(&submission, 1)), "submit");
      }
      Check(Must(stream.Next(kPatience), "next").status, "run");
    }
  };
}

}  // namespace

void StartRawStreamServer(const std::string& socket) {
  const pid_t child = ::fork();
  if (child < 0) Fail("fork");
  if (child > 0) return;
  test::EndWithParent();
  EchoExecution service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + socket, grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) ::_exit(1);
  for (;;) ::pause();
}

void MeasureStream(const std::string& anexd, const std::string& raw_socket, int rounds,
                   nlohmann::json& report) {
  const auto daemon = Must(test::DaemonProcess::Start({.binary = anexd}), "anexd");
  const auto transport = test::OpenSession(daemon->socket(), "stream");
  ProgramSource null;
  null.name = "null.mil";
  null.text = test::MilProgram("tensor<fp16, [1]> x",
                               "tensor<fp16, [1]> y = identity(x = x)[name = string(\"y\")];", "y");
  const KernelId kernel = Must(transport->Compile(null, {}), "compile").id;
  InvocationSpec spec{.kernel = kernel};
  for (const char* port : {"x", "y"}) {
    SurfaceSpec surface;
    surface.fits = {{kernel, "", port}};
    spec.bindings.push_back({port, Must(transport->CreateSurface(surface), port).id});
  }
  Submission submission;
  submission.target = Must(transport->Prepare(spec), "prepare").value();
  submission.lane = Must(transport->CreateLane({}), "lane");

  const auto raw_connection = std::make_shared<GrpcConnection>(raw_socket, kPatience);
  const auto raw = Must(GrpcSubmissionStream::Open(raw_connection, kCredits), "raw stream");
  const auto stream = Must(transport->OpenStream(kCredits), "stream");
  const auto figures = Interleave(
      {{"raw stream", RoundTrip(*raw, submission)}, {"stream", RoundTrip(*stream, submission)}},
      rounds, 50);
  PrintTable("null kernel on a gRPC stream", figures, "raw stream");
  report["stream_over_raw_stream"] = figures.at("stream").p50_us / figures.at("raw stream").p50_us;
  const auto many = Interleave(
      {{"raw stream", Pipelined(*raw, submission)}, {"stream", Pipelined(*stream, submission)}},
      rounds, 5);
  PrintTable("120 null kernels on a gRPC stream, 12 in flight", many, "raw stream");
  report["stream12_over_raw_stream"] = many.at("stream").p50_us / many.at("raw stream").p50_us;
  report["grpc_tensor_bytes"] = Must(transport->GetStatus(), "status").grpc_tensor_bytes;
}

}  // namespace anex::bench
