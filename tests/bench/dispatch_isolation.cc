#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include "absl/strings/str_cat.h"
#include "client/anex/anex.h"
#include "tests/bench/dispatch_figures.h"
#include "tests/bench/measure.h"
#include "tests/bench/trainers.h"
#include "tests/e2e/fixture.h"
#include "tests/e2e/process.h"

namespace anex::bench {
namespace {

using Clock = std::chrono::steady_clock;

// A session on its own ring (or what there is) with a null kernel.
struct Client {
  Session session;
  std::vector<Surface> surfaces;
  Kernel kernel;
  Invocation invocation;
  Lane lane;
  SubmissionQueue queue;
};

Client MakeClient(const std::string& socket) {
  Client client;
  client.session = Must(Connect({.endpoint = socket, .client_name = "measured"}), "connect");
  client.kernel = Must(client.session.Compile(test::MilProgram(
                           "tensor<fp16, [1]> x",
                           "tensor<fp16, [1]> y = identity(x = x)[name = string(\"y\")];", "y")),
                       "compile");
  InvocationBuilder builder = client.kernel.Prepare();
  for (const char* port : {"x", "y"}) {
    client.surfaces.push_back(
        Must(client.session.CreateSurface(DType::kFp16, Shape({1}), port), "surface"));
    builder.Bind(port, client.surfaces.back());
  }
  client.invocation = Must(builder.Build(), "prepare");
  client.lane = Must(client.session.CreateLane(), "lane");
  client.queue = Must(client.lane.OpenQueue(16, SubmitMode::kRing), "ring");
  return client;
}

double MedianUs(Client& client, int count) {
  std::vector<int64_t> times;
  for (int i = 0; i < count; ++i) {
    const Clock::time_point begin = Clock::now();
    Check(client.queue.Submit(client.lane, client.invocation), "submit");
    Check(client.queue.Finish(), "run");
    times.push_back(std::chrono::nanoseconds(Clock::now() - begin).count());
  }
  return Summarize(std::move(times)).p50_us;
}

std::unique_ptr<test::ChildProcess> StartOther(const std::string& program,
                                               const std::string& socket,
                                               const std::string& script) {
  auto child = Must(test::ChildProcess::Start({program, socket, script}), "client");
  Must(child->WaitForLine("ready"), "client");
  return child;
}

// Median over rounds of: beside a client that was stopped in the middle of its work, over alone.
double StoppedOverBefore(const std::string& program, const std::string& socket, int rounds) {
  constexpr int kCount = 500;
  Client client = MakeClient(socket);
  MedianUs(client, kCount);
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    const double before = MedianUs(client, kCount);
    const auto other = StartOther(program, socket, "ring-loop");
    other->Signal(SIGSTOP);
    MedianUs(client, kCount / 5);  // what it had queued is done
    const double beside = MedianUs(client, kCount);
    other->Signal(SIGKILL);
    Must(other->Wait(), "client");
    ratios.push_back(beside / before);
  }
  std::ranges::sort(ratios);
  return ratios[ratios.size() / 2];
}

// The longest of several, in ms: from the signal until the daemon knows nothing of the client.
double KilledFreedMs(const std::string& program, const std::string& socket, int rounds) {
  const auto watcher = test::ConnectTransport(socket);
  const auto sessions = [&] { return Must(watcher->GetStatus(), "status").sessions.size(); };
  double longest = 0;
  for (int round = 0; round < rounds; ++round) {
    const size_t before = sessions();
    for (const char* script : {"hold", "ring-loop"}) {
      const auto other = StartOther(program, socket, script);
      if (sessions() != before + 1) Fail("the client's session does not show");
      const Clock::time_point killed = Clock::now();
      other->Signal(SIGKILL);
      while (sessions() != before) std::this_thread::yield();
      longest = std::max(longest,
                         std::chrono::duration<double, std::milli>(Clock::now() - killed).count());
      Must(other->Wait(), "client");
    }
  }
  return longest;
}

}  // namespace

void MeasureIsolation(const std::string& anexd, const std::string& client_program, int rounds,
                      nlohmann::json& report) {
  const auto daemon = Must(test::DaemonProcess::Start({.binary = anexd}), "anexd");
  const double stopped = StoppedOverBefore(client_program, daemon->socket(), rounds / 3 + 5);
  const double freed_ms = KilledFreedMs(client_program, daemon->socket(), rounds / 12 + 2);
  std::printf("\nbeside a stopped client: %.3f of before; all of a killed one gone after %.1f ms\n",
              stopped, freed_ms);
  report["stopped_client_median_over_before"] = stopped;
  report["killed_client_freed_ms"] = freed_ms;
}

void MeasureTrainers(const std::string& anexd, const std::string& trainer, const std::string& data,
                     nlohmann::json& report) {
  const auto daemon = Must(test::DaemonProcess::Start({.binary = anexd}), "anexd");
  const Trainers crew{trainer, data, 40};
  std::vector<double> ratios;
  for (int round = 0; round < 3; ++round) {
    const double one = AggregateTokens(crew, daemon->socket(), 1);
    const double four = AggregateTokens(crew, daemon->socket(), 4);
    std::printf("  one trainer %.0f tokens/s, four together %.0f, ratio %.3f\n", one, four,
                four / one);
    ratios.push_back(four / one);
  }
  std::ranges::sort(ratios);
  report["aggregate_4_trainers_over_1"] = ratios[1];
}

}  // namespace anex::bench
