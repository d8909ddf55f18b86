// Probes of a device through the engine: one at a time, on an instance of its own, and gone with
// their caller, whatever the device does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "server/engine/engine.h"

namespace anex::engine {
namespace {

using device::CallControl;
using device::ProbeLog;
using ::testing::HasSubstr;

using ProbeBody = std::function<absl::Status(bool thorough, CallControl&, ProbeLog&)>;

// What devices of a test do, and how many there are.
struct Script {
  absl::Status make;  // of all but the engine's own, which is made first
  ProbeBody probe;    // empty: the device has nothing to tell
  std::atomic<int> made{0}, alive{0};

  bool WaitForAlive(int count) const {
    const absl::Time patience = absl::Now() + absl::Seconds(10);
    while (alive != count && absl::Now() < patience) absl::SleepFor(absl::Milliseconds(1));
    return alive == count;
  }
};

class ScriptedDevice final : public device::Device {
 public:
  explicit ScriptedDevice(std::shared_ptr<Script> script) : script_(std::move(script)) {
    capabilities_.name = "scripted";
    capabilities_.description = "a device for tests";
    capabilities_.compiler_version = "1";
    ++script_->alive;
  }
  ~ScriptedDevice() override { --script_->alive; }

  const device::Capabilities& capabilities() const override { return capabilities_; }
  absl::StatusOr<device::Artifact> Compile(std::shared_ptr<const mil::Program>,
                                           const device::DeviceOptions&,
                                           const device::BuildContext&) override {
    return absl::UnimplementedError("only probed");
  }
  absl::StatusOr<std::shared_ptr<device::Executable>> Load(const device::Artifact&,
                                                           const device::BuildContext&) override {
    return absl::UnimplementedError("only probed");
  }
  absl::Status Probe(bool thorough, CallControl& control, ProbeLog& log) override {
    if (script_->probe) return script_->probe(thorough, control, log);
    return Device::Probe(thorough, control, log);
  }
  absl::StatusOr<TensorLayout> PreferredLayout(DType dtype, const Shape& shape) const override {
    return MakePackedLayout(dtype, shape);
  }

 private:
  const std::shared_ptr<Script> script_;
  device::Capabilities capabilities_;
};

class EngineProbe : public ::testing::Test {
 protected:
  void SetUp() override { Start({}); }
  void TearDown() override {
    if (!let_go_.HasBeenNotified()) let_go_.Notify();
    engine_.reset();
    EXPECT_TRUE(script_->WaitForAlive(0)) << "a device was left";
  }

  void Start(const Limits& limits) {
    engine_.reset();
    ASSERT_TRUE(script_->WaitForAlive(0)) << "a device outlives its engine";
    script_->made = 0;
    const auto make = [script = script_]() -> absl::StatusOr<std::unique_ptr<device::Device>> {
      if (++script->made > 1 && !script->make.ok()) return script->make;
      return std::make_unique<ScriptedDevice>(script);
    };
    EngineOptions options{*device::DeviceList::Make({{"scripted", make}, {"other", make}})};
    options.limits = limits;
    auto engine = Engine::Create(std::move(options));
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
    own_ = script_->alive;
  }

  Caller Operator() {
    Caller caller;
    caller.role = Role::kOperator;
    caller.deadline_ns = SystemClock().Now() + 20'000'000'000;
    return caller;
  }
  absl::StatusOr<ProbeReport> Probe() { return engine_->Probe(Operator(), "", false); }

  // A probe that answers one question and stays at the next until the test lets it go.
  ProbeBody Hangs() {
    return [this](bool, CallControl& control, ProbeLog& log) {
      log.Ask("first", "does it answer?", Evidence::kProbed);
      log.Answer("yes", {{"median_us", 2.5}});
      control.Progress();
      log.Ask("second", "and this?", Evidence::kProbed);
      began_.Notify();
      let_go_.WaitForNotification();
      return absl::OkStatus();
    };
  }
  // One that goes on until it is told to stop.
  ProbeBody RunsUntilStopped() {
    return [this](bool, CallControl& control, ProbeLog& log) {
      log.Ask("endless", "does it end?", Evidence::kProbed);
      began_.Notify();
      while (!control.stopped()) {
        control.Progress();
        absl::SleepFor(absl::Milliseconds(1));
      }
      return control.Check();
    };
  }

  std::shared_ptr<Script> script_ = std::make_shared<Script>();
  std::unique_ptr<Engine> engine_;
  int own_ = 0;  // instances that the engine has for itself
  absl::Notification began_, let_go_;
};

TEST_F(EngineProbe, AsksAnInstanceOfItsOwnWhichGoesAfterwards) {
  int alive_inside = 0;
  script_->probe = [&](bool thorough, CallControl&, ProbeLog& log) {
    alive_inside = script_->alive;
    log.Ask("asked", "was everything asked for?", Evidence::kAssumed);
    log.Answer(thorough ? "everything" : "not all", {{"tries", 3}});
    return absl::OkStatus();
  };
  const absl::StatusOr<ProbeReport> report = engine_->Probe(Operator(), "other", true);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->device, "other");
  EXPECT_EQ(report->description, "a device for tests");
  ASSERT_EQ(report->findings.size(), 1u);
  EXPECT_EQ(report->findings[0].claim, "asked");
  EXPECT_EQ(report->findings[0].question, "was everything asked for?");
  EXPECT_EQ(report->findings[0].answer, "everything");
  EXPECT_EQ(report->findings[0].evidence, Evidence::kAssumed);
  EXPECT_EQ(report->findings[0].numbers.at("tries"), 3);
  EXPECT_EQ(alive_inside, own_ + 1);
  EXPECT_EQ(script_->alive, own_) << "it is gone when the report is there";

  const absl::StatusOr<ProbeReport> standard = Probe();
  ASSERT_TRUE(standard.ok());
  EXPECT_EQ(standard->device, "scripted");
  EXPECT_EQ(standard->findings[0].answer, "not all");
}

TEST_F(EngineProbe, UnknownDevicesAreNotFoundAndTheKnownOnesAreNamed) {
  const absl::Status unknown = engine_->Probe(Operator(), "gpu\x1b", false).status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(std::string(unknown.message()), "no device \"gpu\\x1b\"; there is: scripted, other");
  EXPECT_EQ(engine_->Probe(Operator(), std::string(65, 'x'), false).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(EngineProbe, IsForOperators) {
  Caller observer = Operator();
  observer.role = Role::kObserver;
  const int made = script_->made;
  EXPECT_EQ(engine_->Probe(observer, "", false).status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(script_->made, made);
}

TEST_F(EngineProbe, ADeviceWithNothingToTellSaysSo) {
  EXPECT_EQ(Probe().status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(Probe().status().code(), absl::StatusCode::kUnimplemented) << "and again";
}

TEST_F(EngineProbe, ADeviceThatCannotBeMadeIsAReport) {
  script_->make = absl::UnavailableError("its self-test failed: element 3 is 0");
  const absl::StatusOr<ProbeReport> report = Probe();
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_EQ(report->findings.size(), 1u);
  EXPECT_EQ(report->findings[0].claim, "available");
  EXPECT_EQ(report->findings[0].answer, "no: its self-test failed: element 3 is 0");
  EXPECT_EQ(report->findings[0].evidence, Evidence::kProbed);
  script_->make = absl::ResourceExhaustedError("no memory");
  EXPECT_EQ(Probe().status(), script_->make) << "says nothing about the device";
}

TEST_F(EngineProbe, OneAtATime) {
  script_->probe = Hangs();
  absl::StatusOr<ProbeReport> first;
  std::thread thread([&] { first = Probe(); });
  began_.WaitForNotification();
  const absl::Status second = Probe().status();
  EXPECT_EQ(second.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(second.message()), HasSubstr("device scripted is being probed already"));
  let_go_.Notify();
  thread.join();
  EXPECT_TRUE(first.ok()) << first.status();
  script_->probe = nullptr;
  EXPECT_EQ(Probe().status().code(), absl::StatusCode::kUnimplemented) << "the place is free";
}

TEST_F(EngineProbe, ACallerWhoLeavesStopsIt) {
  script_->probe = RunsUntilStopped();
  std::atomic<bool> left{false};
  Caller caller = Operator();
  caller.cancelled = [&] { return left.load(); };
  absl::Status status;
  std::thread thread([&] { status = engine_->Probe(caller, "", false).status(); });
  began_.WaitForNotification();
  left = true;
  thread.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(std::string(status.message()), HasSubstr("which was at endless"));
  EXPECT_TRUE(script_->WaitForAlive(own_));
}

TEST_F(EngineProbe, ADeadlineStopsIt) {
  script_->probe = RunsUntilStopped();
  Caller caller = Operator();
  caller.deadline_ns = SystemClock().Now() + 50'000'000;
  EXPECT_EQ(engine_->Probe(caller, "", false).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(script_->WaitForAlive(own_));
  caller.deadline_ns = SystemClock().Now() - 1;
  const int made = script_->made;
  EXPECT_EQ(engine_->Probe(caller, "", false).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(script_->made, made) << "it was too late to begin";
}

TEST_F(EngineProbe, WantOfMemoryFailsTheCallOnly) {
  script_->probe = [](bool, CallControl&, ProbeLog&) -> absl::Status { throw std::bad_alloc(); };
  EXPECT_EQ(Probe().status().code(), absl::StatusCode::kResourceExhausted);
  script_->probe = nullptr;
  EXPECT_EQ(Probe().status().code(), absl::StatusCode::kUnimplemented);
}

TEST_F(EngineProbe, WhileDrainingNothingIsProbed) {
  ASSERT_TRUE(engine_->Drain(Operator(), 0).ok());
  EXPECT_EQ(Probe().status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(EngineProbe, ADeviceThatHangsHasAReportAndLeavesThePlaceFree) {
  Limits limits;
  limits.device_hang_ns = 20'000'000;
  Start(limits);
  script_->probe = Hangs();
  const absl::StatusOr<ProbeReport> report = Probe();
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_EQ(report->findings.size(), 2u);
  EXPECT_EQ(report->findings[0].answer, "yes");
  EXPECT_EQ(report->findings[0].numbers.at("median_us"), 2.5);
  EXPECT_EQ(report->findings[1].claim, "second");
  EXPECT_EQ(report->findings[1].question, "and this?");
  EXPECT_THAT(report->findings[1].answer, HasSubstr("hangs: nothing for 60ms"));
  EXPECT_TRUE(script_->WaitForAlive(own_ + 1)) << "the thread is left inside, and only that";

  script_->probe = [](bool, CallControl&, ProbeLog& log) {
    log.Tell({"known", "?", "yes", Evidence::kProbed, {}});
    return absl::OkStatus();
  };
  const absl::StatusOr<ProbeReport> next = Probe();
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_EQ(next->findings[0].claim, "known");
}

TEST_F(EngineProbe, OneThatGetsOnIsNotTakenForHung) {
  Limits limits;
  limits.device_hang_ns = 100'000'000;
  Start(limits);
  script_->probe = [](bool, CallControl& control, ProbeLog& log) {
    for (int i = 0; i < 12; ++i) {  // 600 ms
      log.Ask("slow", "?", Evidence::kProbed);
      absl::SleepFor(absl::Milliseconds(50));
      log.Answer("yes");
      control.Progress();
    }
    return absl::OkStatus();
  };
  const absl::StatusOr<ProbeReport> report = Probe();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->findings.size(), 12u);
}

TEST_F(EngineProbe, AfterSeveralThatHangNothingIsProbedUntilOneReturns) {
  Limits limits;
  limits.device_hang_ns = 10'000'000;
  Start(limits);
  script_->probe = [this](bool, CallControl&, ProbeLog&) {
    let_go_.WaitForNotification();
    return absl::OkStatus();
  };
  for (int i = 0; i < 4; ++i) {
    const absl::StatusOr<ProbeReport> report = Probe();
    ASSERT_TRUE(report.ok()) << i << ": " << report.status();
    EXPECT_THAT(report->findings.back().answer, HasSubstr("hangs"));
  }
  const int made = script_->made;
  const absl::Status refused = Probe().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("4 probes hang"));
  EXPECT_EQ(script_->made, made);
  let_go_.Notify();
  ASSERT_TRUE(script_->WaitForAlive(own_));
  script_->probe = nullptr;
  absl::Status again = Probe().status();
  while (absl::IsResourceExhausted(again)) again = Probe().status();  // the last thread is leaving
  EXPECT_EQ(again.code(), absl::StatusCode::kUnimplemented);
}

// Its caller has left, so nobody has seen that it hangs: the next caller does.
TEST_F(EngineProbe, OneThatHangsAndWasLeftHoldsThePlaceOnlySoLong) {
  Limits limits;
  limits.device_hang_ns = 10'000'000;
  Start(limits);
  script_->probe = Hangs();
  Caller hasty = Operator();
  hasty.cancelled = [this] { return began_.HasBeenNotified(); };
  EXPECT_EQ(engine_->Probe(hasty, "", false).status().code(), absl::StatusCode::kCancelled);
  script_->probe = nullptr;
  const absl::Time patience = absl::Now() + absl::Seconds(10);
  absl::Status next = Probe().status();
  while (absl::IsResourceExhausted(next) && absl::Now() < patience) {
    absl::SleepFor(absl::Milliseconds(5));
    next = Probe().status();
  }
  EXPECT_EQ(next.code(), absl::StatusCode::kUnimplemented) << next;
}

TEST_F(EngineProbe, TheEngineEndsWhileADeviceHangs) {
  script_->probe = Hangs();
  Caller hasty = Operator();
  hasty.cancelled = [this] { return began_.HasBeenNotified(); };
  EXPECT_EQ(engine_->Probe(hasty, "", false).status().code(), absl::StatusCode::kCancelled);
  const absl::Time begin = absl::Now();
  engine_.reset();
  EXPECT_LT(absl::Now() - begin, absl::Seconds(10));
  EXPECT_EQ(script_->alive, 1) << "the one that hangs, and not the engine's own";
}

}  // namespace
}  // namespace anex::engine
