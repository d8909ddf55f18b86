#include "tests/conformance/transport_suite.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>

#include "client/anex/program_file.h"

namespace anex::test {

using ::testing::HasSubstr;

const char* TransportSuite::MatmulText() {
  return R"(program(1.3)
{
  func main<ios18>(tensor<fp16, [4, 3]> x, tensor<fp16, [2, 4]> W) {
    tensor<fp16, [2, 3]> y = matmul(transpose_x = bool(false), transpose_y = bool(false), x = W, y = x)[name = string("y")];
  } -> (y);
}
)";
}

const char* TransportSuite::AddText() {
  return R"(program(1.3)
{
  func main<ios18>(tensor<fp16, [2, 3]> a, tensor<fp16, [2, 3]> b) {
    tensor<fp16, [2, 3]> c = add(x = a, y = b)[name = string("c")];
  } -> (c);
}
)";
}

void TransportSuite::SetUp() {
  const std::string test = ::testing::UnitTest::GetInstance()->current_test_info()->name();
  const auto reason = GetParam().cannot.find(test.substr(0, test.find('/')));
  if (reason != GetParam().cannot.end()) GTEST_SKIP() << reason->second;
  session_ = NewSession("suite");
}

std::shared_ptr<Transport> TransportSuite::NewTransport() {
  absl::StatusOr<std::shared_ptr<Transport>> transport = GetParam().make();
  EXPECT_TRUE(transport.ok()) << transport.status();
  return transport.ok() ? *transport : nullptr;
}

Session TransportSuite::NewSession(const std::string& name) {
  absl::StatusOr<Session> session = Session::Open(NewTransport(), {.client_name = name});
  EXPECT_TRUE(session.ok()) << session.status();
  return session.ok() ? *std::move(session) : Session();
}

SubmissionQueue TransportSuite::OpenQueue(const Lane& lane, uint32_t credits) {
  absl::StatusOr<SubmissionQueue> queue = lane.OpenQueue(credits, GetParam().mode);
  EXPECT_TRUE(queue.ok()) << queue.status();
  if (!queue.ok()) return SubmissionQueue();
  EXPECT_EQ(queue->path(), GetParam().mode);
  return *std::move(queue);
}

std::vector<float> TransportSuite::Xs() { return {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}; }
std::vector<float> TransportSuite::Ws() { return {1, -2, 3, -4, 0.5f, 0.25f, 2, 1}; }

std::vector<float> TransportSuite::Product(const std::vector<float>& w,
                                           const std::vector<float>& x) {
  std::vector<float> y(6);
  for (int n = 0; n < 2; ++n) {
    for (int m = 0; m < 3; ++m) {
      double sum = 0;
      for (int k = 0; k < 4; ++k) sum += double{w[n * 4 + k]} * x[k * 3 + m];
      y[n * 3 + m] = static_cast<float>(sum);
    }
  }
  return y;
}

std::vector<float> TransportSuite::Read(const Surface& surface) {
  std::vector<float> values(surface.shape().ElementCount());
  const absl::Status copied = surface.CopyTo(values);
  EXPECT_TRUE(copied.ok()) << copied;
  return values;
}

uint32_t TransportSuite::RandomSeed() {
  const char* given = std::getenv("ANEX_SEED");
  const uint32_t seed =
      given != nullptr ? static_cast<uint32_t>(std::stoul(given)) : std::random_device{}();
  std::printf("seed %u (ANEX_SEED=%u repeats this run)\n", seed, seed);
  return seed;
}

TransportSuite::Matmul TransportSuite::PrepareMatmul(const Session& session) {
  Matmul m;
  absl::StatusOr<Kernel> kernel = session.Compile(MatmulText(), "matmul.mil");
  EXPECT_TRUE(kernel.ok()) << kernel.status();
  if (!kernel.ok()) return m;
  m.kernel = *std::move(kernel);
  m.x = *m.kernel.CreateSurface("x");
  m.w = *m.kernel.CreateSurface("W");
  m.y = *m.kernel.CreateSurface("y");
  EXPECT_TRUE(m.x.CopyFrom(Xs()).ok());
  EXPECT_TRUE(m.w.CopyFrom(Ws()).ok());
  absl::StatusOr<Invocation> invocation =
      m.kernel.Prepare().Bind("x", m.x).Bind("W", m.w).Bind("y", m.y).Build();
  EXPECT_TRUE(invocation.ok()) << invocation.status();
  if (invocation.ok()) m.invocation = *std::move(invocation);
  m.lane = *session.CreateLane();
  return m;
}

TEST_P(TransportSuite, SaysWhoIsThere) {
  const absl::StatusOr<Transport*> transport = session_.transport();
  const absl::StatusOr<DaemonInfo> info = (*transport)->GetInfo();
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->daemon_epoch, session_.daemon().daemon_epoch);
  EXPECT_FALSE((*transport)->endpoint().empty());
  const absl::StatusOr<std::vector<DeviceInfo>> devices = (*transport)->ListDevices();
  ASSERT_TRUE(devices.ok());
  bool found = false;
  for (const DeviceInfo& device : *devices) found |= device.name == info->default_device;
  EXPECT_TRUE(found);
  const absl::StatusOr<std::vector<LimitInfo>> limits = (*transport)->GetLimits();
  ASSERT_TRUE(limits.ok());
  EXPECT_GT(limits->size(), 10u);
}

TEST_P(TransportSuite, VerbsWithoutASessionAreRefused) {
  const std::shared_ptr<Transport> bare = NewTransport();
  EXPECT_TRUE(bare->GetInfo().ok());
  EXPECT_FALSE(bare->CreateSurface({.dtype = DType::kFp32, .shape = {2, 3}}).ok());
  EXPECT_FALSE(bare->CreateLane({}).ok());
  EXPECT_FALSE(bare->Close().ok());
}

TEST_P(TransportSuite, SessionsSeeOneAnotherInListingsOnly) {
  const Session other = NewSession("the-other-one");
  const absl::StatusOr<std::vector<SessionStatus>> sessions =
      (*session_.transport())->ListSessions();
  ASSERT_TRUE(sessions.ok());
  std::set<std::string> names;
  for (const SessionStatus& session : *sessions) names.insert(session.client_name);
  EXPECT_TRUE(names.contains("suite"));
  EXPECT_TRUE(names.contains("the-other-one"));

  const Surface foreign = *other.CreateSurface(DType::kFp32, {2, 3});
  // Slots repeat between sessions, so make sure that this one's table does not hold the same
  // handle.
  EXPECT_EQ(CodeOf((*session_.transport())->DescribeSurface(foreign.id())),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(CodeOf((*session_.transport())->ReadSurface(foreign.id(), {})),
            absl::StatusCode::kNotFound);
  EXPECT_TRUE((*other.transport())->DescribeSurface(foreign.id()).ok());
}

TEST_P(TransportSuite, GuessedAndStaleHandlesAreNotFound) {
  Transport& transport = **session_.transport();
  Surface surface = *session_.CreateSurface(DType::kFp16, {2, 3});
  const SurfaceId stale = surface.id();
  ASSERT_TRUE(surface.Release().ok());
  const Surface reuses_the_slot = *session_.CreateSurface(DType::kFp16, {2, 3});
  EXPECT_EQ(CodeOf(transport.DescribeSurface(stale)), absl::StatusCode::kNotFound);
  EXPECT_EQ(CodeOf(transport.ReleaseSurface(stale)), absl::StatusCode::kNotFound);
  for (const uint64_t guess : {uint64_t{1} << 32 | 77, ~uint64_t{0}, uint64_t{5}}) {
    EXPECT_EQ(CodeOf(transport.DescribeKernel(KernelId(guess))), absl::StatusCode::kNotFound);
    EXPECT_EQ(CodeOf(transport.ReleaseLane(LaneId(guess))), absl::StatusCode::kNotFound);
    EXPECT_EQ(CodeOf(transport.ReleaseChain(ChainId(guess))), absl::StatusCode::kNotFound);
    EXPECT_EQ(CodeOf(transport.BeginWrite(ParameterSetId(guess), absl::Seconds(1))),
              absl::StatusCode::kNotFound);
  }
}

TEST_P(TransportSuite, CompiledKernelsNameTheirPorts) {
  const absl::StatusOr<Kernel> kernel = session_.Compile(MatmulText(), "matmul.mil");
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  EXPECT_EQ(kernel->info().name, "matmul.mil");
  EXPECT_EQ(kernel->info().digest.size(), 64u);
  EXPECT_EQ((*kernel->Port("x"))->layout.shape, Shape({4, 3}));
  EXPECT_EQ((*kernel->Port("W"))->layout.shape, Shape({2, 4}));
  EXPECT_EQ((*kernel->Port("y"))->direction, PortDirection::kOutput);
  const absl::StatusOr<KernelInfo> again = (*session_.transport())->DescribeKernel(kernel->id());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->digest, kernel->info().digest);
}

TEST_P(TransportSuite, EqualProgramsAreShared) {
  const Session other = NewSession("other");
  const Kernel first = *session_.Compile(MatmulText(), "a.mil");
  const absl::StatusOr<Kernel> second = other.Compile(MatmulText(), "b.mil");
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->info().origin, CompileOrigin::kResident);
  EXPECT_EQ(second->info().digest, first.info().digest);
  EXPECT_EQ(second->info().name, "b.mil");
  const absl::StatusOr<Kernel> third = other.CompileByDigest(first.info().digest);
  EXPECT_TRUE(third.ok()) << third.status();
  EXPECT_EQ(CodeOf(other.CompileByDigest(std::string(64, '0'))),
            absl::StatusCode::kFailedPrecondition);
}

TEST_P(TransportSuite, BadProgramsSayWhere) {
  const std::string bad =
      "program(1.3)\n{\n  func main<ios18>(tensor<fp16, [4, 3]> x) {\n"
      "    tensor<fp16, [4, 3]> y = frobnicate(x = x)[name = string(\"y\")];\n  } -> (y);\n}\n";
  const absl::Status status = session_.Compile(bad, "bad.mil").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("bad.mil:4:"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("frobnicate"));
  const absl::StatusOr<CheckResult> check = session_.Check(ProgramText(bad, "bad.mil"));
  ASSERT_TRUE(check.ok()) << check.status();
  ASSERT_FALSE(check->diagnostics.empty());
  EXPECT_EQ(check->diagnostics[0].line, 4);
  EXPECT_EQ(check->diagnostics[0].severity, Severity::kError);
  EXPECT_THAT(check->diagnostics[0].source_line, HasSubstr("frobnicate"));
  EXPECT_TRUE(check->functions.empty());
  const absl::StatusOr<CheckResult> good = session_.Check(ProgramText(MatmulText()));
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(good->functions.size(), 1u);
}

TEST_P(TransportSuite, FindingsAboutTheAneArriveWhole) {
  const absl::StatusOr<CheckResult> check =
      session_.Check(ProgramText(MatmulText()), {.device = "ane:m3"});
  ASSERT_TRUE(check.ok()) << check.status();
  const auto narrow = std::ranges::find(check->diagnostics, "ANE0108", &Diagnostic::code);
  ASSERT_NE(narrow, check->diagnostics.end());
  EXPECT_EQ(narrow->severity, Severity::kWarning);
  EXPECT_FALSE(narrow->help.empty());
  EXPECT_FALSE(narrow->notes.empty());
  EXPECT_EQ(narrow->properties.at("class"), "wrong answer");
  EXPECT_EQ(narrow->properties.at("chips"), "M3");
  EXPECT_EQ(narrow->properties.at("target"), "ane:m3");
  EXPECT_EQ(check->functions.size(), 1u);
  const absl::Status unknown =
      session_.Check(ProgramText(MatmulText()), {.device = "ane:m3-mini"}).status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("m3-max"));
}

TEST_P(TransportSuite, StatusCountsWhatWasRun) {
  const Matmul m = PrepareMatmul(session_);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(m.lane.Run(m.invocation).ok());
  const absl::StatusOr<DaemonStatus> status = (*session_.transport())->GetStatus();
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status->health, Health::kServing);
  bool found = false;
  for (const SessionStatus& session : status->sessions) {
    if (session.id != session_.id()) continue;
    found = true;
    EXPECT_EQ(session.usage.evaluations, 3u);
    EXPECT_EQ(session.usage.failed, 0u);
    EXPECT_GT(session.usage.device_ns, 0);
    EXPECT_EQ(session.surfaces, 3u);
    EXPECT_EQ(session.client_name, "suite");
  }
  EXPECT_TRUE(found);
  int pictures = 0;
  EXPECT_TRUE((*session_.transport())
                  ->WatchStatus(absl::Milliseconds(50),
                                [&](const DaemonStatus& each) {
                                  EXPECT_FALSE(each.devices.empty());
                                  return ++pictures < 2;
                                })
                  .ok());
  EXPECT_EQ(pictures, 2);
}

TEST_P(TransportSuite, EvictedSessionsKnowItAndOthersLive) {
  const Session victim = NewSession("victim");
  const Lane lane = *victim.CreateLane();
  ASSERT_TRUE((*session_.transport())->EvictSession(victim.id()).ok());
  EXPECT_FALSE(victim.CreateLane().ok());
  EXPECT_FALSE(lane.WaitIdle().ok());
  EXPECT_TRUE(session_.CreateLane().ok());
  EXPECT_EQ(CodeOf((*session_.transport())->EvictSession(victim.id())),
            absl::StatusCode::kNotFound);
}

TEST_P(TransportSuite, ClosedSessionsLeaveNothing) {
  std::shared_ptr<Transport> transport = NewTransport();
  Session session = *Session::Open(transport, {.client_name = "short"});
  const SessionId id = session.id();
  const Matmul m = PrepareMatmul(session);
  ASSERT_TRUE(m.lane.Run(m.invocation).ok());
  EXPECT_EQ(Read(m.y), Product(Ws(), Xs()));
  ASSERT_TRUE(session.Close().ok());
  const std::vector<SessionStatus> sessions = *(*session_.transport())->ListSessions();
  for (const SessionStatus& each : sessions) EXPECT_NE(each.id, id);
  const std::vector<SurfaceStatus> surfaces = *(*session_.transport())->ListSurfaces();
  for (const SurfaceStatus& each : surfaces) EXPECT_NE(each.session, id);
  EXPECT_EQ(Read(m.y), Product(Ws(), Xs())) << "what was mapped stays readable";
  Session again = *Session::Open(transport, {.client_name = "again"});
  EXPECT_TRUE(again.CreateLane().ok()) << "a transport carries sessions one after another";
}

}  // namespace anex::test
