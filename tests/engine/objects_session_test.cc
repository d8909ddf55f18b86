// Sessions, their table, and usage counters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "server/engine/objects/session.h"
#include "server/engine/objects/session_table.h"
#include "server/engine/objects/usage.h"
#include "tests/engine/objects_fixture.h"

namespace anex::engine {
namespace {

using testing::Fp32;
using ::testing::HasSubstr;
using testing::MakeSet;
using testing::MakeXwy;
using testing::ManualClock;

Identity User(uint32_t uid, int64_t pid = 100) {
  return {Identity::Kind::kLocalUser, uid, pid, ""};
}

RegionMaker Heap() {
  return [](uint64_t bytes, std::string_view) { return shm::CreateHeapRegion(bytes); };
}

class SessionTest : public ::testing::Test {
 protected:
  SessionTable::MakeSession Maker(const Identity& identity) {
    return [this, identity](SessionId id) {
      return std::make_shared<Session>(
          Session::Options{id, identity, "client", 1, clock_.Now(), Heap(), budget_}, limits_);
    };
  }
  absl::StatusOr<SessionTable::Opened> Open(SessionTable& table, const Identity& identity) {
    return table.Open(identity, clock_.Now(), Maker(identity));
  }

  Limits limits_;
  ManualClock clock_;
  std::shared_ptr<ByteBudget> budget_ =
      std::make_shared<ByteBudget>(Bound("surface_bytes", 1u << 20), "release some", nullptr);
};

TEST_F(SessionTest, ASecretOpensOnlyItsSessionAndOnlyForItsUser) {
  SessionTable table(limits_);
  const auto ann = *Open(table, User(501)), bob = *Open(table, User(502));
  EXPECT_EQ(*table.FindBySecret(ann.secret, User(501, /*pid=*/7)), ann.session->id());
  EXPECT_EQ(*table.FindBySecret(bob.secret, User(502)), bob.session->id());
  for (const absl::Status& refused :
       {table.FindBySecret(ann.secret, User(502)).status(),
        table.FindBySecret(std::string(64, '0'), User(501)).status(),
        table.FindBySecret("", User(501)).status(),
        table.FindBySecret(ann.secret, {Identity::Kind::kTlsSubject, 501, 0, ""}).status()}) {
    EXPECT_EQ(refused.code(), absl::StatusCode::kUnauthenticated);
  }
}

TEST_F(SessionTest, ARemovedSessionIsGoneForGood) {
  SessionTable table(limits_);
  const auto ann = *Open(table, User(501));
  const SessionId id = ann.session->id();
  EXPECT_NE(table.Remove(id), nullptr);
  EXPECT_EQ(table.Remove(id), nullptr);
  EXPECT_EQ(table.Find(id).status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_FALSE(table.FindBySecret(ann.secret, User(501)).ok());
  EXPECT_NE((*Open(table, User(501))).session->id(), id);
}

TEST_F(SessionTest, TheHelloWorksOnceForItsUserBeforeTheDeadline) {
  limits_.attach_deadline_ns = 1000;
  SessionTable table(limits_);
  const auto ann = *Open(table, User(501)), bob = *Open(table, User(502)),
             eve = *Open(table, User(503));
  EXPECT_EQ(*table.Attach(ann.side_channel_token, User(501), clock_.Now()), ann.session->id());
  EXPECT_EQ(table.Attach(ann.side_channel_token, User(501), clock_.Now()).status().code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(table.Attach(bob.side_channel_token, User(501), clock_.Now()).status().code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_TRUE(table.RemoveUnattached(clock_.Now()).empty());
  clock_.Advance(1000);
  EXPECT_FALSE(table.Attach(eve.side_channel_token, User(503), clock_.Now()).ok());
  EXPECT_THAT(table.RemoveUnattached(clock_.Now()),
              ::testing::UnorderedElementsAre(bob.session, eve.session));
  EXPECT_FALSE(table.Find(bob.session->id()).ok());
  EXPECT_TRUE(table.Find(ann.session->id()).ok());
}

TEST_F(SessionTest, InProcessSessionsNeedNoSideChannel) {
  SessionTable table(limits_);
  const auto opened = *Open(table, {Identity::Kind::kInProcess, 501, 1, ""});
  EXPECT_EQ(opened.side_channel_token, "");
  clock_.Advance(INT64_MAX / 2);
  EXPECT_TRUE(table.RemoveUnattached(clock_.Now()).empty());
}

TEST_F(SessionTest, QuotasNameThemselves) {
  limits_.sessions = 3;
  limits_.sessions_per_uid = 2;
  SessionTable table(limits_);
  ASSERT_TRUE(Open(table, User(501)).ok());
  ASSERT_TRUE(Open(table, User(501)).ok());
  EXPECT_THAT(std::string(Open(table, User(501)).status().message()),
              HasSubstr("sessions_per_uid=2"));
  ASSERT_TRUE(Open(table, User(502)).ok());
  const absl::Status full = Open(table, User(503)).status();
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(full.message()), HasSubstr("sessions=3"));
}

TEST_F(SessionTest, EndFreesEverythingButWhatIsInUse) {
  auto session = std::make_shared<Session>(
      Session::Options{SessionId(1), User(501), "client", 1, 0, Heap(), budget_}, limits_);
  auto used = *session->pool().Create(Fp32({2, 3}), "in a running kernel");
  auto idle = *session->pool().Create(Fp32({200}), "");
  std::weak_ptr<Surface> freed = idle;
  ASSERT_TRUE(
      session->surfaces.Add(SurfaceEntry::Of(used, Access::kReadWrite, SurfaceOrigin::kCreated))
          .ok());
  ASSERT_TRUE(
      session->surfaces
          .Add(SurfaceEntry::Of(std::move(idle), Access::kReadWrite, SurfaceOrigin::kCreated))
          .ok());
  auto set = MakeSet(session->pool(), ParameterMode::kFenced, clock_, {"w"}, Fp32({4}));
  ASSERT_TRUE(
      session->sets.Add(std::make_shared<const ParameterSetEntry>(ParameterSetEntry{set, {}}))
          .ok());
  auto fence = std::make_shared<Fence>(0);
  ASSERT_TRUE(session->fences.Add(fence).ok());
  EXPECT_EQ(session->Status(5).surfaces, 2u);
  EXPECT_GT(session->Status(5).surface_bytes, 800u);

  session->End();
  EXPECT_TRUE(session->ended());
  EXPECT_TRUE(freed.expired());
  EXPECT_FALSE(set->TryPin().ok());
  EXPECT_EQ(fence->Reached(1).status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(session->fences.Add(fence).status().code(), absl::StatusCode::kUnavailable);
  set.reset();
  EXPECT_EQ(budget_->used(), used->layout().allocation_bytes);
  used.reset();
  EXPECT_EQ(budget_->used(), 0u);
}

TEST(Usage, CountsByOutcome) {
  Usage usage;
  usage.Submitted();
  usage.Submitted(3);
  using Code = absl::StatusCode;
  const std::vector<UsageNote> notes = {
      {.ran = true, .device_ns = 200'000'000, .end_ns = 1'000'000'000},
      {.ran = true,
       .device_ns = 100'000'000,
       .end_ns = 1'300'000'000,
       .finished = Code::kOk,
       .queue_ns = 1000},
      {.finished = Code::kOk, .queue_ns = 3000},
      {.finished = Code::kCancelled},
      {.finished = Code::kInternal}};
  usage.Add(UsageSum(notes));
  const UsageCounters counters = usage.Snapshot();
  EXPECT_EQ(counters.submitted, 4u);
  EXPECT_EQ(counters.completed, 2u);
  EXPECT_EQ(counters.cancelled, 1u);
  EXPECT_EQ(counters.failed, 1u);
  EXPECT_EQ(counters.evaluations, 2u);
  EXPECT_EQ(counters.device_ns, 300'000'000);
  EXPECT_EQ(counters.queue_ns, 4000);
  EXPECT_NEAR(static_cast<double>(counters.queue_p99_ns), 3000, 400);
  EXPECT_NEAR(usage.DeviceShare1s(1'500'000'000), 0.3, 1e-9);
}

// Copies and runs that fail have the device, too; and many small turns are as busy as they were.
TEST(Usage, TimeOnTheDeviceCountsWhateverCameOfIt) {
  Usage usage;
  std::vector<UsageNote> notes;
  for (int i = 0; i < 1000; ++i) {  // every other 100 us from 1 s on
    notes.push_back(
        {.ran = i % 2 == 0, .device_ns = 100'000, .end_ns = 1'000'000'000 + i * 200'000});
  }
  for (size_t at = 0; at < notes.size(); at += 50) {
    usage.Add(UsageSum(std::span(notes).subspan(at, 50)));
  }
  EXPECT_EQ(usage.Snapshot().evaluations, 500u);
  EXPECT_EQ(usage.Snapshot().device_ns, 100'000'000);
  EXPECT_EQ(usage.Snapshot().completed, 0u);
  EXPECT_NEAR(usage.DeviceShare1s(1'200'000'000), 0.1, 0.002);
}

}  // namespace
}  // namespace anex::engine
