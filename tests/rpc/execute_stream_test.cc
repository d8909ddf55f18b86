// Execute: many submissions in flight on one stream, over a real connection.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/rpc/rpc_fixture.h"

namespace anex::rpc {
namespace {

class ExecuteTest : public RpcTest {
 protected:
  static v1::Submission WaitFor(uint64_t lane, uint64_t fence, uint64_t value, uint64_t user_data) {
    v1::Submission submission;
    submission.set_lane_id(lane);
    submission.set_user_data(user_data);
    submission.mutable_fence()->set_fence_id(fence);
    submission.mutable_fence()->set_value(value);
    return submission;
  }
  static void Signal(const Client& client, uint64_t fence, uint64_t value) {
    v1::SignalFenceRequest request;
    request.set_fence_id(fence);
    request.set_value(value);
    v1::SignalFenceResponse response;
    const grpc::Status status =
        client.Stub<v1::Execution>()->SignalFence(client.Context().get(), request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  // Polls the daemon's own count; no sleep decides the outcome.
  bool Eventually(const std::function<bool()>& condition) {
    for (const absl::Time end = absl::Now() + absl::Seconds(15); absl::Now() < end;) {
      if (condition()) return true;
      absl::SleepFor(absl::Milliseconds(5));
    }
    return condition();
  }
  UsageCounters Usage() { return engine_->GetStatus(Operator()).devices[0].usage; }
  uint64_t Completed() { return Usage().completed; }
};

TEST_F(ExecuteTest, CompletionsComeInOrderOfTheLane) {
  Client client = ConnectWithSession();
  const Ready ready = GetReady(client);
  Execute stream(client, 16);
  ASSERT_EQ(stream.credits(), 16u);
  std::vector<v1::Submission> batch;
  for (uint64_t i = 0; i < 12; ++i) batch.push_back(ready.Run(100 + i));
  ASSERT_TRUE(stream.Send(batch));
  const auto completions = stream.Receive(12);
  ASSERT_EQ(completions.size(), 12u);
  for (uint64_t i = 0; i < 12; ++i) {
    EXPECT_EQ(completions[i].user_data(), 100 + i);
    EXPECT_EQ(completions[i].lane_id(), ready.lane);
    EXPECT_EQ(completions[i].status().code(), 0);
    EXPECT_EQ(completions[i].steps_done(), 1u);
    EXPECT_GT(completions[i].total_ns(), 0);
  }
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
}

// One at a time the reading thread answers, several in flight the writer does, and both in turns.
TEST_F(ExecuteTest, WhoeverAnswersKeepsTheOrder) {
  Client client = ConnectWithSession();
  const Ready ready = GetReady(client);
  constexpr uint64_t kInFlight = 12, kRounds = 200;
  Execute stream(client, kInFlight);
  uint64_t sent = 0, received = 0;
  const auto receive = [&](size_t count) {
    for (const auto& completion : stream.Receive(count)) {
      ASSERT_EQ(completion.user_data(), received++);
      ASSERT_EQ(completion.status().code(), 0);
    }
  };
  for (uint64_t round = 0; round < kRounds; ++round) {
    const uint64_t at_once = 1 + round % kInFlight;
    for (uint64_t i = 0; i < 3 * kInFlight / at_once; ++i) {
      for (uint64_t k = 0; k < at_once; ++k) ASSERT_TRUE(stream.Send({ready.Run(sent++)}));
      receive(at_once);
      ASSERT_EQ(received, sent);
    }
  }
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
}

// What is behind a long run is taken while that runs: the reader does not wait for it.
TEST_F(ExecuteTest, ALookForAnAnswerDoesNotHoldUpWhatIsSentAfterIt) {
  Client client = ConnectWithSession();
  const Ready ready = GetReady(client), other = GetReady(client);
  const uint64_t fence = client.CreateFence();
  Execute stream(client, 16);
  ASSERT_TRUE(stream.Send({WaitFor(ready.lane, fence, 1, 1)}));
  ASSERT_TRUE(stream.Send({ready.Run(2)}));
  for (uint64_t i = 0; i < 50; ++i) {
    ASSERT_TRUE(stream.Send({other.Run(100 + i)}));
    const auto done = stream.Receive(1);
    ASSERT_EQ(done.size(), 1u);
    EXPECT_EQ(done[0].user_data(), 100 + i);
  }
  Signal(client, fence, 1);
  EXPECT_EQ(stream.Receive(2).size(), 2u);
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(ExecuteTest, CreditsAreBoundedAndHaveADefault) {
  Client client = ConnectWithSession();
  Execute greedy(client, 1'000'000);
  EXPECT_GE(greedy.credits(), 1u);
  EXPECT_LE(greedy.credits(), 4096u);
  Execute modest(client, 0);
  EXPECT_GE(modest.credits(), 1u);
}

TEST_F(ExecuteTest, ARefusedSubmissionIsACompletionAndTheStreamGoesOn) {
  Client client = ConnectWithSession();
  const Ready ready = GetReady(client);
  Execute stream(client);
  v1::Submission nothing;  // says nothing to do
  nothing.set_lane_id(ready.lane);
  nothing.set_user_data(1);
  v1::Submission stale = ready.Run(2);
  stale.set_invocation_id(ready.invocation + 77);
  v1::Submission no_lane = ready.Run(3);
  no_lane.set_lane_id(0);
  v1::Submission past = ready.Run(4);
  past.set_deadline_ns(-5);
  ASSERT_TRUE(stream.Send({nothing, stale, no_lane, past, ready.Run(5)}));
  std::map<uint64_t, int> codes;
  for (const auto& completion : stream.Receive(5)) {
    codes[completion.user_data()] = completion.status().code();
  }
  EXPECT_THAT(codes, testing::ElementsAre(testing::Pair(1, grpc::StatusCode::INVALID_ARGUMENT),
                                          testing::Pair(2, grpc::StatusCode::NOT_FOUND),
                                          testing::Pair(3, grpc::StatusCode::NOT_FOUND),
                                          testing::Pair(4, grpc::StatusCode::INVALID_ARGUMENT),
                                          testing::Pair(5, grpc::StatusCode::OK)));
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(ExecuteTest, AStreamMustOpenOnceAndFirst) {
  Client client = ConnectWithSession();
  const auto stub = client.Stub<v1::Execution>();
  for (const bool submit_with_open : {false, true}) {
    const auto context = client.Context();
    auto stream = stub->Execute(context.get());
    v1::ExecuteRequest request;
    request.add_submissions()->set_lane_id(1);
    if (submit_with_open) request.mutable_open()->set_credits(4);
    stream->Write(request);
    stream->WritesDone();
    v1::ExecuteResponse response;
    EXPECT_FALSE(stream->Read(&response));
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  }
  const auto context = client.Context();
  auto twice = stub->Execute(context.get());
  v1::ExecuteRequest open;
  open.mutable_open()->set_credits(4);
  twice->Write(open);
  twice->Write(open);
  v1::ExecuteResponse response;
  while (twice->Read(&response)) {
  }
  EXPECT_EQ(twice->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  ExpectServes();
}

TEST_F(ExecuteTest, HalfCloseFinishesWhatIsInFlight) {
  Client client = ConnectWithSession();
  const uint64_t lane = client.CreateLane();
  const uint64_t fence = client.CreateFence();
  Execute stream(client);
  ASSERT_TRUE(stream.Send({WaitFor(lane, fence, 1, 7), WaitFor(lane, fence, 2, 8)}));
  stream.HalfClose();
  Signal(client, fence, 2);
  const auto completions = stream.Receive(2);
  ASSERT_EQ(completions.size(), 2u);
  EXPECT_EQ(completions[0].user_data(), 7u);
  EXPECT_EQ(completions[1].user_data(), 8u);
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(ExecuteTest, AnEmptyStreamEndsAtOnce) {
  Client client = ConnectWithSession();
  Execute stream(client);
  const absl::Time start = absl::Now();
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
}

TEST_F(ExecuteTest, ACancelledStreamDropsCompletionsAndNotTheWork) {
  Client client = ConnectWithSession();
  const Ready ready = GetReady(client);
  const uint64_t fence = client.CreateFence();
  ASSERT_TRUE(client.WriteSurface(ready.x, {1, 2, 3, 4, 5, 6}).ok());
  {
    Execute stream(client);
    ASSERT_TRUE(stream.Send({WaitFor(ready.lane, fence, 1, 1), ready.Run(2)}));
    // Known to be queued before the stream breaks: a completion of a later, refused one says so.
    v1::Submission probe;
    probe.set_user_data(3);
    ASSERT_TRUE(stream.Send({probe}));
    ASSERT_EQ(stream.Receive(1)[0].user_data(), 3u);
    stream.Cancel();
    EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  Signal(client, fence, 1);
  v1::WaitRequest wait;
  wait.set_lane_id(ready.lane);
  v1::WaitResponse waited;
  ASSERT_TRUE(client.Stub<v1::Execution>()->Wait(client.Context().get(), wait, &waited).ok());
  EXPECT_EQ(client.ReadSurface(ready.y), (std::vector<float>{3, 5, 7, 9, 11, 13}));
  ExpectServes();
}

TEST_F(ExecuteTest, AConnectionThatBreaksLeavesTheDaemonServing) {
  for (int i = 0; i < 8; ++i) {
    Client client = ConnectWithSession();
    const uint64_t lane = client.CreateLane();
    const uint64_t fence = client.CreateFence();
    Execute stream(client);
    ASSERT_TRUE(stream.Send({WaitFor(lane, fence, 1, 1)}));
    stream.Cancel();
    stream.Finish();
  }
  ExpectServes();
  server_->Shutdown(absl::Seconds(5));  // hangs if a stream kept its thread
}

// A client that overruns its credits is answered, not queued without bound, and others are served.
TEST_F(ExecuteTest, OverrunningTheCreditsIsRefusedPerSubmission) {
  Client client = ConnectWithSession();
  const uint64_t lane = client.CreateLane();
  const uint64_t fence = client.CreateFence();
  Execute stream(client, 2);
  ASSERT_EQ(stream.credits(), 2u);
  ASSERT_TRUE(stream.Send(
      {WaitFor(lane, fence, 1, 1), WaitFor(lane, fence, 1, 2), WaitFor(lane, fence, 1, 3)}));
  ExpectServes();  // while that stream is stuck
  Signal(client, fence, 1);
  std::map<uint64_t, int> codes;
  for (const auto& completion : stream.Receive(3)) {
    codes[completion.user_data()] = completion.status().code();
  }
  EXPECT_THAT(codes, testing::ElementsAre(testing::Pair(1, grpc::StatusCode::OK),
                                          testing::Pair(2, grpc::StatusCode::OK),
                                          testing::Pair(3, grpc::StatusCode::RESOURCE_EXHAUSTED)));
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(ExecuteTest, AReaderThatSleepsDoesNotHoldTheDevice) {
  Client sleeper = ConnectWithSession();
  const Ready ready = GetReady(sleeper);
  Execute stream(sleeper, 32);
  // Completions of a chain-like size would fill the socket; here the client just never reads.
  std::vector<v1::Submission> batch;
  for (uint64_t i = 0; i < 32; ++i) batch.push_back(ready.Run(i));
  ASSERT_TRUE(stream.Send(batch));
  EXPECT_TRUE(Eventually([&] { return Completed() >= 32; }))
      << "the dispatcher waited for a reader";
  ExpectServes();
  const auto completions = stream.Receive(32);
  EXPECT_EQ(completions.size(), 32u) << "and nothing was lost";
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
}

// The client neither sends nor half-closes: the daemon ends the call, and takes its thread back.
TEST_F(ExecuteTest, AStreamEndsWithItsSessionAndAnswersWhatWasInFlight) {
  Client client = ConnectWithSession();
  const uint64_t lane = client.CreateLane(), fence = client.CreateFence();
  Execute stream(client);
  ASSERT_TRUE(stream.Send({WaitFor(lane, fence, 1, 1), WaitFor(lane, fence, 1, 2)}));
  EXPECT_TRUE(Eventually([&] { return Usage().submitted == 2; }));
  ASSERT_TRUE(client.CallByPath("/anex.v1.Sessions/Close").status.ok());
  const auto cancelled = stream.Receive(3);
  ASSERT_EQ(cancelled.size(), 2u);
  for (const auto& completion : cancelled) {
    EXPECT_EQ(completion.status().code(), grpc::StatusCode::CANCELLED);
  }
  EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::CANCELLED);
  ExpectServes();
}

// The stream has long been ended by the daemon when the client comes to read: what it is owed is
// there all the same.
TEST_F(ExecuteTest, WhoReadsLateGetsWhatWasInFlightWhenItsSessionEnded) {
  for (int round = 0; round < 20; ++round) {
    Client client = ConnectWithSession();
    const uint64_t lane = client.CreateLane(), fence = client.CreateFence();
    Execute stream(client, 64);
    std::vector<v1::Submission> waits;
    for (uint64_t i = 0; i < 64; ++i) waits.push_back(WaitFor(lane, fence, 1, i));
    const uint64_t before = Usage().submitted;
    ASSERT_TRUE(stream.Send(waits));
    ASSERT_TRUE(Eventually([&] { return Usage().submitted == before + 64; }));
    ASSERT_TRUE(client.CallByPath("/anex.v1.Sessions/Close").status.ok());
    absl::SleepFor(absl::Milliseconds(round * 5));
    const auto cancelled = stream.Receive(65);
    ASSERT_EQ(cancelled.size(), 64u) << "round " << round;
    EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
}

// The same with more than the connection holds, so that the daemon waits for the client to read: as
// long as it gets on with that, however slowly.
TEST_F(ExecuteTest, WhoReadsMuchSlowlyGetsItWhenItsSessionHasEnded) {
  constexpr size_t kChains = 8;
  Client client = ConnectNarrow();
  client.OpenSession();
  const Ready ready = GetReady(client);
  Execute stream(client, kChains);
  v1::DefineChainRequest chain;
  chain.add_steps()->set_run_invocation_id(ready.invocation);
  chain.set_repeat(60'000);
  v1::DefineChainResponse defined;
  ASSERT_TRUE(client.Stub<v1::Chains>()->Define(client.Context().get(), chain, &defined).ok());
  v1::Submission timed;
  timed.set_lane_id(ready.lane);
  timed.set_chain_id(defined.chain_id());
  timed.set_step_timings(true);
  const uint64_t before = Completed();
  size_t bytes = 0;
  for (size_t i = 0; i < kChains; ++i) {  // one after another: each with all of its timings
    ASSERT_TRUE(stream.Send({timed}));
    ASSERT_TRUE(Eventually([&] { return Completed() == before + i + 1; }));
  }
  ASSERT_TRUE(client.CallByPath("/anex.v1.Sessions/Close").status.ok());
  size_t got = 0;
  for (std::vector<v1::Completion> next; !(next = stream.Receive(1)).empty();) {
    got += next.size();
    for (const v1::Completion& one : next) bytes += one.ByteSizeLong();
    absl::SleepFor(absl::Milliseconds(600));
  }
  std::printf("%zu completions, %zu bytes\n", got, bytes);
  EXPECT_EQ(got, kChains);
  EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::CANCELLED);
}

// One that does not even read what it is told holds on for a moment at most.
TEST_F(ExecuteTest, AStreamThatIsNotReadEndsWithItsSession) {
  engine::Limits limits;
  limits.streams = 1;
  Start(limits);
  Client client = ConnectWithSession(), next = ConnectWithSession();
  const Ready ready = GetReady(client);
  Execute stream(client, 16);
  // Timings of long chains fill what a connection holds, so that the daemon's write stands still.
  v1::DefineChainRequest chain;
  chain.add_steps()->set_run_invocation_id(ready.invocation);
  chain.set_repeat(60'000);
  v1::DefineChainResponse defined;
  ASSERT_TRUE(client.Stub<v1::Chains>()->Define(client.Context().get(), chain, &defined).ok());
  v1::Submission timed;
  timed.set_lane_id(ready.lane);
  timed.set_chain_id(defined.chain_id());
  timed.set_step_timings(true);
  ASSERT_TRUE(stream.Send({timed, timed, timed}));
  EXPECT_TRUE(Eventually([&] { return Completed() == 3; }));
  const auto another_opens = [&] {
    Execute probe(next);
    probe.HalfClose();
    return probe.Finish().ok();
  };
  EXPECT_FALSE(another_opens()) << "the place is taken";
  ASSERT_TRUE(client.CallByPath("/anex.v1.Sessions/Close").status.ok());
  EXPECT_TRUE(Eventually(another_opens));
}

TEST_F(ExecuteTest, WhatIsThereIsSentInOneMessage) {
  Client client = ConnectWithSession();
  const uint64_t lane = client.CreateLane(), fence = client.CreateFence();
  Execute stream(client, 64);
  std::vector<v1::Submission> waits;
  for (uint64_t i = 0; i < 64; ++i) waits.push_back(WaitFor(lane, fence, 1, i));
  for (int round = 0; round < 5; ++round) {
    ASSERT_TRUE(stream.Send(waits));
    Signal(client, fence, 1);
    EXPECT_EQ(stream.Receive(64).size(), 64u);
  }
  EXPECT_LT(stream.messages(), 5u * 64u / 2u) << "on average more than two in a message";
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
}

}  // namespace
}  // namespace anex::rpc
