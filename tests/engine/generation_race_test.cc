// A million updates of a parameter set, published while kernels that read all of it run one after
// the other: no run sees two generations, and no iteration of a chain does.
//
// The device here computes nothing: it reads every word of every parameter and knows from the word
// where and in which generation it was written.

#include <gtest/gtest.h>
#include <sched.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/engine/engine.h"
#include "server/mil/program.h"
#include "tests/engine/objects_fixture.h"

namespace anex::engine::testing {
namespace {

constexpr uint64_t kAhead = 8;
constexpr absl::Duration kCloseFor = absl::Seconds(6);
constexpr size_t kParameters = 5, kWords = 12;  // [3, 4] each

// What a parameter's word holds in a generation: the first one holds the generation itself, all
// others what nobody else holds.
uint32_t WordOf(uint64_t generation, size_t parameter, size_t word) {
  if (parameter == 0 && word == 0) return static_cast<uint32_t>(generation);
  uint64_t x = (generation * kParameters + parameter) * kWords + word + 1;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return static_cast<uint32_t>((x ^ (x >> 31)) >> 16);
}

using Parameters = std::array<uint32_t*, kParameters>;

void Write(const Parameters& parameters, uint64_t generation) {
  for (size_t p = 0; p < kParameters; ++p) {
    for (size_t w = 0; w < kWords; ++w) parameters[p][w] = WordOf(generation, p, w);
  }
}

// The one generation that all of it is of; DATA_LOSS naming the first word that is of another.
// `pause`: others get the core in the middle of it.
absl::StatusOr<uint32_t> Read(const Parameters& parameters, bool pause) {
  const uint32_t generation = parameters[0][0];
  for (size_t p = kParameters; p-- > 0;) {
    for (size_t w = 0; w < kWords; ++w) {
      if (parameters[p][w] == WordOf(generation, p, w)) continue;
      return absl::DataLossError(
          absl::StrCat("word ", w, " of parameter ", p, " is not of generation ", generation));
    }
    if (pause && p == kParameters / 2) ::sched_yield();
  }
  if (parameters[0][0] == generation) return generation;
  return absl::DataLossError(absl::StrCat("generation ", generation, " has gone meanwhile"));
}

struct Witness {
  std::atomic<uint64_t> runs{0}, news{0};  // runs, and those that saw another one than before
  std::atomic<bool> close{true};           // others get the core in the middle of a run
  uint32_t last = 0;                       // the device thread's
};

// p0 .. p4 and maybe `seen`, what the step before saw; writes what it saw itself to y.
class WitnessRequest final : public device::Request {
 public:
  WitnessRequest(std::shared_ptr<Witness> witness, const FunctionInfo& function,
                 std::span<const device::BoundPort> ports)
      : witness_(std::move(witness)), ports_(ports.begin(), ports.end()) {
    for (const device::BoundPort& port : ports_) {
      auto* words = reinterpret_cast<uint32_t*>(port.region->data());
      const PortInfo& info = function.ports[port.port];
      if (info.direction == PortDirection::kOutput) {
        y_ = words;
      } else if (info.name == "seen") {
        seen_ = words;
      } else {
        parameters_[static_cast<size_t>(info.name[1] - '0')] = words;
      }
    }
  }
  absl::StatusOr<device::RunStats> Run(device::CallControl&) override {
    const uint64_t run = witness_->runs.fetch_add(1, std::memory_order_relaxed);
    const absl::StatusOr<uint32_t> generation =
        Read(parameters_, run % 8 == 0 && witness_->close.load());
    if (!generation.ok()) return generation.status();
    if (seen_ != nullptr && *seen_ != *generation) {
      return absl::DataLossError(absl::StrCat("the step before saw generation ", *seen_,
                                              ", this one of the same iteration ", *generation));
    }
    if (std::exchange(witness_->last, *generation) != *generation) {
      witness_->news.fetch_add(1, std::memory_order_relaxed);
    }
    *y_ = *generation;
    return device::RunStats{1};
  }

 private:
  const std::shared_ptr<Witness> witness_;
  const std::vector<device::BoundPort> ports_;
  Parameters parameters_{};
  uint32_t *seen_ = nullptr, *y_ = nullptr;
};

class WitnessExecutable final : public device::Executable {
 public:
  WitnessExecutable(std::shared_ptr<Witness> witness, FunctionInfo function)
      : witness_(std::move(witness)), functions_{std::move(function)} {}
  std::span<const FunctionInfo> functions() const override { return functions_; }
  absl::StatusOr<std::unique_ptr<device::Request>> Prepare(
      size_t function, std::span<const device::BoundPort> ports) override {
    return std::make_unique<WitnessRequest>(witness_, functions_[function], ports);
  }
  uint64_t resident_bytes() const override { return 64; }

 private:
  const std::shared_ptr<Witness> witness_;
  const std::vector<FunctionInfo> functions_;
};

class WitnessDevice final : public device::Device {
 public:
  explicit WitnessDevice(std::shared_ptr<Witness> witness) : witness_(std::move(witness)) {
    capabilities_.name = "witness";
    capabilities_.compiler_version = "1";
  }
  const device::Capabilities& capabilities() const override { return capabilities_; }
  absl::StatusOr<device::Artifact> Compile(std::shared_ptr<const mil::Program> program,
                                           const device::DeviceOptions& options,
                                           const device::BuildContext&) override {
    return device::Artifact{std::move(program), options, {}};
  }
  absl::StatusOr<std::shared_ptr<device::Executable>> Load(const device::Artifact& artifact,
                                                           const device::BuildContext&) override {
    const mil::Function& function = artifact.program->functions.front();
    FunctionInfo info{function.name, {}};
    const auto add = [&](mil::ValueId id, PortDirection direction) {
      const mil::Value& value = function.value(id);
      info.ports.push_back({value.name, direction,
                            *MakePackedLayout(value.type.tensor.dtype, value.type.tensor.shape)});
    };
    for (const auto id : function.inputs) add(id, PortDirection::kInput);
    for (const auto id : function.outputs) add(id, PortDirection::kOutput);
    return std::make_shared<WitnessExecutable>(witness_, std::move(info));
  }
  absl::StatusOr<TensorLayout> PreferredLayout(DType dtype, const Shape& shape) const override {
    return MakePackedLayout(dtype, shape);
  }

 private:
  const std::shared_ptr<Witness> witness_;
  device::Capabilities capabilities_;
};

// Sums its inputs: p0 .. p4, and `seen` if it has that.
ProgramSource Program(bool with_seen) {
  const std::string type = "tensor<fp32, [3, 4]>";
  std::string inputs, body, sum = "p0";
  for (size_t p = 0; p < kParameters; ++p) {
    absl::StrAppend(&inputs, p == 0 ? "" : ", ", type, " p", p);
  }
  if (with_seen) absl::StrAppend(&inputs, ", ", type, " seen");
  for (size_t p = 1; p < kParameters; ++p) {
    absl::StrAppend(&body, "    ", type, " s", p, " = add(x = ", sum, ", y = p", p, ");\n");
    sum = absl::StrCat("s", p);
  }
  absl::StrAppend(&body, "    ", type, " y = add(x = ", sum, ", y = ", with_seen ? "seen" : "p0",
                  ");\n");
  return {with_seen ? "second.mil" : "first.mil",
          absl::StrCat("program(1.3)\n{\n  func main<ios18>(", inputs, ") {\n", body,
                       "  } -> (y);\n}\n"),
          {}};
}

class GenerationRace : public ::testing::Test {
 protected:
  GenerationRace() {
    EngineOptions options{*device::DeviceList::Make(
        {{"witness", [witness = witness_]() -> absl::StatusOr<std::unique_ptr<device::Device>> {
            return std::make_unique<WitnessDevice>(witness);
          }}})};
    options.version = "test";
    engine_ = *Engine::Create(std::move(options));
    caller_.identity = {Identity::Kind::kInProcess, 501, 7, ""};
    caller_.session = engine_->Open(caller_, {.client_name = "race"})->id;
    first_ = engine_->Compile(caller_, Program(false), {})->id;
    second_ = engine_->Compile(caller_, Program(true), {})->id;
    y_ = NewSurface();
    a_ = NewSurface();
    b_ = NewSurface();
  }

  SurfaceId NewSurface() {
    return engine_->CreateSurface(caller_, {.dtype = DType::kFp32, .shape = Shape({3, 4})})->id;
  }
  uint32_t* WordsOf(SurfaceId surface) {
    return reinterpret_cast<uint32_t*>((*engine_->MapSurface(caller_, surface))->data());
  }
  ParameterSetInfo MakeSet(ParameterMode mode) {
    ParameterSetSpec spec{.mode = mode, .parameters = {}, .label = "weights"};
    for (size_t p = 0; p < kParameters; ++p) {
      spec.parameters.push_back({absl::StrCat("p", p), DType::kFp32, Shape({3, 4}), {}});
    }
    return *engine_->CreateParameterSet(caller_, spec);
  }
  InvocationId Prepare(KernelId kernel, ParameterSetId set, SurfaceId y, SurfaceId seen = {}) {
    std::vector<Binding> bindings = {{"y", y}};
    for (size_t p = 0; p < kParameters; ++p) {
      bindings.push_back({absl::StrCat("p", p), ParameterRef{set, absl::StrCat("p", p)}});
    }
    if (seen) bindings.push_back({"seen", seen});
    const auto invocation = engine_->Prepare(caller_, {kernel, "", bindings});
    EXPECT_TRUE(invocation.ok()) << invocation.status();
    return *invocation;
  }

  // Publishes generations 1 to `updates`, one after the other. As long as the race is close at most
  // kAhead of them lie between two runs, or the readers would miss most of it; the rest, on a
  // machine with much else to do, goes as it goes.
  void Publish(const ParameterSetInfo& set, uint64_t updates) {
    std::array<Parameters, 2> buffers;
    for (size_t p = 0; p < kParameters; ++p) {
      for (size_t b : {0, 1}) buffers[b][p] = WordsOf(set.parameters[p].buffers[b]);
    }
    const absl::Time close_until = absl::Now() + kCloseFor;
    uint64_t runs = 0;
    for (uint64_t generation = 1; generation <= updates; ++generation) {
      while (generation % kAhead == 0 && witness_->close.load() && !HasFailure() &&
             witness_->runs.load() == runs) {
        ::sched_yield();
        if (absl::Now() > close_until) witness_->close.store(false);
      }
      runs = witness_->runs.load();
      const absl::StatusOr<WriteLease> lease = engine_->BeginWrite(caller_, set.id, 0);
      ASSERT_TRUE(lease.ok()) << lease.status();
      ASSERT_EQ(lease->generation, generation);
      Write(buffers[lease->buffer], generation);
      ASSERT_EQ(engine_->Publish(caller_, lease->id, generation).value_or(0), generation);
    }
  }

  // Keeps runs and chains in flight in two lanes until `over`; each is judged as it comes back.
  void Evaluate(const ParameterSetInfo& set, const std::atomic<bool>& over) {
    // What a chain's first step tells its second one is theirs alone: chains are all in one lane.
    const InvocationId run = Prepare(first_, set.id, y_);
    const ChainId chain = *engine_->DefineChain(
        caller_,
        {.steps = {Prepare(first_, set.id, a_), Prepare(second_, set.id, b_, a_)}, .repeat = 3});
    std::array<LaneId, 2> lanes{*engine_->CreateLane(caller_, {}),
                                *engine_->CreateLane(caller_, {})};
    std::array<uint64_t, 2> last{};
    auto completions = engine_->CreateCompletionQueue(16);
    const auto submit = [&](uint64_t number) {
      const bool chained = number % 4 == 3;
      return engine_->Submit(
          caller_,
          {.lane = lanes[number % 2],
           .user_data = number % 2,
           .kind = chained ? SubmissionKind::kChain : SubmissionKind::kInvocation,
           .target = chained ? chain.value() : run.value()},
          completions);
    };
    uint64_t submitted = 0;
    for (; submitted < 16; ++submitted) ASSERT_TRUE(submit(submitted).ok());
    while (completions->outstanding() > 0) {
      const std::optional<Completion> done = completions->Next(absl::Seconds(60));
      ASSERT_TRUE(done.has_value());
      ASSERT_TRUE(done->status.ok()) << done->status;
      ASSERT_GE(done->generation, last[done->user_data]) << "generations never go back in a lane";
      last[done->user_data] = done->generation;
      if (!over.load()) {
        ASSERT_TRUE(submit(submitted++).ok());
      }
    }
  }

  void Race(ParameterMode mode, uint64_t updates) {
    const ParameterSetInfo set = MakeSet(mode);
    Parameters unpublished;  // what is there before the first Publish is a generation, too
    for (size_t p = 0; p < kParameters; ++p) {
      unpublished[p] = WordsOf(set.parameters[p].buffers[set.front_buffer]);
    }
    Write(unpublished, 0);
    std::atomic<bool> over{false};
    const absl::Time start = absl::Now();
    std::thread writer([&] {
      Publish(set, updates);
      over.store(true);
    });
    Evaluate(set, over);
    writer.join();
    std::printf(
        "%s: %lu updates and %lu runs in %.1f s; %lu runs saw another generation than the "
        "one before\n",
        mode == ParameterMode::kDouble ? "double" : "fenced", static_cast<unsigned long>(updates),
        static_cast<unsigned long>(witness_->runs.load()),
        absl::ToDoubleSeconds(absl::Now() - start),
        static_cast<unsigned long>(witness_->news.load()));
    EXPECT_EQ(engine_->DescribeParameterSet(caller_, set.id)->generation, updates);
    // The last one is seen by whoever comes now.
    const LaneId lane = *engine_->CreateLane(caller_, {});
    const auto done =
        engine_->Evaluate(caller_, {.lane = lane, .target = Prepare(first_, set.id, y_).value()});
    ASSERT_TRUE(done.ok() && done->status.ok());
    EXPECT_EQ(done->generation, updates);
    EXPECT_EQ(*WordsOf(y_), static_cast<uint32_t>(updates));
  }

  const std::shared_ptr<Witness> witness_ = std::make_shared<Witness>();
  std::unique_ptr<Engine> engine_;
  Caller caller_;
  KernelId first_, second_;
  SurfaceId y_, a_, b_;
};

TEST_F(GenerationRace, NoReaderSeesTwoGenerationsInAMillionUpdatesOfADoubleSet) {
  Race(ParameterMode::kDouble, 900'000);
  EXPECT_GT(witness_->news.load(), 100u) << "they did not race";
}

TEST_F(GenerationRace, NorOfAFencedOne) {
  Race(ParameterMode::kFenced, 100'000);
  EXPECT_GT(witness_->news.load(), 20u) << "they did not race";
}

TEST(GenerationWitness, SeesASingleWordOfAnotherGeneration) {
  std::array<std::array<uint32_t, kWords>, kParameters> memory;
  Parameters parameters;
  for (size_t p = 0; p < kParameters; ++p) parameters[p] = memory[p].data();
  for (size_t p = 0; p < kParameters; ++p) {
    for (size_t w = 0; w < kWords; ++w) {
      Write(parameters, 70'000);
      ASSERT_EQ(Read(parameters, false).value_or(0), 70'000u);
      for (const uint64_t other : {uint64_t{69'999}, uint64_t{70'001}, uint64_t{0}}) {
        memory[p][w] = WordOf(other, p, w);
        EXPECT_FALSE(Read(parameters, false).ok()) << p << " " << w << " of " << other;
        memory[p][w] = WordOf(70'000, p, w);
      }
    }
  }
}

}  // namespace
}  // namespace anex::engine::testing
