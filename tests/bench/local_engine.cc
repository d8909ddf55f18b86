#include "tests/bench/local_engine.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/bench/measure.h"

namespace anex::bench {

LocalEngine::LocalEngine(int64_t unit_ns) {
  engine::EngineOptions options{
      .devices = Must(device::DeviceList::Make({SpinDeviceFactory(unit_ns, log_)}), "device")};
  engine_ = Must(engine::Engine::Create(std::move(options)), "engine");
}

LocalClient LocalEngine::Open(const std::string& name, int elements, uint32_t weight) {
  LocalClient client;
  client.elements = elements;
  client.caller.session =
      Must(engine_->Open(client.caller, {.client_name = name, .weight = weight}), "open").id;
  const KernelId kernel =
      Must(engine_->Compile(client.caller, SpinProgram(elements), {}), "compile").id;
  InvocationSpec spec{.kernel = kernel};
  for (const char* port : {"x", "y"}) {
    SurfaceSpec surface;
    surface.fits = {{kernel, "", port}};
    spec.bindings.push_back({port, Must(engine_->CreateSurface(client.caller, surface), port).id});
  }
  client.invocation = Must(engine_->Prepare(client.caller, spec), "prepare");
  client.lane = NewLane(client);
  return client;
}

LaneId LocalEngine::NewLane(const LocalClient& client) {
  return Must(engine_->CreateLane(client.caller, {}), "lane");
}

ChainId LocalEngine::NewChain(const LocalClient& client, int steps) {
  ChainSpec spec;
  for (int i = 0; i < steps; ++i) spec.steps.emplace_back(client.invocation);
  return Must(engine_->DefineChain(client.caller, spec), "chain");
}

int64_t LocalEngine::accounted_ns(const LocalClient& client) const {
  for (const SessionStatus& session : engine_->GetStatus(client.caller).sessions) {
    if (session.id == client.caller.session) return session.usage.device_ns;
  }
  Fail("a session is missing from the status");
}

Submission RunOf(const LocalClient& client) {
  Submission submission;
  submission.lane = client.lane;
  submission.kind = SubmissionKind::kInvocation;
  submission.target = client.invocation.value();
  return submission;
}

Submission RunOf(LaneId lane, ChainId chain) {
  Submission submission;
  submission.lane = lane;
  submission.kind = SubmissionKind::kChain;
  submission.target = chain.value();
  return submission;
}

}  // namespace anex::bench
