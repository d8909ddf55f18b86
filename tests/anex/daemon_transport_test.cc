// The transport suite over a real daemon, and what only a daemon can do: restart, refuse, be
// absent.
#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "client/anex/anex.h"
#include "client/anex/connect.h"
#include "client/transport/grpc_transport.h"
#include "tests/conformance/transport_suite.h"
#include "tests/e2e/process.h"

namespace anex::test {
namespace {

using ::testing::HasSubstr;

// One daemon for all tests; it goes with the environment, so that none is left behind.
class Daemons : public ::testing::Environment {
 public:
  void SetUp() override { started_ = DaemonProcess::Start(); }
  void TearDown() override { started_ = absl::UnavailableError("over"); }
  static absl::StatusOr<std::shared_ptr<Transport>> Connect() {
    if (!started_.ok()) return started_.status();
    return ConnectGrpc((*started_)->socket());
  }

 private:
  static absl::StatusOr<std::unique_ptr<DaemonProcess>> started_;
};
absl::StatusOr<std::unique_ptr<DaemonProcess>> Daemons::started_ =
    absl::UnavailableError("not started");
const ::testing::Environment* const kDaemons = ::testing::AddGlobalTestEnvironment(new Daemons);

// What the daemon's preferred device does not have.
std::map<std::string, std::string> Cannot() {
  const std::string why = SkipOnAne("is given IOSurfaces, which are handed over for writing only");
  if (why.empty()) return {};
  return {{"GrantsShareMemoryReadOnly", why}};
}

// What needs two submissions in flight.
const std::map<std::string, std::string>& OneAtATime() {
  static const auto* const tests = [] {
    const std::string why = "a call for each waits for its end before the next";
    auto* map = new std::map<std::string, std::string>(Cannot());
    for (const char* test :
         {"FencesOrderLanes", "CancelStopsWhatIsQueued", "DescribeTellsWhatALaneHas",
          "AReleasedLaneEndsWhatIsInItsQueue", "HistoriesOfManyClientsAreWhatTheContractAllows"}) {
      (*map)[test] = why;
    }
    return map;
  }();
  return *tests;
}

INSTANTIATE_TEST_SUITE_P(Daemon, TransportSuite,
                         ::testing::Values(TransportMaker{.name = "unary",
                                                          .make = Daemons::Connect,
                                                          .cannot = OneAtATime(),
                                                          .mode = SubmitMode::kUnary},
                                           TransportMaker{.name = "stream",
                                                          .make = Daemons::Connect,
                                                          .cannot = Cannot(),
                                                          .mode = SubmitMode::kStream},
                                           TransportMaker{.name = "ring",
                                                          .make = Daemons::Connect,
                                                          .cannot = Cannot(),
                                                          .mode = SubmitMode::kRing}),
                         TransportMakerName);

TEST(DaemonTransportTest, AbsentDaemonIsUnavailableAndSaysWhere) {
  const ScratchFolder folder;
  const absl::Status status =
      Connect({.endpoint = folder.Join("none.sock"), .client_name = "x"}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder.Join("none.sock")));
  EXPECT_THAT(std::string(status.message()), HasSubstr("start anexd"));
}

TEST(DaemonTransportTest, ASocketOfAnotherUserIsNotSpokenTo) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  const ScratchFolder folder;
  auto daemon = DaemonProcess::Start({.runtime_dir = folder.Join("run")});
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  ASSERT_EQ(::chown((*daemon)->socket().c_str(), 12345, 12345), 0);
  const absl::Status status = ConnectGrpc((*daemon)->socket()).status();
  EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("belongs to uid 12345"));
}

TEST(DaemonTransportTest, AWatchSaysThatItsDaemonWentAway) {
  const ScratchFolder folder;
  auto daemon = DaemonProcess::Start({.runtime_dir = folder.Join("run")});
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  auto transport = ConnectGrpc((*daemon)->socket());
  ASSERT_TRUE(transport.ok()) << transport.status();
  int pictures = 0;
  const absl::Status watched =
      (*transport)->WatchStatus(absl::Milliseconds(50), [&](const DaemonStatus&) {
        if (++pictures == 1) (*daemon)->process().Signal(SIGKILL);
        return true;
      });
  EXPECT_TRUE(absl::IsUnavailable(watched)) << watched;
  EXPECT_FALSE(AnsweredByDaemon(watched));
  EXPECT_THAT(std::string(watched.message()), HasSubstr("went away in the middle of a call"));
  EXPECT_THAT(std::string(watched.message()), HasSubstr((*daemon)->socket()));
}

TEST(DaemonTransportTest, AStoppedDaemonEndsAWatchAndACallInTime) {
  const ScratchFolder folder;
  auto daemon = DaemonProcess::Start({.runtime_dir = folder.Join("run")});
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  auto transport = ConnectGrpc((*daemon)->socket());
  ASSERT_TRUE(transport.ok()) << transport.status();
  (*transport)->SetCallDeadline(absl::Milliseconds(300));
  int pictures = 0;
  const absl::Status watched =
      (*transport)->WatchStatus(absl::Milliseconds(50), [&](const DaemonStatus&) {
        if (++pictures == 1) (*daemon)->process().Signal(SIGSTOP);
        return true;
      });
  const absl::Status called = (*transport)->GetStatus().status();
  (*daemon)->process().Signal(SIGCONT);
  EXPECT_TRUE(absl::IsDeadlineExceeded(watched)) << watched;
  EXPECT_THAT(std::string(watched.message()), HasSubstr("sent no status"));
  EXPECT_GE(pictures, 1);
  EXPECT_TRUE(absl::IsDeadlineExceeded(called)) << called;
  EXPECT_THAT(std::string(called.message()), HasSubstr((*daemon)->socket()));
}

TEST(DaemonTransportTest, PathsThatFitNoSocketAreRefused) {
  EXPECT_EQ(ConnectGrpc("/tmp/" + std::string(200, 'x')).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ConnectGrpc(std::string()).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(DaemonTransportTest, RestartIsNoticedAndSaidToTheSession) {
  const ScratchFolder folder;
  const std::string runtime = folder.Join("run");
  auto first = DaemonProcess::Start({.runtime_dir = runtime, .cache_dir = folder.Join("cache")});
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string socket = (*first)->socket();
  Session session = *Connect({.endpoint = "unix:" + socket, .client_name = "survivor"});
  const Surface surface = *session.CreateSurface(DType::kFp32, {2, 3});
  ASSERT_TRUE(surface.CopyFrom(std::vector<float>{1, 2, 3, 4, 5, 6}).ok());
  first->reset();
  const auto second =
      DaemonProcess::Start({.runtime_dir = runtime, .cache_dir = folder.Join("cache")});
  ASSERT_TRUE(second.ok()) << second.status();
  const absl::Status status = session.CreateSurface(DType::kFp32, {2, 3}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("open a new"));
  std::vector<float> kept(6);
  EXPECT_TRUE(surface.CopyTo(kept).ok()) << "what was mapped stays readable";
  EXPECT_EQ(kept[5], 6);
  session.Close().IgnoreError();
  EXPECT_TRUE(Connect({.endpoint = socket, .client_name = "again"}).ok());
}

TEST(DaemonTransportTest, RestartIsNoticedThroughTheEpochAlone) {
  const ScratchFolder folder;
  const std::string runtime = folder.Join("run");
  auto first = DaemonProcess::Start({.runtime_dir = runtime, .cache_dir = folder.Join("cache")});
  ASSERT_TRUE(first.ok()) << first.status();
  const std::shared_ptr<Transport> transport = *ConnectGrpc((*first)->socket());
  const uint64_t epoch = transport->GetInfo()->daemon_epoch;
  first->reset();
  const auto second =
      DaemonProcess::Start({.runtime_dir = runtime, .cache_dir = folder.Join("cache")});
  ASSERT_TRUE(second.ok()) << second.status();
  // Without a session there is nothing to lose: the transport finds the new daemon.
  absl::StatusOr<DaemonInfo> info = transport->GetInfo();
  for (int i = 0; i < 200 && !info.ok(); ++i) {
    absl::SleepFor(absl::Milliseconds(20));
    info = transport->GetInfo();
  }
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_NE(info->daemon_epoch, epoch);
}

// What waits on a ring ends with the daemon, however that ends, and with its session.
TEST(DaemonTransportTest, NothingWaitsOnARingForADaemonThatIsGone) {
  for (const int signal : {SIGKILL, SIGTERM}) {
    const auto daemon = DaemonProcess::Start();
    ASSERT_TRUE(daemon.ok()) << daemon.status();
    const Session session = *Connect({.endpoint = (*daemon)->socket(), .client_name = "ring"});
    const Lane lane = *session.CreateLane();
    const Fence fence = *session.CreateFence();
    SubmissionQueue queue = *lane.OpenQueue(4, SubmitMode::kRing);
    const Submission waits{.lane = lane.id(),
                           .kind = SubmissionKind::kFence,
                           .target = fence.id().value(),
                           .argument = 1};
    ASSERT_TRUE(queue.Submit(std::span(&waits, 1)).ok());
    std::thread killer([&] {
      absl::SleepFor(absl::Milliseconds(100));
      (*daemon)->process().Signal(signal);
    });
    const absl::Time start = absl::Now();
    absl::Status ended;
    while (ended.ok()) {  // a daemon in good order first hands back what it cancels
      const absl::StatusOr<Completion> next = queue.Next(absl::Seconds(60));
      ended = next.status();
      EXPECT_TRUE(!next.ok() || absl::IsCancelled(next->status));
      if (absl::IsFailedPrecondition(ended)) break;  // nothing is outstanding
    }
    killer.join();
    EXPECT_LT(absl::Now() - start, absl::Seconds(30));
    EXPECT_TRUE(absl::IsUnavailable(ended) || absl::IsFailedPrecondition(ended)) << ended;
    EXPECT_TRUE((*daemon)->process().Wait().ok());
    const absl::Status after = queue.Submit(std::span(&waits, 1));
    EXPECT_TRUE(absl::IsUnavailable(after)) << after;
  }
}

TEST(DaemonTransportTest, AnEvictedSessionsRingEndsAtOnce) {
  const auto daemon = DaemonProcess::Start();
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  const Session session = *Connect({.endpoint = (*daemon)->socket(), .client_name = "ring"});
  const Lane lane = *session.CreateLane();
  const Fence fence = *session.CreateFence();
  SubmissionQueue queue = *lane.OpenQueue(4, SubmitMode::kRing);
  const std::shared_ptr<Transport> other = *ConnectGrpc((*daemon)->socket());
  ASSERT_TRUE(other->EvictSession(session.id()).ok());
  const Submission waits{.lane = lane.id(),
                         .kind = SubmissionKind::kFence,
                         .target = fence.id().value(),
                         .argument = 1};
  EXPECT_TRUE(absl::IsUnavailable(queue.Submit(std::span(&waits, 1))));
}

// The first run is a call, the next ones go through a ring; a lane has one, and a queue that wants
// it gets it.
TEST(DaemonTransportTest, ALanesRunsTakeARingFromTheSecondOnAndGiveItUpToAQueue) {
  const auto daemon = DaemonProcess::Start();
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  const Session session = *Connect({.endpoint = (*daemon)->socket(), .client_name = "ring"});
  const Lane lane = *session.CreateLane();
  const Surface a = *session.CreateSurface(DType::kFp16, {2, 3}),
                b = *session.CreateSurface(DType::kFp16, {2, 3});
  const Chain copy = *session.NewChain().Copy(a, b).Build();
  ASSERT_TRUE(lane.Run(copy).ok());
  EXPECT_EQ(lane.path(), SubmitMode::kUnary);
  EXPECT_THAT(lane.note(), HasSubstr("second run"));
  ASSERT_TRUE(lane.Run(copy).ok());
  EXPECT_EQ(lane.path(), SubmitMode::kRing);
  EXPECT_EQ(lane.note(), "");
  const absl::StatusOr<Completion> timed = lane.Run(copy, {.step_timings = true});
  ASSERT_TRUE(timed.ok()) << timed.status();
  EXPECT_EQ(timed->step_ns.size(), 1u) << "what a ring cannot carry goes as a call";
  SubmissionQueue queue = *lane.OpenQueue(4);
  EXPECT_EQ(queue.path(), SubmitMode::kRing) << queue.note();
  EXPECT_EQ(lane.path(), SubmitMode::kUnary);
  EXPECT_TRUE(lane.Run(copy).ok());
}

TEST(DaemonTransportTest, AQueueFallsBackAndSaysWhy) {
  const auto daemon = DaemonProcess::Start();
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  const Session session = *Connect({.endpoint = (*daemon)->socket(), .client_name = "ring"});
  const Lane lane = *session.CreateLane();
  const SubmissionQueue queue = *lane.OpenQueue(300);  // a lane queues 256
  EXPECT_EQ(queue.path(), SubmitMode::kStream);
  EXPECT_THAT(std::string(queue.note()), HasSubstr("lane_depth=256"));
  EXPECT_EQ(CodeOf(lane.OpenQueue(300, SubmitMode::kRing)), absl::StatusCode::kResourceExhausted);
  const SubmissionQueue first = *lane.OpenQueue(4);
  EXPECT_EQ(first.path(), SubmitMode::kRing);
  const SubmissionQueue second = *lane.OpenQueue(4);
  EXPECT_EQ(second.path(), SubmitMode::kStream);
  EXPECT_THAT(std::string(second.note()), HasSubstr("has a ring already"));
}

TEST(DaemonTransportTest, RefusedProgramsCarryTheirFindings) {
  const auto daemon = DaemonProcess::Start();
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  const std::shared_ptr<Transport> transport = *ConnectGrpc((*daemon)->socket());
  const Session session = *Session::Open(transport, {.client_name = "bad"});
  const absl::Status status = session.Compile("program(1.3)\n{\n  nonsense\n}\n", "n.mil").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  const std::vector<Diagnostic> findings = DiagnosticsOf(status);
  ASSERT_FALSE(findings.empty());
  EXPECT_EQ(findings[0].file, "n.mil");
  EXPECT_EQ(findings[0].line, 3);
}

TEST(DaemonTransportTest, AllFindingsOfARefusedProgramArriveThoughAStatusHoldsOnlyAFew) {
  const auto daemon = DaemonProcess::Start();
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  const std::shared_ptr<Transport> transport = *ConnectGrpc((*daemon)->socket());
  const Session session = *Session::Open(transport, {.client_name = "bad"});
  std::string text = "program(1.3)\n{\nfunc main<ios18>(fp16 x) {\n";
  for (int i = 0; i < 15; ++i) {  // each with a long line, as generators write them
    text += "fp16 y" + std::to_string(i) + " = unheard_of_" + std::to_string(i) +
            "(x = x)[name = string(\"" + std::string(900, 'n') + "\")];\n";
  }
  text += "} -> (y0);\n}\n";
  const absl::Status status = session.Compile(text, "n.mil").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  const std::vector<Diagnostic> findings = DiagnosticsOf(status);
  ASSERT_EQ(findings.size(), 15u);
  for (int i = 0; i < 15; ++i) {
    EXPECT_EQ(findings[i].line, 4 + i);
    EXPECT_THAT(std::string(status.message()),
                ::testing::HasSubstr("n.mil:" + std::to_string(4 + i) + ":"));
  }
}

TEST(DaemonTransportTest, EqualLargeProgramsAreShippedOnce) {
  const auto daemon = DaemonProcess::Start();
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  const Session session = *Connect({.endpoint = (*daemon)->socket(), .client_name = "big"});
  const int n = 1024 * 512;  // fp16: 1 MiB of weights, from where on the digest is tried first
  std::string blob(128 + n * 2, '\0');
  const auto put = [&](size_t at, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) blob[at + i] = static_cast<char>(value >> (8 * i));
  };
  put(0, 1, 4);
  put(4, 2, 4);
  put(64, 0xdeadbeef, 4);
  put(68, 1, 4);
  put(72, n * 2, 8);
  put(80, 128, 8);
  blob[128 + 2 * 7] = '\0';
  blob[128 + 2 * 7 + 1] = '\x3c';  // 1.0 at [7]
  ProgramSource source;
  source.name = "big.mil";
  source.text =
      "program(1.3)\n{\n  func main<ios18>(tensor<fp16, [1, 524288]> x) {\n"
      "    tensor<fp16, [1, 524288]> w = const()[name = string(\"w\"), val = tensor<fp16, [1, "
      "524288]>(BLOBFILE(path = string(\"@model_path/w.bin\"), offset = uint64(64)))];\n"
      "    tensor<fp16, [1, 524288]> y = add(x = x, y = w)[name = string(\"y\")];\n  } -> "
      "(y);\n}\n";
  source.weights["w.bin"] = std::make_shared<const std::string>(blob);
  const absl::StatusOr<Kernel> first = session.Compile(source);
  ASSERT_TRUE(first.ok()) << first.status();
  const absl::StatusOr<Kernel> second = session.Compile(source);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->info().origin, CompileOrigin::kResident);
  EXPECT_EQ(second->info().digest, first->info().digest);
}

}  // namespace
}  // namespace anex::test
