// An engine on a device that computes y = 1 + 2 * (sum of inputs) whatever the program says, and
// whose runs a test can hold. The programs used say just that, so a real device agrees.
#ifndef ANEX_TESTS_ENGINE_ENGINE_FIXTURE_H_
#define ANEX_TESTS_ENGINE_ENGINE_FIXTURE_H_

#include <gtest/gtest.h>

#include <climits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "server/engine/engine.h"
#include "server/mil/program.h"
#include "tests/engine/objects_fixture.h"

namespace anex::engine::testing {

// Holds runs until it is opened; tells how many have begun.
class Gate {
 public:
  void Shut() { Set(false); }
  void Open() { Set(true); }
  // The one that is held goes on, and `runs` that come after it; the next one is held.
  void OpenFor(int runs) {
    absl::MutexLock lock(&mutex_);
    last_ = begun_ + runs;
    open_ = true;
  }
  void Pass() {
    absl::MutexLock lock(&mutex_);
    if (++begun_ > last_) {
      open_ = false;
      last_ = INT_MAX;
    }
    mutex_.Await(absl::Condition(&open_));
  }
  void WaitBegun(int runs) {
    absl::MutexLock lock(&mutex_);
    const auto reached = [&] { return begun_ >= runs; };
    mutex_.Await(absl::Condition(&reached));
  }

 private:
  void Set(bool open) {
    absl::MutexLock lock(&mutex_);
    open_ = open;
  }
  absl::Mutex mutex_;
  bool open_ = true;
  int begun_ = 0, last_ = INT_MAX;
};

class GatedRequest final : public device::Request {
 public:
  GatedRequest(std::unique_ptr<device::Request> request, std::shared_ptr<Gate> gate)
      : request_(std::move(request)), gate_(std::move(gate)) {}
  absl::StatusOr<device::RunStats> Run(device::CallControl& control) override {
    gate_->Pass();
    return request_->Run(control);
  }

 private:
  const std::unique_ptr<device::Request> request_;
  const std::shared_ptr<Gate> gate_;
};

class GatedExecutable final : public device::Executable {
 public:
  GatedExecutable(std::vector<FunctionInfo> functions, std::shared_ptr<Gate> gate)
      : tiny_(std::make_shared<TinyExecutable>(std::move(functions))), gate_(std::move(gate)) {}
  std::span<const FunctionInfo> functions() const override { return tiny_->functions(); }
  absl::StatusOr<std::unique_ptr<device::Request>> Prepare(
      size_t function, std::span<const device::BoundPort> ports) override {
    auto request = tiny_->Prepare(function, ports);
    return std::make_unique<GatedRequest>(*std::move(request), gate_);
  }
  uint64_t resident_bytes() const override { return 64; }

 private:
  const std::shared_ptr<TinyExecutable> tiny_;
  const std::shared_ptr<Gate> gate_;
};

class GatedDevice final : public device::Device {
 public:
  GatedDevice(std::string name, std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {
    capabilities_.name = std::move(name);
    capabilities_.compiler_version = "1";
  }
  const device::Capabilities& capabilities() const override { return capabilities_; }
  absl::StatusOr<device::Artifact> Compile(std::shared_ptr<const mil::Program> program,
                                           const device::DeviceOptions& options,
                                           const device::BuildContext&) override {
    return device::Artifact{std::move(program), options, {}};
  }
  absl::StatusOr<std::shared_ptr<device::Executable>> Load(const device::Artifact& artifact,
                                                           const device::BuildContext&) override {
    std::vector<FunctionInfo> functions;
    for (const mil::Function& function : artifact.program->functions) {
      FunctionInfo info{function.name, {}};
      for (const auto id : function.inputs) info.ports.push_back(PortOf(function, id, false));
      for (const auto id : function.outputs) info.ports.push_back(PortOf(function, id, true));
      functions.push_back(std::move(info));
    }
    return std::make_shared<GatedExecutable>(std::move(functions), gate_);
  }
  absl::StatusOr<TensorLayout> PreferredLayout(DType dtype, const Shape& shape) const override {
    return MakePackedLayout(dtype, shape);
  }

 private:
  static PortInfo PortOf(const mil::Function& function, mil::ValueId id, bool output) {
    const mil::Value& value = function.value(id);
    return {value.name, output ? PortDirection::kOutput : PortDirection::kInput,
            *MakePackedLayout(value.type.tensor.dtype, value.type.tensor.shape)};
  }
  device::Capabilities capabilities_;
  const std::shared_ptr<Gate> gate_;
};

// y = 1 + 2 * (x + w), fp32 [2, 3].
inline ProgramSource Xwy(std::string name = "xwy.mil") {
  return {std::move(name),
          "program(1.3)\n{\n"
          "  func main<ios18>(tensor<fp32, [2, 3]> x, tensor<fp32, [2, 3]> w) {\n"
          "    tensor<fp32, [2, 3]> s = add(x = x, y = w);\n"
          "    tensor<fp32, [2, 3]> d = mul(x = s, y = fp32(2));\n"
          "    tensor<fp32, [2, 3]> y = add(x = d, y = fp32(1));\n"
          "  } -> (y);\n}\n",
          {}};
}

inline std::string Bytes(const std::vector<float>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

inline std::vector<float> Values(const std::string& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override { Start({}); }
  void TearDown() override {
    gate_->Open();
    engine_.reset();
  }

  void Start(const Limits& limits, std::vector<std::string> names = {"tiny"}) {
    std::vector<device::DeviceFactory> factories;
    for (const std::string& name : names) {
      factories.push_back({name, [name, gate = gate_] {
                             return absl::StatusOr<std::unique_ptr<device::Device>>(
                                 std::make_unique<GatedDevice>(name, gate));
                           }});
    }
    EngineOptions options{*device::DeviceList::Make(std::move(factories))};
    options.version = "test";
    options.runtime_dir = "/run/anexd";
    options.side_channel = "/run/anexd/side";
    options.limits = limits;
    options.find_global_iosurface = find_global_iosurface_;
    auto engine = Engine::Create(std::move(options));
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
  }

  Caller Anyone(Role role = Role::kOwner) {
    Caller caller;
    caller.identity = {Identity::Kind::kInProcess, 501, 7, ""};
    caller.role = role;
    caller.deadline_ns = SystemClock().Now() + 20'000'000'000;
    return caller;
  }
  Caller OpenSession(std::string name = "test") {
    Caller caller = Anyone();
    const auto grant = engine_->Open(caller, {.client_name = std::move(name)});
    EXPECT_TRUE(grant.ok()) << grant.status();
    caller.session = grant->id;
    return caller;
  }

  // A kernel with surfaces for x, w and y, prepared, and a lane.
  struct Ready {
    KernelId kernel;
    SurfaceId x, w, y;
    InvocationId invocation;
    LaneId lane;
  };
  SurfaceId NewSurface(const Caller& caller) {
    SurfaceSpec spec;
    spec.dtype = DType::kFp32;
    spec.shape = Shape({2, 3});
    const auto info = engine_->CreateSurface(caller, spec);
    EXPECT_TRUE(info.ok()) << info.status();
    return info->id;
  }
  KernelId NewKernel(const Caller& caller, std::string device = "") {
    CompileOptions options;
    options.device = std::move(device);
    const auto kernel = engine_->Compile(caller, Xwy(), options);
    EXPECT_TRUE(kernel.ok()) << kernel.status();
    return kernel->id;
  }
  Ready GetReady(const Caller& caller, std::string device = "") {
    Ready ready{NewKernel(caller, std::move(device)),
                NewSurface(caller),
                NewSurface(caller),
                NewSurface(caller),
                {},
                {}};
    ready.invocation = *engine_->Prepare(
        caller, {ready.kernel, "", {{"x", ready.x}, {"w", ready.w}, {"y", ready.y}}});
    ready.lane = *engine_->CreateLane(caller, {});
    return ready;
  }
  static Submission Run(const Ready& ready, uint64_t user_data = 0) {
    Submission submission;
    submission.lane = ready.lane;
    submission.user_data = user_data;
    submission.target = ready.invocation.value();
    return submission;
  }
  void Write(const Caller& caller, SurfaceId surface, const std::vector<float>& values) {
    ASSERT_TRUE(engine_->WriteSurface(caller, surface, {}, Bytes(values)).ok());
  }
  std::vector<float> Read(const Caller& caller, SurfaceId surface) {
    const auto bytes = engine_->ReadSurface(caller, surface, {});
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    return Values(*bytes);
  }

  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  GlobalIosurfaceFinder find_global_iosurface_ = nullptr;
  std::unique_ptr<Engine> engine_;
};

}  // namespace anex::engine::testing

#endif  // ANEX_TESTS_ENGINE_ENGINE_FIXTURE_H_
