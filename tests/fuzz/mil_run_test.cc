// The programs of tests/programs, those that were saved, and real ones in small, changed at random
// some thousand times, the same ways every time: each is run in both modes of the cpu device. The
// variable ANEX_FUZZ_ROUNDS lets it go on for longer.
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/device/whole_program.h"
#include "tests/fuzz/program_mutator.h"
#include "tests/fuzz/two_modes.h"
#include "tests/mil/corpus.h"

namespace anex::device::cpu {
namespace {

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (const auto& path : mil::OwnPrograms()) seeds.push_back(mil::ReadWhole(path));
  for (const auto& saved : std::filesystem::directory_iterator(ANEX_FUZZ_CORPUS)) {
    seeds.push_back(mil::ReadWhole(saved.path()));
  }
  // Real programs that do in small what they do in large.
  for (const auto& path : mil::CorpusFiles()) {
    const std::string small = InSmall(mil::ReadWhole(path));
    if (small.size() < 20000) seeds.push_back(small);
  }
  return seeds;
}

uint32_t Rounds() {
  const char* const more = std::getenv("ANEX_FUZZ_ROUNDS");
  return more == nullptr ? ANEX_FUZZ_ROUNDS : static_cast<uint32_t>(std::atoll(more));
}

TEST(MilRun, ChangedProgramsRunAlikeInBothModes) {
  const std::vector<std::string> seeds = Seeds();
  ASSERT_GE(seeds.size(), 25u);
  std::map<Outcome, int> outcomes;
  int operations = 0;
  const uint32_t rounds = Rounds();
  for (uint32_t round = 0; round < rounds; ++round) {
    std::string text = seeds[round % seeds.size()];
    const uint32_t changes = round < seeds.size() ? 0 : 1 + round % 3;  // first as they are
    for (uint32_t i = 0; i < changes; ++i) text = mil::Mutated(text, 7919 * round + i);
    const Comparison one = CompareModes(text);
    ++outcomes[one.outcome];
    operations += one.operations;
    EXPECT_EQ(one.difference, "") << "round " << round << "\n" << text;
    if (HasFailure()) return;
  }
  RecordProperty("ran", outcomes[Outcome::kRan]);
  RecordProperty("operations", operations);
  // A test that only ever refuses would not find anything.
  EXPECT_GE(outcomes[Outcome::kRan], static_cast<int>(rounds / 3));
  EXPECT_GE(operations, 10 * outcomes[Outcome::kRan]);
  EXPECT_GT(outcomes[Outcome::kRefused], 0) << "the changes are too tame";
}

}  // namespace
}  // namespace anex::device::cpu
