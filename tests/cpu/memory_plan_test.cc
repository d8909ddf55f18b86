#include "server/device/cpu/memory_plan.h"

#include <gtest/gtest.h>

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

TEST(MemoryPlanTest, RandomLivesNeverOverlapAndStayAligned) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<Lifetime> lives;
    for (int i = 0; i < 40; ++i) {
      const int first = static_cast<int>(random() % 30);
      lives.push_back({1 + random() % 5000, first, first + static_cast<int>(random() % 8)});
    }
    const MemoryPlan plan = PlanMemory(lives);
    for (size_t i = 0; i < lives.size(); ++i) {
      ASSERT_EQ(plan.offsets[i] % kArenaAlignment, 0u);
      ASSERT_LE(plan.offsets[i] + lives[i].bytes, plan.arena_bytes);
      for (size_t j = 0; j < i; ++j) {
        const bool together = lives[i].first <= lives[j].last && lives[j].first <= lives[i].last;
        const bool apart = plan.offsets[i] + lives[i].bytes <= plan.offsets[j] ||
                           plan.offsets[j] + lives[j].bytes <= plan.offsets[i];
        ASSERT_TRUE(!together || apart);
      }
    }
  }
}

}  // namespace
}  // namespace anex::device::cpu
