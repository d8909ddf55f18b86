// Many threads at once. What must hold is checked on the history afterwards.

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/engine/run_fixture.h"

namespace anex::engine::testing {
namespace {

class RaceTest : public RunTest {};

// Submitters, a canceller, a lane closer and a drainer race; every accepted submission must give
// exactly one completion, and in each lane those that ran must have run in order.
TEST_F(RaceTest, EveryAcceptedSubmissionGivesExactlyOneCompletion) {
  constexpr int kSubmitters = 4, kEach = 400;
  std::vector<uint64_t> lanes;
  for (int i = 0; i < kSubmitters; ++i) lanes.push_back(OpenLane(1 + i / 2));
  std::vector<std::shared_ptr<const Invocation>> work;
  for (int i = 0; i < kSubmitters; ++i) work.push_back(Tagged(static_cast<float>(i)));
  std::atomic<uint64_t> accepted{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kSubmitters; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < kEach; ++i) {
        if (Submit(lanes[t], work[t], t * 100000 + i).ok()) accepted.fetch_add(1);
        if (i % 64 == 0) std::this_thread::yield();
      }
    });
  }
  std::atomic<bool> over{false};
  threads.emplace_back([&] {
    std::mt19937 random(11);
    while (!over.load()) {
      const uint64_t t = random() % kSubmitters;
      dispatcher_->Cancel(lanes[t], t * 100000 + random() % kEach);
      std::this_thread::yield();
    }
  });
  threads.emplace_back([&] {
    while (accepted.load() < kEach) std::this_thread::yield();
    dispatcher_->CloseLane(lanes[3]);
  });

  std::map<uint64_t, int> seen;
  std::map<uint64_t, uint64_t> last_run;
  bool joined = false;
  for (;;) {
    std::optional<Completion> completion = completions_->Next(absl::Milliseconds(20));
    if (completion.has_value()) {
      ++seen[completion->user_data];
      if (completion->status.ok()) {
        uint64_t& last = last_run[completion->user_data / 100000];
        EXPECT_GE(completion->user_data, last);
        last = completion->user_data;
      }
    } else if (joined && completions_->outstanding() == 0) {
      break;
    } else if (!joined) {
      for (int t = 0; t < kSubmitters; ++t) threads[t].join();
      over.store(true);
      for (size_t t = kSubmitters; t < threads.size(); ++t) threads[t].join();
      joined = true;
    }
  }
  EXPECT_EQ(seen.size(), accepted.load());
  for (const auto& [user_data, times] : seen) EXPECT_EQ(times, 1) << user_data;
  EXPECT_EQ(dispatcher_->load().queued, 0u);
}

// x and w are two parameters of one set, both filled with the number of their generation, so that
// y = 3x - w is twice the generation, unless two generations were mixed.
TEST_F(RaceTest, NoRunSeesTwoGenerationsOfASet) {
  for (ParameterMode mode : {ParameterMode::kDouble, ParameterMode::kFenced}) {
    auto set = MakeSet(*pool_, mode, clock_, {"x", "w"}, Fp32({2, 3}));
    auto y = NewSurface();
    auto run = Prepare("sub", {Bind("x", set, 0), Bind("w", set, 1), Bind("y", y)});
    ResolvedChain spec;
    spec.steps = {run, run};
    auto chain = MakeChain(std::move(spec));
    const uint64_t lane = OpenLane(9);
    std::atomic<bool> over{false};
    std::thread writer([&] {
      while (!over.load()) {
        absl::StatusOr<LeaseTerms> lease = set->BeginWrite(10'000'000'000, Soon());
        ASSERT_TRUE(lease.ok()) << lease.status();
        for (const auto& parameter : set->parameters()) {
          Fill(*parameter.buffers[lease->buffer], static_cast<float>(lease->generation), 0);
        }
        ASSERT_TRUE(set->Publish(lease->number, 0).ok());
      }
    });
    uint64_t last = 0;
    for (int i = 0; i < 300 || last < 3; ++i) {
      Work work = run;
      if (i % 2 == 0) work = chain;
      const Completion done = Evaluate(lane, work);
      ASSERT_TRUE(done.status.ok()) << done.status;
      ASSERT_GE(done.generation, last) << "generations never go back";
      last = done.generation;
      for (int e = 0; e < 6; ++e) ASSERT_EQ(Floats(*y)[e], 2 * static_cast<float>(last)) << i;
    }
    over.store(true);
    writer.join();
  }
}

// Hangs, submissions and ends of sessions at once: nobody is lost.
TEST_F(RaceTest, SubmissionsRacingWithTheEndAreCompletedOrRefused) {
  for (int round = 0; round < 20; ++round) {
    const uint64_t lane = OpenLane(1);
    auto work = Tagged(1);
    std::atomic<int> accepted{0};
    std::thread submitter([&] {
      for (int i = 0; i < 200; ++i) accepted += Submit(lane, work, i).ok() ? 1 : 0;
    });
    while (accepted.load() < 10) std::this_thread::yield();
    dispatcher_->StopIntake();
    submitter.join();
    dispatcher_.reset();
    for (int i = 0; i < accepted.load(); ++i) Next();
    EXPECT_EQ(completions_->outstanding(), 0u);
    StartDispatcher();
  }
}

}  // namespace
}  // namespace anex::engine::testing
