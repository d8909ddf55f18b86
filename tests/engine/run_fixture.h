// What tests of engine/run need: a device whose runs can be held, counted and made to fail, and a
// dispatcher on it. Built on the objects' fixture.
#ifndef ANEX_TESTS_ENGINE_RUN_FIXTURE_H_
#define ANEX_TESTS_ENGINE_RUN_FIXTURE_H_

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/engine/objects/chain.h"
#include "server/engine/run/completion_queue.h"
#include "server/engine/run/dispatcher.h"
#include "tests/engine/objects_fixture.h"

namespace anex::engine::testing {

inline constexpr absl::Duration kSoon = absl::Seconds(20);  // only a broken test waits that long

// What all instances of one held device share. Each run notes the first element of its first input.
class RunControl {
 public:
  void Hold() {
    absl::MutexLock lock(&mutex_);
    held_ = true;
  }
  // Runs that start from now on are not held; those inside still are.
  void LetNewOnesPass() {
    absl::MutexLock lock(&mutex_);
    held_ = false;
  }
  void Release() {
    absl::MutexLock lock(&mutex_);
    held_ = false;
    ++releases_;
  }
  // Lets exactly one held run go on.
  void Step() {
    absl::MutexLock lock(&mutex_);
    ++steps_;
  }
  void FailNext(absl::Status status) {
    absl::MutexLock lock(&mutex_);
    fail_ = std::move(status);
  }
  bool WaitForStarted(int runs) {
    absl::MutexLock lock(&mutex_);
    const auto reached = [&] { return static_cast<int>(history_.size()) >= runs; };
    return mutex_.AwaitWithTimeout(absl::Condition(&reached), kSoon);
  }
  std::vector<float> history() const {
    absl::MutexLock lock(&mutex_);
    return history_;
  }

  // What runs of this tag say that they took; 1000 ns unless told.
  void SetCost(float tag, int64_t device_ns) {
    absl::MutexLock lock(&mutex_);
    costs_[tag] = device_ns;
  }
  int64_t CostOf(float tag) const {
    absl::MutexLock lock(&mutex_);
    const auto it = costs_.find(tag);
    return it == costs_.end() ? 1000 : it->second;
  }

  // Runs that are held look whether they are told to stop, as those of a device that computes.
  // Before the device is started.
  void ObeyStops() { obeys_ = true; }
  bool obeys() const { return obeys_; }
  // The run that is inside gets on by one piece of work. REQUIRES: one is held.
  void Progress() {
    absl::MutexLock lock(&mutex_);
    inside_->Progress();
  }

  // Called by the device.
  absl::Status Enter(float tag, device::CallControl& call) {
    absl::MutexLock lock(&mutex_);
    history_.push_back(tag);
    const uint64_t releases = releases_;
    const auto may_go = [&] { return steps_ > 0 || releases_ != releases; };
    if (held_) {
      inside_ = &call;
      if (absl::Status stopped = Hold(absl::Condition(&may_go), call); !stopped.ok()) {
        return stopped;
      }
      if (steps_ > 0) --steps_;
    }
    return std::exchange(fail_, absl::OkStatus());
  }

 private:
  absl::Status Hold(const absl::Condition& may_go, const device::CallControl& call)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!obeys_) {
      mutex_.Await(may_go);
      return absl::OkStatus();
    }
    while (!mutex_.AwaitWithTimeout(may_go, absl::Milliseconds(1))) {
      if (call.stopped()) return call.Check();
    }
    return absl::OkStatus();
  }

  bool obeys_ = false;
  device::CallControl* inside_ ABSL_GUARDED_BY(mutex_) = nullptr;
  mutable absl::Mutex mutex_;
  bool held_ = false;
  int steps_ = 0;
  uint64_t releases_ = 0;
  absl::Status fail_;
  std::vector<float> history_;
  std::map<float, int64_t> costs_;
};

// y = 3 * x - w, or 2 * x + 1 without w.
class HeldRequest final : public device::Request {
 public:
  HeldRequest(std::shared_ptr<RunControl> control, const FunctionInfo& function,
              std::span<const device::BoundPort> ports)
      : control_(std::move(control)), bound_(ports.begin(), ports.end()) {
    for (const device::BoundPort& port : bound_) {
      auto* data = reinterpret_cast<float*>(port.region->data());
      const PortInfo& info = function.ports[port.port];
      if (info.direction == PortDirection::kOutput) {
        y_ = data;
        count_ = info.layout.shape.ElementCount();
      } else {
        (info.name == "w" ? w_ : x_) = data;
      }
    }
  }
  absl::StatusOr<device::RunStats> Run(device::CallControl& call) override {
    if (absl::Status status = control_->Enter(x_[0], call); !status.ok()) return status;
    for (int64_t i = 0; i < count_; ++i) y_[i] = w_ ? 3 * x_[i] - w_[i] : 2 * x_[i] + 1;
    return device::RunStats{control_->CostOf(x_[0])};
  }

 private:
  const std::shared_ptr<RunControl> control_;
  const std::vector<device::BoundPort> bound_;  // keeps the regions
  float *x_ = nullptr, *w_ = nullptr, *y_ = nullptr;
  int64_t count_ = 0;
};

class HeldExecutable final : public device::Executable {
 public:
  HeldExecutable(std::shared_ptr<RunControl> control, std::vector<FunctionInfo> functions)
      : control_(std::move(control)), functions_(std::move(functions)) {}
  std::span<const FunctionInfo> functions() const override { return functions_; }
  absl::StatusOr<std::unique_ptr<device::Request>> Prepare(
      size_t function, std::span<const device::BoundPort> ports) override {
    return std::make_unique<HeldRequest>(control_, functions_[function], ports);
  }
  uint64_t resident_bytes() const override { return 0; }

 private:
  const std::shared_ptr<RunControl> control_;
  const std::vector<FunctionInfo> functions_;
};

class HeldDevice final : public device::Device {
 public:
  HeldDevice(std::shared_ptr<RunControl> control, std::vector<FunctionInfo> functions)
      : control_(std::move(control)), functions_(std::move(functions)) {
    capabilities_.name = "held";
    capabilities_.stops_runs = control_->obeys();
  }
  const device::Capabilities& capabilities() const override { return capabilities_; }
  absl::StatusOr<device::Artifact> Compile(std::shared_ptr<const mil::Program>,
                                           const device::DeviceOptions&,
                                           const device::BuildContext&) override {
    return absl::UnimplementedError("the held device compiles nothing");
  }
  absl::StatusOr<std::shared_ptr<device::Executable>> Load(const device::Artifact&,
                                                           const device::BuildContext&) override {
    return std::make_shared<HeldExecutable>(control_, functions_);
  }
  absl::StatusOr<TensorLayout> PreferredLayout(DType dtype, const Shape& shape) const override {
    return MakePackedLayout(dtype, shape);
  }

 private:
  const std::shared_ptr<RunControl> control_;
  const std::vector<FunctionInfo> functions_;
  device::Capabilities capabilities_;
};

// A held device with two functions, sub(x, w) -> y = 3x - w and grow(x) -> y = 2x + 1, all [2, 3],
// and a dispatcher on it.
class RunTest : public ::testing::Test {
 protected:
  // On the system's clock unless one is given.
  explicit RunTest(int64_t device_hang_ns = 60'000'000'000,
                   std::unique_ptr<Clock> clock = std::make_unique<SystemClock>(),
                   bool obeys_stops = false)
      : hang_ns_(device_hang_ns), owned_clock_(std::move(clock)), clock_(*owned_clock_) {
    if (obeys_stops) control_->ObeyStops();
    const auto in = PortDirection::kInput;
    const auto out = PortDirection::kOutput;
    const TensorLayout layout = Fp32({2, 3});
    const std::vector<FunctionInfo> functions = {
        {"sub", {Port("x", in, layout), Port("w", in, layout), Port("y", out, layout)}},
        {"grow", {Port("x", in, layout), Port("y", out, layout)}}};
    slot_ = *DeviceSlot::Start(
        {"held", [this, functions]() -> absl::StatusOr<std::unique_ptr<device::Device>> {
           if (!next_device_.ok()) return next_device_;
           return std::make_unique<HeldDevice>(control_, functions);
         }});
    const DeviceInstance instance = *slot_->Current();
    kernel_ = std::make_shared<Kernel>("d1", slot_, device::Artifact{},
                                       Kernel::Loaded{instance, *instance.device->Load({})});
    StartDispatcher();
  }
  ~RunTest() override {
    control_->Release();
    dispatcher_.reset();
  }

  void StartDispatcher(std::unique_ptr<Scheduler> scheduler = nullptr) {
    DispatcherOptions options;
    options.scheduler = std::move(scheduler);
    options.slot = slot_;
    options.sleeper = *Sleeper::Create();
    options.clock = &clock_;
    options.lane_depth = Bound("lane_depth", depth_);
    options.device_hang_ns = Bound("device_hang_ns", static_cast<uint64_t>(hang_ns_));
    options.on_hang = [heard = hangs_](std::string_view sentence) {
      absl::MutexLock lock(&heard->mutex);
      heard->sentences.emplace_back(sentence);
    };
    dispatcher_ = std::make_unique<Dispatcher>(std::move(options));
  }

  uint64_t OpenLane(uint64_t session, QosClass qos = QosClass::kDefault,
                    std::shared_ptr<Usage> usage = nullptr) {
    return *dispatcher_->OpenLane(
        {501, SessionId(session), LaneId(session * 100), qos, 1, std::move(usage)});
  }
  std::shared_ptr<Surface> NewSurface(float first = 0, float step = 0) {
    auto surface = MakeSurface(*pool_, Fp32({2, 3}));
    Fill(*surface, first, step);
    return surface;
  }
  static ResolvedBinding Bind(std::string port, std::shared_ptr<Surface> surface) {
    return {std::move(port), BoundSurface{std::move(surface), Access::kReadWrite}};
  }
  static ResolvedBinding Bind(std::string port, std::shared_ptr<ParameterSet> set,
                              size_t index = 0) {
    return {std::move(port), BoundParameter{std::move(set), index}};
  }
  std::shared_ptr<const Invocation> Prepare(std::string_view function,
                                            std::vector<ResolvedBinding> bindings) {
    auto made =
        Invocation::Make(kernel_, *kernel_->FindFunction(function), std::move(bindings), 3, *pool_);
    EXPECT_TRUE(made.ok()) << made.status();
    return *made;
  }
  // grow(x) -> y; the tag shows in the device's history.
  std::shared_ptr<const Invocation> Tagged(float tag) {
    return Prepare("grow", {Bind("x", NewSurface(tag)), Bind("y", NewSurface())});
  }
  static BoundSurface Whole(std::shared_ptr<Surface> surface) {
    return {std::move(surface), Access::kReadWrite};
  }
  std::shared_ptr<const Chain> MakeChain(ResolvedChain spec) {
    auto chain = Chain::Make(std::move(spec), Limits());
    EXPECT_TRUE(chain.ok()) << chain.status();
    return *chain;
  }

  absl::Status Submit(uint64_t lane, Work work, uint64_t user_data = 0,
                      int64_t deadline_ns = INT64_MAX) {
    return dispatcher_->Submit(lane, {.work = std::move(work),
                                      .user_data = user_data,
                                      .deadline_ns = deadline_ns,
                                      .completions = completions_});
  }
  Completion Next() {
    std::optional<Completion> completion = completions_->Next(kSoon);
    EXPECT_TRUE(completion.has_value()) << "no completion came";
    return completion.value_or(Completion());
  }
  Completion Evaluate(uint64_t lane, Work work) {
    const absl::Status accepted = Submit(lane, std::move(work));
    EXPECT_TRUE(accepted.ok()) << accepted;
    return accepted.ok() ? Next() : Completion();
  }
  WaitLimit Soon() const { return {&clock_, clock_.Now() + 20'000'000'000, nullptr}; }

  // What the dispatcher said about hangs.
  std::vector<std::string> Hangs() const {
    absl::MutexLock lock(&hangs_->mutex);
    return hangs_->sentences;
  }
  struct HeardHangs {
    absl::Mutex mutex;
    std::vector<std::string> sentences;
  };

  const std::shared_ptr<HeardHangs> hangs_ = std::make_shared<HeardHangs>();
  const int64_t hang_ns_;
  const uint64_t depth_ = 256;
  const std::unique_ptr<Clock> owned_clock_;
  const Clock& clock_;
  absl::Status next_device_;  // what the factory says
  const std::shared_ptr<RunControl> control_ = std::make_shared<RunControl>();
  const std::shared_ptr<SurfacePool> pool_ = HeapPool();
  const std::shared_ptr<CompletionQueue> completions_ = std::make_shared<CompletionQueue>(4096);
  std::shared_ptr<DeviceSlot> slot_;
  std::shared_ptr<Kernel> kernel_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

}  // namespace anex::engine::testing

#endif  // ANEX_TESTS_ENGINE_RUN_FIXTURE_H_
