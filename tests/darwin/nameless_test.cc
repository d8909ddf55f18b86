// Regions have no name that others could open them by. Here shared memory with a name is a file,
// which macOS does not show to anybody.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>

#include "proto/shm/shared_region.h"

namespace anex::shm {
namespace {

std::set<std::string> Names() {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator("/dev/shm")) {
    const std::string name = entry.path().filename();
    if (name.starts_with("anexd.")) names.insert(name);
  }
  return names;
}

TEST(Nameless, ARegionLeavesNoNameWhileItLivesNorAfter) {
  if (!std::filesystem::is_directory("/dev/shm")) GTEST_SKIP() << "no /dev/shm here";
  const std::set<std::string> before = Names();
  {
    const auto region = CreateRegion(3 * 16384, "x");
    ASSERT_TRUE(region.ok()) << region.status();
    EXPECT_EQ(Names(), before);
  }
  EXPECT_EQ(Names(), before);
}

}  // namespace
}  // namespace anex::shm
