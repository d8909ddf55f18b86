// The main job, as a user starts it: two trainers share one daemon, each learns exactly what it
// learns alone, both beat the bigram, no tensor goes through gRPC, and an interrupt leaves nothing
// behind.

#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/e2e/process.h"
#include "tests/system/processes.h"

namespace anex::test {
namespace {

std::vector<std::string> DemoCommand(const std::vector<std::string>& more) {
  std::vector<std::string> command = {DEMO_BINARY,    "--anexd",     AnexdBinary(),
                                      "--anectl",     ANECTL_BINARY, "--trainer",
                                      TRAINER_BINARY, "--data",      ANEX_SOURCE_DIR};
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

// Processes whose command line names `folder`.
std::vector<pid_t> ProcessesThatName(const std::string& folder) {
  std::vector<pid_t> found;
  for (const pid_t pid : ProcessesOfAll()) {
    if (CommandLine(pid).find(folder) != std::string::npos) found.push_back(pid);
  }
  return found;
}

// Sanitizers make a step ten times slower: there the runs are too short to learn much, and what
// counts is that they are the same.
#if defined(ANEX_SANITIZED)
constexpr bool kLearns = false;
constexpr char kSteps[] = "24";
#else
constexpr bool kLearns = true;
constexpr char kSteps[] = "260";
#endif

TEST(TwoTrainers, LearnTogetherExactlyWhatEachLearnsAlone) {
  ScratchFolder folder;
  const std::string json = folder.Join("demo.json");
  auto demo = ChildProcess::Start(DemoCommand({"--steps", kSteps, "--json", json}));
  ASSERT_TRUE(demo.ok()) << demo.status();
  auto code = (*demo)->Wait(absl::Minutes(8));
  ASSERT_TRUE(code.ok()) << code.status();
  if (kLearns) {
    EXPECT_EQ(*code, 0) << (*demo)->output();
  }
  std::ifstream file(json);
  const nlohmann::json result = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(result.is_object()) << (*demo)->output();
  ASSERT_EQ(result["trainers"].size(), 2u);
  for (const nlohmann::json& trainer : result["trainers"]) {
    EXPECT_EQ(trainer["matches_solo"], true) << trainer;
    if (kLearns) {
      EXPECT_LT(trainer["val_loss"].get<double>(), trainer["bigram"].get<double>()) << trainer;
    }
    EXPECT_LT(trainer["bigram"].get<double>(), trainer["unigram"].get<double>()) << trainer;
  }
  EXPECT_NE(result["trainers"][0]["seed"], result["trainers"][1]["seed"]);
  EXPECT_EQ(result["daemon"]["grpc_tensor_bytes"], 0);
  EXPECT_EQ(result["daemon"]["sessions"].size(), 2u) << "the picture was taken while both were on";
}

class TwoTrainersEnded : public ::testing::TestWithParam<std::pair<int, int>> {};

// A signal, and the exit code that it makes.
INSTANTIATE_TEST_SUITE_P(Signals, TwoTrainersEnded,
                         ::testing::Values(std::pair{SIGINT, 128 + SIGINT},
                                           std::pair{SIGTERM, 128 + SIGTERM},
                                           std::pair{SIGKILL, 128 + SIGKILL}));

TEST_P(TwoTrainersEnded, LeaveNothingBehind) {
  auto demo = ChildProcess::Start(DemoCommand({"--steps", "100000"}));
  ASSERT_TRUE(demo.ok()) << demo.status();
  ASSERT_TRUE((*demo)->WaitForLine("loss", absl::Minutes(1)).ok()) << (*demo)->output();
  // The folder is that of the daemon which is the demo's child.
  std::string folder;
  for (const pid_t pid : ProcessesThatName("/tmp/anex-demo.")) {
    if (ParentOf(pid) != (*demo)->pid()) continue;
    const std::string line = CommandLine(pid);
    const size_t at = line.find("/tmp/anex-demo.");
    folder = line.substr(at, line.find_first_of(std::string("/\0", 2), at + 6) - at);
  }
  ASSERT_FALSE(folder.empty());
  EXPECT_TRUE(std::filesystem::exists(folder));
  (*demo)->Signal(GetParam().first);
  auto code = (*demo)->Wait(absl::Seconds(30));
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, GetParam().second);
  // One that was killed has its keeper clean up after it.
  const absl::Time end = absl::Now() + absl::Seconds(20);
  while (GetParam().first == SIGKILL && absl::Now() < end &&
         (std::filesystem::exists(folder) || !ProcessesThatName(folder).empty())) {
    absl::SleepFor(absl::Milliseconds(20));
  }
  EXPECT_FALSE(std::filesystem::exists(folder)) << folder;
  EXPECT_TRUE(ProcessesThatName(folder).empty());
}

}  // namespace
}  // namespace anex::test
