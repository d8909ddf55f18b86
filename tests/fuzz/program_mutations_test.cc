// Whole programs, changed so that most still are programs, through the entry of a format's fuzzer.
// The variable ANEX_FUZZ_ROUNDS lets it go on for longer.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/fuzz/program_mutator.h"
#include "tests/mil/corpus.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace anex::mil {
namespace {

uint32_t Rounds() {
  const char* const more = std::getenv("ANEX_FUZZ_ROUNDS");
  return more == nullptr ? 1500 : static_cast<uint32_t>(std::atoll(more));
}

TEST(Fuzz, ChangedProgramsAreSurvived) {
  std::vector<std::string> seeds;
  for (const auto& path : OwnPrograms()) seeds.push_back(ReadWhole(path));
  ASSERT_FALSE(seeds.empty());
  const uint32_t rounds = Rounds();
  for (uint32_t round = 0; round < rounds; ++round) {
    std::string text = seeds[round % seeds.size()];
    for (uint32_t i = 0; i <= round % 5; ++i) text = Mutated(text, 104729 * round + i);
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  }
}

}  // namespace
}  // namespace anex::mil
