// Invocations, chains, lanes and fences over any transport.
#include <gmock/gmock.h>

#include <thread>

#include "absl/time/clock.h"
#include "tests/conformance/transport_suite.h"

namespace anex::test {

using ::testing::HasSubstr;

TEST_P(TransportSuite, RunsOneAndWaits) {
  const Matmul m = PrepareMatmul(session_);
  const absl::StatusOr<Completion> done = m.lane.Run(m.invocation);
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(Read(m.y), Product(Ws(), Xs()));
  EXPECT_GT(done->device_ns, 0);
  EXPECT_GE(done->total_ns, done->device_ns);
}

TEST_P(TransportSuite, AllSubmitModesGiveTheSameBits) {
  const Matmul m = PrepareMatmul(session_);
  std::vector<std::string> bytes;
  for (const SubmitMode mode : {SubmitMode::kUnary, SubmitMode::kStream, GetParam().mode}) {
    ASSERT_TRUE(m.y.FillZero().ok());
    SubmissionQueue queue = *m.lane.OpenQueue(4, mode);
    EXPECT_EQ(queue.path(), mode) << queue.note();
    ASSERT_TRUE(queue.Submit(m.lane, m.invocation, 9).ok());
    const absl::StatusOr<Completion> done = queue.Next();
    ASSERT_TRUE(done.ok()) << done.status();
    EXPECT_TRUE(done->status.ok()) << done->status;
    EXPECT_EQ(done->user_data, 9u);
    EXPECT_EQ(done->lane, m.lane.id());
    bytes.push_back(*m.y.ToBytes());
  }
  EXPECT_EQ(bytes[0], bytes[1]);
  EXPECT_EQ(bytes[0], bytes[2]);
  EXPECT_NE(bytes[0], std::string(bytes[0].size(), '\0'));
}

TEST_P(TransportSuite, RunsOneAfterTheOtherWhicheverWayTheyGo) {
  const Matmul m = PrepareMatmul(session_);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(m.y.FillZero().ok());
    const absl::StatusOr<Completion> done = m.lane.Run(m.invocation);
    ASSERT_TRUE(done.ok()) << done.status();
    EXPECT_EQ(Read(m.y), Product(Ws(), Xs()));
    EXPECT_EQ(done->user_data, 0u);
    EXPECT_EQ(done->lane, m.lane.id());
  }
  EXPECT_EQ(m.lane.path() == SubmitMode::kRing, m.lane.note().empty()) << m.lane.note();
}

// The best way that there is, and the queue says which and why.
TEST_P(TransportSuite, TheBestQueueSaysHowItTravels) {
  const Matmul m = PrepareMatmul(session_);
  SubmissionQueue queue = *m.lane.OpenQueue(4);
  ASSERT_TRUE(queue.Submit(m.lane, m.invocation).ok());
  EXPECT_TRUE(queue.Finish().ok());
  if (queue.path() == SubmitMode::kRing) {
    EXPECT_EQ(queue.note(), "");
  } else {
    EXPECT_EQ(queue.path(), SubmitMode::kStream);
    EXPECT_THAT(std::string(queue.note()), HasSubstr("no ring"));
  }
  SubmissionQueue any = *session_.OpenQueue(SubmitMode::kBest, 4);
  EXPECT_EQ(any.path(), SubmitMode::kStream) << "a ring is of one lane";
  EXPECT_EQ(CodeOf(session_.OpenQueue(SubmitMode::kRing, 4)), absl::StatusCode::kInvalidArgument);
}

TEST_P(TransportSuite, AQueueThatGoesWithWorkInItLeavesTheLaneUsable) {
  const Matmul m = PrepareMatmul(session_);
  for (int i = 0; i < 3; ++i) {
    SubmissionQueue queue = OpenQueue(m.lane, 8);
    for (int k = 0; k < 8; ++k) ASSERT_TRUE(queue.Submit(m.lane, m.invocation).ok());
  }
  ASSERT_TRUE(m.lane.WaitIdle().ok());
  EXPECT_EQ(Read(m.y), Product(Ws(), Xs()));
  EXPECT_TRUE(m.lane.Run(m.invocation).ok());
}

TEST_P(TransportSuite, AReleasedLaneEndsWhatIsInItsQueue) {
  Matmul m = PrepareMatmul(session_);
  const Fence fence = *session_.CreateFence();
  const Chain waits = *session_.NewChain().Wait(fence, 1).Run(m.invocation).Build();
  SubmissionQueue queue = OpenQueue(m.lane, 4);
  ASSERT_TRUE(queue.Submit(m.lane, waits, 1).ok());
  for (int i = 0; i < 2000 && !m.lane.Describe()->blocked; ++i) {
  }
  ASSERT_TRUE(m.lane.Release().ok());
  const absl::StatusOr<Completion> ended = queue.Next(absl::Seconds(20));
  const absl::StatusCode code = ended.ok() ? ended->status.code() : ended.status().code();
  EXPECT_TRUE(code == absl::StatusCode::kCancelled || code == absl::StatusCode::kUnavailable)
      << static_cast<int>(code);
}

TEST_P(TransportSuite, StreamKeepsALanesOrderAndLosesNothing) {
  const Matmul m = PrepareMatmul(session_);
  constexpr uint64_t kCount = 200;
  SubmissionQueue queue = OpenQueue(m.lane, 8);
  uint64_t next = 0, submitted = 0;
  while (next < kCount) {
    if (submitted < kCount && queue.outstanding() < 8) {
      ASSERT_TRUE(queue.Submit(m.lane, m.invocation, submitted++).ok());
      continue;
    }
    const absl::StatusOr<Completion> done = queue.Next(absl::Seconds(20));
    ASSERT_TRUE(done.ok()) << done.status();
    ASSERT_TRUE(done->status.ok()) << done->status;
    ASSERT_EQ(done->user_data, next++);
  }
  EXPECT_EQ(queue.outstanding(), 0u);
}

TEST_P(TransportSuite, RefusedSubmissionsComeBackAndTheStreamLives) {
  const Matmul m = PrepareMatmul(session_);
  for (const SubmitMode mode : {SubmitMode::kUnary, GetParam().mode}) {
    SubmissionQueue queue = *m.lane.OpenQueue(8, mode);
    const Submission bad{.lane = m.lane.id(), .user_data = 5, .target = uint64_t{9} << 32 | 9};
    ASSERT_TRUE(queue.Submit(std::span(&bad, 1)).ok());
    const absl::StatusOr<Completion> refused = queue.Next();
    ASSERT_TRUE(refused.ok()) << refused.status();
    EXPECT_EQ(refused->status.code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(refused->user_data, 5u);
    ASSERT_TRUE(queue.Submit(m.lane, m.invocation).ok());
    EXPECT_TRUE(queue.Finish().ok());
  }
}

TEST_P(TransportSuite, WrongBindingsAreRefusedByName) {
  const Matmul m = PrepareMatmul(session_);
  const auto fails = [&](absl::StatusOr<Invocation> built, const std::string& named) {
    EXPECT_EQ(CodeOf(built), absl::StatusCode::kInvalidArgument) << built.status();
    EXPECT_THAT(std::string(built.status().message()), HasSubstr(named));
  };
  fails(m.kernel.Prepare().Bind("x", m.x).Bind("y", m.y).Build(), "W");
  fails(m.kernel.Prepare().Bind("x", m.w).Bind("W", m.x).Bind("y", m.y).Build(), "");
  fails(m.kernel.Prepare().Bind("x", m.x).Bind("W", m.w).Bind("y", m.y).Bind("z", m.y).Build(),
        "z");
  const Surface fp32 = *session_.CreateSurface(DType::kFp32, {2, 3});
  fails(m.kernel.Prepare().Bind("x", m.x).Bind("W", m.w).Bind("y", fp32).Build(), "y");
}

TEST_P(TransportSuite, RebindTakesEffectForLaterSubmissions) {
  const Matmul m = PrepareMatmul(session_);
  const Surface other = *m.kernel.CreateSurface("W");
  const std::vector<float> ws = {2, 0, 0, 1, -1, 3, 0.5f, 0};
  ASSERT_TRUE(other.CopyFrom(ws).ok());
  ASSERT_TRUE(m.lane.Run(m.invocation).ok());
  ASSERT_TRUE(m.invocation.Rebind("W", other).ok());
  EXPECT_EQ(Read(m.y), Product(Ws(), Xs()));
  ASSERT_TRUE(m.lane.Run(m.invocation).ok());
  EXPECT_EQ(Read(m.y), Product(ws, Xs()));
}

TEST_P(TransportSuite, ChainLoopsAnOutputBack) {
  const Kernel kernel = *session_.Compile(AddText(), "add.mil");
  const Surface a = *kernel.CreateSurface("a"), b = *kernel.CreateSurface("b"),
                c = *kernel.CreateSurface("c");
  const Invocation add = *kernel.Prepare().Bind("a", a).Bind("b", b).Bind("c", c).Build();
  const Lane lane = *session_.CreateLane();
  const std::vector<float> start = {1, 2, 3, 4, 5, 6}, step = {1, 0, -1, 2, 0.5f, 10};
  for (const LoopbackMode mode : {LoopbackMode::kSwap, LoopbackMode::kCopy}) {
    for (const uint32_t repeat : {1u, 4u, 5u}) {
      ASSERT_TRUE(a.CopyFrom(start).ok());
      ASSERT_TRUE(b.CopyFrom(step).ok());
      ASSERT_TRUE(c.FillZero().ok());
      const absl::StatusOr<Chain> chain =
          session_.NewChain("count").Run(add).Loopback(c, a, mode).Repeat(repeat).Build();
      ASSERT_TRUE(chain.ok()) << chain.status();
      const absl::StatusOr<Completion> done = lane.Run(*chain);
      ASSERT_TRUE(done.ok()) << done.status();
      std::vector<float> expected = start;
      for (size_t i = 0; i < 6; ++i) expected[i] += static_cast<float>(repeat) * step[i];
      EXPECT_EQ(Read(c), expected) << "repeat " << repeat;
    }
  }
}

TEST_P(TransportSuite, ChainCopiesBetweenSteps) {
  const Surface from = *session_.CreateSurface(DType::kFp16, {2, 3});
  const Surface to = *session_.CreateSurface(DType::kFp16, {4, 3});
  ASSERT_TRUE(from.CopyFrom(std::vector<float>{1, 2, 3, 4, 5, 6}).ok());
  const absl::StatusOr<Chain> chain =
      session_.NewChain().Copy(from, to, {}, {.begin = {1, 0}, .size = {2, 3}}).Build();
  ASSERT_TRUE(chain.ok()) << chain.status();
  const Lane lane = *session_.CreateLane();
  ASSERT_TRUE(lane.Run(*chain).ok());
  EXPECT_EQ(Read(to), (std::vector<float>{0, 0, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0}));
}

TEST_P(TransportSuite, FencesOrderLanes) {
  const Matmul m = PrepareMatmul(session_);
  const Lane second = *session_.CreateLane();
  const Fence fence = *session_.CreateFence();
  const Chain waits = *session_.NewChain().Wait(fence, 2).Run(m.invocation).Build();
  SubmissionQueue queue = OpenQueue(m.lane, 4), other = OpenQueue(second, 4);
  ASSERT_TRUE(queue.Submit(m.lane, waits, 1).ok());
  ASSERT_TRUE(other.Submit(second, m.invocation, 2).ok());
  EXPECT_EQ(other.Next(absl::Seconds(20))->user_data, 2u);
  EXPECT_EQ(CodeOf(queue.Next(absl::Milliseconds(20))), absl::StatusCode::kDeadlineExceeded)
      << "the first lane waits";
  ASSERT_TRUE(fence.Signal(2).ok());
  EXPECT_EQ(*fence.Wait(2), 2u);
  const absl::StatusOr<Completion> done = queue.Next(absl::Seconds(20));
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->user_data, 1u);
  EXPECT_EQ(CodeOf(fence.Signal(1)), absl::StatusCode::kOutOfRange);
}

TEST_P(TransportSuite, WaitsEndAtTheDeadline) {
  const Fence fence = *session_.CreateFence(3);
  EXPECT_EQ(*fence.Wait(3), 3u);
  (*session_.transport())->SetCallDeadline(absl::Milliseconds(50));
  EXPECT_EQ(CodeOf(fence.Wait(4)), absl::StatusCode::kDeadlineExceeded);
  (*session_.transport())->SetCallDeadline(absl::Seconds(60));
  EXPECT_TRUE(fence.Signal(4).ok()) << "still serves";
}

TEST_P(TransportSuite, AnEvaluationMayTakeAsLongAsItWasAllowed) {
  const Matmul m = PrepareMatmul(session_);
  const Fence fence = *session_.CreateFence();
  const Chain waits = *session_.NewChain().Wait(fence, 1).Run(m.invocation).Build();
  Transport& transport = **session_.transport();
  transport.SetCallDeadline(absl::Milliseconds(200));
  std::thread later([&] {
    absl::SleepFor(absl::Milliseconds(500));  // beyond the call's deadline, within the work's
    (*session_.transport())->SignalFence(fence.id(), 1).IgnoreError();
  });
  const absl::StatusOr<Completion> done = m.lane.Run(waits, {.deadline = absl::Seconds(30)});
  later.join();
  EXPECT_TRUE(done.ok()) << done.status();
}

TEST_P(TransportSuite, CancelStopsWhatIsQueued) {
  const Matmul m = PrepareMatmul(session_);
  const Fence fence = *session_.CreateFence();
  const Chain blocked = *session_.NewChain().Wait(fence, 1).Run(m.invocation).Build();
  SubmissionQueue queue = OpenQueue(m.lane, 4);
  ASSERT_TRUE(queue.Submit(m.lane, blocked, 1).ok());
  ASSERT_TRUE(queue.Submit(m.lane, m.invocation, 2).ok());
  // A stream is asynchronous: wait until both have been accepted.
  uint32_t told = 0;
  for (int i = 0; i < 2000 && told == 0; ++i) told = *m.lane.Cancel(2);
  EXPECT_EQ(told, 1u);
  EXPECT_EQ(*m.lane.Cancel(1), 1u);
  EXPECT_EQ(*m.lane.Cancel(77), 0u);
  for (int i = 0; i < 2; ++i) {
    const absl::StatusOr<Completion> done = queue.Next(absl::Seconds(20));
    ASSERT_TRUE(done.ok()) << done.status();
    EXPECT_EQ(done->status.code(), absl::StatusCode::kCancelled);
  }
  EXPECT_TRUE(m.lane.WaitIdle().ok());
}

TEST_P(TransportSuite, DescribeTellsWhatALaneHas) {
  const Matmul m = PrepareMatmul(session_);
  const Lane lane = *session_.CreateLane({.qos = QosClass::kUtility, .label = "slow one"});
  absl::StatusOr<LaneStatus> seen = lane.Describe();
  ASSERT_TRUE(seen.ok()) << seen.status();
  EXPECT_EQ(seen->id, lane.id());
  EXPECT_EQ(seen->qos, QosClass::kUtility);
  EXPECT_EQ(seen->label, "slow one");
  EXPECT_EQ(seen->device, "") << "nothing was submitted";
  const Fence fence = *session_.CreateFence();
  const Chain waits = *session_.NewChain().Wait(fence, 1).Run(m.invocation).Build();
  SubmissionQueue queue = OpenQueue(lane, 4);
  ASSERT_TRUE(queue.Submit(lane, waits, 1).ok());
  ASSERT_TRUE(queue.Submit(lane, m.invocation, 2).ok());
  for (const absl::Time end = absl::Now() + absl::Seconds(20);
       (!seen->blocked || seen->queued < 2) && absl::Now() < end;) {
    absl::SleepFor(absl::Milliseconds(1));
    seen = lane.Describe();
  }
  EXPECT_TRUE(seen->blocked);
  EXPECT_EQ(seen->queued, 2u);
  EXPECT_EQ(seen->device, (*(*session_.transport())->GetInfo()).default_device);
  EXPECT_FALSE(seen->next.has_value()) << "who knows when the fence will be raised";
  ASSERT_TRUE(fence.Signal(1).ok());
  ASSERT_TRUE(lane.WaitIdle().ok());
  seen = lane.Describe();
  EXPECT_EQ(seen->queued, 0u);
  EXPECT_FALSE(seen->next.has_value());
}

TEST_P(TransportSuite, AStateStaysWithItsInvocation) {
  const absl::StatusOr<Kernel> kernel = session_.Compile(
      R"(program(1.3)
{
  func main<ios18>(tensor<fp16, [2, 3]> x, state<tensor<fp16, [2, 3]>> total) {
    tensor<fp16, [2, 3]> old = read_state(input = total)[name = string("old")];
    tensor<fp16, [2, 3]> y = sub(x = x, y = old)[name = string("y")];
    write_state(data = y, input = total)[name = string("write")];
  } -> (y);
}
)",
      "state.mil");
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  const Surface x = *kernel->CreateSurface("x"), y = *kernel->CreateSurface("y");
  const Invocation one = *kernel->Prepare().Bind("x", x).Bind("y", y).Build();
  const Invocation other = *kernel->Prepare().Bind("x", x).Bind("y", y).Build();
  const Lane lane = *session_.CreateLane();
  const std::vector<float> first = {1, -2, 3, 0.5f, 7, 11}, second = {2, 2, -3, 4, 0.25f, 5};
  ASSERT_TRUE(x.CopyFrom(first).ok());
  ASSERT_TRUE(lane.Run(one).ok());
  EXPECT_EQ(Read(y), first);
  ASSERT_TRUE(x.CopyFrom(second).ok());
  ASSERT_TRUE(lane.Run(one).ok());
  std::vector<float> difference = second;
  for (size_t i = 0; i < difference.size(); ++i) difference[i] -= first[i];
  EXPECT_EQ(Read(y), difference);
  ASSERT_TRUE(lane.Run(other).ok());
  EXPECT_EQ(Read(y), second) << "another invocation has a state of its own, zero at first";
}

TEST_P(TransportSuite, ManyThreadsShareASession) {
  const Matmul m = PrepareMatmul(session_);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      const Lane lane = *session_.CreateLane();
      for (int i = 0; i < 20; ++i) {
        const absl::StatusOr<Surface> mine = m.kernel.CreateSurface("y");
        ASSERT_TRUE(mine.ok()) << mine.status();
        const absl::StatusOr<Invocation> run =
            m.kernel.Prepare().Bind("x", m.x).Bind("W", m.w).Bind("y", *mine).Build();
        ASSERT_TRUE(run.ok()) << run.status();
        ASSERT_TRUE(lane.Run(*run).ok());
        EXPECT_EQ(Read(*mine), Product(Ws(), Xs()));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace anex::test
