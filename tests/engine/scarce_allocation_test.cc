// Every allocation of a check, of a digest and of a compile fails once, and every one from some
// moment on: the answer is RESOURCE_EXHAUSTED or the right one, nothing throws, nobody waits for
// ever, and the next request is answered as if nothing had been.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "server/engine/compile/compile_service.h"
#include "server/mil/rule_info.h"
#include "tests/engine/compile_fixture.h"
#include "tests/engine/failing_new.h"

namespace anex::engine::testing {
namespace {

class RealClock final : public Clock {
 public:
  int64_t Now() const override { return absl::GetCurrentTimeNanos(); }
};

class ScarceAllocation : public ::testing::Test {
 protected:
  ScarceAllocation() {
    is_test = true;
    auto slot = DeviceSlot::Start(
        {"counting", [counts = counts_]() -> absl::StatusOr<std::unique_ptr<device::Device>> {
           return std::make_unique<CountingDevice>(counts);
         }});
    CompileServiceOptions options;
    options.devices = {*slot};
    options.engine_version = "0.1.0";
    options.breaker_ns = 0;
    options.breaker_longest_ns = 0;
    options.clock = &clock_;
    service_ = std::make_unique<CompileService>(std::move(options));
  }
  ~ScarceAllocation() override { who = Who::kNobody; }

  WaitLimit Soon() const { return {&clock_, clock_.Now() + 20'000'000'000, nullptr}; }

  // Which of a request's allocations are tried.
  struct Steps {
    int64_t first = 0, step = 1;
  };

  // Runs `ask`, a request, again and again, each time with more allocations before those that fail,
  // until all of it has room. Returns how many it makes.
  template <typename Ask>
  int64_t FailEach(Who whose, HowMany many, const Ask& ask, Steps steps) {
    for (int64_t k = steps.first;; k += steps.step) {
      left = k;
      how_many = many;
      who = whose;
      const auto answer = ask();
      who = Who::kNobody;
      if (left >= 0) {
        EXPECT_TRUE(answer.ok()) << answer.status();
        return k;
      }
      // A want of scratch memory (of a stable sort) may be got over.
      if (answer.ok()) continue;
      EXPECT_EQ(answer.status().code(), absl::StatusCode::kResourceExhausted)
          << "allocation " << k << ": " << answer.status();
      if (::testing::Test::HasFailure()) return k;
    }
  }

  template <typename Ask>
  int64_t AllocationsOf(const Ask& ask) {
    constexpr int64_t kPlenty = int64_t{1} << 40;
    left = kPlenty;
    who = Who::kThisThread;
    const auto answer = ask();
    who = Who::kNobody;
    return kPlenty - left;
  }

  RealClock clock_;
  std::shared_ptr<CompileCounts> counts_ = std::make_shared<CompileCounts>();
  std::unique_ptr<CompileService> service_;
};

// What a check says, in a form that compares.
std::string Told(const absl::StatusOr<CheckResult>& checked) {
  if (!checked.ok()) return checked.status().ToString();
  std::string told = std::to_string(checked->functions.size());
  for (const Diagnostic& finding : checked->diagnostics) {
    told += "\n" + std::to_string(finding.line) + ":" + std::to_string(finding.column) + " " +
            finding.code + " " + finding.message + " " + finding.help + " " + finding.source_line;
    for (const Diagnostic& note : finding.notes) told += " | " + note.message;
  }
  return told;
}

// The examples of all rules: one program for each finding there is. All allocations of some of
// them, and of the others some, beginning elsewhere in each: what they have in common, all of them
// make.
TEST_F(ScarceAllocation, ChecksOfEveryRulesExample) {
  int64_t allocations = 0, programs = 0;
  for (const auto& table : mil::AllRuleTables()) {
    for (const mil::RuleInfo& rule : table) {
      const ProgramSource source{.name = "a.mil", .text = std::string(rule.example), .weights = {}};
      const CompileOptions options{.device = rule.id.starts_with("ANE") ? "ane" : "",
                                   .options = {}};
      const auto check = [&] {
        return service_->Check(source, options, CheckPurpose::kCheck, Soon());
      };
      // Some are refused as they should be; failing must not make anything else of them.
      if (!check().ok()) continue;
      const std::string before = Told(check());
      for (const HowMany many : {HowMany::kOne, HowMany::kAllFromThere}) {
        const int64_t step = 1 + AllocationsOf(check) / (programs % 16 == 0 ? 1000 : 100);
        const Steps steps{programs % step, step};
        const auto ask = [&] {
          auto answer = check();
          who = Who::kNobody;
          if (answer.ok()) {
            EXPECT_EQ(Told(answer), before) << rule.id;
          }
          return answer;
        };
        allocations += FailEach(Who::kThisThread, many, ask, steps);
        EXPECT_EQ(Told(check()), before) << rule.id;
        ASSERT_FALSE(HasFailure()) << rule.id;
      }
      ++programs;
    }
  }
  EXPECT_GT(programs, 100);
  EXPECT_GT(allocations, 100 * programs);
}

constexpr char kProgram[] =
    "program(1.3)\n{\n  func main<ios18>(tensor<fp16, [2, 3]> x, state<tensor<fp16, [4]>> s) {\n"
    "    tensor<int32, [2]> a_name_that_is_longer_than_a_short_string = const()[val = "
    "tensor<int32, [2]>([3, 2])];\n"
    "    tensor<fp16, [4]> r = read_state(input = s);\n"
    "    tensor<fp16, [3, 2]> z = reshape(x = x, shape = "
    "a_name_that_is_longer_than_a_short_string);\n"
    "    tensor<fp16, [3, 2]> y = add(x = z, y = fp16(0x1p+0));\n  } -> (y, r);\n}\n";

TEST_F(ScarceAllocation, Digests) {
  for (const HowMany many : {HowMany::kOne, HowMany::kAllFromThere}) {
    // Those that were identified before need less: a new text each time.
    int64_t texts = 0;
    const auto ask = [&] {
      const Who armed = who.exchange(Who::kNobody);
      const ProgramSource source{.name = "a.mil",
                                 .text = kProgram + std::string(static_cast<size_t>(++texts), '\n'),
                                 .weights = {}};
      who = armed;
      return service_->Digest(source, {});
    };
    EXPECT_GT(FailEach(Who::kThisThread, many, ask, {}), 20);
  }
}

// Of those who ask, and of the threads that compile: nobody may be left waiting for a flight that
// is not there, and no thread may end the process.
TEST_F(ScarceAllocation, CompilesAndTheirThreads) {
  int64_t texts = 0;
  for (const Who whose : {Who::kThisThread, Who::kOtherThreads}) {
    for (const HowMany many : {HowMany::kOne, HowMany::kAllFromThere}) {
      const auto ask = [&]() -> absl::StatusOr<CompileResult> {
        const Who armed = who.exchange(Who::kNobody);
        // Another program each time: one that is loaded is shared.
        ++texts;
        ProgramSource source{.name = "a.mil", .text = kProgram, .weights = {}};
        source.text.replace(source.text.find("0x1p+0"), 6, std::to_string(texts));
        const ProgramSource again = source;
        const WaitLimit limit = Soon();
        who = armed;
        absl::StatusOr<CompileResult> answer = service_->Compile(std::move(source), {}, limit);
        who = Who::kNobody;
        const absl::StatusOr<CompileResult> second = service_->Compile(again, {}, Soon());
        EXPECT_TRUE(second.ok()) << second.status();
        return answer;
      };
      EXPECT_GT(FailEach(whose, many, ask, {}), 30);
    }
  }
}

}  // namespace
}  // namespace anex::engine::testing
