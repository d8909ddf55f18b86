// Every limit of the table is provoked by name: its refusal names the bound, its value and its
// setting, and the engine serves on. What is no refusal says what it is instead. A limit that is
// added without either fails here.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/engine/engine_fixture.h"

namespace anex::engine::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class EveryLimit : public EngineTest, public ::testing::WithParamInterface<std::string> {
 public:
  // How each limit is provoked: sets it low, goes over it, and gives back what was said.
  using Provoke = absl::Status (EveryLimit::*)();
  static const std::map<std::string, Provoke>& Refusals();
  static const std::map<std::string, std::string>& Others();

 protected:
  void Set(const std::string& name, uint64_t value) {
    const auto set = engine_->SetLimits(Anyone(), {{name, value}});
    ASSERT_TRUE(set.ok()) << set.status();
  }
  void Set(uint64_t value) { Set(GetParam(), value); }
  Caller Local(int64_t pid) {
    Caller caller = Anyone();
    caller.identity.kind = Identity::Kind::kLocalUser;
    caller.identity.pid = pid;
    return caller;
  }
  static ProgramSource Program(int number) {
    return {"numbered.mil",
            absl::StrCat("program(1.3)\n{\n  func main<ios18>(tensor<fp32, [2, ", number + 1,
                         "]> x) {\n    tensor<fp32, [2, ", number + 1,
                         "]> y = add(x = x, y = fp32(1));\n  } -> (y);\n}\n"),
            {}};
  }
  static SurfaceSpec Spec(int64_t rows, int64_t columns) {
    return {.dtype = DType::kFp32, .shape = Shape({rows, columns})};
  }
  absl::StatusOr<ParameterSetInfo> MakeSet(const Caller& caller, std::vector<std::string> names) {
    ParameterSetSpec spec;
    for (std::string& name : names) {
      spec.parameters.push_back({std::move(name), DType::kFp32, Shape({2, 3}), {}});
    }
    return engine_->CreateParameterSet(caller, spec);
  }

  absl::Status OpenTwo() {
    Set(1);
    if (const auto first = engine_->Open(Local(71), {}); !first.ok()) return absl::OkStatus();
    return engine_->Open(Local(71), {}).status();
  }
  absl::Status MakeTwoSurfaces() {
    const Caller ann = OpenSession();
    Set(1);
    NewSurface(ann);
    return engine_->CreateSurface(ann, Spec(2, 3)).status();
  }
  absl::Status MakeALargeSurface() {
    const Caller ann = OpenSession();
    Set(4096);
    return engine_->CreateSurface(ann, Spec(64, 1024)).status();
  }
  absl::Status HoldTwoKernels() {
    const Caller ann = OpenSession();
    Set(1);
    NewKernel(ann);
    return engine_->Compile(ann, Program(1), {}).status();
  }
  absl::Status LoadMuch() {
    const Caller ann = OpenSession();
    NewKernel(ann);
    Set(4096);
    return engine_->Compile(ann, Program(1), {}).status();
  }
  absl::Status MakeTwoSets() {
    const Caller ann = OpenSession();
    Set(1);
    return MakeSet(ann, {"w"}).ok() ? MakeSet(ann, {"w"}).status() : absl::OkStatus();
  }
  absl::Status MakeALargeSet() {
    Set(1);
    return MakeSet(OpenSession(), {"w", "v"}).status();
  }
  absl::Status PrepareTwo() {
    const Caller ann = OpenSession();
    Set(1);
    const Ready ready = GetReady(ann);
    return engine_
        ->Prepare(ann, {ready.kernel, "", {{"x", ready.x}, {"w", ready.w}, {"y", ready.y}}})
        .status();
  }
  absl::Status BindTwoSets() {
    const Caller ann = OpenSession();
    const Ready ready = GetReady(ann);
    const auto first = MakeSet(ann, {"x"}), second = MakeSet(ann, {"w"});
    Set(1);
    return engine_
        ->Prepare(ann, {ready.kernel,
                        "",
                        {{"x", ParameterRef{first->id, "x"}},
                         {"w", ParameterRef{second->id, "w"}},
                         {"y", ready.y}}})
        .status();
  }
  absl::Status DefineTwoChains() {
    const Caller ann = OpenSession();
    const Ready ready = GetReady(ann);
    Set(1);
    const ChainSpec chain{.steps = {ready.invocation}};
    if (!engine_->DefineChain(ann, chain).ok()) return absl::OkStatus();
    return engine_->DefineChain(ann, chain).status();
  }
  absl::Status DefineALongChain() {
    const Caller ann = OpenSession();
    const Ready ready = GetReady(ann);
    Set(1);
    return engine_->DefineChain(ann, {.steps = {ready.invocation, ready.invocation}}).status();
  }
  absl::Status DefineAChainOfManyRounds() {
    const Caller ann = OpenSession();
    const Ready ready = GetReady(ann);
    Set(1);
    return engine_->DefineChain(ann, {.steps = {ready.invocation}, .repeat = 2}).status();
  }
  absl::Status MakeTwoLanes() {
    const Caller ann = OpenSession();
    Set(1);
    return engine_->CreateLane(ann, {}).ok() ? engine_->CreateLane(ann, {}).status()
                                             : absl::OkStatus();
  }
  absl::Status MakeTwoFences() {
    const Caller ann = OpenSession();
    Set(1);
    return engine_->CreateFence(ann, 0).ok() ? engine_->CreateFence(ann, 0).status()
                                             : absl::OkStatus();
  }
  // One runs, and `queued` wait; then one more.
  absl::Status Submit(int queued) {
    const Caller ann = OpenSession();
    const Ready ready = GetReady(ann);
    auto completions = engine_->CreateCompletionQueue(16);
    gate_->Shut();
    for (int i = 0; i <= queued; ++i) {
      EXPECT_TRUE(engine_->Submit(ann, Run(ready), completions).ok()) << i;
      gate_->WaitBegun(1);
    }
    const absl::Status refused = engine_->Submit(ann, Run(ready), completions);
    gate_->Open();
    return refused;
  }
  absl::Status SubmitTwo() {
    Set(1);
    return Submit(0);
  }
  absl::Status SubmitThree() {
    Set(1);
    return Submit(1);
  }
  absl::Status CallAtOnce(uint64_t most) {
    Set(most);
    std::vector<QuotaPlace> places;
    for (uint64_t i = 0; i < most; ++i) {
      auto place = engine_->AdmitCall(Local(71));
      EXPECT_TRUE(place.ok()) << place.status();
      places.push_back(*std::move(place));
    }
    return engine_->AdmitCall(Local(71)).status();
  }
  absl::Status MakeFiveCalls() { return CallAtOnce(4); }
  absl::Status MakeSeventeenCalls() { return CallAtOnce(16); }
  absl::Status OpenTwoStreams() {
    const Caller ann = OpenSession();
    Set(1);
    const auto first = engine_->OpenStream(ann, 4);
    return first.ok() ? engine_->OpenStream(ann, 4).status() : absl::OkStatus();
  }
  absl::Status HoldTwoTokens() {
    const Caller ann = OpenSession();
    const SurfaceId surface = NewSurface(ann);
    Set(1);
    const auto first = engine_->PrepareHandover(ann, surface, Access::kReadOnly);
    return first.ok() ? engine_->PrepareHandover(ann, surface, Access::kReadOnly).status()
                      : absl::OkStatus();
  }
  absl::Status CompileOne() {
    Set(1);
    return engine_->Compile(OpenSession(), Program(1), {}).status();
  }
  absl::Status CompileTwo() {
    const Caller ann = OpenSession();
    NewKernel(ann);  // what the test runs afterwards is there, and costs nothing
    Set(1);
    return engine_->Compile(ann, Program(1), {}).ok()
               ? engine_->Compile(ann, Program(2), {}).status()
               : absl::OkStatus();
  }
  absl::Status CompileWithWeights() {
    Set(0);
    ProgramSource source = Program(1);
    source.weights["w.bin"] = std::make_shared<const std::string>(10, 'w');
    return engine_->Compile(OpenSession(), source, {}).status();
  }
  absl::Status Upload() {
    const Caller ann = OpenSession();
    Set(4096);
    return engine_->AdmitUpload(ann, 5000).status();
  }
};

const std::map<std::string, EveryLimit::Provoke>& EveryLimit::Refusals() {
  static const auto& all = *new std::map<std::string, Provoke>{
      {"sessions", &EveryLimit::OpenTwo},
      {"sessions_per_uid", &EveryLimit::OpenTwo},
      {"sessions_per_process", &EveryLimit::OpenTwo},
      {"surfaces", &EveryLimit::MakeTwoSurfaces},
      {"surfaces_per_session", &EveryLimit::MakeTwoSurfaces},
      {"surface_bytes", &EveryLimit::MakeALargeSurface},
      {"surface_bytes_per_session", &EveryLimit::MakeALargeSurface},
      {"kernels", &EveryLimit::HoldTwoKernels},
      {"kernels_per_session", &EveryLimit::HoldTwoKernels},
      {"kernel_bytes", &EveryLimit::LoadMuch},
      {"kernel_bytes_per_session", &EveryLimit::LoadMuch},
      {"parameter_sets_per_session", &EveryLimit::MakeTwoSets},
      {"parameters_per_set", &EveryLimit::MakeALargeSet},
      {"invocations_per_session", &EveryLimit::PrepareTwo},
      {"sets_per_invocation", &EveryLimit::BindTwoSets},
      {"chains_per_session", &EveryLimit::DefineTwoChains},
      {"chain_steps", &EveryLimit::DefineALongChain},
      {"chain_repeat", &EveryLimit::DefineAChainOfManyRounds},
      {"lanes_per_session", &EveryLimit::MakeTwoLanes},
      {"fences_per_session", &EveryLimit::MakeTwoFences},
      {"queued", &EveryLimit::SubmitTwo},
      {"queued_per_session", &EveryLimit::SubmitTwo},
      {"lane_depth", &EveryLimit::SubmitThree},
      {"calls", &EveryLimit::MakeSeventeenCalls},
      {"calls_per_process", &EveryLimit::MakeFiveCalls},
      {"streams", &EveryLimit::OpenTwoStreams},
      {"streams_per_session", &EveryLimit::OpenTwoStreams},
      {"completions_per_queue", &EveryLimit::SubmitTwo},
      {"handovers_per_session", &EveryLimit::HoldTwoTokens},
      {"compiles_per_minute", &EveryLimit::CompileTwo},
      {"compiles_per_minute_per_session", &EveryLimit::CompileTwo},
      {"compile_text_bytes", &EveryLimit::CompileOne},
      {"compile_weight_bytes", &EveryLimit::CompileWithWeights},
      {"upload_bytes", &EveryLimit::Upload},
      {"upload_bytes_per_session", &EveryLimit::Upload},
  };
  return all;
}

const std::map<std::string, std::string>& EveryLimit::Others() {
  static const auto& all = *new std::map<std::string, std::string>{
      {"concurrent_compiles", "further ones wait for their turn, until compile_deadline_ns"},
      {"compile_deadline_ns", "a longer compile is DEADLINE_EXCEEDED and names it"},
      {"write_lease_ns", "a lease that is asked for longer is given for that long"},
      {"attach_deadline_ns", "the session ends, and says so in the log"},
      {"default_submission_deadline_ns", "later work is DEADLINE_EXCEEDED"},
      {"device_hang_ns", "the step is given up: DEADLINE_EXCEEDED, and names it"},
      {"cache_bytes", "older entries go; a program that is larger alone is compiled, not kept"},
      {"unpublished_import_ns", "the token is not found any more"},
      {"asked_weight", "who asks for more has that much"},
      {"interactive_kept_permille", "a share of the device's time"},
      {"default_kept_permille", "a share of the device's time"},
      {"utility_kept_permille", "a share of the device's time"},
      {"background_kept_permille", "a share of the device's time"},
  };
  return all;
}

TEST_P(EveryLimit, NamesItselfItsValueAndItsSettingWhenItRefuses) {
  const absl::Status refused = (this->*Refusals().at(GetParam()))();
  uint64_t value = 0;
  for (const LimitInfo& limit : engine_->GetLimits(Anyone())) {
    if (limit.name == GetParam()) value = limit.value;
  }
  ASSERT_EQ(refused.code(), absl::StatusCode::kResourceExhausted) << refused;
  const std::string said(refused.message());
  EXPECT_THAT(said, StartsWith(absl::StrCat(GetParam(), "=", value, ": ")));
  EXPECT_THAT(said, HasSubstr(absl::StrCat("`anectl limits ", GetParam(), "=N`")));
  // With the bound as it was, the next one is served.
  engine_->Reconfigure({}, {});
  const Caller bob = OpenSession("bob");
  const Ready ready = GetReady(bob);
  EXPECT_TRUE(engine_->Evaluate(bob, Run(ready))->status.ok());
}

std::vector<std::string> NamesOfRefusals() {
  std::vector<std::string> names;
  for (const auto& [name, provoke] : EveryLimit::Refusals()) names.push_back(name);
  return names;
}
INSTANTIATE_TEST_SUITE_P(All, EveryLimit, ::testing::ValuesIn(NamesOfRefusals()),
                         [](const auto& info) { return info.param; });

TEST(LimitsTable, EveryLimitIsProvokedOrIsNoRefusal) {
  for (const LimitInfo& limit : Limits().List()) {
    const bool refuses = EveryLimit::Refusals().contains(limit.name);
    EXPECT_NE(refuses, EveryLimit::Others().contains(limit.name))
        << limit.name << ": provoke its refusal here, or say what it does instead";
  }
  EXPECT_EQ(Limits().List().size(), EveryLimit::Refusals().size() + EveryLimit::Others().size())
      << "of limits that there are no more";
}

}  // namespace
}  // namespace anex::engine::testing
