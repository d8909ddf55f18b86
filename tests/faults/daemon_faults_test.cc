// The daemon's own bad days: a second start, no descriptors left, a stop with work in flight, a
// restart under its clients.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/e2e/fixture.h"
#include "tests/system/descriptors.h"

namespace anex::test {
namespace {

std::vector<std::string> DaemonCommand(const std::string& runtime_dir) {
  return {AnexdBinary(), "--runtime-dir", runtime_dir, "--cache-dir", runtime_dir + "/cache"};
}

std::unique_ptr<DaemonProcess> StartDaemon(const DaemonProcess::Options& options = {}) {
  auto daemon = DaemonProcess::Start(options);
  EXPECT_TRUE(daemon.ok()) << daemon.status();
  return daemon.ok() ? *std::move(daemon) : nullptr;
}

TEST(SecondDaemon, IsRefusedWithThePidOfTheFirst) {
  auto first = StartDaemon();
  ASSERT_NE(first, nullptr);
  struct stat before {};
  ASSERT_EQ(::stat(first->socket().c_str(), &before), 0);
  auto second = ChildProcess::Start(DaemonCommand(first->runtime_dir()));
  ASSERT_TRUE(second.ok());
  auto code = (*second)->Wait();
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_NE(*code, 0);
  EXPECT_NE((*second)->output().find(absl::StrCat(first->process().pid())), std::string::npos)
      << (*second)->output();
  struct stat after {};
  ASSERT_EQ(::stat(first->socket().c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino) << "the socket is still the first one's";
  EXPECT_TRUE(RunsMatmul(first->socket()).ok());
}

TEST(SecondDaemon, TakesOverWhatAKilledOneLeft) {
  ScratchFolder folder;
  DaemonProcess::Options options;
  options.runtime_dir = folder.Join("run");
  auto first = StartDaemon(options);
  ASSERT_NE(first, nullptr);
  first->process().Signal(SIGKILL);
  ASSERT_TRUE(first->process().Wait().ok());
  EXPECT_EQ(::access(first->socket().c_str(), F_OK), 0) << "a killed daemon leaves its socket";
  auto second = StartDaemon(options);
  ASSERT_NE(second, nullptr);
  EXPECT_TRUE(RunsMatmul(second->socket()).ok());
}

TEST(Sockets, AreForTheirOwnerOnly) {
  auto daemon = StartDaemon();
  ASSERT_NE(daemon, nullptr);
  for (const std::string& path : {daemon->socket(), daemon->observer_socket()}) {
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0) << path;
    EXPECT_EQ(info.st_mode & 0777, 0600u) << path;
  }
  struct stat info {};
  ASSERT_EQ(::stat(daemon->runtime_dir().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST(Sockets, APathThatDoesNotFitIsRefusedWithItsLength) {
  ScratchFolder folder;
  const std::string deep = folder.Join(std::string(120, 'd'));
  auto daemon = ChildProcess::Start(DaemonCommand(deep));
  ASSERT_TRUE(daemon.ok());
  auto code = (*daemon)->Wait();
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_NE(*code, 0);
  EXPECT_NE((*daemon)->output().find("104"), std::string::npos) << (*daemon)->output();
}

TEST(Sockets, GoWithAnOrderlyEnd) {
  auto daemon = StartDaemon();
  ASSERT_NE(daemon, nullptr);
  const std::string socket = daemon->socket();
  auto code = daemon->Stop();
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 0);
  EXPECT_NE(::access(socket.c_str(), F_OK), 0);
}

TEST(Descriptors, ExhaustedThenFreedTheDaemonServesAgain) {
  DaemonProcess::Options options;
  options.descriptors = 80;
  auto daemon = StartDaemon(options);
  ASSERT_NE(daemon, nullptr);
  std::vector<int> hoard;
  for (int i = 0; i < 200; ++i) {
    const int fd = NewSocket();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, daemon->socket().c_str(), sizeof(address.sun_path) - 1);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      ::close(fd);
      continue;
    }
    hoard.push_back(fd);
  }
  EXPECT_GT(hoard.size(), 80u);
  for (int fd : hoard) ::close(fd);
  absl::Status serves = absl::UnavailableError("not tried");
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (!serves.ok() && absl::Now() < deadline) serves = RunsMatmul(daemon->socket());
  EXPECT_TRUE(serves.ok()) << serves << "\n" << daemon->process().output();
}

TEST(Stop, DrainsWithinItsBoundWithWorkInFlight) {
  auto daemon = StartDaemon();
  ASSERT_NE(daemon, nullptr);
  auto client = ChildProcess::Start({CLIENT_PROGRAM, daemon->socket(), "loop"});
  ASSERT_TRUE(client.ok());
  ASSERT_TRUE((*client)->WaitForLine("ready").ok());
  auto code = daemon->Stop();
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 0) << daemon->process().output();
}

TEST(Stop, DoesNotWaitForAStepBeyondItsBound) {
  DaemonProcess::Options options;
  options.flags = {"--drain-timeout", "1"};
  auto daemon = StartDaemon(options);
  ASSERT_NE(daemon, nullptr);
  // 2,160 GFLOP in one kernel: many seconds on any two cores.
  constexpr const char* kTensor = "tensor<fp16, [3000, 3000]>";
  std::string body;
  for (int i = 0; i < 40; ++i) {
    absl::StrAppend(&body, kTensor, " v", i + 1,
                    " = matmul(x = ", i == 0 ? "x" : absl::StrCat("v", i), ", y = x);\n");
  }
  ProgramSource source;
  source.name = "slow.mil";
  source.text =
      absl::StrCat("program(1.3) { func main<ios18>(", kTensor, " x) {\n", body, "} -> (v40); }");
  auto session = OpenSession(daemon->socket(), "slow");
  auto kernel = session->Compile(source, {});
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  SurfaceSpec spec;
  spec.dtype = DType::kFp16;
  spec.shape = {3000, 3000};
  const SurfaceId x = session->CreateSurface(spec)->id, y = session->CreateSurface(spec)->id;
  auto invocation = session->Prepare({kernel->id, "", {{"x", x}, {"v40", y}}});
  ASSERT_TRUE(invocation.ok()) << invocation.status();
  Submission submission;
  submission.lane = *session->CreateLane({});
  submission.target = invocation->value();
  auto stream = session->OpenStream(1);
  ASSERT_TRUE(stream.ok()) << stream.status();
  ASSERT_TRUE((*stream)->Submit({&submission, 1}).ok());
  bool runs = false;
  for (int i = 0; i < 2000 && !runs; ++i) {
    const auto status = session->GetStatus();
    ASSERT_TRUE(status.ok()) << status.status();
    for (const DeviceStatus& device : status->devices) runs |= device.running > 0;
    if (!runs) absl::SleepFor(absl::Milliseconds(2));
  }
  ASSERT_TRUE(runs);
  const absl::Time asked = absl::Now();
  auto code = daemon->Stop();
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 0) << daemon->process().output();
  EXPECT_LT(absl::Now() - asked, absl::Seconds(6)) << "1 s and the doors' closing";
  EXPECT_THAT(daemon->process().output(), ::testing::HasSubstr("left_running"));
}

TEST(Restart, ClientsOfTheOldDaemonAreToldAndNewOnesServed) {
  ScratchFolder folder;
  DaemonProcess::Options options;
  options.runtime_dir = folder.Join("run");
  options.cache_dir = folder.Join("cache");
  auto first = StartDaemon(options);
  ASSERT_NE(first, nullptr);
  auto old_session = OpenSession(first->socket(), "old");
  auto compiled = old_session->Compile(MatmulProgram(), {});
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  EXPECT_EQ(compiled->origin, CompileOrigin::kCompiled);
  first->process().Signal(SIGKILL);
  ASSERT_TRUE(first->process().Wait().ok());
  EXPECT_TRUE(absl::IsUnavailable(old_session->CreateLane({}).status()));
  auto second = StartDaemon(options);
  ASSERT_NE(second, nullptr);
  const absl::Status stale = old_session->CreateLane({}).status();
  EXPECT_TRUE(absl::IsUnavailable(stale) || absl::IsUnauthenticated(stale)) << stale;
  auto new_session = OpenSession(second->socket(), "new");
  auto restored = new_session->Compile(MatmulProgram(), {});
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->origin, CompileOrigin::kCache) << "the compile cache outlives the daemon";
  EXPECT_EQ(restored->digest, compiled->digest);
}

TEST(Config, WhatIsWrongIsAllSaidAndNothingStarts) {
  ScratchFolder folder;
  const std::string config = folder.Join("anexd.toml");
  std::ofstream(config) << "[limits]\nsessions = -4\nsurfces_per_session = 3\n";
  auto command = DaemonCommand(folder.Join("run"));
  command.insert(command.end(), {"--config", config});
  auto daemon = ChildProcess::Start(command);
  ASSERT_TRUE(daemon.ok());
  auto code = (*daemon)->Wait();
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_NE(*code, 0);
  EXPECT_NE((*daemon)->output().find("sessions"), std::string::npos) << (*daemon)->output();
  EXPECT_NE((*daemon)->output().find("surfaces_per_session"), std::string::npos)
      << "the near miss is named: " << (*daemon)->output();
}

TEST(Cache, AFlippedBitIsRecompiledNeverTrusted) {
  ScratchFolder folder;
  DaemonProcess::Options options;
  options.runtime_dir = folder.Join("run");
  options.cache_dir = folder.Join("cache");
  {
    auto daemon = StartDaemon(options);
    ASSERT_NE(daemon, nullptr);
    ASSERT_TRUE(RunsMatmul(daemon->socket()).ok());
    ASSERT_TRUE(daemon->Stop().ok());
  }
  ASSERT_EQ(std::system(absl::StrCat("for f in $(find ", options.cache_dir,
                                     " -type f -size +1c); do printf 'X' | dd of=$f bs=1 seek=20 "
                                     "conv=notrunc status=none; done")
                            .c_str()),
            0);
  auto daemon = StartDaemon(options);
  ASSERT_NE(daemon, nullptr);
  auto session = OpenSession(daemon->socket(), "after");
  auto compiled = session->Compile(MatmulProgram(), {});
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  EXPECT_EQ(compiled->origin, CompileOrigin::kCompiled);
  EXPECT_TRUE(RunsMatmul(daemon->socket()).ok());
  EXPECT_THAT(daemon->process().output(), ::testing::HasSubstr("compile cache"))
      << "the log says so";
}

}  // namespace
}  // namespace anex::test
