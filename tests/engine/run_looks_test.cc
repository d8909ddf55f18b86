// What one look at the work sources costs at most, who has his turn in it, and who pays: sources
// that count, no threads.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "server/engine/run/work_sources.h"
#include "tests/engine/run_fixture.h"

namespace anex::engine::testing {
namespace {

using ::testing::Each;
using ::testing::Ge;

// Always has something; what it has is refused or not. A refusal takes a while.
class EndlessSource final : public WorkSource {
 public:
  EndlessSource(ManualClock& clock, bool bad) : bad(bad), clock_(clock) {}

  Taken Poll(size_t most) override {
    ++polls;
    if (!bad) {
      taken += most;
      return {most, false};
    }
    clock_.Advance(kRefusalNs);
    ++refused;
    return {1, true};
  }
  void Charge(int64_t ns) override {
    ++charges;
    charged_ns += ns;
  }
  bool HasWork() const override { return true; }
  bool PrepareToSleep() override { return false; }
  void Awake(bool) override {}
  int poll_descriptor() const override { return -1; }

  static constexpr int64_t kRefusalNs = 1500;
  bool bad;
  size_t polls = 0, taken = 0, refused = 0, charges = 0;
  int64_t charged_ns = 0;

 private:
  ManualClock& clock_;
};

class LookTest : public ::testing::Test {
 protected:
  using Sources = std::vector<std::shared_ptr<EndlessSource>>;
  Sources Attach(size_t count, bool bad) {
    Sources added;
    for (size_t i = 0; i < count; ++i) {
      added.push_back(std::make_shared<EndlessSource>(clock_, bad));
      sources_.Attach(added.back());
    }
    return added;
  }
  size_t Look(bool idle = true) { return sources_.Poll(clock_, clock_.Now(), idle); }
  template <typename Member>
  static std::vector<size_t> Column(const Sources& sources, Member member) {
    std::vector<size_t> all;
    for (const auto& source : sources) all.push_back(source.get()->*member);
    return all;
  }

  ManualClock clock_;
  const std::unique_ptr<Sleeper> sleeper_ = *Sleeper::Create();
  WorkSources sources_{*sleeper_};
};

TEST_F(LookTest, ALookTakesABoundedNumberAndTheNextGoesOnBehindIt) {
  const Sources sources = Attach(300, /*bad=*/false);
  constexpr size_t kLooks = 30;
  for (size_t i = 0; i < kLooks; ++i) {
    ASSERT_LE(Look(), WorkSources::kMostEntries);
    ASSERT_GT(Look(), WorkSources::kMostEntries / 2);
  }
  const std::vector<size_t> polls = Column(sources, &EndlessSource::polls);
  const auto [least, most] = std::minmax_element(polls.begin(), polls.end());
  EXPECT_GE(*least, 2 * kLooks * 64 / 300 - 1) << "nobody starves";
  EXPECT_LE(*most, *least + 1);
}

// Those who come first get more of a look than the last; who comes first changes.
TEST_F(LookTest, AFewSourcesShareWhatALookTakes) {
  const Sources sources = Attach(20, /*bad=*/false);
  for (int i = 0; i < 40; ++i) Look();
  const std::vector<size_t> taken = Column(sources, &EndlessSource::taken);
  const auto [least, most] = std::minmax_element(taken.begin(), taken.end());
  EXPECT_LE(static_cast<double>(*most), 1.2 * static_cast<double>(*least));
}

TEST_F(LookTest, RefusalsOfALookAreBoundedAndEverybodyGetsHis) {
  const Sources liars = Attach(64, /*bad=*/true);
  const auto refused = [&] {
    size_t sum = 0;
    for (const auto& liar : liars) sum += liar->refused;
    return sum;
  };
  for (int i = 0; i < 80; ++i) {
    const size_t before = refused();
    Look();
    ASSERT_LE(refused(), before + WorkSources::kMostRefusals) << "look " << i;
  }
  EXPECT_THAT(Column(liars, &EndlessSource::refused), Each(Ge(8u)));
}

TEST_F(LookTest, WhoIsHonestHasHisTurnInEveryLook) {
  const Sources liars = Attach(64, /*bad=*/true), honest = Attach(1, /*bad=*/false);
  // Until each has been found out: so many looks at most the honest one waits, once.
  for (size_t i = 0; i < 64 / WorkSources::kMostRefusals; ++i) Look(/*idle=*/false);
  const size_t before = honest[0]->polls;
  for (int i = 0; i < 100; ++i) Look(/*idle=*/i % 2 == 0);
  EXPECT_EQ(honest[0]->polls, before + 100);
}

TEST_F(LookTest, WhileTheDeviceWorksRefusalsTakeASmallPartOfTheTime) {
  const Sources liars = Attach(64, /*bad=*/true);
  for (int i = 0; i < 8; ++i) Look(/*idle=*/false);  // all of them are suspect now
  const int64_t begin_ns = clock_.Now();
  size_t refused = 0;
  for (const auto& liar : liars) refused += liar->refused;
  for (int i = 0; i < 2000; ++i) {
    clock_.Advance(5000);  // a short kernel
    Look(/*idle=*/false);
  }
  int64_t spent_ns = 0;
  for (const auto& liar : liars) {
    spent_ns += static_cast<int64_t>(liar->refused) * EndlessSource::kRefusalNs;
  }
  spent_ns -= static_cast<int64_t>(refused) * EndlessSource::kRefusalNs;
  EXPECT_GT(spent_ns, 0) << "they are answered all the same";
  EXPECT_LE(spent_ns, (clock_.Now() - begin_ns) / 8);
  // With nothing else to do they have all of it.
  const int64_t idle_ns = clock_.Now();
  for (int i = 0; i < 10; ++i) Look(/*idle=*/true);
  EXPECT_EQ(clock_.Now() - idle_ns,
            10 * static_cast<int64_t>(WorkSources::kMostRefusals) * EndlessSource::kRefusalNs);
}

TEST_F(LookTest, WhoIsRefusedPaysForIt) {
  const Sources liars = Attach(3, /*bad=*/true), honest = Attach(2, /*bad=*/false);
  for (int i = 0; i < 10; ++i) Look();
  for (const auto& liar : liars) {
    EXPECT_EQ(liar->charges, liar->refused);
    // The first one is not measured: it is charged as the least there is.
    EXPECT_EQ(liar->charged_ns,
              static_cast<int64_t>(liar->refused - 1) * EndlessSource::kRefusalNs);
  }
  EXPECT_EQ(honest[0]->charges + honest[1]->charges, 0u);
}

// Who has learnt is a source like the others again.
TEST_F(LookTest, ALookWithoutARefusalEndsTheSuspicion) {
  const Sources liars = Attach(1, /*bad=*/true);
  Look();
  liars[0]->bad = false;
  clock_.Advance(1'000'000);
  Look(/*idle=*/false);
  const size_t before = liars[0]->polls;
  for (int i = 0; i < 20; ++i) Look(/*idle=*/false);
  EXPECT_EQ(liars[0]->polls, before + 20);
}

// --- Who pays in the dispatcher's policy ---

class ChargeTest : public RunTest {};

// Kernels of 1 us each: what one session's refusals took, the other has first.
TEST_F(ChargeTest, WhatALaneIsChargedItsSessionHasHad) {
  const uint64_t liar = OpenLane(1), honest = OpenLane(2);
  const auto lies = Tagged(1), work = Tagged(2);
  // The clock of their shares is far from zero, and the liar's own from there.
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(Evaluate(honest, work).status.ok());
  for (int i = 0; i < 10; ++i) dispatcher_->Charge(liar, i < 5 ? 1500 : 0);  // 12.5 us
  control_->Hold();
  ASSERT_TRUE(Submit(OpenLane(3), Tagged(3)).ok());
  ASSERT_TRUE(control_->WaitForStarted(51));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Submit(liar, lies).ok());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Submit(honest, work).ok());
  control_->Release();
  for (int i = 0; i < 41; ++i) Next();
  const std::vector<float> history = control_->history();
  const auto from = history.begin() + 51;
  const auto first_lie = std::find(from, history.end(), 1.0f);
  EXPECT_GE(first_lie - from, 11) << "the honest one had as much before";
  EXPECT_LE(first_lie - from, 15);
}

}  // namespace
}  // namespace anex::engine::testing
