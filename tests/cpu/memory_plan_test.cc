#include "server/device/cpu/memory_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace anex::device::cpu {
namespace {

TEST(MemoryPlanTest, BuffersThatFollowOneAnotherShareTheirPlace) {
  const MemoryPlan plan = PlanMemory(std::vector<Lifetime>{{100, 0, 1}, {100, 2, 3}, {50, 4, 4}});
  EXPECT_EQ(plan.offsets, (std::vector<uint64_t>{0, 0, 0}));
  EXPECT_EQ(plan.arena_bytes, 128u);
}

TEST(MemoryPlanTest, OneStepReadAndWrittenIsStillAnOverlap) {
  const MemoryPlan plan = PlanMemory(std::vector<Lifetime>{{64, 0, 1}, {64, 1, 2}});
  EXPECT_NE(plan.offsets[0], plan.offsets[1]);
}

TEST(MemoryPlanTest, AGapBetweenTwoLivesIsUsed) {
  const MemoryPlan plan =
      PlanMemory(std::vector<Lifetime>{{640, 0, 9}, {320, 0, 3}, {320, 4, 9}, {64, 0, 9}});
  EXPECT_EQ(plan.arena_bytes, 640u + 320 + 64);
}

TEST(MemoryPlanTest, NothingTakesNothing) { EXPECT_EQ(PlanMemory({}).arena_bytes, 0u); }

std::vector<Lifetime> RandomLives(int count, int steps, std::mt19937& random) {
  std::vector<Lifetime> lives;
  for (int i = 0; i < count; ++i) {
    const int first = static_cast<int>(random() % steps);
    lives.push_back({random() % 5000, first, first + static_cast<int>(random() % 8)});
  }
  return lives;
}

void ExpectApart(const std::vector<Lifetime>& lives, const MemoryPlan& plan) {
  for (size_t i = 0; i < lives.size(); ++i) {
    ASSERT_EQ(plan.offsets[i] % kArenaAlignment, 0u);
    ASSERT_LE(plan.offsets[i] + lives[i].bytes, plan.arena_bytes);
    for (size_t j = 0; j < i; ++j) {
      const bool together = lives[i].first <= lives[j].last && lives[j].first <= lives[i].last;
      const bool apart = plan.offsets[i] + lives[i].bytes <= plan.offsets[j] ||
                         plan.offsets[j] + lives[j].bytes <= plan.offsets[i];
      ASSERT_TRUE(!together || apart) << i << ' ' << j;
    }
  }
}

TEST(MemoryPlanTest, RandomLivesNeverOverlapAndStayAligned) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    const std::vector<Lifetime> lives = RandomLives(40, 30, random);
    ExpectApart(lives, PlanMemory(lives));
  }
}

TEST(MemoryPlanTest, ManyLivesArePlacedApartToo) {
  std::mt19937 random(8);
  const std::vector<Lifetime> lives =
      RandomLives(static_cast<int>(kMostCompared) + 500, 1500, random);
  const MemoryPlan plan = PlanMemory(lives);
  ExpectApart(lives, plan);
  // No step can do with less; the rest is what is lost between buffers.
  std::vector<uint64_t> at_step(1600, 0);
  for (const Lifetime& each : lives) {
    for (int step = each.first; step <= each.last; ++step) at_step[step] += each.bytes;
  }
  EXPECT_LT(plan.arena_bytes, 2 * *std::max_element(at_step.begin(), at_step.end()));
}

TEST(MemoryPlanTest, PlacesApartWhateverTheLives) {
  const MemoryPlan plan = PlanApart(std::vector<Lifetime>{{100, 0, 1}, {64, 5, 5}, {1, 2, 3}});
  EXPECT_EQ(plan.offsets, (std::vector<uint64_t>{0, 128, 192}));
  EXPECT_EQ(plan.arena_bytes, 256u);
}

}  // namespace
}  // namespace anex::device::cpu
