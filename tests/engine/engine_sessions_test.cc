// The engine's sessions, sharing, status and limits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <thread>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "tests/engine/engine_fixture.h"

namespace anex::engine {
namespace {

using testing::Bytes;
using ::testing::ElementsAre;
using testing::EngineTest;
using ::testing::HasSubstr;

using EngineSessions = EngineTest;

TEST_F(EngineSessions, VerbsNeedASession) {
  EXPECT_EQ(engine_->CreateSurface(Anyone(), {}).status().code(),
            absl::StatusCode::kUnauthenticated);
  Caller guess = Anyone();
  guess.session = SessionId(uint64_t{1} << 32);
  EXPECT_EQ(engine_->CreateLane(guess, {}).status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(EngineSessions, OpenChecksWhatTheClientSays) {
  EXPECT_EQ(engine_->Open(Anyone(), {.client_name = std::string(65, 'x')}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(engine_->Open(Anyone(), {.weight = 0}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(engine_->Open(Anyone(), {.weight = 1001}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(engine_->Open(Anyone(Role::kObserver), {}).status().code(),
            absl::StatusCode::kPermissionDenied);
}

TEST_F(EngineSessions, HandlesOfAnotherSessionAreNotFound) {
  const Caller ann = OpenSession("ann"), bob = OpenSession("bob");
  const Ready mine = GetReady(ann), theirs = GetReady(bob);
  const auto kNotFound = absl::StatusCode::kNotFound;
  EXPECT_EQ(engine_->DescribeSurface(bob, mine.x).status().code(), kNotFound);
  EXPECT_EQ(engine_->ReadSurface(bob, mine.x, {}).status().code(), kNotFound);
  EXPECT_EQ(engine_->DescribeKernel(bob, mine.kernel).status().code(), kNotFound);
  EXPECT_EQ(engine_->ReleaseInvocation(bob, mine.invocation).code(), kNotFound);
  EXPECT_EQ(
      engine_->Prepare(bob, {theirs.kernel, "", {{"x", mine.x}, {"w", theirs.w}, {"y", theirs.y}}})
          .status()
          .code(),
      kNotFound);
  Submission foreign = Run(theirs);
  foreign.target = mine.invocation.value();
  EXPECT_EQ(engine_->Evaluate(bob, foreign).status().code(), kNotFound);
  foreign = Run(theirs);
  foreign.lane = mine.lane;
  EXPECT_EQ(engine_->Evaluate(bob, foreign).status().code(), kNotFound);
  EXPECT_TRUE(engine_->Evaluate(bob, Run(theirs)).ok());
}

TEST_F(EngineSessions, AGrantSharesBytesOnceAndReadOnlyStaysReadOnly) {
  const Caller ann = OpenSession("ann"), bob = OpenSession("bob");
  const SurfaceId mine = NewSurface(ann);
  const auto ticket = *engine_->GrantSurface(ann, mine, Access::kReadOnly);
  const SurfaceInfo theirs = *engine_->ClaimGrant(bob, ticket.ticket);
  EXPECT_EQ(engine_->ClaimGrant(bob, ticket.ticket).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(theirs.origin, SurfaceOrigin::kGranted);
  EXPECT_EQ(engine_->DescribeSurface(ann, mine)->grants, 1u);
  Write(ann, mine, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(Read(bob, theirs.id), ElementsAre(1, 2, 3, 4, 5, 6));
  const auto kDenied = absl::StatusCode::kPermissionDenied;
  EXPECT_EQ(engine_->WriteSurface(bob, theirs.id, {}, Bytes({0, 0, 0, 0, 0, 0})).code(), kDenied);
  EXPECT_EQ(engine_->GrantSurface(bob, theirs.id, Access::kReadWrite).status().code(), kDenied);
  EXPECT_EQ(engine_->PrepareHandover(bob, theirs.id, Access::kReadWrite).status().code(), kDenied);
  EXPECT_EQ((*engine_->MapSurface(bob, theirs.id))->access(), shm::RegionAccess::kReadOnly);
  const std::string token = *engine_->PrepareHandover(bob, theirs.id, Access::kReadOnly);
  EXPECT_EQ(engine_->TakeHandover(bob.session, token)->access, shm::RegionAccess::kReadOnly);
  // It outlives its maker.
  ASSERT_TRUE(engine_->Close(ann).ok());
  EXPECT_THAT(Read(bob, theirs.id), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(EngineSessions, AHandOverTokenIsItsSessionsAndWorksOnce) {
  const Caller ann = OpenSession("ann"), bob = OpenSession("bob");
  const SurfaceId surface = NewSurface(ann);
  const std::string token = *engine_->PrepareHandover(ann, surface, Access::kReadWrite);
  EXPECT_EQ(engine_->TakeHandover(bob.session, token).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(engine_->TakeHandover(ann.session, token)->region, *engine_->MapSurface(ann, surface));
  EXPECT_FALSE(engine_->TakeHandover(ann.session, token).ok());
}

TEST_F(EngineSessions, MemoryThatWaitsToBeHandedOverStaysCharged) {
  const Caller ann = OpenSession("ann");
  const SurfaceId surface = NewSurface(ann);
  const uint64_t charged = engine_->GetStatus(Anyone()).surface_bytes;
  ASSERT_GT(charged, 0u);
  const std::string token = *engine_->PrepareHandover(ann, surface, Access::kReadWrite);
  ASSERT_TRUE(engine_->ReleaseSurface(ann, surface).ok());
  EXPECT_EQ(engine_->GetStatus(Anyone()).surface_bytes, charged) << "the token holds it";
  EXPECT_TRUE(engine_->TakeHandover(ann.session, token).ok());
}

TEST_F(EngineSessions, AFeatureThatTheDaemonLacksIsRefusedByName) {
  const auto open = [&](std::vector<std::string> features) {
    return engine_->Open(Anyone(), {.client_name = "new", .features = std::move(features)})
        .status();
  };
  EXPECT_TRUE(open({"chains", "fences"}).ok());
  const absl::Status refused = open({"chains", "telepathy", "fences"});
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("telepathy"));
  EXPECT_EQ(open(std::vector<std::string>(65, "chains")).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(open({std::string(65, 'x')}).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(EngineSessions, AnImportIsCheckedAgainstItsRegion) {
  const Caller ann = OpenSession("ann"), bob = OpenSession("bob");
  const TensorLayout layout = testing::Fp32({2, 3});
  auto region = *shm::CreateHeapRegion(layout.allocation_bytes);
  const std::string token = *engine_->OfferRegion(ann.session, region);
  EXPECT_FALSE(engine_->ImportSurface(bob, token, layout, "").ok());
  TensorLayout lies = layout;
  lies.strides[0] = INT64_MAX;
  EXPECT_EQ(engine_->ImportSurface(ann, token, lies, "").status().code(),
            absl::StatusCode::kInvalidArgument);
  const SurfaceInfo info = *engine_->ImportSurface(ann, token, layout, "mine");
  EXPECT_EQ(info.origin, SurfaceOrigin::kImported);
  Write(ann, info.id, {6, 5, 4, 3, 2, 1});
  EXPECT_EQ(reinterpret_cast<const float*>(region->data())[5], 1);
  const std::string small = *engine_->OfferRegion(ann.session, region);
  const TensorLayout huge = testing::Fp32({1 << 20, 3});
  EXPECT_EQ(engine_->ImportSurface(ann, small, huge, "").status().code(),
            absl::StatusCode::kOutOfRange);
}

TEST_F(EngineSessions, NothingIsFoundByItsGlobalNumberUnlessThatIsAllowed) {
  const Caller ann = OpenSession("ann");
  const absl::Status refused =
      engine_->ImportGlobalIosurface(ann, 42, testing::Fp32({2, 3}), "").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("allow_global_iosurfaces"));
}

TEST_F(EngineSessions, WhereItIsAllowedAGlobalSurfaceIsImportedOfItsTrueSize) {
  // Has 4096 bytes under 42, and less than it is asked for under 43.
  find_global_iosurface_ =
      [](uint32_t number, uint64_t bytes) -> absl::StatusOr<std::shared_ptr<shm::SharedRegion>> {
    if (number == 42 && bytes == 24) return shm::CreateHeapRegion(4096);
    if (number == 43) return shm::CreateHeapRegion(4096);
    return absl::NotFoundError("none");
  };
  Start({});
  const Caller ann = OpenSession("ann");
  const auto info = engine_->ImportGlobalIosurface(ann, 42, testing::Fp32({2, 3}), "theirs");
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->origin, SurfaceOrigin::kImported);
  EXPECT_EQ(info->label, "theirs");
  EXPECT_EQ(
      engine_->ImportGlobalIosurface(ann, 43, testing::Fp32({1 << 20, 3}), "").status().code(),
      absl::StatusCode::kOutOfRange);
  EXPECT_EQ(engine_->ImportGlobalIosurface(ann, 44, testing::Fp32({2, 3}), "").status().code(),
            absl::StatusCode::kNotFound);
  TensorLayout lies = testing::Fp32({2, 3});
  lies.strides[0] = INT64_MAX;
  EXPECT_EQ(engine_->ImportGlobalIosurface(ann, 42, lies, "").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(engine_->ImportGlobalIosurface(Anyone(), 42, testing::Fp32({2, 3}), "").status().code(),
            absl::StatusCode::kUnauthenticated);
}

// Memory that a client has offered and not imported is the daemon's already: mapped, and paid for.
TEST_F(EngineSessions, AnOfferIsChargedUntilItIsImportedOrOver) {
  Limits limits;
  limits.surface_bytes_per_session = 1 << 20;
  limits.surfaces = 4;
  limits.unpublished_import_ns = 300'000'000;
  Start(limits);
  const Caller ann = OpenSession("ann"), bob = OpenSession("bob");
  const auto charged = [&] { return engine_->GetStatus(bob).surface_bytes; };
  const auto offer = [&](uint64_t bytes) {
    return engine_->OfferRegion(ann.session, *shm::CreateHeapRegion(bytes));
  };
  const std::string first = *offer(600 << 10);
  EXPECT_EQ(charged(), 600u << 10);
  const absl::Status second = offer(600 << 10).status();
  EXPECT_EQ(second.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(second.message()), HasSubstr("surface_bytes_per_session=1048576"));
  ASSERT_TRUE(engine_->ImportSurface(ann, first, testing::Fp32({100, 1024}), "").ok());
  EXPECT_EQ(charged(), 600u << 10) << "once";
  // Each of them is a descriptor of the daemon, as a surface is.
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(offer(4096).ok());
  const absl::Status fifth = offer(4096).status();
  EXPECT_EQ(fifth.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(fifth.message()), HasSubstr("surfaces=4"));
  const absl::Time until = absl::Now() + absl::Seconds(20);
  while (charged() > 600u << 10 && absl::Now() < until) absl::SleepFor(absl::Milliseconds(5));
  EXPECT_EQ(charged(), 600u << 10) << "those that nobody imported are over";
  EXPECT_TRUE(offer(4096).ok());
}

// Memory whose end takes as long as a test wants.
class SlowRegion final : public shm::SharedRegion {
 public:
  struct End {
    absl::Notification begun, go_on;
  };
  SlowRegion(uint64_t bytes, std::shared_ptr<End> end) : bytes_(bytes), end_(std::move(end)) {}
  ~SlowRegion() override {
    end_->begun.Notify();
    end_->go_on.WaitForNotification();
  }
  std::byte* data() override { return nullptr; }
  const std::byte* data() const override { return nullptr; }
  uint64_t size() const override { return bytes_; }
  shm::RegionAccess access() const override { return shm::RegionAccess::kReadWrite; }
  absl::StatusOr<shm::OwnedDescriptor> Share(shm::RegionAccess) const override {
    return absl::UnimplementedError("none");
  }

 private:
  const uint64_t bytes_;
  const std::shared_ptr<End> end_;
};

TEST_F(EngineSessions, TheDeadDoNotWaitForEachOthersMemory) {
  const Caller watcher = OpenSession("watcher"), huge = OpenSession("huge");
  const auto end = std::make_shared<SlowRegion::End>();
  ASSERT_TRUE(engine_->OfferRegion(huge.session, std::make_shared<SlowRegion>(1 << 30, end)).ok());
  const FenceId never = *engine_->CreateFence(huge, 0);
  auto completions = engine_->CreateCompletionQueue(4);
  Submission wait{.lane = *engine_->CreateLane(huge, {}), .kind = SubmissionKind::kFence};
  wait.target = never.value();
  wait.argument = 1;
  ASSERT_TRUE(engine_->Submit(huge, wait, completions).ok());
  const uint64_t with_huge = engine_->GetStatus(watcher).surface_bytes;
  const absl::Cleanup go_on = [&] { end->go_on.Notify(); };
  engine_->SessionGone(huge.session, "test");
  end->begun.WaitForNotification();
  EXPECT_TRUE(completions->Next(absl::Seconds(20)).has_value()) << "its work has ended";
  for (int i = 0; i < 3; ++i) {
    const Caller little = OpenSession("little");
    const Ready ready = GetReady(little);
    ASSERT_TRUE(engine_->Evaluate(little, Run(ready)).ok());
    ASSERT_GT(engine_->GetStatus(watcher).surface_bytes, with_huge);
    const absl::Time start = absl::Now();
    engine_->SessionGone(little.session, "test");
    while (engine_->GetStatus(watcher).surface_bytes > with_huge &&
           absl::Now() < start + absl::Seconds(20)) {
      absl::SleepFor(absl::Milliseconds(1));
    }
    std::printf("freed after %.1f ms\n", absl::ToDoubleMilliseconds(absl::Now() - start));
    EXPECT_EQ(engine_->GetStatus(watcher).surface_bytes, with_huge);
  }
}

TEST_F(EngineSessions, ClosingEndsEverythingAndFreesTheMemory) {
  const Caller ann = OpenSession("ann");
  const Ready ready = GetReady(ann);
  ASSERT_TRUE(engine_->Evaluate(ann, Run(ready)).ok());
  EXPECT_GT(engine_->GetStatus(Anyone()).surface_bytes, 0u);
  ASSERT_TRUE(engine_->Close(ann).ok());
  EXPECT_EQ(engine_->Close(ann).code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(engine_->GetStatus(Anyone()).surface_bytes, 0u);
  EXPECT_TRUE(engine_->GetStatus(Anyone()).sessions.empty());
  EXPECT_TRUE(engine_->GetStatus(Anyone()).kernels.empty());
}

TEST_F(EngineSessions, ASessionThatGoesWhileItsKernelRunsLeavesNoMarkOnOthers) {
  const Caller ann = OpenSession("ann"), bob = OpenSession("bob");
  const Ready hers = GetReady(ann), his = GetReady(bob);
  gate_->Shut();
  auto completions = engine_->CreateCompletionQueue(4);
  ASSERT_TRUE(engine_->Submit(ann, Run(hers, 1), completions).ok());
  ASSERT_TRUE(engine_->Submit(ann, Run(hers, 2), completions).ok());
  gate_->WaitBegun(1);
  engine_->SessionGone(ann.session, "end of file");
  engine_->SessionGone(ann.session, "exit");  // idempotent
  const auto cancelled = completions->Next(absl::Seconds(5));
  ASSERT_TRUE(cancelled.has_value());
  EXPECT_EQ(cancelled->user_data, 2u);
  EXPECT_EQ(cancelled->status.code(), absl::StatusCode::kCancelled);
  EXPECT_GT(engine_->GetStatus(Anyone()).surface_bytes, 3 * 24u);  // still in use by the run
  gate_->Open();
  EXPECT_TRUE(completions->Next(absl::Seconds(5)).has_value());
  Write(bob, his.x, {1, 0, 0, 0, 0, 0});
  EXPECT_TRUE(engine_->Evaluate(bob, Run(his))->status.ok());
  EXPECT_EQ(Read(bob, his.y)[0], 3);
}

TEST_F(EngineSessions, AnUnattachedSessionIsSweptAway) {
  Limits limits;
  limits.attach_deadline_ns = 1'000'000;
  Start(limits);
  Caller ann = Anyone();
  ann.identity.kind = Identity::Kind::kLocalUser;
  const SessionGrant grant = *engine_->Open(ann, {});
  EXPECT_EQ(grant.side_channel, "/run/anexd/side");
  const int64_t until = SystemClock().Now() + 10'000'000'000;
  while (engine_->Authenticate(grant.secret, ann.identity).ok()) {
    ASSERT_LT(SystemClock().Now(), until);
    std::this_thread::yield();
  }
}

TEST_F(EngineSessions, AttachingKeepsTheSession) {
  Caller ann = Anyone();
  ann.identity.kind = Identity::Kind::kLocalUser;
  const SessionGrant grant = *engine_->Open(ann, {});
  Identity stranger = ann.identity;
  stranger.uid = 502;
  EXPECT_FALSE(engine_->Authenticate(grant.secret, stranger).ok());
  EXPECT_EQ(*engine_->AttachSideChannel(grant.side_channel_token, ann.identity), grant.id);
  EXPECT_FALSE(engine_->AttachSideChannel(grant.side_channel_token, ann.identity).ok());
}

TEST_F(EngineSessions, EvictionNeedsAnOperator) {
  const Caller ann = OpenSession("ann");
  EXPECT_EQ(engine_->Evict(Anyone(Role::kObserver), ann.session).code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(engine_->Evict(Anyone(Role::kOperator), ann.session).ok());
  EXPECT_EQ(engine_->Evict(Anyone(), ann.session).code(), absl::StatusCode::kNotFound);
}

TEST_F(EngineSessions, StatusTellsWhoHoldsWhat) {
  const Caller ann = OpenSession("ann"), bob = OpenSession("bob");
  const Ready hers = GetReady(ann);
  GetReady(bob);
  ASSERT_TRUE(engine_->Evaluate(ann, Run(hers)).ok());
  const DaemonStatus status = engine_->GetStatus(Anyone(Role::kObserver));
  EXPECT_EQ(status.info.runtime_dir, "");
  EXPECT_EQ(engine_->GetInfo(Anyone()).runtime_dir, "/run/anexd");
  ASSERT_EQ(status.sessions.size(), 2u);
  EXPECT_EQ(status.sessions[0].client_name, "ann");
  EXPECT_EQ(status.sessions[0].surfaces, 3u);
  EXPECT_EQ(status.sessions[0].usage.evaluations, 1u);
  EXPECT_EQ(status.sessions[1].usage.evaluations, 0u);
  ASSERT_EQ(status.kernels.size(), 1u);  // equal programs share one
  EXPECT_THAT(status.kernels[0].sessions, ElementsAre(ann.session, bob.session));
  EXPECT_EQ(status.kernels[0].usage.evaluations, 1u);
  ASSERT_EQ(status.devices.size(), 1u);
  EXPECT_EQ(status.devices[0].info.name, "tiny");
  EXPECT_TRUE(status.devices[0].info.is_default);
  EXPECT_EQ(engine_->ListSurfaces(Anyone(Role::kObserver)).size(), 6u);
  engine_->CountTensorBytes(24);
  EXPECT_EQ(engine_->GetStatus(Anyone()).grpc_tensor_bytes, 24u);
}

TEST_F(EngineSessions, BoundsAreNamedAndTheNextRequestIsServed) {
  Limits limits;
  ASSERT_TRUE(limits.Set("surfaces_per_session", 3).ok());
  ASSERT_TRUE(limits.Set("lanes_per_session", 1).ok());
  Start(limits);
  const Caller ann = OpenSession("ann");
  GetReady(ann);
  SurfaceSpec spec;
  spec.dtype = DType::kFp32;
  spec.shape = Shape({4});
  const absl::Status full = engine_->CreateSurface(ann, spec).status();
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(full.message()), HasSubstr("surfaces_per_session=3"));
  EXPECT_EQ(engine_->CreateLane(ann, {}).status().code(), absl::StatusCode::kResourceExhausted);
  const Caller bob = OpenSession("bob");
  EXPECT_TRUE(engine_->CreateSurface(bob, spec).ok());
}

TEST_F(EngineSessions, ADrainingEngineRefusesNewWork) {
  const Caller ann = OpenSession("ann");
  const Ready ready = GetReady(ann);
  EXPECT_EQ(engine_->Drain(Anyone(Role::kObserver), 0).status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(*engine_->Drain(Anyone(), 1'000'000'000), 0u);
  EXPECT_EQ(engine_->health(), Health::kDraining);
  EXPECT_EQ(engine_->Evaluate(ann, Run(ready)).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(engine_->Open(Anyone(), {}).status().code(), absl::StatusCode::kUnavailable);
}

TEST(Limits, AreListedAndSetWithinTheirRange) {
  Limits limits;
  EXPECT_TRUE(limits.Set("lane_depth", 7).ok());
  EXPECT_EQ(limits.lane_depth, 7u);
  EXPECT_EQ(limits.Set("lane_depth", 0).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(limits.Set("lane_depht", 7).code(), absl::StatusCode::kNotFound);
  bool found = false;
  for (const LimitInfo& info : limits.List()) {
    found |= info.name == "lane_depth" && info.value == 7 && info.unit == "submissions";
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace anex::engine
