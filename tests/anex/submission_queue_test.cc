// Both modes of a submission queue keep the same promises.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "client/anex/session.h"
#include "tests/anex/recording_transport.h"

namespace anex {
namespace {

using ::testing::HasSubstr;

class SubmissionQueueTest : public ::testing::TestWithParam<SubmitMode> {
 protected:
  SubmissionQueueTest() {
    session_ = *Session::Open(transport_, {});
    transport_->functions = {{"main", {}}};
    kernel_ = *session_.Compile("program");
    run_ = *kernel_.Prepare().Build();
    lane_ = *session_.CreateLane();
  }

  std::shared_ptr<test::RecordingTransport> transport_ =
      std::make_shared<test::RecordingTransport>();
  Session session_;
  Kernel kernel_;
  Invocation run_;
  Lane lane_;
};

TEST_P(SubmissionQueueTest, EverySubmissionComesBackOnce) {
  SubmissionQueue queue = *session_.OpenQueue(GetParam(), 8);
  for (uint64_t i = 10; i < 15; ++i) ASSERT_TRUE(queue.Submit(lane_, run_, i).ok());
  EXPECT_EQ(queue.outstanding(), 5u);
  std::set<uint64_t> seen;
  while (queue.outstanding() > 0) seen.insert(queue.Next()->user_data);
  EXPECT_EQ(seen, (std::set<uint64_t>{10, 11, 12, 13, 14}));
}

TEST_P(SubmissionQueueTest, NextWithoutSubmissionsDoesNotWait) {
  SubmissionQueue queue = *session_.OpenQueue(GetParam(), 2);
  EXPECT_EQ(queue.Next(absl::InfiniteDuration()).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_P(SubmissionQueueTest, CreditsAreABoundThatNextRefills) {
  SubmissionQueue queue = *session_.OpenQueue(GetParam(), 2);
  ASSERT_TRUE(queue.Submit(lane_, run_, 1).ok());
  ASSERT_TRUE(queue.Submit(lane_, run_, 2).ok());
  const absl::Status refused = queue.Submit(lane_, run_, 3);
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(refused.message(), HasSubstr("credits=2"));
  ASSERT_TRUE(queue.Next().ok());
  EXPECT_TRUE(queue.Submit(lane_, run_, 3).ok());
  EXPECT_EQ(transport_->submissions.size(), 3u);
}

TEST_P(SubmissionQueueTest, BatchLargerThanTheCreditsSubmitsNothing) {
  SubmissionQueue queue = *session_.OpenQueue(GetParam(), 2);
  const std::vector<Submission> three(3, *MakeSubmission(lane_, run_));
  EXPECT_EQ(queue.Submit(three).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(transport_->submissions.size(), 0u);
  EXPECT_EQ(queue.outstanding(), 0u);
}

TEST_P(SubmissionQueueTest, RefusalIsACompletion) {
  SubmissionQueue queue = *session_.OpenQueue(GetParam(), 2);
  transport_->evaluate = [](const Submission&) -> absl::StatusOr<Completion> {
    return absl::NotFoundError("no such invocation");
  };
  ASSERT_TRUE(queue.Submit(lane_, run_, 77).ok());
  const absl::StatusOr<Completion> completion = queue.Next();
  ASSERT_TRUE(completion.ok());
  EXPECT_EQ(completion->user_data, 77u);
  EXPECT_EQ(completion->status.code(), absl::StatusCode::kNotFound);
}

TEST_P(SubmissionQueueTest, FinishReportsTheFailureAmongMany) {
  SubmissionQueue queue = *session_.OpenQueue(GetParam(), 8);
  transport_->evaluate = [](const Submission& one) {
    return Completion{.user_data = one.user_data,
                      .status = one.user_data == 2 ? absl::InternalError("two") : absl::OkStatus()};
  };
  for (uint64_t i = 1; i <= 4; ++i) ASSERT_TRUE(queue.Submit(lane_, run_, i).ok());
  EXPECT_EQ(queue.Finish().message(), "two");
  EXPECT_EQ(queue.outstanding(), 0u);
  EXPECT_TRUE(queue.Finish().ok());
}

TEST_P(SubmissionQueueTest, PublishTakesTheGuardOver) {
  const ParameterSet set = *session_.CreateParameterSet(
      {.parameters = {{.name = "w", .dtype = DType::kFp16, .shape = {2, 3}}}});
  WriteGuard guard = *set.BeginWrite();
  SubmissionQueue queue = *session_.OpenQueue(GetParam(), 1);
  ASSERT_TRUE(queue.SubmitPublish(lane_, guard, 5).ok());
  EXPECT_FALSE(guard);
  EXPECT_EQ(transport_->submissions.back().kind, SubmissionKind::kPublish);
  EXPECT_EQ(transport_->submissions.back().target, set.id().value());
  WriteGuard other = std::move(guard);
  EXPECT_TRUE(other.Abort().ok());
  EXPECT_EQ(transport_->CountOf("Abort"), 0) << "the lease belongs to the submission now";
}

TEST_P(SubmissionQueueTest, OneThreadSubmitsWhileAnotherTakes) {
  SubmissionQueue queue = *session_.OpenQueue(GetParam(), 4);
  constexpr uint64_t kCount = 500;
  std::set<uint64_t> seen;
  std::thread taker([&] {
    while (seen.size() < kCount) {
      const absl::StatusOr<Completion> completion = queue.Next(absl::Seconds(20));
      if (completion.ok()) seen.insert(completion->user_data);
    }
  });
  for (uint64_t i = 0; i < kCount;) {
    if (queue.Submit(lane_, run_, i).ok())
      ++i;
    else
      std::this_thread::yield();
  }
  taker.join();
  EXPECT_EQ(seen.size(), kCount);
}

TEST_P(SubmissionQueueTest, EmptyQueueAnswersFailedPrecondition) {
  SubmissionQueue queue = *session_.OpenQueue(GetParam(), 4);
  SubmissionQueue other = std::move(queue);
  // NOLINTNEXTLINE(bugprone-use-after-move)
  EXPECT_EQ(queue.Submit(lane_, run_).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(other.Submit(lane_, run_).ok());
  EXPECT_EQ(session_.OpenQueue(GetParam(), 0).status().code(), absl::StatusCode::kInvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(Modes, SubmissionQueueTest,
                         ::testing::Values(SubmitMode::kUnary, SubmitMode::kStream),
                         [](const auto& mode) {
                           return mode.param == SubmitMode::kUnary ? "unary" : "stream";
                         });

}  // namespace
}  // namespace anex
