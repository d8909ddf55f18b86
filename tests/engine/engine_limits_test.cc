// Bounds in force: each names itself, its value and its setting when it refuses, can be changed
// while the engine runs, and gives back what is released.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "server/engine/machine_memory.h"
#include "server/engine/objects/byte_budget.h"
#include "server/engine/objects/process_quotas.h"
#include "server/engine/objects/quota.h"
#include "server/engine/objects/token_bucket.h"
#include "tests/engine/engine_fixture.h"

namespace anex::engine::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class EngineLimits : public EngineTest {
 protected:
  void Set(const std::string& name, uint64_t value) {
    const auto set = engine_->SetLimits(Anyone(), {{name, value}});
    ASSERT_TRUE(set.ok()) << set.status();
  }
  uint64_t Value(const std::string& name) {
    for (const LimitInfo& limit : engine_->GetLimits(Anyone())) {
      if (limit.name == name) return limit.value;
    }
    ADD_FAILURE() << "no limit " << name;
    return 0;
  }
  static void ExpectRefused(const absl::Status& status, const std::string& bound,
                            const std::string& setting) {
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(bound + ": "), HasSubstr("`anectl limits " + setting + "=N`")));
  }
  // A program that no other is equal to.
  static ProgramSource Program(int number) {
    ProgramSource source = Xwy();
    source.text = absl::StrCat("program(1.3)\n{\n  func main<ios18>(tensor<fp32, [2, ", number + 1,
                               "]> x) {\n    tensor<fp32, [2, ", number + 1,
                               "]> y = add(x = x, y = fp32(1));\n  } -> (y);\n}\n");
    return source;
  }
};

TEST_F(EngineLimits, AreSetTogetherOrNotAtAllAndByOperatorsOnly) {
  const auto bad = engine_->SetLimits(Anyone(), {{"lane_depth", 9}, {"sessions", 0}});
  EXPECT_EQ(bad.status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(engine_->SetLimits(Anyone(), {{"lane_depth", 9}, {"sesions", 3}}).status().code(),
            absl::StatusCode::kNotFound);
  const auto fixed = engine_->SetLimits(Anyone(), {{"lane_depth", 9}, {"concurrent_compiles", 3}});
  EXPECT_EQ(fixed.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(fixed.status().message()), HasSubstr("restart"));
  EXPECT_EQ(engine_->SetLimits(Anyone(Role::kObserver), {{"lane_depth", 9}}).status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Value("lane_depth"), Limits().lane_depth);
  const auto good = engine_->SetLimits(Anyone(Role::kOperator), {{"lane_depth", 9}, {"queued", 7}});
  ASSERT_TRUE(good.ok()) << good.status();
  EXPECT_EQ(Value("lane_depth"), 9u);
  EXPECT_EQ(Value("queued"), 7u);
}

TEST_F(EngineLimits, QueuedSubmissionsOfASessionAndOfAll) {
  Set("queued_per_session", 3);
  Set("queued", 4);
  const Caller ann = OpenSession(), bob = OpenSession();
  const Ready hers = GetReady(ann), his = GetReady(bob);
  const LaneId second = *engine_->CreateLane(ann, {});
  auto completions = engine_->CreateCompletionQueue(16);
  gate_->Shut();
  ASSERT_TRUE(engine_->Submit(ann, Run(hers), completions).ok());
  gate_->WaitBegun(1);
  ASSERT_TRUE(engine_->Submit(ann, Run(hers), completions).ok());
  Submission other_lane = Run(hers);
  other_lane.lane = second;
  ASSERT_TRUE(engine_->Submit(ann, other_lane, completions).ok());
  ExpectRefused(engine_->Submit(ann, Run(hers), completions), "queued_per_session=3",
                "queued_per_session");
  ASSERT_TRUE(engine_->Submit(bob, Run(his), completions).ok());
  ExpectRefused(engine_->Submit(bob, Run(his), completions), "queued=4", "queued");
  EXPECT_EQ(completions->outstanding(), 4u) << "a refusal leaves no place behind";
  Set("queued", 5);
  EXPECT_TRUE(engine_->Submit(bob, Run(his), completions).ok()) << "raised while it runs";
  gate_->Open();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(completions->Next(absl::Seconds(5))->status.ok());
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(engine_->Evaluate(ann, Run(hers))->status.ok()) << "places come back, " << i;
  }
}

TEST_F(EngineLimits, ALaneThatIsReleasedAndASessionThatEndsGiveTheirPlacesBack) {
  Set("queued", 2);
  const Caller ann = OpenSession(), bob = OpenSession();
  const Ready hers = GetReady(ann), his = GetReady(bob);
  auto completions = engine_->CreateCompletionQueue(16);
  gate_->Shut();
  ASSERT_TRUE(engine_->Submit(bob, Run(his), completions).ok());
  gate_->WaitBegun(1);
  for (int i = 0; i < 5; ++i) {
    const LaneId lane = *engine_->CreateLane(ann, {});
    Submission one = Run(hers);
    one.lane = lane;
    ASSERT_TRUE(engine_->Submit(ann, one, completions).ok()) << i;
    ASSERT_TRUE(engine_->ReleaseLane(ann, lane).ok());
  }
  ASSERT_TRUE(engine_->Submit(ann, Run(hers), completions).ok());
  ASSERT_TRUE(engine_->Close(ann).ok());
  EXPECT_TRUE(engine_->Submit(bob, Run(his), completions).ok());
  gate_->Open();
}

TEST_F(EngineLimits, SurfacesAndKernelsOfAll) {
  const Caller ann = OpenSession(), bob = OpenSession();
  const SurfaceId first = NewSurface(ann);
  NewSurface(bob);
  Set("surfaces", 2);
  SurfaceSpec spec;
  spec.dtype = DType::kFp32;
  spec.shape = Shape({3, 5});
  ExpectRefused(engine_->CreateSurface(bob, spec).status(), "surfaces=2", "surfaces");
  ASSERT_TRUE(engine_->ReleaseSurface(ann, first).ok());
  EXPECT_TRUE(engine_->CreateSurface(bob, spec).ok());
  Set("surface_bytes", 4096);
  spec.shape = Shape({64, 1024});
  Set("surfaces", 10);
  ExpectRefused(engine_->CreateSurface(ann, spec).status(), "surface_bytes=4096", "surface_bytes");
  EXPECT_EQ(engine_->ListSurfaces(Anyone()).size(), 2u);

  const KernelId kernel = NewKernel(ann);
  NewKernel(bob);  // the same kernel, held twice
  Set("kernels", 2);
  ExpectRefused(engine_->Compile(bob, Program(1), {}).status(), "kernels=2", "kernels");
  ASSERT_TRUE(engine_->ReleaseKernel(ann, kernel).ok());
  EXPECT_TRUE(engine_->Compile(bob, Program(1), {}).ok());
  ASSERT_TRUE(engine_->Close(bob).ok());
  for (int i = 2; i < 4; ++i) EXPECT_TRUE(engine_->Compile(ann, Program(i), {}).ok()) << i;
}

TEST_F(EngineLimits, MemoryOfKernelsOfASessionAndOfAll) {
  const Caller ann = OpenSession(), bob = OpenSession();
  const KernelId hers = NewKernel(ann);
  const uint64_t one = engine_->GetStatus(Anyone()).kernel_bytes;
  ASSERT_GT(one, 2500u) << "its three operations alone take that much";
  ASSERT_LT(one, 4096u);
  EXPECT_EQ(engine_->GetStatus(Anyone()).sessions[0].kernel_bytes, one + 64)
      << "and what its executable says that it holds";
  EXPECT_EQ(engine_->GetStatus(Anyone()).sessions[1].kernel_bytes, 0u);

  Set("kernel_bytes_per_session", 4096);
  ExpectRefused(engine_->Compile(ann, Program(1), {}).status(), "kernel_bytes_per_session=4096",
                "kernel_bytes_per_session");
  EXPECT_EQ(engine_->GetStatus(Anyone()).kernel_bytes, one) << "nothing of it stays";
  const auto again = engine_->Compile(ann, Xwy(), {});
  EXPECT_TRUE(again.ok()) << "a second handle of the same kernel costs nothing: " << again.status();
  EXPECT_TRUE(engine_->Compile(bob, Program(1), {}).ok())
      << "another session has room; a refusal for want of it is not remembered";

  Set("kernel_bytes", 4096);
  const Caller cid = OpenSession();
  ExpectRefused(engine_->Compile(cid, Program(2), {}).status(), "kernel_bytes=4096",
                "kernel_bytes");
  const auto shared = engine_->Compile(cid, Xwy(), {});
  EXPECT_TRUE(shared.ok()) << "one that is there already takes no more: " << shared.status();
  ASSERT_TRUE(engine_->ReleaseKernel(ann, hers).ok());
  ASSERT_TRUE(engine_->Close(ann).ok());
  ASSERT_TRUE(engine_->Close(bob).ok());
  ASSERT_TRUE(engine_->Close(cid).ok());
  EXPECT_EQ(engine_->GetStatus(Anyone()).kernel_bytes, 0u);
  EXPECT_TRUE(engine_->Compile(OpenSession(), Program(2), {}).ok());
}

TEST_F(EngineLimits, ProgramsOnTheirWayOfASessionAndOfAll) {
  const Caller ann = OpenSession(), bob = OpenSession();
  Set("upload_bytes_per_session", 6000);
  Set("upload_bytes", 8000);
  auto held = engine_->AdmitUpload(ann, 5000);
  ASSERT_TRUE(held.ok()) << held.status();
  EXPECT_EQ(engine_->GetStatus(Anyone()).upload_bytes, 5000u);
  EXPECT_EQ(engine_->GetStatus(Anyone()).sessions[0].upload_bytes, 5000u);
  ExpectRefused(engine_->AdmitUpload(ann, 1001).status(), "upload_bytes_per_session=6000",
                "upload_bytes_per_session");
  ExpectRefused(engine_->AdmitUpload(bob, 3001).status(), "upload_bytes=8000", "upload_bytes");
  ExpectRefused(engine_->AdmitUpload(Anyone(), 3001).status(), "upload_bytes=8000", "upload_bytes");
  ProgramSource heavy = Program(1);
  heavy.weights["w.bin"] = std::make_shared<const std::string>(4000, 'w');
  ExpectRefused(engine_->Compile(bob, heavy, {}).status(), "upload_bytes=8000", "upload_bytes");
  held->reset();
  EXPECT_TRUE(engine_->Compile(bob, heavy, {}).ok());
  EXPECT_EQ(engine_->GetStatus(Anyone()).upload_bytes, 0u) << "compiled: it is on its way no more";
}

TEST(LimitsForMemory, AreSharesOfWhatTheMachineHasAndStayWithinIt) {
  constexpr uint64_t kGiB = uint64_t{1} << 30;
  const Limits limits = Limits::ForMemory(16 * kGiB);
  EXPECT_EQ(limits.surface_bytes, 8 * kGiB);
  EXPECT_EQ(limits.surface_bytes_per_session, 4 * kGiB);
  EXPECT_EQ(limits.kernel_bytes, 4 * kGiB);
  EXPECT_EQ(limits.kernel_bytes_per_session, 2 * kGiB);
  EXPECT_EQ(limits.upload_bytes, 4 * kGiB);
  EXPECT_EQ(limits.upload_bytes_per_session, 2 * kGiB);
  for (const uint64_t memory : {uint64_t{1} << 28, 3 * kGiB + 12345, 1000 * kGiB}) {
    const Limits each = Limits::ForMemory(memory);
    EXPECT_LE(each.surface_bytes + each.kernel_bytes + each.upload_bytes, memory);
    Limits legal;
    for (const LimitInfo& limit : each.List()) {
      EXPECT_TRUE(legal.Set(limit.name, limit.value).ok()) << limit.name;
    }
  }
  for (const uint64_t memory : {uint64_t{1}, UINT64_MAX}) {
    Limits legal;
    for (const LimitInfo& limit : Limits::ForMemory(memory).List()) {
      EXPECT_TRUE(legal.Set(limit.name, limit.value).ok()) << limit.name;
    }
  }
  EXPECT_EQ(Limits::ForMemory(0).surface_bytes, Limits().surface_bytes) << "unknown";
  EXPECT_EQ(Limits::ForMemory(16 * kGiB).lane_depth, Limits().lane_depth);
}

TEST(MachineMemory, IsWhatTheMachineHasOrLess) {
  const uint64_t bytes = MachineMemoryBytes();
  EXPECT_GT(bytes, uint64_t{64} << 20);
  EXPECT_LE(bytes, static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                       static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
}

TEST_F(EngineLimits, CompilesPerMinuteCountWhatIsNotLoadedAlready) {
  Set("compiles_per_minute_per_session", 2);
  Set("compiles_per_minute", 3);
  const Caller ann = OpenSession(), bob = OpenSession();
  ASSERT_TRUE(engine_->Compile(ann, Program(1), {}).ok());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(engine_->Compile(ann, Program(1), {}).ok()) << i;
  ASSERT_TRUE(engine_->Compile(ann, Program(2), {}).ok());
  const absl::Status refused = engine_->Compile(ann, Program(3), {}).status();
  ExpectRefused(refused, "compiles_per_minute_per_session=2", "compiles_per_minute_per_session");
  EXPECT_THAT(std::string(refused.message()), HasSubstr("try again in 30 s"));
  ASSERT_TRUE(engine_->Compile(bob, Program(4), {}).ok());
  ExpectRefused(engine_->Compile(bob, Program(5), {}).status(), "compiles_per_minute=3",
                "compiles_per_minute");
  EXPECT_TRUE(engine_->Compile(bob, Program(1), {}).ok()) << "ann's is loaded";
}

TEST_F(EngineLimits, ATicketThatIsRefusedForWantOfAPlaceStaysGood) {
  Set("surfaces_per_session", 2);
  const Caller ann = OpenSession(), bob = OpenSession();
  const SurfaceSpec spec{.dtype = DType::kFp16, .shape = Shape({2, 3})};
  const auto given = engine_->CreateSurface(ann, spec);
  ASSERT_TRUE(given.ok()) << given.status();
  const auto ticket = engine_->GrantSurface(ann, given->id, Access::kReadOnly);
  ASSERT_TRUE(ticket.ok()) << ticket.status();
  const auto one = engine_->CreateSurface(bob, spec);
  ASSERT_TRUE(one.ok() && engine_->CreateSurface(bob, spec).ok());
  ExpectRefused(engine_->ClaimGrant(bob, ticket->ticket).status(), "surfaces_per_session=2",
                "surfaces_per_session");
  ASSERT_TRUE(engine_->ReleaseSurface(bob, one->id).ok());
  EXPECT_TRUE(engine_->ClaimGrant(bob, ticket->ticket).ok());
  Set("surfaces_per_session", 9);
  EXPECT_EQ(engine_->ClaimGrant(bob, ticket->ticket).status().code(), absl::StatusCode::kNotFound)
      << "once";
}

TEST_F(EngineLimits, CallsOfAProcessWhateverItsSessions) {
  Set("calls_per_process", 4);
  Caller ann = OpenSession(), again = OpenSession(), bob = OpenSession();
  ann.identity.pid = again.identity.pid = 71;
  bob.identity.pid = 72;
  std::vector<QuotaPlace> places;
  for (int i = 0; i < 4; ++i) {
    auto place = engine_->AdmitCall(i % 2 ? ann : again);
    ASSERT_TRUE(place.ok()) << place.status();
    places.push_back(*std::move(place));
  }
  ExpectRefused(engine_->AdmitCall(ann).status(), "calls_per_process=4", "calls_per_process");
  EXPECT_TRUE(engine_->AdmitCall(bob).ok());
  places.pop_back();
  EXPECT_TRUE(engine_->AdmitCall(again).ok());
}

TEST_F(EngineLimits, CallsOfAllProcesses) {
  Set("calls_per_process", 16);
  Set("calls", 17);
  Caller ann = OpenSession(), bob = OpenSession();
  ann.identity.pid = 71;
  bob.identity.pid = 72;
  std::vector<QuotaPlace> places;
  for (int i = 0; i < 16; ++i) places.push_back(*engine_->AdmitCall(ann));
  places.push_back(*engine_->AdmitCall(bob));
  ExpectRefused(engine_->AdmitCall(bob).status(), "calls=17", "calls");
}

TEST_F(EngineLimits, SessionsOfAProcess) {
  Set("sessions_per_process", 2);
  Caller caller;
  caller.identity = {.kind = Identity::Kind::kLocalUser, .uid = 501, .pid = 71};
  ASSERT_TRUE(engine_->Open(caller, {}).ok());
  ASSERT_TRUE(engine_->Open(caller, {}).ok());
  ExpectRefused(engine_->Open(caller, {}).status(), "sessions_per_process=2",
                "sessions_per_process");
  caller.identity.pid = 72;
  EXPECT_TRUE(engine_->Open(caller, {}).ok());
}

TEST(ProcessQuotas, RemembersNobodyWhoHasNothingOut) {
  ProcessQuotas quotas(Bound("calls", 2), "too many", nullptr);
  auto kept = quotas.Take(1);
  ASSERT_TRUE(kept.ok());
  for (int64_t pid = 2; pid < 5000; ++pid) ASSERT_TRUE(quotas.Take(pid).ok());
  EXPECT_LE(quotas.processes(), 2u);
  auto second = quotas.Take(1);
  ASSERT_TRUE(second.ok());
  EXPECT_FALSE(quotas.Take(1).ok()) << "still the same quota";
}

TEST_F(EngineLimits, StreamsOfASessionAndOfAll) {
  Set("streams_per_session", 2);
  Set("streams", 3);
  const Caller ann = OpenSession(), bob = OpenSession();
  std::vector<OpenedStream> open;
  for (const Caller& who : {ann, ann, bob}) {
    absl::StatusOr<OpenedStream> stream = engine_->OpenStream(who, 4);
    ASSERT_TRUE(stream.ok()) << stream.status();
    open.push_back(*std::move(stream));
  }
  ExpectRefused(engine_->OpenStream(ann, 4).status(), "streams_per_session=2",
                "streams_per_session");
  ExpectRefused(engine_->OpenStream(bob, 4).status(), "streams=3", "streams");
  open.pop_back();
  EXPECT_TRUE(engine_->OpenStream(bob, 4).ok());
}

TEST_F(EngineLimits, SessionsAndWhatTheyHoldFollowAChange) {
  const Caller ann = OpenSession();
  Set("sessions", 2);
  const Caller bob = OpenSession();
  ExpectRefused(engine_->Open(Anyone(), {}).status(), "sessions=2", "sessions");
  Set("sessions", 3);
  Set("sessions_per_uid", 2);
  ExpectRefused(engine_->Open(Anyone(), {}).status(), "sessions_per_uid=2", "sessions_per_uid");
  const Ready ready = GetReady(bob);
  Set("lanes_per_session", 1);
  ExpectRefused(engine_->CreateLane(bob, {}).status(), "lanes_per_session=1", "lanes_per_session");
  ASSERT_TRUE(engine_->ReleaseLane(bob, ready.lane).ok());
  EXPECT_TRUE(engine_->CreateLane(bob, {}).ok());
  Set("chain_steps", 1);
  ExpectRefused(engine_->DefineChain(bob, {{ready.invocation, ready.invocation}}).status(),
                "chain_steps=1", "chain_steps");
}

TEST_F(EngineLimits, ALaneThatIsOpenFollowsItsDepth) {
  const Caller ann = OpenSession();
  const Ready ready = GetReady(ann);
  auto completions = engine_->CreateCompletionQueue(16);
  gate_->Shut();
  ASSERT_TRUE(engine_->Submit(ann, Run(ready), completions).ok());
  gate_->WaitBegun(1);
  Set("lane_depth", 1);
  ASSERT_TRUE(engine_->Submit(ann, Run(ready), completions).ok());
  ExpectRefused(engine_->Submit(ann, Run(ready), completions), "lane_depth=1", "lane_depth");
  Set("lane_depth", 2);
  EXPECT_TRUE(engine_->Submit(ann, Run(ready), completions).ok());
  gate_->Open();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(completions->Next(absl::Seconds(5))->status.ok());
}

TEST_F(EngineLimits, AReadConfigurationReplacesWhatWasSet) {
  Set("lane_depth", 9);
  Limits read;
  read.queued = 77;
  read.concurrent_compiles = 5;
  EXPECT_THAT(engine_->Reconfigure(read, {}), ElementsAre("concurrent_compiles"));
  EXPECT_EQ(Value("queued"), 77u);
  EXPECT_EQ(Value("lane_depth"), Limits().lane_depth);
  EXPECT_EQ(Value("concurrent_compiles"), Limits().concurrent_compiles);
}

// Held while ann and bob queue: then the device's history shows whose turn it was.
TEST_F(EngineLimits, ConfiguredWeightsHoldForSessionsThatAreOpenAndThatCome) {
  EXPECT_THAT(engine_->Reconfigure({}, {{{501, 3}}, {{"trainer", 4}}}), ElementsAre());
  const Caller trainer = OpenSession("trainer"), other = OpenSession("other");
  const auto weight_of = [&](const Caller& who) {
    for (const SessionStatus& session : engine_->GetStatus(Anyone()).sessions) {
      if (session.id == who.session) return session.weight;
    }
    return 0u;
  };
  EXPECT_EQ(weight_of(trainer), 4u);
  EXPECT_EQ(weight_of(other), 1u);
  const Ready hers = GetReady(trainer), his = GetReady(other);
  engine_->Reconfigure({}, {{}, {{"other", 7}}});
  EXPECT_EQ(weight_of(trainer), 1u) << "what it asked for itself";
  EXPECT_EQ(weight_of(other), 7u);
  EXPECT_TRUE(engine_->Evaluate(trainer, Run(hers))->status.ok());
  EXPECT_TRUE(engine_->Evaluate(other, Run(his))->status.ok());
}

// Nobody takes from others by asking: more than a little has to be configured.
TEST_F(EngineLimits, AClientHasAtMostTheWeightThatItMayAskFor) {
  const auto open = [&](std::string name, uint32_t weight) {
    Caller caller = Anyone();
    caller.session = engine_->Open(caller, {.client_name = std::move(name), .weight = weight})->id;
    return caller;
  };
  const auto weight_of = [&](const Caller& who) {
    for (const SessionStatus& session : engine_->GetStatus(Anyone()).sessions) {
      if (session.id == who.session) return session.weight;
    }
    return 0u;
  };
  const Caller greedy = open("greedy", 1000), modest = open("modest", 2);
  EXPECT_EQ(weight_of(greedy), Limits().asked_weight);
  EXPECT_EQ(weight_of(modest), 2u);
  Set("asked_weight", 1);
  EXPECT_EQ(weight_of(greedy), 1u) << "from now on, for those that are open, too";
  EXPECT_EQ(weight_of(modest), 1u);
  Set("asked_weight", 100);
  EXPECT_EQ(weight_of(greedy), 100u);
  EXPECT_EQ(weight_of(modest), 2u);
  engine_->Reconfigure({}, {{}, {{"greedy", 500}}});
  EXPECT_EQ(weight_of(greedy), 500u) << "configured";
}

// --- The parts ---

TEST(Bounds, ATokenBucketRefillsWithTimeAndHoldsAMinutesWorth) {
  constexpr int64_t kSecond = 1'000'000'000;
  TokenBucket bucket(Bound("compiles_per_minute", 6), nullptr);
  int64_t now = 5;
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(bucket.Take(now).ok()) << i;
  absl::Status empty = bucket.Take(now);
  EXPECT_EQ(empty.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(empty.message()), HasSubstr("compiles_per_minute=6: try again in 10 s"));
  now += 9 * kSecond;
  EXPECT_FALSE(bucket.Take(now).ok());
  now += kSecond;
  EXPECT_TRUE(bucket.Take(now).ok());
  EXPECT_FALSE(bucket.Take(now).ok());
  now += 3600 * kSecond;
  int taken = 0;
  while (bucket.Take(now).ok()) ++taken;
  EXPECT_EQ(taken, 6) << "an hour's rest is worth a minute";
}

TEST(Bounds, ARefusalAboveTakesNothingBelow) {
  const auto all = std::make_shared<TokenBucket>(Bound("all", 1), nullptr);
  TokenBucket one(Bound("one", 2), all);
  ASSERT_TRUE(one.Take(0).ok());
  EXPECT_THAT(std::string(one.Take(0).message()), HasSubstr("all=1"));
  EXPECT_THAT(std::string(one.Take(0).message()), HasSubstr("all=1")) << "its own token is there";

  const auto daemon = std::make_shared<Quota>(Bound("all", 1), "wait", nullptr);
  const auto session = std::make_shared<Quota>(Bound("one", 2), "wait", daemon);
  {
    const absl::StatusOr<QuotaPlace> place = session->Take();
    ASSERT_TRUE(place.ok());
    EXPECT_THAT(std::string(session->Take().status().message()), HasSubstr("all=1: wait"));
    EXPECT_EQ(session->used(), 1u);
  }
  EXPECT_EQ(session->used() + daemon->used(), 0u);
  EXPECT_TRUE(session->Take().ok());
}

TEST(Bounds, ALoweredBoundLetsNothingInUntilEnoughHasGone) {
  LiveLimits limits{Limits()};
  const auto quota = std::make_shared<Quota>(limits.Of(&Limits::queued), "wait", nullptr);
  const auto bytes =
      std::make_shared<ByteBudget>(limits.Of(&Limits::surface_bytes), "release some", nullptr);
  std::vector<QuotaPlace> places;
  for (int i = 0; i < 3; ++i) places.push_back(*quota->Take());
  const ByteCharge charge = *bytes->Take(10'000);
  ASSERT_TRUE(limits.Set({{"queued", 1}, {"surface_bytes", 4096}}).ok());
  EXPECT_FALSE(quota->Take().ok());
  EXPECT_THAT(std::string(bytes->Take(1).status().message()), HasSubstr("with 0 left"));
  places.pop_back();
  places.pop_back();
  EXPECT_FALSE(quota->Take().ok());
  places.pop_back();
  EXPECT_TRUE(quota->Take().ok());
}

TEST(Bounds, EveryLimitIsFoundByItsMember) {
  Limits limits;
  uint64_t value = 100;
  for (const LimitInfo& info : limits.List()) {
    const uint64_t wanted = std::clamp(++value, info.least, info.most);
    ASSERT_TRUE(limits.Set(info.name, wanted).ok()) << info.name;
  }
  const LiveLimits live(limits);
  EXPECT_EQ(live.Get(&Limits::sessions), limits.sessions);
  EXPECT_EQ(live.Get(&Limits::background_kept_permille), limits.background_kept_permille);
  EXPECT_EQ(std::string(live.Of(&Limits::lane_depth).name()), "lane_depth");
  const auto back = live.Now().List();
  for (size_t i = 0; i < back.size(); ++i) {
    EXPECT_EQ(back[i].value, limits.List()[i].value) << back[i].name;
  }
}

}  // namespace
}  // namespace anex::engine::testing
