// Every allocation of the device thread fails once, and every one from some moment on: whoever
// wanted the memory fails, each submission is answered once, and the thread goes on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <vector>

#include "absl/time/clock.h"
#include "server/engine/run/fair_scheduler.h"
#include "tests/engine/failing_new.h"
#include "tests/engine/run_fixture.h"

namespace anex::engine::testing {
namespace {

class ScarceRun : public RunTest {
 protected:
  ScarceRun() { is_test = true; }
  ~ScarceRun() override { who = Who::kNobody; }

  using Codes = std::map<uint64_t, absl::StatusCode>;
  // Adds the next completion.
  void Collect(Codes& codes) {
    const Completion done = Next();
    EXPECT_TRUE(codes.emplace(done.user_data, done.status.code()).second)
        << done.user_data << " came twice";
  }

  // The device is held by a run of its own lane while a test submits.
  void HoldDevice() {
    control_->Hold();
    const int started = static_cast<int>(control_->history().size()) + 1;
    ASSERT_TRUE(Submit(OpenLane(9), holder_, 0).ok());
    ASSERT_TRUE(control_->WaitForStarted(started));
  }
  // From now on the device thread has `k` allocations.
  void LetGo(HowMany many, int64_t k) {
    left = k;
    how_many = many;
    who = Who::kOtherThreads;
    control_->Release();
  }
  // Runs `round` with one more allocation each time, until all have room; how many that is.
  int64_t FailEach(const std::function<void(HowMany, int64_t)>& round) {
    int64_t most = 0;
    for (const HowMany many : {HowMany::kOne, HowMany::kAllFromThere}) {
      for (int64_t k = 0;; ++k) {
        round(many, k);
        who = Who::kNobody;
        most = std::max(most, k);
        EXPECT_TRUE(Evaluate(OpenLane(8), holder_).status.ok()) << "the next one";
        if (HasFailure() || left >= 0) break;
      }
    }
    return most;
  }

  const std::shared_ptr<const Invocation> holder_ = Tagged(9);
};

void ExpectFineOrShort(const std::map<uint64_t, absl::StatusCode>& codes, uint64_t user_data) {
  ASSERT_TRUE(codes.contains(user_data)) << user_data;
  const absl::StatusCode code = codes.at(user_data);
  EXPECT_TRUE(code == absl::StatusCode::kOk || code == absl::StatusCode::kResourceExhausted)
      << user_data << ": " << static_cast<int>(code);
}

// Waiting for a fence and for a set, signals, chains with timings and pins, and one that is late.
TEST_F(ScarceRun, WhoeverWantsTheMemoryFailsAndNobodyElse) {
  const int64_t allocations = FailEach([this](HowMany many, int64_t k) {
    auto fence = std::make_shared<Fence>(0);
    auto fenced = MakeSet(*pool_, ParameterMode::kFenced, clock_, {"w"}, Fp32({2, 3}));
    auto doubled = MakeSet(*pool_, ParameterMode::kDouble, clock_, {"w"}, Fp32({2, 3}));
    const LeaseTerms lease = *fenced->BeginWrite(60'000'000'000, Soon());
    const auto bound = [&](const std::shared_ptr<ParameterSet>& set) {
      return Prepare("sub", {Bind("x", NewSurface(1)), Bind("w", set), Bind("y", NewSurface())});
    };
    ResolvedChain spec;
    spec.steps = {bound(doubled), Tagged(3), FenceStep{fence, 1, true}};
    spec.repeat = 1;
    const auto chain = MakeChain(std::move(spec));
    HoldDevice();
    const uint64_t waiting = OpenLane(1);
    ASSERT_TRUE(Submit(waiting, FenceStep{fence, 1, false}, 1).ok());
    ASSERT_TRUE(Submit(waiting, Tagged(2), 2).ok());
    ASSERT_TRUE(
        dispatcher_
            ->Submit(
                OpenLane(2),
                {.work = chain, .user_data = 3, .step_timings = true, .completions = completions_})
            .ok());
    ASSERT_TRUE(Submit(OpenLane(3), bound(fenced), 4).ok());
    ASSERT_TRUE(Submit(OpenLane(4), holder_, 5, /*deadline_ns=*/1).ok());
    LetGo(many, k);
    Codes codes;
    while (!codes.contains(3)) Collect(codes);
    EXPECT_TRUE(fence->Signal(1).ok()) << "if the chain did not come so far";
    EXPECT_TRUE(fenced->Publish(lease.number, 0).ok());
    while (codes.size() < 6) Collect(codes);
    for (const uint64_t one : {0, 1, 2, 3, 4}) ExpectFineOrShort(codes, one);
    EXPECT_EQ(codes[5], absl::StatusCode::kDeadlineExceeded);
    EXPECT_EQ(codes[0], absl::StatusCode::kOk) << "it was inside already";
    for (uint64_t lane : {1, 2, 3, 4, 9}) dispatcher_->CloseLanes(SessionId(lane));
  });
  EXPECT_GT(allocations, 10);
}

TEST_F(ScarceRun, AChainThatIsStoppedSaysSo) {
  const int64_t allocations = FailEach([this](HowMany many, int64_t k) {
    ResolvedChain spec;
    for (float tag : {1, 2, 3}) spec.steps.push_back(Tagged(tag));
    control_->Hold();
    const int started = static_cast<int>(control_->history().size()) + 1;
    const uint64_t lane = OpenLane(1);
    ASSERT_TRUE(Submit(lane, MakeChain(std::move(spec)), 7).ok());
    ASSERT_TRUE(control_->WaitForStarted(started));
    EXPECT_EQ(dispatcher_->Cancel(lane, 7), 1u);
    LetGo(many, k);
    Codes codes;
    Collect(codes);
    EXPECT_EQ(codes[7], absl::StatusCode::kCancelled);
    dispatcher_->CloseLane(lane);
  });
  EXPECT_GT(allocations, 0);
}

// A source that is attached while there is no memory to wait for it is asked all the same.
class OneSource final : public WorkSource {
 public:
  Taken Poll(size_t) override {
    if (!full_.exchange(false)) return {};
    taken_.store(true);
    return {1, false};
  }
  void Put() {
    taken_.store(false);
    full_.store(true);
    if (asleep_.exchange(false)) bell_.Ring();
  }
  bool WaitUntilTaken() const {
    for (int i = 0; i < 20'000 && !taken_; ++i) absl::SleepFor(absl::Milliseconds(1));
    return taken_;
  }
  bool HasWork() const override { return full_.load(); }
  bool PrepareToSleep() override {
    asleep_.store(true);
    return !HasWork();
  }
  void Awake(bool rang) override {
    asleep_.store(false);
    if (rang) bell_.Drain();
  }
  int poll_descriptor() const override { return bell_.poll_descriptor(); }

 private:
  const shm::Doorbell bell_ = *shm::Doorbell::Create();
  std::atomic<bool> full_{false}, taken_{false}, asleep_{false};
};

TEST_F(ScarceRun, TheThreadSleepsWithoutMemoryToo) {
  left = 0;
  how_many = HowMany::kAllFromThere;
  who = Who::kOtherThreads;
  std::vector<std::shared_ptr<OneSource>> sources;
  for (int i = 0; i < 40; ++i) {
    sources.push_back(std::make_shared<OneSource>());
    dispatcher_->Attach(sources.back());
    sources.back()->Put();
    ASSERT_TRUE(sources.back()->WaitUntilTaken());
  }
  EXPECT_LT(left, 0) << "it wanted some";
  who = Who::kNobody;
  for (const auto& source : sources) {
    source->Put();
    EXPECT_TRUE(source->WaitUntilTaken());
    dispatcher_->Detach(source, /*last_look=*/false);
  }
}

// --- A lane that is opened while memory is short is there, or it is not ---

TEST_F(ScarceRun, ALaneIsOpenedWholeOrNotAtAll) {
  dispatcher_.reset();
  for (const HowMany many : {HowMany::kOne, HowMany::kAllFromThere}) {
    for (int64_t k = 0;; ++k) {
      FairScheduler policy;
      ASSERT_TRUE(policy.Add({.lane = 1, .user = 501, .session = SessionId(1)}).ok());
      policy.SetReady(1, true);
      const ScheduledLane fresh{.lane = 2, .user = 502, .session = SessionId(2)};
      left = k;
      how_many = many;
      who = Who::kThisThread;
      bool added = false;
      try {
        added = policy.Add(fresh).ok();
      } catch (const std::bad_alloc&) {
      }
      who = Who::kNobody;
      const bool enough = left >= 0;
      EXPECT_EQ(added, enough);
      if (!added) {
        policy.SetReady(2, true);  // nobody
        EXPECT_EQ(policy.Next(), 1u);
        ASSERT_TRUE(policy.Add(fresh).ok()) << "another time";
      }
      // Whichever way it came, it has its half of the time, and leaving takes no memory.
      policy.SetReady(2, true);
      std::map<uint64_t, int> turns;
      for (int i = 0; i < 20; ++i) {
        const uint64_t next = *policy.Next();
        ++turns[next];
        policy.Served(next, 1000);
      }
      EXPECT_THAT(turns, ::testing::ElementsAre(::testing::Pair(1, 10), ::testing::Pair(2, 10)));
      left = 0;
      how_many = HowMany::kAllFromThere;
      who = Who::kThisThread;
      policy.Remove(2);
      policy.Remove(1);
      who = Who::kNobody;
      EXPECT_EQ(left, 0) << "to leave takes no memory";
      if (enough || HasFailure()) break;
    }
  }
}

}  // namespace
}  // namespace anex::engine::testing
