// One flight per program, who waits and who leaves, what is remembered, what is shared.

#include "server/engine/compile/compile_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "server/engine/compile/compile_breaker.h"
#include "tests/engine/compile_fixture.h"

namespace anex::engine::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ManualClock final : public Clock {
 public:
  int64_t Now() const override { return now_.load(); }
  void Advance(int64_t ns) { now_ += ns; }

 private:
  std::atomic<int64_t> now_{1'000'000};
};

constexpr int64_t kCompileDeadlineNs = 1'000'000'000;

class CompileServiceTest : public ::testing::Test {
 protected:
  CompileServiceTest() { Restart(); }

  // A fresh daemon on the same disk; `version` is the device compiler's.
  void Restart(const std::string& version = "c1") {
    service_.reset();
    auto slot = DeviceSlot::Start(
        {"counting",
         [counts = counts_, version]() -> absl::StatusOr<std::unique_ptr<device::Device>> {
           return std::make_unique<CountingDevice>(counts, version);
         }});
    CompileServiceOptions options;
    options.devices = {*slot};
    options.engine_version = "0.1.0";
    options.cache =
        use_cache_ ? std::make_shared<ArtifactCache>(ArtifactCacheOptions{
                         .folder = (scratch_.path() / "cache").string(), .report = reports_.Sink()})
                   : nullptr;
    cache_ = options.cache;
    options.compile_text_bytes = Bound("compile_text_bytes", 10000);
    options.compile_weight_bytes = Bound("compile_weight_bytes", 1000);
    options.compile_queue = 3;
    options.compile_deadline_ns = Bound("compile_deadline_ns", kCompileDeadlineNs);
    options.breaker_ns = 1000;
    options.breaker_longest_ns = 4000;
    options.clock = clock_.get();
    options.kernel_memory = kernel_memory_;
    service_ = std::make_unique<CompileService>(std::move(options));
  }
  void WithoutCache() {
    use_cache_ = false;
    Restart();
  }
  absl::StatusOr<CompileResult> Compile(const std::string& constant = "0x1p+0",
                                        const std::string& name = "model.mil") {
    ProgramSource source = MilSource(constant);
    source.name = name;
    return service_->Compile(std::move(source), {}, Forever());
  }
  absl::StatusOr<CompileResult> ByDigest(const std::string& digest) {
    return service_->CompileByDigest(digest, {}, "mine.mil", Forever());
  }
  WaitLimit Forever() const { return {clock_.get(), INT64_MAX, nullptr}; }
  std::string Digest(const std::string& constant) {
    return *service_->Digest(MilSource(constant), {});
  }
  void WaitForJoined(uint64_t joined) {
    const absl::Time until = absl::Now() + absl::Seconds(20);
    while (service_->counters().joined < joined && absl::Now() < until) std::this_thread::yield();
    ASSERT_EQ(service_->counters().joined, joined);
  }

  bool use_cache_ = true;
  std::shared_ptr<ByteBudget> kernel_memory_;
  ScratchFolder scratch_;
  Reports reports_;
  // Outlives compile threads that were left behind.
  const std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  const std::shared_ptr<CompileCounts> counts_ = std::make_shared<CompileCounts>();
  std::shared_ptr<ArtifactCache> cache_;
  std::unique_ptr<CompileService> service_;
};

TEST_F(CompileServiceTest, CompilesLoadsAndDescribes) {
  const auto result = Compile();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->info.origin, CompileOrigin::kCompiled);
  EXPECT_EQ(result->info.device, "counting");
  EXPECT_EQ(result->info.name, "model.mil");
  EXPECT_EQ(result->info.digest, Digest("0x1p+0")) << "known before the text is read";
  ASSERT_EQ(result->info.functions.size(), 1u);
  EXPECT_EQ(result->info.functions[0].name, "main");
  EXPECT_EQ(counts_->Compiles(), 1);
}

TEST_F(CompileServiceTest, AnEqualProgramIsSharedWhileSomebodyHoldsIt) {
  WithoutCache();
  auto first = Compile();
  const auto second = Compile("0x1p+0", "same.mil");
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->kernel, first->kernel);
  EXPECT_EQ(second->info.origin, CompileOrigin::kResident);
  EXPECT_EQ(second->info.name, "same.mil");
  EXPECT_EQ(service_->Resident().size(), 1u);
  const auto other = Compile("0x1p+1");
  EXPECT_NE(other->kernel, first->kernel);
  EXPECT_EQ(counts_->Compiles(), 2);
}

TEST_F(CompileServiceTest, AKernelThatNobodyHoldsIsGone) {
  WithoutCache();
  (void)Compile();
  EXPECT_EQ(Compile()->info.origin, CompileOrigin::kCompiled);
  EXPECT_EQ(counts_->Compiles(), 2);
}

TEST_F(CompileServiceTest, ManyCallersOfOneProgramCompileItOnce) {
  constexpr int kCallers = 8;
  counts_->Hold(true);
  std::vector<std::thread> callers;
  std::vector<std::shared_ptr<Kernel>> kernels(kCallers);
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace_back([&, i] { kernels[i] = Compile()->kernel; });
  }
  WaitForJoined(kCallers - 1);
  counts_->Hold(false);
  for (std::thread& caller : callers) caller.join();
  for (const auto& kernel : kernels) EXPECT_EQ(kernel, kernels[0]);
  EXPECT_EQ(counts_->Compiles(), 1);
  EXPECT_EQ(counts_->Loads(), 1);
}

TEST_F(CompileServiceTest, AFailedFlightFailsAllWhoWaitForIt) {
  counts_->Hold(true);
  {
    absl::MutexLock lock(&counts_->mutex);
    counts_->compile_status = absl::UnimplementedError("no add today");
  }
  std::vector<std::thread> callers;
  std::vector<absl::Status> statuses(4);
  for (int i = 0; i < 4; ++i) callers.emplace_back([&, i] { statuses[i] = Compile().status(); });
  WaitForJoined(3);
  counts_->Hold(false);
  for (std::thread& caller : callers) caller.join();
  for (const absl::Status& status : statuses) {
    EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
    EXPECT_EQ(status, statuses[0]);
  }
  EXPECT_EQ(counts_->Compiles(), 1);
}

TEST_F(CompileServiceTest, ACallerMayLeaveAndTheOthersAreServed) {
  counts_->Hold(true);
  std::thread stays([&] { EXPECT_TRUE(Compile().ok()); });
  ASSERT_TRUE(counts_->WaitForInside(1));
  const std::function<bool()> gone = [] { return true; };
  EXPECT_EQ(service_->Compile(MilSource(), {}, {clock_.get(), INT64_MAX, &gone}).status().code(),
            absl::StatusCode::kCancelled);
  EXPECT_EQ(
      service_->Compile(MilSource(), {}, {clock_.get(), clock_->Now(), nullptr}).status().code(),
      absl::StatusCode::kDeadlineExceeded);
  counts_->Hold(false);
  stays.join();
}

// Both threads are taken by compiles whose callers leave.
TEST_F(CompileServiceTest, CompilesThatAllHaveLeftAreStoppedAndGiveTheirThreadsBack) {
  counts_->obeys = true;
  counts_->Hold(true);
  std::atomic<bool> leave{false};
  const std::function<bool()> left = [&] { return leave.load(); };
  std::vector<std::thread> callers;
  for (const char* constant : {"0x1p+1", "0x1p+2"}) {
    callers.emplace_back([&, constant] {
      const auto result =
          service_->Compile(MilSource(constant), {}, {clock_.get(), INT64_MAX, &left});
      EXPECT_EQ(result.status().code(), absl::StatusCode::kCancelled) << result.status();
    });
  }
  ASSERT_TRUE(counts_->WaitForInside(2));
  leave.store(true);
  for (std::thread& caller : callers) caller.join();
  ASSERT_TRUE(counts_->WaitForNobodyInside()) << "they are told to stop, not left to end";
  counts_->Hold(false);
  EXPECT_TRUE(Compile("0x1p+3").ok());
  EXPECT_TRUE(Compile("0x1p+1").ok()) << "being left is not a program's fault";
  EXPECT_EQ(service_->counters().failed, 0u);
  absl::MutexLock lock(&counts_->mutex);
  EXPECT_EQ(counts_->stopped, 2);
}

TEST_F(CompileServiceTest, WhoAsksForAProgramWhoseCompileIsBeingStoppedBeginsAnew) {
  counts_->Hold(true);  // and does not look: it is stopped only when it is let go
  std::atomic<bool> leave{false};
  const std::function<bool()> left = [&] { return leave.load(); };
  std::thread leaves([&] {
    EXPECT_FALSE(service_->Compile(MilSource(), {}, {clock_.get(), INT64_MAX, &left}).ok());
  });
  ASSERT_TRUE(counts_->WaitForInside(1));
  leave.store(true);
  leaves.join();
  std::thread comes([&] { EXPECT_TRUE(Compile().ok()); });
  ASSERT_TRUE(counts_->WaitForInside(2));
  counts_->Hold(false);
  comes.join();
  EXPECT_EQ(service_->counters().joined, 0u);
}

// Nobody waits for the stuck ones any more, but somebody waits for their threads.
TEST_F(CompileServiceTest, StuckCompilesThatAllHaveLeftAreReplacedWhenTheirTimeIsUp) {
  counts_->Hold(true);
  const std::function<bool()> gone = [] { return true; };
  for (const char* constant : {"0x1p+1", "0x1p+2"}) {
    std::atomic<bool> leave{false};
    const std::function<bool()> left = [&] { return leave.load(); };
    std::thread caller([&, constant] {
      (void)service_->Compile(MilSource(constant), {}, {clock_.get(), INT64_MAX, &left});
    });
    ASSERT_TRUE(counts_->WaitForInside(constant == std::string("0x1p+1") ? 1 : 2));
    leave.store(true);
    caller.join();
  }
  std::thread waits([&] { EXPECT_TRUE(Compile("0x1p+3").ok()); });
  clock_->Advance(2 * kCompileDeadlineNs);
  ASSERT_TRUE(counts_->WaitForInside(3));
  counts_->Hold(false);
  waits.join();
}

TEST_F(CompileServiceTest, WantOfRoomIsTheCallersNotTheProgramsFault) {
  const auto poor = std::make_shared<ByteBudget>(Bound("kernel_bytes_per_session", 10'000),
                                                 "release kernels first", nullptr);
  const auto rich = std::make_shared<ByteBudget>(Bound("kernel_bytes_per_session", 1'000'000),
                                                 "release kernels first", nullptr);
  counts_->load_bytes = 100'000;
  counts_->Hold(true);
  absl::Status refused;
  std::thread first([&] {
    refused = service_->Compile(MilSource(), {}, Forever(), {.kernel_memory = poor}).status();
  });
  ASSERT_TRUE(counts_->WaitForInside(1));
  absl::StatusOr<CompileResult> made;
  std::thread second(
      [&] { made = service_->Compile(MilSource(), {}, Forever(), {.kernel_memory = rich}); });
  WaitForJoined(1);
  counts_->Hold(false);
  first.join();
  second.join();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("kernel_bytes_per_session=10000"));
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(poor->used(), 0u);
  EXPECT_EQ(rich->used(), 0u) << "its session pays when it takes the kernel";
  EXPECT_EQ(service_->counters().refused_by_breaker, 0u);
  EXPECT_GE(made->kernel->resident_bytes(), 100'000u);

  // From the disk it takes as much, and being too much for one does not spoil the entry.
  *made = CompileResult();
  EXPECT_FALSE(service_->Compile(MilSource(), {}, Forever(), {.kernel_memory = poor}).ok());
  const auto restored = service_->Compile(MilSource(), {}, Forever(), {.kernel_memory = rich});
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->info.origin, CompileOrigin::kCache);
}

TEST_F(CompileServiceTest, TheDaemonsBoundHoldsAsLongAsTheKernelLives) {
  kernel_memory_ = std::make_shared<ByteBudget>(Bound("kernel_bytes", 150'000),
                                                "all kernels have the rest", nullptr);
  Restart();
  counts_->load_bytes = 100'000;
  auto first = Compile("0x1p+1");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(kernel_memory_->used(), first->kernel->resident_bytes());
  EXPECT_THAT(std::string(Compile("0x1p+2").status().message()), HasSubstr("kernel_bytes=150000"));
  *first = CompileResult();
  EXPECT_EQ(kernel_memory_->used(), 0u);
  EXPECT_TRUE(Compile("0x1p+2").ok());
}

TEST_F(CompileServiceTest, ACheckEndsWithItsCaller) {
  const std::function<bool()> gone = [] { return true; };
  const WaitLimit limit{clock_.get(), INT64_MAX, &gone};
  EXPECT_EQ(service_->Check(MilSource(), {}, CheckPurpose::kCheck, limit).status().code(),
            absl::StatusCode::kCancelled);
  EXPECT_TRUE(service_->Check(MilSource(), {}, CheckPurpose::kCheck, Forever()).ok());
}

TEST_F(CompileServiceTest, ThePoolIsBoundedSoIsItsQueueAndAFlightThatAllLeftIsNotFlown) {
  counts_->Hold(true);
  std::vector<std::thread> callers;
  for (const char* constant : {"0x1p+1", "0x1p+2"}) {
    callers.emplace_back([&, constant] { EXPECT_TRUE(Compile(constant).ok()); });
  }
  ASSERT_TRUE(counts_->WaitForInside(2));
  const WaitLimit now{clock_.get(), clock_->Now(), nullptr};
  for (const char* constant : {"0x1p+3", "0x1p+4", "0x1p+5", "0x1p+6"}) {
    EXPECT_EQ(service_->Compile(MilSource(constant), {}, now).status().code(),
              absl::StatusCode::kDeadlineExceeded)
        << "queued, and left again";
  }
  std::atomic<bool> leave{false};
  const std::function<bool()> left = [&] { return leave.load(); };
  std::vector<std::thread> queued;
  for (const char* constant : {"0x1p+3", "0x1p+4", "0x1p+5"}) {
    queued.emplace_back([&, constant] {
      absl::Status status;
      do {  // the one that asks below may have its place for a moment
        status =
            service_->Compile(MilSource(constant), {}, {clock_.get(), INT64_MAX, &left}).status();
      } while (absl::IsResourceExhausted(status) && !left());
    });
  }
  absl::Status full;
  while (!absl::IsResourceExhausted(full)) {
    full = service_->Compile(MilSource("0x1p+6"), {}, now).status();
  }
  EXPECT_THAT(std::string(full.message()), HasSubstr("compile_queue=3"));
  leave.store(true);
  for (std::thread& caller : queued) caller.join();
  counts_->Hold(false);
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(counts_->Compiles(), 2);
  absl::MutexLock lock(&counts_->mutex);
  EXPECT_EQ(counts_->most_inside, 2);
}

TEST_F(CompileServiceTest, ABadProgramIsRememberedForAShortTimeAndThenTriedAgain) {
  {
    absl::MutexLock lock(&counts_->mutex);
    counts_->compile_status = absl::UnimplementedError("no add today");
  }
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(Compile().ok());
  EXPECT_EQ(counts_->Compiles(), 1);
  EXPECT_EQ(service_->counters().refused_by_breaker, 4u);
  clock_->Advance(1000);
  EXPECT_FALSE(Compile().ok());
  EXPECT_EQ(counts_->Compiles(), 2);
  clock_->Advance(1000);
  EXPECT_FALSE(Compile().ok());
  EXPECT_EQ(counts_->Compiles(), 2) << "the second failure is remembered twice as long";
  {
    absl::MutexLock lock(&counts_->mutex);
    counts_->compile_status = absl::OkStatus();
  }
  EXPECT_TRUE(Compile("0x1p+7").ok()) << "other programs are not concerned";
  clock_->Advance(1000);
  EXPECT_TRUE(Compile().ok());
}

TEST_F(CompileServiceTest, AnUnavailableDeviceIsNotTheProgramsFault) {
  {
    absl::MutexLock lock(&counts_->mutex);
    counts_->compile_status = absl::UnavailableError("busy elsewhere");
  }
  EXPECT_FALSE(Compile().ok());
  EXPECT_FALSE(Compile().ok());
  EXPECT_EQ(counts_->Compiles(), 2);
}

TEST_F(CompileServiceTest, DiagnosticsNameTheCallersOwnFile) {
  ProgramSource bad = MilSource();
  bad.text.replace(bad.text.find("add("), 4, "adz(");
  bad.name = "theirs.mil";
  const absl::Status first = service_->Compile(bad, {}, Forever()).status();
  bad.name = "mine.mil";
  const absl::Status second = service_->Compile(bad, {}, Forever()).status();
  EXPECT_EQ(first.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(second.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(first.message()), HasSubstr("theirs.mil:4:"));
  EXPECT_THAT(std::string(second.message()), HasSubstr("mine.mil:4:"));
  EXPECT_THAT(std::string(second.message()), Not(HasSubstr("theirs.mil")));
  EXPECT_EQ(counts_->Compiles(), 0);
  EXPECT_TRUE(Compile().ok()) << "the next one is served";
}

TEST_F(CompileServiceTest, RestoresFromDiskWithoutCompiling) {
  ASSERT_TRUE(Compile().ok());
  Restart();
  const auto restored = Compile();
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->info.origin, CompileOrigin::kCache);
  EXPECT_EQ(restored->info.functions[0].name, "main");
  EXPECT_EQ(counts_->Compiles(), 1);
  EXPECT_EQ(counts_->Loads(), 2);
}

TEST_F(CompileServiceTest, AnotherCompilerVersionCompilesAnew) {
  ASSERT_TRUE(Compile().ok());
  Restart("c2");
  EXPECT_EQ(Compile()->info.origin, CompileOrigin::kCompiled);
  EXPECT_EQ(counts_->Compiles(), 2);
}

TEST_F(CompileServiceTest, ACorruptEntryIsCompiledAgainAndMended) {
  ASSERT_TRUE(Compile().ok());
  const fs::path text = scratch_.path() / "cache" / Digest("0x1p+0") / "text.mil";
  WriteWhole(text, MilText("0x1p+9"));  // a good program, but not this one
  EXPECT_EQ(Compile()->info.origin, CompileOrigin::kCompiled);
  EXPECT_EQ(cache_->counters().corrupt, 1u);
  Restart();
  EXPECT_EQ(Compile()->info.origin, CompileOrigin::kCache);
}

TEST_F(CompileServiceTest, AnEntryThatTheDeviceRefusesIsCompiledAgain) {
  ASSERT_TRUE(Compile().ok());
  {
    absl::MutexLock lock(&counts_->mutex);
    counts_->next_load = absl::FailedPreconditionError("made by another driver");
  }
  const auto again = Compile();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->info.origin, CompileOrigin::kCompiled);
  EXPECT_EQ(counts_->Compiles(), 2);
}

TEST_F(CompileServiceTest, ByDigestFindsWhatIsResidentOrCachedAndNothingElse) {
  const std::string digest = Digest("0x1p+0");
  const absl::Status unknown = ByDigest(digest).status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("not cached"));
  EXPECT_EQ(ByDigest("../etc").status().code(), absl::StatusCode::kInvalidArgument);
  {
    const auto held = Compile();
    const auto shared = ByDigest(digest);
    EXPECT_EQ(shared->kernel, held->kernel);
    EXPECT_EQ(shared->info.name, "mine.mil");
  }
  EXPECT_EQ(ByDigest(digest)->info.origin, CompileOrigin::kCache);
  EXPECT_EQ(counts_->Compiles(), 1);
}

TEST_F(CompileServiceTest, WorksWithoutADisk) {
  WithoutCache();
  EXPECT_TRUE(Compile().ok());
  EXPECT_EQ(ByDigest(Digest("0x1p+0")).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(CompileServiceTest, ACompileThatOverrunsFailsItsCallersAndStopsNobodyElse) {
  WithoutCache();
  counts_->Hold(true);
  std::vector<std::thread> callers;
  for (const char* constant : {"0x1p+1", "0x1p+2"}) {  // both threads
    callers.emplace_back([&, constant] {
      EXPECT_EQ(Compile(constant).status().code(), absl::StatusCode::kDeadlineExceeded);
    });
  }
  ASSERT_TRUE(counts_->WaitForInside(2));
  clock_->Advance(1'000'000'001);
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(Compile("0x1p+1").status().code(), absl::StatusCode::kDeadlineExceeded)
      << "remembered, not tried again at once";
  std::thread next([&] { EXPECT_TRUE(Compile("0x1p+3").ok()); });
  ASSERT_TRUE(counts_->WaitForInside(3)) << "a thread took the stuck one's place";
  counts_->Hold(false);
  next.join();
}

// More overruns than threads may ever be replaced, each of which comes back late.
TEST_F(CompileServiceTest, OverrunsThatComeBackCostNoThreadForGood) {
  WithoutCache();
  for (int round = 0; round < 15; ++round) {
    counts_->Hold(true);
    std::thread caller([&, round] {
      EXPECT_EQ(Compile(absl::StrCat("0x1p+", round)).status().code(),
                absl::StatusCode::kDeadlineExceeded);
    });
    const bool started = counts_->WaitForInside(1);
    clock_->Advance(1'000'000'001);
    caller.join();
    counts_->Hold(false);
    ASSERT_TRUE(started) << "round " << round << ": no thread took it";
    ASSERT_TRUE(counts_->WaitForNobodyInside());
  }
  EXPECT_TRUE(Compile("0x1p-3").ok());
}

TEST_F(CompileServiceTest, RefusesWhatIsTooBigNamingTheBoundAndUnknownDevices) {
  ProgramSource large = MilSource();
  large.text.resize(20000, ' ');
  const absl::Status text = service_->Compile(large, {}, Forever()).status();
  EXPECT_EQ(text.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(text.message()), HasSubstr("compile_text_bytes=10000"));
  ProgramSource heavy = MilSource();
  for (const char* path : {"a", "b"}) {
    heavy.weights[path] = std::make_shared<const std::string>(600, 'w');
  }
  EXPECT_THAT(std::string(service_->Compile(heavy, {}, Forever()).status().message()),
              HasSubstr("compile_weight_bytes=1000"));
  const absl::Status device = service_->Digest(MilSource(), {.device = "tpu"}).status();
  EXPECT_EQ(device.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(device.message()), HasSubstr("counting"));
}

TEST_F(CompileServiceTest, TheEndDoesNotWaitForACompileThatIsStuck) {
  WithoutCache();
  counts_->Hold(true);
  std::thread caller([&] { (void)Compile(); });
  ASSERT_TRUE(counts_->WaitForInside(1));
  clock_->Advance(1'000'000'001);
  caller.join();
  service_.reset();
  counts_->Hold(false);
}

// --- The breaker ---

TEST(CompileBreaker, RemembersABoundedNumber) {
  CompileBreaker breaker(1000, 4000);
  FlightOutcome failed;
  failed.status = absl::UnimplementedError("no");
  for (size_t i = 0; i < CompileBreaker::kMostRemembered + 10; ++i) {
    breaker.Failed(std::to_string(i), failed, static_cast<int64_t>(i));
  }
  EXPECT_EQ(breaker.size(), CompileBreaker::kMostRemembered);
  EXPECT_EQ(breaker.Find("3", 5), nullptr) << "the oldest made room";
  EXPECT_NE(breaker.Find("500", 505), nullptr);
}

TEST(CompileBreaker, RemembersLongerEachTimeUpToABoundAndForgetsOnSuccess) {
  CompileBreaker breaker(1000, 4000);
  FlightOutcome failed;
  failed.status = absl::UnimplementedError("no");
  int64_t now = 0;
  for (int64_t lasts : {1000, 2000, 4000, 4000}) {
    breaker.Failed("d", failed, now);
    EXPECT_NE(breaker.Find("d", now + lasts - 1), nullptr);
    EXPECT_EQ(breaker.Find("d", now + lasts), nullptr);
    now += lasts;
  }
  breaker.Failed("d", failed, now);
  breaker.Succeeded("d");
  EXPECT_EQ(breaker.Find("d", now), nullptr);
}

// There may be more of it the next time.
TEST(CompileBreaker, AWantOfMemoryIsNotTheProgramsFault) {
  CompileBreaker breaker(1000, 4000);
  FlightOutcome failed;
  failed.status = absl::ResourceExhaustedError("not enough memory to compile this program");
  breaker.Failed("d", failed, 0);
  EXPECT_EQ(breaker.Find("d", 1), nullptr);
  EXPECT_EQ(breaker.size(), 0u);
}

}  // namespace
}  // namespace anex::engine::testing
