// Work that takes minutes and that nobody waits for any more: the daemon's device and compile
// threads are free again at once, no device is given up for it, and what it took is given back.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/e2e/fixture.h"

namespace anex::test {
namespace {

using ::testing::HasSubstr;

// 64 G products one by one.
ProgramSource LongRun() {
  return {.name = "long.mil",
          .text = MilProgram("tensor<fp16, [4096, 4096]> x",
                             "tensor<fp16, [4096, 4096]> y = matmul(x = x, y = x);", "y"),
          .weights = {}};
}

// The same at compile time: a product of constants in each of many functions. `number` makes
// programs differ.
ProgramSource LongCompile(int number) {
  std::string functions;
  for (int i = 0; i < 30; ++i) {
    absl::StrAppend(&functions, "  func f", i, "<ios18>(tensor<fp16, [1]> x) {\n",
                    "    tensor<fp16, [1000, 1000]> a = fill(shape = tensor<int32, [2]>([1000, "
                    "1000]), value = fp16(",
                    number,
                    "));\n"
                    "    tensor<fp16, [1000, 1000]> b = matmul(x = a, y = a);\n"
                    "    tensor<fp16, [1000, 1000]> y = add(x = b, y = x);\n  } -> (y);\n");
  }
  return {.name = "folded.mil",
          .text = absl::StrCat("program(1.3)\n{\n", functions, "}\n"),
          .weights = {}};
}

class AbandonedWork : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = SkipOnAne("does not stop a run: an evaluate runs to its end");
        !why.empty()) {
      GTEST_SKIP() << why;
    }
    // A fraction of what the runs take: if length alone made a hang, each would be one.
    auto daemon = DaemonProcess::Start({.flags = {"--limit", "device_hang_ns=200000000"}});
    ASSERT_TRUE(daemon.ok()) << daemon.status();
    daemon_ = *std::move(daemon);
    watcher_ = OpenSession(daemon_->socket(), "watcher");
    ASSERT_NE(watcher_, nullptr);
  }
  void TearDown() override {
    if (IsSkipped()) return;
    const auto status = watcher_->GetStatus();
    ASSERT_TRUE(status.ok()) << status.status();
    EXPECT_EQ(status->health, Health::kServing) << status->health_reason;
    EXPECT_TRUE(RunsMatmul(daemon_->socket()).ok());
  }

  Submission PrepareLongRun(Transport& session) {
    const auto kernel = session.Compile(LongRun(), {.options = {{"numerics", "reference"}}});
    EXPECT_TRUE(kernel.ok()) << kernel.status();
    SurfaceSpec spec;
    spec.dtype = DType::kFp16;
    spec.shape = Shape({4096, 4096});
    const auto x = session.CreateSurface(spec), y = session.CreateSurface(spec);
    const auto invocation = session.Prepare({kernel->id, "", {{"x", x->id}, {"y", y->id}}});
    EXPECT_TRUE(invocation.ok()) << invocation.status();
    Submission submission;
    submission.lane = *session.CreateLane({});
    submission.target = invocation->value();
    submission.user_data = 5;
    return submission;
  }
  // Until the daemon says so of itself; false after a time that only a broken one takes.
  template <typename Test>
  bool WaitUntil(const Test& test) {
    const absl::Time until = absl::Now() + absl::Seconds(30);
    while (absl::Now() < until) {
      const auto status = watcher_->GetStatus();
      if (status.ok() && test(*status)) return true;
    }
    return false;
  }
  bool WaitForRunning(uint32_t runs) {
    return WaitUntil([&](const DaemonStatus& status) { return status.devices[0].running == runs; });
  }

  std::unique_ptr<DaemonProcess> daemon_;
  std::unique_ptr<Transport> watcher_;
};

TEST_F(AbandonedWork, ARunWhoseDeadlinePassesIsStoppedAndIsNoHang) {
  auto session = OpenSession(daemon_->socket(), "late");
  Submission submission = PrepareLongRun(*session);
  submission.deadline_ns = 1'500'000'000;
  const auto completion = session->Evaluate(submission);
  ASSERT_TRUE(completion.ok()) << completion.status();
  EXPECT_EQ(completion->status.code(), absl::StatusCode::kDeadlineExceeded) << completion->status;
  EXPECT_THAT(std::string(completion->status.message()), HasSubstr("passed during the run"));
}

TEST_F(AbandonedWork, ARunIsCancelledWithinItsStep) {
  auto session = OpenSession(daemon_->socket(), "changes its mind");
  const Submission submission = PrepareLongRun(*session);
  auto stream = session->OpenStream(4);
  ASSERT_TRUE(stream.ok()) << stream.status();
  ASSERT_TRUE((*stream)->Submit({&submission, 1}).ok());
  ASSERT_TRUE(WaitForRunning(1));
  const auto told = session->Cancel(submission.lane, submission.user_data);
  ASSERT_TRUE(told.ok()) << told.status();
  EXPECT_EQ(*told, 1u);
  const auto completion = (*stream)->Next(absl::Seconds(30));
  ASSERT_TRUE(completion.ok()) << completion.status();
  EXPECT_EQ(completion->status.code(), absl::StatusCode::kCancelled) << completion->status;
}

TEST_F(AbandonedWork, ARunEndsWithItsSession) {
  auto session = OpenSession(daemon_->socket(), "goes");
  const Submission submission = PrepareLongRun(*session);
  auto stream = session->OpenStream(4);
  ASSERT_TRUE(stream.ok()) << stream.status();
  ASSERT_TRUE((*stream)->Submit({&submission, 1}).ok());
  ASSERT_TRUE(WaitForRunning(1));
  EXPECT_TRUE(session->Close().ok());
  EXPECT_TRUE(WaitForRunning(0));
}

// As many as there are compile threads, twice over.
TEST_F(AbandonedWork, CompilesEndWithTheirSessionsAndGiveBackWhatTheyTook) {
  std::vector<std::unique_ptr<Transport>> sessions;
  std::vector<std::thread> compiles;
  for (int i = 0; i < 4; ++i) {
    sessions.push_back(OpenSession(daemon_->socket(), absl::StrCat("client-", i)));
    compiles.emplace_back([&session = *sessions.back(), i] {
      const absl::Status status = session.Compile(LongCompile(i + 1), {}).status();
      EXPECT_FALSE(status.ok());
    });
  }
  ASSERT_TRUE(WaitUntil([](const DaemonStatus& status) {
    // Two are at work, and hold what they have computed so far.
    return status.kernel_bytes > uint64_t{6} << 20 && status.upload_bytes > 0;
  }));
  const auto status = watcher_->GetStatus();
  ASSERT_TRUE(status.ok());
  for (const SessionStatus& session : status->sessions) {
    if (session.client_name == "watcher") continue;
    EXPECT_TRUE(watcher_->EvictSession(session.id).ok());
  }
  for (std::thread& compile : compiles) compile.join();
  EXPECT_TRUE(RunsMatmul(daemon_->socket()).ok()) << "compiled while theirs would still go on";
  EXPECT_TRUE(WaitUntil(
      [](const DaemonStatus& now) { return now.kernel_bytes == 0 && now.upload_bytes == 0; }));
}

}  // namespace
}  // namespace anex::test
