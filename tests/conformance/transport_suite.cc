#include "tests/conformance/transport_suite.h"

#include <gmock/gmock.h>

#include <set>
#include <thread>

#include "client/anex/program_file.h"

namespace anex::test {

using ::testing::HasSubstr;

namespace {

absl::StatusCode CodeOf(const absl::Status& status) { return status.code(); }
template <typename T>
absl::StatusCode CodeOf(const absl::StatusOr<T>& result) {
  return result.status().code();
}

}  // namespace

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

TEST_P(TransportSuite, NewSurfacesAreZeroAndKeepWhatIsWritten) {
  const Surface surface = *session_.CreateSurface(DType::kFp32, {3, 5}, "numbers");
  EXPECT_EQ(Read(surface), std::vector<float>(15, 0));
  std::vector<float> values(15);
  for (int i = 0; i < 15; ++i) values[i] = static_cast<float>(i * i) - 7.5f;
  ASSERT_TRUE(surface.CopyFrom(values).ok());
  EXPECT_EQ(Read(surface), values);
  EXPECT_EQ(surface.View<float>()->at(2, 1), values[2 * 5 + 1]);
  EXPECT_EQ(surface.Describe()->label, "numbers");
}

TEST_P(TransportSuite, MessagesAndMappingShowTheSameBytes) {
  const Surface surface = *session_.CreateSurface(DType::kInt32, {3, 5});
  const TensorView<int32_t> view = *surface.View<int32_t>();
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 5; ++j) view.at(i, j) = 10 * i + j;
  }
  const absl::StatusOr<std::string> part =
      surface.ReadThroughTransport({.begin = {1, 2}, .size = {2, 3}});
  ASSERT_TRUE(part.ok()) << part.status();
  std::vector<int32_t> seen(6);
  ASSERT_EQ(part->size(), sizeof(int32_t) * seen.size());
  std::memcpy(seen.data(), part->data(), part->size());
  EXPECT_EQ(seen, (std::vector<int32_t>{12, 13, 14, 22, 23, 24}));

  const std::vector<int32_t> patch = {-1, -2};
  ASSERT_TRUE(surface
                  .WriteThroughTransport({reinterpret_cast<const char*>(patch.data()), 8},
                                         {.begin = {1, 4}, .size = {2, 1}})
                  .ok());
  EXPECT_EQ(view.at(1, 4), -1);
  EXPECT_EQ(view.at(2, 4), -2);
  EXPECT_EQ(view.at(1, 3), 13);
}

TEST_P(TransportSuite, RegionsOutsideAndWrongSizesAreRefused) {
  const Surface surface = *session_.CreateSurface(DType::kInt32, {3, 5});
  for (const Region& region : {Region{{0, 3}, {3, 3}}, Region{{-1, 0}, {1, 1}}, Region{{0}, {1}},
                               Region{{0, 0}, {3, INT64_MAX}}}) {
    EXPECT_FALSE(surface.ReadThroughTransport(region).ok());
  }
  EXPECT_FALSE(surface.WriteThroughTransport("123", {}).ok());
  EXPECT_EQ(surface.ReadThroughTransport()->size(), 60u) << "still serves";
}

TEST_P(TransportSuite, LargeTensorsTravelThroughMessagesWhole) {
  const Surface surface = *session_.CreateSurface(DType::kUint8, {3, 1500001});
  std::string bytes(3 * 1500001, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>((i * 2654435761u) >> 24);
  ASSERT_TRUE(surface.WriteThroughTransport(bytes).ok());
  EXPECT_EQ(*surface.ToBytes(), bytes);
  EXPECT_EQ(*surface.ReadThroughTransport(), bytes);
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

TEST_P(TransportSuite, RunsOneAndWaits) {
  const Matmul m = PrepareMatmul(session_);
  const absl::StatusOr<Completion> done = m.lane.Run(m.invocation);
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(Read(m.y), Product(Ws(), Xs()));
  EXPECT_GT(done->device_ns, 0);
  EXPECT_GE(done->total_ns, done->device_ns);
}

TEST_P(TransportSuite, BothSubmitModesGiveTheSameBits) {
  const Matmul m = PrepareMatmul(session_);
  std::string bytes[2];
  for (const SubmitMode mode : {SubmitMode::kUnary, SubmitMode::kStream}) {
    ASSERT_TRUE(m.y.FillZero().ok());
    SubmissionQueue queue = *session_.OpenQueue(mode, 4);
    ASSERT_TRUE(queue.Submit(m.lane, m.invocation, 9).ok());
    const absl::StatusOr<Completion> done = queue.Next();
    ASSERT_TRUE(done.ok()) << done.status();
    EXPECT_TRUE(done->status.ok()) << done->status;
    EXPECT_EQ(done->user_data, 9u);
    EXPECT_EQ(done->lane, m.lane.id());
    bytes[static_cast<int>(mode)] = *m.y.ToBytes();
  }
  EXPECT_EQ(bytes[0], bytes[1]);
  EXPECT_NE(bytes[0], std::string(bytes[0].size(), '\0'));
}

TEST_P(TransportSuite, StreamKeepsALanesOrderAndLosesNothing) {
  const Matmul m = PrepareMatmul(session_);
  constexpr uint64_t kCount = 200;
  SubmissionQueue queue = *session_.OpenQueue(SubmitMode::kStream, 8);
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
  for (const SubmitMode mode : {SubmitMode::kUnary, SubmitMode::kStream}) {
    SubmissionQueue queue = *session_.OpenQueue(mode, 8);
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

TEST_P(TransportSuite, PublishedWeightsAreSeenWholeAndNotBefore) {
  const Matmul m = PrepareMatmul(session_);
  for (const ParameterMode mode : {ParameterMode::kDouble, ParameterMode::kFenced}) {
    const absl::StatusOr<ParameterSet> set = session_.CreateParameterSet(
        {.mode = mode, .parameters = {{.name = "w", .fits = {m.kernel.Ref("W")}}}});
    ASSERT_TRUE(set.ok()) << set.status();
    const absl::StatusOr<Invocation> run =
        m.kernel.Prepare().Bind("x", m.x).Bind("W", *set, "w").Bind("y", m.y).Build();
    ASSERT_TRUE(run.ok()) << run.status();
    WriteGuard write = *set->BeginWrite();
    ASSERT_TRUE(write.CopyFrom("w", Ws()).ok());
    if (mode == ParameterMode::kDouble) {
      ASSERT_TRUE(m.lane.Run(*run).ok());
      EXPECT_EQ(Read(m.y), std::vector<float>(6, 0)) << "not published";
    }
    const absl::StatusOr<uint64_t> generation = write.Publish(1);
    ASSERT_TRUE(generation.ok()) << generation.status();
    EXPECT_EQ(*generation, 1u);
    const absl::StatusOr<Completion> done = m.lane.Run(*run);
    ASSERT_TRUE(done.ok()) << done.status();
    EXPECT_EQ(done->generation, 1u);
    EXPECT_EQ(Read(m.y), Product(Ws(), Xs()));
    std::vector<float> front(8);
    ASSERT_TRUE(set->CopyTo("w", front).ok());
    EXPECT_EQ(front, Ws());
  }
}

TEST_P(TransportSuite, StreamedWeightsEqualMappedOnes) {
  const absl::StatusOr<ParameterSet> set = session_.CreateParameterSet(
      {.parameters = {{.name = "w", .dtype = DType::kFp16, .shape = {7, 5001}},
                      {.name = "b", .dtype = DType::kFp32, .shape = {3}}}});
  ASSERT_TRUE(set.ok()) << set.status();
  std::vector<float> values(7 * 5001);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 2048) * 0.25f;
  WriteGuard write = *set->BeginWrite();
  ASSERT_TRUE(write.Stream("w", values).ok());
  ASSERT_TRUE(write.Stream("b", std::vector<float>{1, 2, 3}).ok());
  const absl::StatusOr<uint64_t> generation = write.Publish();
  ASSERT_TRUE(generation.ok()) << generation.status();
  std::vector<float> seen(values.size());
  ASSERT_TRUE(set->CopyTo("w", seen).ok());
  EXPECT_EQ(seen, values);
}

TEST_P(TransportSuite, TornWeightChunksSpoilTheLeaseButNotTheSet) {
  const ParameterSet set = *session_.CreateParameterSet(
      {.parameters = {{.name = "w", .dtype = DType::kFp32, .shape = {2, 3}}}});
  const float six[] = {1, 2, 3, 4, 5, 6};
  WeightChunk chunk{.parameter = "w",
                    .dtype = DType::kFp32,
                    .data = std::string(reinterpret_cast<const char*>(six), sizeof(six))};
  chunk.crc32 = Crc32Of(chunk.data) ^ 1;
  WriteGuard write = *set.BeginWrite();
  EXPECT_EQ(CodeOf(write.Update(std::span(&chunk, 1))), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(write.Publish().ok());
  ASSERT_TRUE(write.Abort().ok());

  chunk.crc32 = Crc32Of(chunk.data);
  chunk.element_offset = 1;
  write = *set.BeginWrite();
  EXPECT_EQ(CodeOf(write.Update(std::span(&chunk, 1))), absl::StatusCode::kOutOfRange);
  ASSERT_TRUE(write.Abort().ok());

  chunk.element_offset = 0;
  write = *set.BeginWrite();
  EXPECT_TRUE(write.Update(std::span(&chunk, 1)).ok());
  EXPECT_TRUE(write.Publish().ok());
}

TEST_P(TransportSuite, OneLeaseAtATimeAndOneGenerationAfterAnother) {
  const ParameterSet set = *session_.CreateParameterSet(
      {.parameters = {{.name = "w", .dtype = DType::kFp32, .shape = {2, 3}}}});
  WriteGuard write = *set.BeginWrite();
  EXPECT_EQ(CodeOf(set.BeginWrite()), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(CodeOf(write.Publish(3)), absl::StatusCode::kAborted);
  EXPECT_EQ(*write.Publish(1), 1u);
  write = *set.BeginWrite();
  EXPECT_EQ(write.lease().generation, 2u);
  EXPECT_EQ(*write.Publish(), 2u);
  EXPECT_EQ(set.Describe()->generation, 2u);
}

TEST_P(TransportSuite, PublishInALaneFallsBetweenSubmissions) {
  const Matmul m = PrepareMatmul(session_);
  const ParameterSet set =
      *session_.CreateParameterSet({.parameters = {{.name = "W", .fits = {m.kernel.Ref("W")}}}});
  const Invocation run = *m.kernel.Prepare().Bind("x", m.x).Bind("W", set).Bind("y", m.y).Build();
  WriteGuard write = *set.BeginWrite();
  ASSERT_TRUE(write.CopyFrom("W", Ws()).ok());
  SubmissionQueue queue = *session_.OpenQueue(SubmitMode::kStream, 4);
  ASSERT_TRUE(queue.Submit(m.lane, run, 1).ok());
  ASSERT_TRUE(queue.SubmitPublish(m.lane, write, 2).ok());
  ASSERT_TRUE(queue.Submit(m.lane, run, 3).ok());
  for (const uint64_t generation : {0u, 1u, 1u}) {
    const absl::StatusOr<Completion> done = queue.Next(absl::Seconds(20));
    ASSERT_TRUE(done.ok()) << done.status();
    EXPECT_TRUE(done->status.ok()) << done->status;
    EXPECT_EQ(done->generation, generation);
  }
  EXPECT_EQ(Read(m.y), Product(Ws(), Xs()));
}

TEST_P(TransportSuite, GrantsShareMemoryReadOnly) {
  const Session other = NewSession("reader");
  const Surface mine = *session_.CreateSurface(DType::kFp32, {2, 3});
  const absl::StatusOr<std::string> ticket = mine.Grant(Access::kReadOnly);
  ASSERT_TRUE(ticket.ok()) << ticket.status();
  const absl::StatusOr<Surface> theirs = other.Claim(*ticket);
  ASSERT_TRUE(theirs.ok()) << theirs.status();
  ASSERT_TRUE(mine.CopyFrom(std::vector<float>{1, 2, 3, 4, 5, 6}).ok());
  EXPECT_EQ(Read(*theirs), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(CodeOf(theirs->CopyFrom(std::vector<float>(6))), absl::StatusCode::kPermissionDenied);
  EXPECT_FALSE(theirs->WriteThroughTransport(std::string(24, '\0')).ok());
  EXPECT_EQ(CodeOf(other.Claim(*ticket)), absl::StatusCode::kNotFound) << "one use";
  EXPECT_EQ(CodeOf(other.Claim("00")), absl::StatusCode::kNotFound);
}

TEST_P(TransportSuite, SealedMemoryOfAClientBecomesASurface) {
  const absl::StatusOr<std::shared_ptr<shm::SharedRegion>> region = shm::CreateRegion(4096, "mine");
  ASSERT_TRUE(region.ok());
  const TensorLayout layout = *MakePackedLayout(DType::kFp16, {4, 3});
  const absl::StatusOr<Surface> x = session_.Import(*region, layout, "mine");
  ASSERT_TRUE(x.ok()) << x.status();
  Half half(2.5f);
  std::memcpy((*region)->data() + 2 * 5, &half, 2);  // x[1, 2], through our own mapping
  EXPECT_EQ(Read(*x)[5], 2.5f);
  TensorLayout large = *MakePackedLayout(DType::kFp16, {4000, 3});
  EXPECT_FALSE(session_.Import(*region, large).ok());
}

TEST_P(TransportSuite, FencesOrderLanes) {
  const Matmul m = PrepareMatmul(session_);
  const Lane second = *session_.CreateLane();
  const Fence fence = *session_.CreateFence();
  const Chain waits = *session_.NewChain().Wait(fence, 2).Run(m.invocation).Build();
  SubmissionQueue queue = *session_.OpenQueue(SubmitMode::kStream, 4);
  ASSERT_TRUE(queue.Submit(m.lane, waits, 1).ok());
  ASSERT_TRUE(queue.Submit(second, m.invocation, 2).ok());
  EXPECT_EQ(queue.Next(absl::Seconds(20))->user_data, 2u) << "the first lane waits";
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

TEST_P(TransportSuite, CancelStopsWhatIsQueued) {
  const Matmul m = PrepareMatmul(session_);
  const Fence fence = *session_.CreateFence();
  const Chain blocked = *session_.NewChain().Wait(fence, 1).Run(m.invocation).Build();
  SubmissionQueue queue = *session_.OpenQueue(SubmitMode::kStream, 4);
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
  for (const SessionStatus& each : *(*session_.transport())->ListSessions()) {
    EXPECT_NE(each.id, id);
  }
  for (const SurfaceStatus& each : *(*session_.transport())->ListSurfaces()) {
    EXPECT_NE(each.session, id);
  }
  EXPECT_EQ(Read(m.y), Product(Ws(), Xs())) << "what was mapped stays readable";
  Session again = *Session::Open(transport, {.client_name = "again"});
  EXPECT_TRUE(again.CreateLane().ok()) << "a transport carries sessions one after another";
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
