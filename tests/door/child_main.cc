// The test binary, and the children that its tests start: `test_door --child ROLE ...`.
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "proto/shm/shared_region.h"
#include "proto/shm/side_channel.h"
#include "server/door/instance_lock.h"

namespace anex::door {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

void Say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

SideChannelToken TokenOf(const std::string& number) {
  SideChannelToken token;
  token.fill(static_cast<uint8_t>(std::atoi(number.c_str())));
  return token;
}

// Says hello and prints the kind of the answer.
std::unique_ptr<shm::SideChannel> Attach(const std::string& path, const std::string& token) {
  auto channel = shm::ConnectSideChannel(path, kPatience);
  if (!channel.ok()) return nullptr;
  if (!(*channel)->Send(SideChannelFrame::Hello(TokenOf(token)), -1, kPatience).ok())
    return nullptr;
  auto answer = (*channel)->Receive(kPatience);
  Say(answer.ok() ? std::string(FrameKindName(answer->frame.kind)) : "nothing");
  return *std::move(channel);
}

// Attaches and prints what else comes.
int Client(const std::string& path, const std::string& token) {
  auto channel = Attach(path, token);
  if (!channel) return 2;
  for (;;) {
    auto frame = channel->Receive(absl::InfiniteDuration());
    if (!frame.ok()) break;
    Say(std::string(FrameKindName(frame->frame.kind)));
  }
  Say("end");
  return 0;
}

// Attaches, leaves a grandchild that holds the socket, prints its pid, and waits.
int Forker(const std::string& path, const std::string& token) {
  auto channel = Attach(path, token);
  if (!channel) return 2;
  const pid_t grandchild = ::fork();
  if (grandchild == 0) {
    ::alarm(60);  // in case that nobody kills it
    for (;;) ::pause();
  }
  Say(std::to_string(grandchild));
  for (;;) ::pause();
}

int HoldLock(const std::string& dir) {
  auto lock = InstanceLock::Acquire(dir);
  if (!lock.ok()) {
    Say(std::string(lock.status().message()));
    return 1;
  }
  Say("locked");
  for (;;) ::pause();
}

// Puts a socket at `path`, whatever is there, as a careless program would; in one step, so that
// there is no moment in which its owner finds nothing, or something that does not answer.
int Steal(const std::string& path) {
  const std::string beside = path + ".new";
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, beside.c_str(), sizeof(address.sun_path) - 1);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return 2;
  if (::listen(fd, 4) != 0 || ::rename(beside.c_str(), path.c_str()) != 0) return 3;
  Say("listening");
  for (;;) ::pause();
}

int RunChild(const std::vector<std::string>& words) {
  if (words[0] == "client") return Client(words[1], words[2]);
  if (words[0] == "forker") return Forker(words[1], words[2]);
  if (words[0] == "hold-lock") return HoldLock(words[1]);
  if (words[0] == "steal") return Steal(words[1]);
  return 99;
}

}  // namespace
}  // namespace anex::door

int main(int argc, char** argv) {
  if (argc >= 3 && std::strcmp(argv[1], "--child") == 0) {
    return anex::door::RunChild({argv + 2, argv + argc});
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
