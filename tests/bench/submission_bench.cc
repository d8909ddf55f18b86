// What a daemon costs per submission, as ratios within one run:
//   unary and stream evaluation of a prepared null kernel and of a 768x256x768 matmul, over the
//   same evaluation with the engine in process; a chain of 12 steps in one submission over 12
//   evaluations on a stream; tensor bytes that travelled through gRPC on the way (must be 0); and
//   the aggregate steps per second of two trainers over one.
//
//   bench_submission --anexd PATH [--trainer PATH] [--data PATH] [--json FILE] [--rounds N]

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/anex/anex.h"
#include "client/inproc/inproc_transport.h"
#include "tests/bench/measure.h"
#include "tests/bench/trainers.h"
#include "tests/e2e/process.h"

namespace anex::bench {
namespace {

std::string Program(const std::string& parameters, const std::string& body,
                    const std::string& out) {
  return absl::StrCat("program(1.3)\n{\n  func main<ios18>(", parameters, ") {\n", body,
                      "\n  } -> (", out, ");\n}\n");
}

// The least that a kernel can do: one element, copied.
std::string NullProgram() {
  return Program("tensor<fp16, [1]> x",
                 "    tensor<fp16, [1]> y = identity(x = x)[name = string(\"y\")];", "y");
}

// y[768,256] = W[768,768] @ x[768,256]: 302 MFLOP.
std::string MatmulProgram() {
  return Program("tensor<fp16, [768, 256]> x, tensor<fp16, [768, 768]> W",
                 "    tensor<fp16, [768, 256]> y = matmul(transpose_x = bool(false), "
                 "transpose_y = bool(false), x = W, y = x)[name = string(\"y\")];",
                 "y");
}

// One session with one prepared invocation, a lane, and a chain of 12 of it.
struct Rig {
  Session session;
  std::vector<Surface> surfaces;
  Kernel kernel;
  Invocation invocation;
  Lane lane;
  Chain chain;
  SubmissionQueue stream, unary;
};

Rig MakeRig(Session session, const std::string& program,
            const std::vector<std::pair<std::string, Shape>>& ports) {
  Rig rig;
  rig.session = std::move(session);
  rig.kernel = Must(rig.session.Compile(program), "compile");
  InvocationBuilder builder = rig.kernel.Prepare();
  for (const auto& [port, shape] : ports) {
    rig.surfaces.push_back(Must(rig.session.CreateSurface(DType::kFp16, shape, port), "surface"));
    builder.Bind(port, rig.surfaces.back());
  }
  rig.invocation = Must(builder.Build(), "prepare");
  rig.lane = Must(rig.session.CreateLane(), "lane");
  ChainBuilder chain = rig.session.NewChain("twelve");
  for (int i = 0; i < 12; ++i) chain.Run(rig.invocation);
  rig.chain = Must(chain.Build(), "chain");
  rig.unary = Must(rig.session.OpenQueue(SubmitMode::kUnary, 1), "unary");
  rig.stream = Must(rig.session.OpenQueue(SubmitMode::kStream, 64), "stream");
  return rig;
}

std::function<void()> Unary(Rig& rig) {
  return [&rig] {
    Check(rig.unary.Submit(rig.lane, rig.invocation), "submit");
    Check(rig.unary.Finish(), "unary");
  };
}
std::function<void()> Stream(Rig& rig, int depth) {
  return [&rig, depth] {
    for (int i = 0; i < depth; ++i) Check(rig.stream.Submit(rig.lane, rig.invocation), "submit");
    Check(rig.stream.Finish(), "stream");
  };
}
std::function<void()> StreamOneByOne(Rig& rig, int count) {
  return [&rig, count] {
    for (int i = 0; i < count; ++i) {
      Check(rig.stream.Submit(rig.lane, rig.invocation), "submit");
      Check(rig.stream.Finish(), "stream");
    }
  };
}
std::function<void()> WholeChain(Rig& rig) {
  return [&rig] {
    Check(rig.stream.Submit(rig.lane, rig.chain), "submit");
    Check(rig.stream.Finish(), "chain");
  };
}

nlohmann::json ToJson(const std::map<std::string, Figures>& figures) {
  nlohmann::json json;
  for (const auto& [name, figure] : figures) {
    json[name] = {{"p50_us", figure.p50_us},
                  {"p99_us", figure.p99_us},
                  {"min_us", figure.min_us},
                  {"samples", figure.samples}};
  }
  return json;
}

void AddRatio(nlohmann::json& ratios, const std::map<std::string, Figures>& figures,
              const std::string& name, const std::string& over, const std::string& as) {
  ratios[as] = figures.at(name).p50_us / figures.at(over).p50_us;
}

struct Arguments {
  std::string anexd, trainer, data, json;
  int rounds = 30;
  int trainer_steps = 60;
};

nlohmann::json MeasureProgram(const std::string& title, const std::string& program,
                              const std::vector<std::pair<std::string, Shape>>& ports,
                              const std::string& socket, int rounds, int per_round) {
  auto engine = Must(StartInprocEngine({}), "engine in process");
  Rig local =
      MakeRig(Must(Session::Open(MakeInprocTransport(engine), {.client_name = "bench"}), "open"),
              program, ports);
  Rig remote = MakeRig(Must(Connect({.endpoint = socket, .client_name = "bench"}), "connect"),
                       program, ports);
  const auto figures = Interleave({{"in-process", Unary(local)},
                                   {"in-process x12", Stream(local, 12)},
                                   {"in-process chain12", WholeChain(local)},
                                   {"unary", Unary(remote)},
                                   {"stream", Stream(remote, 1)},
                                   {"stream x12 pipelined", Stream(remote, 12)},
                                   {"stream x12 one by one", StreamOneByOne(remote, 12)},
                                   {"chain12", WholeChain(remote)}},
                                  rounds, per_round);
  PrintTable(title, figures, "in-process");
  nlohmann::json ratios;
  AddRatio(ratios, figures, "unary", "in-process", "unary_over_inproc");
  AddRatio(ratios, figures, "stream", "in-process", "stream_over_inproc");
  AddRatio(ratios, figures, "chain12", "stream x12 one by one", "chain12_over_12_stream");
  AddRatio(ratios, figures, "chain12", "stream x12 pipelined", "chain12_over_12_stream_pipelined");
  AddRatio(ratios, figures, "chain12", "in-process chain12", "chain12_over_inproc");
  return {{"figures", ToJson(figures)}, {"ratios", ratios}};
}

nlohmann::json MeasureTrainers(const Arguments& arguments, const std::string& socket) {
  const Trainers crew{arguments.trainer, arguments.data, arguments.trainer_steps};
  std::vector<double> ratios;
  double one = 0, two = 0;
  for (int round = 0; round < 3; ++round) {
    one = AggregateTokens(crew, socket, 1);
    two = AggregateTokens(crew, socket, 2);
    ratios.push_back(two / one);
    std::printf("  one trainer %.0f tokens/s, two together %.0f, ratio %.2f\n", one, two,
                two / one);
  }
  std::sort(ratios.begin(), ratios.end());
  return {{"aggregate_2_trainers_over_1", ratios[1]},
          {"one_tokens_per_s", one},
          {"two_tokens_per_s", two}};
}

int Main(const Arguments& arguments) {
  auto daemon = Must(test::DaemonProcess::Start({.binary = arguments.anexd}), "anexd");
  nlohmann::json report;
  report["null"] =
      MeasureProgram("null kernel", NullProgram(), {{"x", Shape({1})}, {"y", Shape({1})}},
                     daemon->socket(), arguments.rounds, 50);
  report["matmul_768x256x768"] =
      MeasureProgram("matmul 768x256x768 (302 MFLOP)", MatmulProgram(),
                     {{"x", Shape({768, 256})}, {"W", Shape({768, 768})}, {"y", Shape({768, 256})}},
                     daemon->socket(), std::max(1, arguments.rounds / 6), 3);
  auto watcher = Must(ConnectTransport({.endpoint = daemon->socket()}), "connect");
  report["grpc_tensor_bytes"] = Must(watcher->GetStatus(), "status").grpc_tensor_bytes;
  if (!arguments.trainer.empty()) {
    std::printf("\ntrainers, %d steps each\n", arguments.trainer_steps);
    report["trainers"] = MeasureTrainers(arguments, daemon->socket());
    report["grpc_tensor_bytes"] = Must(watcher->GetStatus(), "status").grpc_tensor_bytes;
  }
  std::printf("\ntensor bytes through gRPC: %s\n%s\n", report["grpc_tensor_bytes"].dump().c_str(),
              report["null"]["ratios"].dump(2).c_str());
  if (!arguments.json.empty()) std::ofstream(arguments.json) << report.dump(2) << "\n";
  return 0;
}

}  // namespace
}  // namespace anex::bench

int main(int argc, char** argv) {
  anex::bench::Arguments arguments;
  CLI::App app("What a daemon costs per submission, as ratios within one run.");
  app.add_option("--anexd", arguments.anexd, "the daemon's program")->required();
  app.add_option("--trainer", arguments.trainer,
                 "anex_trainer; left out: no trainers are measured");
  app.add_option("--data", arguments.data, "text or folder for the trainers");
  app.add_option("--json", arguments.json, "file for the figures");
  app.add_option("--rounds", arguments.rounds, "interleaved rounds");
  app.add_option("--trainer-steps", arguments.trainer_steps, "steps of each trainer");
  CLI11_PARSE(app, argc, argv);
  return anex::bench::Main(arguments);
}
