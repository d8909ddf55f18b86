// Chains over any transport: whatever their steps, and however they travel, what comes out is what
// they say, bit for bit.
#include <gmock/gmock.h>

#include <array>
#include <cstring>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/conformance/chain_model.h"
#include "tests/conformance/transport_suite.h"

namespace anex::test {

using ::testing::HasSubstr;

namespace {

constexpr char kHalfDifference[] = R"(program(1.3)
{
  func main<ios18>(tensor<fp16, [3, 5]> a, tensor<fp16, [3, 5]> b) {
    tensor<fp16, [3, 5]> d = sub(x = a, y = b)[name = string("d")];
    tensor<fp16, [3, 5]> c = mul(x = d, y = fp16(0.5))[name = string("c")];
  } -> (c);
}
)";

// The tensors of chain models as surfaces, and a kernel for their runs.
class ModelTensors {
 public:
  explicit ModelTensors(const Session& session)
      : session_(session), kernel_(*session.Compile(kHalfDifference, "half_difference.mil")) {
    for (size_t tensor = 0; tensor < kTensors; ++tensor) {
      surfaces_.push_back(
          *session.CreateSurface(DType::kFp16, *Shape::Make(ChainModel::DimsOf(tensor))));
    }
  }

  void Fill(const std::vector<std::vector<float>>& contents) const {
    for (size_t tensor = 0; tensor < kTensors; ++tensor) {
      ASSERT_TRUE(surfaces_[tensor].CopyFrom(contents[tensor]).ok());
    }
  }
  std::vector<float> Read(size_t tensor) const {
    std::vector<float> values(static_cast<size_t>(surfaces_[tensor].shape().ElementCount()));
    EXPECT_TRUE(surfaces_[tensor].CopyTo(values).ok());
    return values;
  }
  absl::StatusOr<Chain> Build(const ChainModel& model) {
    ChainBuilder builder = session_.NewChain("model");
    for (const auto& step : model.steps) {
      if (const auto* run = std::get_if<ModelRun>(&step)) {
        builder.Run(Prepared(*run));
      } else {
        const auto& copy = std::get<ModelCopy>(step);
        builder.Copy(surfaces_[copy.from], surfaces_[copy.to], copy.from_region, copy.to_region);
      }
    }
    for (const ModelLoopback& loop : model.loopbacks) {
      builder.Loopback(surfaces_[loop.from], surfaces_[loop.to], loop.mode);
      builder.Result(surfaces_[loop.result_in_to ? loop.to : loop.from]);
    }
    return builder.Repeat(model.repeat).Build();
  }

 private:
  const Invocation& Prepared(const ModelRun& run) {
    const std::array<size_t, 3> key{run.a, run.b, run.c};
    const auto found = invocations_.find(key);
    if (found != invocations_.end()) return found->second;
    absl::StatusOr<Invocation> made = kernel_.Prepare()
                                          .Bind("a", surfaces_[run.a])
                                          .Bind("b", surfaces_[run.b])
                                          .Bind("c", surfaces_[run.c])
                                          .Build();
    EXPECT_TRUE(made.ok()) << made.status();
    return invocations_.emplace(key, *std::move(made)).first->second;
  }

  const Session& session_;
  const Kernel kernel_;
  std::vector<Surface> surfaces_;
  std::map<std::array<size_t, 3>, Invocation> invocations_;
};

bool SameBits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

TEST_P(TransportSuite, RandomChainsOfHundredsOfStepsDoWhatTheySay) {
  const uint32_t seed = RandomSeed();
  std::mt19937 random(seed);
  ModelTensors tensors(session_);
  const Lane lane = *session_.CreateLane();
  for (int round = 0; round < 12; ++round) {
    SCOPED_TRACE(absl::StrCat("seed ", seed, ", round ", round));
    const auto contents = ChainModel::RandomContents(random);
    const ChainModel model =
        ChainModel::Random(random, 100 + random() % 300, 1 + static_cast<uint32_t>(round % 6));
    const auto expected = model.Interpret(contents);
    const absl::StatusOr<Chain> chain = tensors.Build(model);
    ASSERT_TRUE(chain.ok()) << chain.status();
    for (const bool queued : {false, true}) {
      tensors.Fill(contents);
      if (queued) {
        SubmissionQueue queue = OpenQueue(lane, 4);
        ASSERT_TRUE(queue.Submit(lane, *chain).ok());
        const absl::Status ran = queue.Finish();
        ASSERT_TRUE(ran.ok()) << ran;
      } else {
        const absl::StatusOr<Completion> done = lane.Run(*chain);
        ASSERT_TRUE(done.ok()) << done.status();
        EXPECT_EQ(done->steps_done, model.steps.size() * model.repeat);
      }
      for (size_t tensor = 0; tensor < kTensors; ++tensor) {
        ASSERT_TRUE(SameBits(tensors.Read(tensor), expected[tensor]))
            << "tensor " << tensor << (queued ? " through the queue" : " of a run");
      }
    }
  }
}

TEST_P(TransportSuite, AChainTellsTheTimeOfEachStepOnRequest) {
  ModelTensors tensors(session_);
  std::mt19937 random(5);
  const ChainModel model = ChainModel::Random(random, 200, 2);
  const Chain chain = *tensors.Build(model);
  tensors.Fill(ChainModel::RandomContents(random));
  const Lane lane = *session_.CreateLane();
  const absl::StatusOr<Completion> plain = lane.Run(chain);
  ASSERT_TRUE(plain.ok()) << plain.status();
  EXPECT_TRUE(plain->step_ns.empty());
  const absl::StatusOr<Completion> timed = lane.Run(chain, {.step_timings = true});
  ASSERT_TRUE(timed.ok()) << timed.status();
  ASSERT_EQ(timed->step_ns.size(), 400u);
  int64_t sum = 0;
  for (const int64_t step : timed->step_ns) {
    EXPECT_GT(step, 0);
    sum += step;
  }
  EXPECT_LE(sum, timed->total_ns);
}

// A hundred runs, a wait, a hundred runs: what ends it while it waits leaves the first hundred done
// and the rest undone.
TEST_P(TransportSuite, AChainIsEndedBetweenItsStepsByACancelAndByItsDeadline) {
  const Matmul m = PrepareMatmul(session_);
  const Surface after = *m.kernel.CreateSurface("y");
  const Invocation late =
      *m.kernel.Prepare().Bind("x", m.x).Bind("W", m.w).Bind("y", after).Build();
  const Fence fence = *session_.CreateFence();
  ChainBuilder builder = session_.NewChain("long");
  for (int i = 0; i < 100; ++i) builder.Run(m.invocation);
  builder.Wait(fence, 1);
  for (int i = 0; i < 100; ++i) builder.Run(late);
  const Chain chain = *builder.Build();
  for (const bool cancel : {true, false}) {
    ASSERT_TRUE(m.y.FillZero().ok());
    SubmissionQueue queue = OpenQueue(m.lane, 4);
    std::thread canceller([&] {
      if (!cancel) return;
      for (const absl::Time end = absl::Now() + absl::Seconds(20); absl::Now() < end;) {
        const absl::StatusOr<LaneStatus> lane = m.lane.Describe();
        if (lane.ok() && lane->blocked) break;
        absl::SleepFor(absl::Milliseconds(1));
      }
      EXPECT_EQ(m.lane.Cancel(9).value_or(0), 1u);
    });
    RunOptions options;
    if (!cancel) options.deadline = absl::Milliseconds(300);
    ASSERT_TRUE(queue.Submit(m.lane, chain, 9, options).ok());
    const absl::StatusOr<Completion> done = queue.Next(absl::Seconds(30));
    canceller.join();
    ASSERT_TRUE(done.ok()) << done.status();
    EXPECT_EQ(done->status.code(),
              cancel ? absl::StatusCode::kCancelled : absl::StatusCode::kDeadlineExceeded)
        << done->status;
    EXPECT_EQ(done->steps_done, 100u);
    if (!cancel) {
      EXPECT_THAT(std::string(done->status.message()), HasSubstr("between two steps"));
    }
    EXPECT_EQ(Read(m.y), Product(Ws(), Xs()));
    EXPECT_EQ(Read(after), std::vector<float>(6, 0));
  }
  ASSERT_TRUE(m.lane.Run(m.invocation).ok()) << "the lane goes on";
}

// The chain publishes in its middle: its own steps see the generation that it began with.
TEST_P(TransportSuite, AChainThatPublishesGoesOnWithTheGenerationThatItBeganWith) {
  const Matmul m = PrepareMatmul(session_);
  ParameterSetSpec spec;
  spec.parameters.push_back({"W", DType::kFp16, Shape({2, 4}), {}});
  const ParameterSet set = *session_.CreateParameterSet(spec);
  const Surface before = *m.kernel.CreateSurface("y"), after = *m.kernel.CreateSurface("y");
  const auto prepare = [&](const Surface& y) {
    return *m.kernel.Prepare().Bind("x", m.x).Bind("W", set).Bind("y", y).Build();
  };
  const Invocation first = prepare(before), second = prepare(after);
  const Chain chain = *session_.NewChain().Run(first).Publish(set).Run(second).Build();
  const std::vector<float> old_ws = {2, 0, 0, 1, -1, 3, 0.5f, 0};
  WriteGuard write = *set.BeginWrite();
  ASSERT_TRUE(write.CopyFrom("W", old_ws).ok());
  ASSERT_TRUE(write.Publish().ok());
  WriteGuard next = *set.BeginWrite();
  ASSERT_TRUE(next.CopyFrom("W", Ws()).ok());
  const absl::StatusOr<Completion> done = m.lane.Run(chain);
  ASSERT_TRUE(done.ok()) << done.status();
  next.Detach();  // the chain has published it
  EXPECT_EQ(Read(before), Product(old_ws, Xs()));
  EXPECT_EQ(Read(after), Product(old_ws, Xs()));
  ASSERT_TRUE(m.lane.Run(second).ok());
  EXPECT_EQ(Read(after), Product(Ws(), Xs()));
}

}  // namespace anex::test
