#include "server/rpc/idempotency.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "tests/rpc/rpc_fixture.h"

namespace anex::rpc {
namespace {

const engine::SystemClock kClock;

engine::Caller Session(uint64_t id) {
  engine::Caller caller;
  caller.session = SessionId(id);
  return caller;
}

// A creating call that numbers what it makes.
struct Counter {
  int made = 0;
  std::function<absl::Status(std::string&)> Make() {
    return [this](std::string& answer) {
      answer = std::to_string(++made);
      return absl::OkStatus();
    };
  }
};

TEST(Idempotency, ARepeatedKeyAnswersWhatTheFirstDid) {
  Idempotency memory(kClock);
  Counter counter;
  std::string answer;
  EXPECT_TRUE(memory.Run(Session(1), "Create", "k", "request", answer, counter.Make()).ok());
  EXPECT_EQ(answer, "1");
  answer.clear();
  EXPECT_TRUE(memory.Run(Session(1), "Create", "k", "request", answer, counter.Make()).ok());
  EXPECT_EQ(answer, "1");
  EXPECT_EQ(counter.made, 1);
}

TEST(Idempotency, KeysOfOtherSessionsAndMethodsAreOthers) {
  Idempotency memory(kClock);
  Counter counter;
  std::string answer;
  for (const auto& [session, method, key] :
       {std::tuple(1, "Create", "k"), std::tuple(2, "Create", "k"), std::tuple(1, "Define", "k"),
        std::tuple(1, "Create", "k2")}) {
    EXPECT_TRUE(memory.Run(Session(session), method, key, "r", answer, counter.Make()).ok());
  }
  EXPECT_EQ(counter.made, 4);
}

TEST(Idempotency, WithoutAKeyEveryCallCreates) {
  Idempotency memory(kClock);
  Counter counter;
  std::string answer;
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(memory.Run(Session(1), "Create", "", "r", answer, counter.Make()).ok());
  }
  EXPECT_EQ(counter.made, 3);
}

TEST(Idempotency, OneKeyForTwoRequestsIsRefused) {
  Idempotency memory(kClock);
  Counter counter;
  std::string answer;
  ASSERT_TRUE(memory.Run(Session(1), "Create", "k", "one", answer, counter.Make()).ok());
  EXPECT_EQ(memory.Run(Session(1), "Create", "k", "two", answer, counter.Make()).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(
      memory.Run(Session(1), "Create", std::string(65, 'k'), "one", answer, counter.Make()).code(),
      absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(counter.made, 1);
}

TEST(Idempotency, AFailedCallMayBeTriedAgain) {
  Idempotency memory(kClock);
  Counter counter;
  std::string answer;
  const auto fail = [](std::string&) { return absl::ResourceExhaustedError("lanes=1"); };
  EXPECT_EQ(memory.Run(Session(1), "Create", "k", "r", answer, fail).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(memory.Run(Session(1), "Create", "k", "r", answer, counter.Make()).ok());
  EXPECT_EQ(counter.made, 1);
}

TEST(Idempotency, TheOldestAnswersAreForgottenFirst) {
  Idempotency memory(kClock);
  Counter counter;
  std::string answer;
  for (size_t i = 0; i <= Idempotency::kPerOwner; ++i) {
    ASSERT_TRUE(
        memory.Run(Session(1), "Create", std::to_string(i), "r", answer, counter.Make()).ok());
  }
  const int made = counter.made;
  ASSERT_TRUE(memory.Run(Session(1), "Create", "5", "r", answer, counter.Make()).ok());
  EXPECT_EQ(counter.made, made) << "a younger one is remembered";
  ASSERT_TRUE(memory.Run(Session(1), "Create", "0", "r", answer, counter.Make()).ok());
  EXPECT_EQ(counter.made, made + 1) << "the oldest is not";
}

TEST(Idempotency, ASessionWithManyKeysForgetsItsOwnAnswersOnly) {
  Idempotency memory(kClock);
  Counter counter;
  std::string answer;
  ASSERT_TRUE(memory.Run(Session(2), "Create", "mine", "r", answer, counter.Make()).ok());
  for (size_t i = 0; i < 3 * Idempotency::kPerOwner; ++i) {
    ASSERT_TRUE(
        memory.Run(Session(1), "Create", std::to_string(i), "r", answer, counter.Make()).ok());
  }
  const int made = counter.made;
  ASSERT_TRUE(memory.Run(Session(2), "Create", "mine", "r", answer, counter.Make()).ok());
  EXPECT_EQ(answer, "1");
  EXPECT_EQ(counter.made, made);
}

TEST(Idempotency, LargeAnswersAreBoundedByTheirBytes) {
  Idempotency memory(kClock);
  int made = 0;
  const auto create = [&](std::string& answer) {
    ++made;
    answer.assign(Idempotency::kBytes / 3, 'x');
    return absl::OkStatus();
  };
  std::string answer;
  for (int session = 1; session <= 4; ++session) {
    ASSERT_TRUE(memory.Run(Session(session), "Create", "k", "r", answer, create).ok());
  }
  ASSERT_TRUE(memory.Run(Session(4), "Create", "k", "r", answer, create).ok());
  EXPECT_EQ(made, 4) << "the last one is remembered";
  ASSERT_TRUE(memory.Run(Session(1), "Create", "k", "r", answer, create).ok());
  EXPECT_EQ(made, 5) << "the first had to go";
}

TEST(Idempotency, AnAnswerIsForgottenAfterAWhile) {
  class ByHand final : public engine::Clock {
   public:
    int64_t Now() const override { return now; }
    int64_t now = 1;
  } clock;
  Idempotency memory(clock);
  Counter counter;
  std::string answer;
  ASSERT_TRUE(memory.Run(Session(1), "Open", "k", "r", answer, counter.Make()).ok());
  clock.now += Idempotency::kKeep;
  ASSERT_TRUE(memory.Run(Session(1), "Open", "k", "r", answer, counter.Make()).ok());
  EXPECT_EQ(counter.made, 1);
  clock.now += 1;
  ASSERT_TRUE(memory.Run(Session(1), "Open", "k", "r", answer, counter.Make()).ok());
  EXPECT_EQ(counter.made, 2);
}

TEST(Idempotency, ACallThatThrowsLeavesNoKeyInFlight) {
  Idempotency memory(kClock);
  std::string answer;
  EXPECT_THROW(memory
                   .Run(Session(1), "Create", "k", "r", answer,
                        [](std::string&) -> absl::Status { throw std::bad_alloc(); })
                   .IgnoreError(),
               std::bad_alloc);
  Counter counter;
  EXPECT_TRUE(memory.Run(Session(1), "Create", "k", "r", answer, counter.Make()).ok());
  EXPECT_EQ(counter.made, 1);
}

TEST(Idempotency, AnAnswerThatIsNoLongerGoodIsMadeAnew) {
  Idempotency memory(kClock);
  Counter counter;
  std::string answer;
  std::string good = "1";
  const auto is_good = [&](const std::string& old) { return old == good; };
  const auto run = [&] {
    EXPECT_TRUE(memory.Run(Session(1), "Open", "k", "r", answer, counter.Make(), is_good).ok());
    return answer;
  };
  EXPECT_EQ(run(), "1");
  EXPECT_EQ(run(), "1");
  good = "2";
  EXPECT_EQ(run(), "2");
  EXPECT_EQ(run(), "2") << "the new answer is remembered";
  EXPECT_EQ(counter.made, 2);
  EXPECT_EQ(memory.Run(Session(1), "Open", "k", "other", answer, counter.Make(), is_good).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(Idempotency, TwoCallsAtOnceCreateOnce) {
  Idempotency memory(kClock);
  absl::Notification inside, go_on;
  std::atomic<int> made{0};
  std::string first, second;
  std::thread slow([&] {
    EXPECT_TRUE(memory
                    .Run(Session(1), "Create", "k", "r", first,
                         [&](std::string& answer) {
                           ++made;
                           inside.Notify();
                           go_on.WaitForNotification();
                           answer = "made";
                           return absl::OkStatus();
                         })
                    .ok());
  });
  inside.WaitForNotification();
  // A second caller who gives up is let go, without an answer and without a second thing.
  engine::Caller impatient = Session(1);
  impatient.cancelled = [] { return true; };
  const auto never = [&](std::string&) {
    ++made;
    return absl::OkStatus();
  };
  EXPECT_EQ(memory.Run(impatient, "Create", "k", "r", second, never).code(),
            absl::StatusCode::kCancelled);
  std::thread waiting(
      [&] { EXPECT_TRUE(memory.Run(Session(1), "Create", "k", "r", second, never).ok()); });
  go_on.Notify();
  slow.join();
  waiting.join();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(second, "made");
}

// Maps have no order on the wire, and protobuf gives each map object an order of its own.
TEST(Idempotency, EqualRequestsHaveEqualFingerprints) {
  v1::CompileByDigestRequest first, second;
  for (int i = 0; i < 50; ++i) {
    (*first.mutable_options()->mutable_options())["k" + std::to_string(i)] = "v";
    (*second.mutable_options()->mutable_options())["k" + std::to_string(49 - i)] = "v";
  }
  EXPECT_EQ(Fingerprint(first), Fingerprint(second));
  (*second.mutable_options()->mutable_options())["k7"] = "w";
  EXPECT_NE(Fingerprint(first), Fingerprint(second));
}

using IdempotentCalls = RpcTest;

TEST_F(IdempotentCalls, ARepeatedOpenIsOneSession) {
  Client client = Connect();
  const auto first = client.OpenSession("attempt-1");
  const auto again = client.OpenSession("attempt-1");
  EXPECT_EQ(first.session_id(), again.session_id());
  EXPECT_EQ(first.secret(), again.secret());
  EXPECT_NE(client.OpenSession("attempt-2").session_id(), first.session_id());
  // The same key of another process is another attempt, and does not hand out a foreign secret.
  Client other = Connect();
  const auto foreign = other.OpenSession("attempt-1");
  EXPECT_NE(foreign.secret(), first.secret());
}

TEST_F(IdempotentCalls, ARepeatedOpenOfASessionThatHasEndedIsANewOne) {
  Client client = Connect();
  const auto first = client.OpenSession("attempt-1");
  ASSERT_TRUE(client.CallByPath("/anex.v1.Sessions/Close").status.ok());
  const auto second = client.OpenSession("attempt-1");
  EXPECT_NE(second.session_id(), first.session_id());
  client.CreateLane();  // it lives
  EXPECT_EQ(client.OpenSession("attempt-1").secret(), second.secret());
}

TEST_F(IdempotentCalls, EveryCreatingCallKeepsItsKey) {
  Client client = ConnectWithSession();
  v1::CreateSurfaceRequest surface;
  surface.set_dtype(v1::DTYPE_FP32);
  surface.add_shape(7);
  surface.set_idempotency_key("k");
  v1::CreateLaneRequest lane;
  lane.set_idempotency_key("k");
  std::set<uint64_t> surfaces, lanes;
  for (int i = 0; i < 3; ++i) {
    v1::CreateSurfaceResponse made;
    ASSERT_TRUE(client.Stub<v1::Surfaces>()->Create(client.Context().get(), surface, &made).ok());
    surfaces.insert(made.surface().surface_id());
    v1::CreateLaneResponse made_lane;
    ASSERT_TRUE(
        client.Stub<v1::Execution>()->CreateLane(client.Context().get(), lane, &made_lane).ok());
    lanes.insert(made_lane.lane_id());
  }
  EXPECT_EQ(surfaces.size(), 1u);
  EXPECT_EQ(lanes.size(), 1u);
  surface.set_shape(0, 8);
  v1::CreateSurfaceResponse refused;
  EXPECT_EQ(
      client.Stub<v1::Surfaces>()->Create(client.Context().get(), surface, &refused).error_code(),
      grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(IdempotentCalls, ARepeatedCompileIsOneKernel) {
  Client client = ConnectWithSession();
  auto parts = ProgramParts(ProgramText());
  parts[0].mutable_header()->set_idempotency_key("k");
  (*parts[0].mutable_header()->mutable_options()->mutable_options())["numerics"] = "default";
  v1::CompileResponse first, again, other;
  ASSERT_TRUE(SendParts(client, parts, &first).ok());
  ASSERT_TRUE(SendParts(client, parts, &again).ok());
  EXPECT_EQ(first.kernel().kernel_id(), again.kernel().kernel_id());
  // Another request under the same key: the options are part of it.
  (*parts[0].mutable_header()->mutable_options()->mutable_options())["numerics"] = "reference";
  EXPECT_EQ(SendParts(client, parts, &other).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace anex::rpc
