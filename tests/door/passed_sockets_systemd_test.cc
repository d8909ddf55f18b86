// What systemd says of the sockets that it passes.
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "gtest/gtest.h"
#include "server/door/listen_sockets.h"

namespace anex::door {
namespace {

TEST(PassedSocketsSystemd, WordsThatAreMeantForAnotherProcessAreLeftAlone) {
  ::setenv("LISTEN_PID", "1", 1);
  ::setenv("LISTEN_FDS", "3", 1);
  const auto none = TakePassedSockets("/nowhere");
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_TRUE(none->empty());
  EXPECT_EQ(std::getenv("LISTEN_FDS"), nullptr);  // nor do children take them for theirs
  EXPECT_TRUE(TakePassedSockets("/nowhere")->empty());
}

TEST(PassedSocketsSystemd, ANumberThatCannotBeRightIsRefused) {
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", "100000", 1);
  EXPECT_FALSE(TakePassedSockets("/nowhere").ok());
}

}  // namespace
}  // namespace anex::door
