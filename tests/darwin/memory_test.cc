// What macOS's calls say of memory, over their doubles.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>

#include "server/engine/machine_memory.h"
#include "server/engine/resident_memory.h"

namespace anex::engine {
namespace {

TEST(Memory, OfTheMachineIsMoreThanOfThisProcess) {
  EXPECT_GT(MachineMemoryBytes(), uint64_t{256} << 20);
  EXPECT_LT(ResidentBytes(), MachineMemoryBytes());
}

TEST(Memory, OfThisProcessGrowsByWhatItTouches) {
  constexpr size_t kBytes = 64 << 20;
  const uint64_t before = ResidentBytes();
  EXPECT_GT(before, uint64_t{1} << 20);
  const auto block = std::make_unique_for_overwrite<char[]>(kBytes);
  std::memset(block.get(), 1, kBytes);
  const uint64_t after = ResidentBytes();
  EXPECT_GT(after - before, kBytes * 9 / 10);
  EXPECT_LT(after - before, 2 * kBytes);
}

}  // namespace
}  // namespace anex::engine
