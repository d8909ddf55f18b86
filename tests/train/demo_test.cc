#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/time/clock.h"
#include "client/examples/train/demo/child_process.h"
#include "client/examples/train/demo/keeper.h"
#include "client/examples/train/demo/live_view.h"
#include "client/examples/train/demo/private_folder.h"
#include "client/examples/train/demo/summary.h"
#include "client/examples/train/demo/training_run.h"
#include "client/examples/train/report.h"
#include "client/examples/train/trainer_flags.h"
#include "tests/system/processes.h"

namespace anex::train {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kLongText = 1 << 20;

RunReport Report(int seed, double val_loss) {
  return {.name = "trainer-" + std::to_string(seed),
          .seed = static_cast<uint64_t>(seed),
          .steps = 2,
          .val_loss = val_loss,
          .unigram = 3.5,
          .bigram = 2.5,
          .tokens_per_s = 1000.0 * seed,
          .losses = {"0x1p+2", "0x1.8p+1"},
          .samples = {"two\nlines"}};
}

TEST(ProgressLineTest, FollowsATrainer) {
  RunState state{.name = "t"};
  EXPECT_TRUE(TakeProgressLine(R"({"event":"start","seed":7,"steps":40})", state));
  EXPECT_THAT(ProgressLine(state), HasSubstr("0/40  preparing"));
  EXPECT_TRUE(TakeProgressLine(
      R"({"event":"step","step":10,"steps":40,"loss":2.5,"tokens_per_s":321.4})", state));
  state.share = 0.494;
  EXPECT_EQ(ProgressLine(state),
            "t  [######                  ]    10/40  loss 2.500      321 tokens/s  device  49%");
  EXPECT_TRUE(TakeProgressLine(R"({"event":"done","tokens_per_s":400})", state));
  EXPECT_TRUE(state.done);
}

TEST(ProgressLineTest, OtherLinesChangeNothing) {
  RunState state{.name = "t", .step = 3, .steps = 4};
  for (const char* line : {"", "anexd: hello", "[1]", "{}", R"({"event":"else"})",
                           R"({"event":"step","step":"ten"})"}) {
    EXPECT_FALSE(TakeProgressLine(line, state)) << line;
  }
  EXPECT_EQ(state.step, 3);
}

TEST(RunReportTest, ReadsWhatTheTrainerWrites) {
  const TrainReport written{.name = "a",
                            .seed = 9,
                            .steps = 2,
                            .baselines = {.unigram = 3.25, .bigram = 2.125},
                            .losses = {4.0, 0.1},
                            .val_loss = 1.5,
                            .tokens_per_s = 10,
                            .samples = {"\xff not UTF-8"}};
  const auto read = ParseRunReport(ReportJson(written));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->seed, 9u);
  EXPECT_EQ(read->bigram, 2.125);
  ASSERT_EQ(read->losses.size(), 2u);
  EXPECT_EQ(std::stod(read->losses[1]), 0.1);  // no bit lost
}

// A trainer whose driver was killed must not train on for nobody.
TEST(ProgressTest, SaysWhenNobodyReadsItAnyMore) {
  EXPECT_EXIT(
      {
        ::signal(SIGPIPE, SIG_IGN);
        int ends[2];
        if (::pipe(ends) != 0 || ::dup2(ends[1], STDOUT_FILENO) < 0) ::_exit(9);
        Progress progress(ProgressStyle::kJson, 1);
        progress.Start({.name = "t", .steps = 2});
        if (!progress.Step(2, 2, 1.0).ok()) ::_exit(8);  // the reader is still there
        ::close(ends[0]);
        ::_exit(absl::IsCancelled(progress.Step(2, 2, 1.0)) ? 0 : 7);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST(RunReportTest, RefusesATornReport) {
  const std::string whole = ReportJson({.name = "a", .steps = 1, .losses = {1.0}});
  EXPECT_TRUE(ParseRunReport(whole).ok());
  EXPECT_FALSE(ParseRunReport(whole.substr(0, whole.size() / 2)).ok());
  EXPECT_FALSE(ParseRunReport("{}").ok());
  EXPECT_FALSE(ParseRunReport(ReportJson({.name = "a", .steps = 3, .losses = {1.0}})).ok());
}

TEST(VerdictTest, IsGoodForEqualCurvesBelowTheBigram) {
  const std::vector<Comparison> good = {{Report(1, 2.0), Report(1, 2.0)},
                                        {Report(2, 2.1), Report(2, 2.1)}};
  EXPECT_TRUE(Verdict(good, kLongText).ok());
  EXPECT_EQ(Remarks(good, kLongText), "");
}

TEST(VerdictTest, NamesTheTrainerWhoseCurveDiffers) {
  Comparison comparison{Report(2, 2.0), Report(2, 2.0)};
  comparison.alone.losses[1] = "0x1.8000000000001p+1";
  EXPECT_FALSE(MatchesSolo(comparison));
  const absl::Status verdict = Verdict({{Report(1, 2.0), Report(1, 2.0)}, comparison}, kLongText);
  EXPECT_EQ(verdict.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(verdict.message()), HasSubstr("trainer-2"));
}

TEST(VerdictTest, IsBadForALossNotBelowTheBigramOrNotANumber) {
  for (const double loss : {2.5, 2.6, std::nan("")}) {
    RunReport report = Report(1, loss);
    report.steps = 260;
    EXPECT_FALSE(Verdict({{report, report}}, kLongText).ok()) << loss;
  }
}

TEST(VerdictTest, ARunTooShortToLearnIsNoFailureAndSaysWhatSuffices) {
  RunReport report = Report(1, 2.6);
  for (const auto& [steps, text] : {std::pair{20, kLongText}, {600, kLongText / 100}}) {
    report.steps = steps;
    EXPECT_TRUE(Verdict({{report, report}}, text).ok()) << steps;
    EXPECT_THAT(Remarks({{report, report}}, text), HasSubstr("at least --steps 260"));
  }
  report.val_loss = std::nan("");
  EXPECT_FALSE(Verdict({{report, report}}, kLongText / 100).ok());
  RunReport other = Report(1, 2.6);
  other.losses[0] = "0x1p+3";
  EXPECT_FALSE(Verdict({{Report(1, 2.6), other}}, kLongText / 100).ok());
}

TEST(SummaryTest, JsonHasExactlyThePromisedFields) {
  Comparison differing{Report(2, 2.25), Report(2, 2.25)};
  differing.alone.losses.pop_back();
  const auto json = nlohmann::json::parse(
      SummaryJson({{Report(1, 2.0), Report(1, 2.0)}, differing}, R"({"health":"serving"})"));
  const auto expected = nlohmann::json::parse(R"({"trainers":[
      {"seed":1,"steps":2,"val_loss":2.0,"unigram":3.5,"bigram":2.5,"matches_solo":true,"tokens_per_s":1000.0},
      {"seed":2,"steps":2,"val_loss":2.25,"unigram":3.5,"bigram":2.5,"matches_solo":false,"tokens_per_s":2000.0}],
      "daemon":{"health":"serving"}})");
  EXPECT_EQ(json, expected);
  EXPECT_EQ(nlohmann::json::parse(SummaryJson({}, "no json"))["daemon"], nlohmann::json::object());
}

TEST(SummaryTest, TableTellsBothRounds) {
  Comparison comparison{Report(1, 2.0), Report(1, 2.0)};
  comparison.alone.tokens_per_s = 800;
  const std::string table = SummaryTable({comparison});
  EXPECT_THAT(table, HasSubstr("same as solo"));
  EXPECT_THAT(table, HasSubstr("together 1000 tokens/s = 1.25 x one trainer alone"));
  EXPECT_THAT(SampleText({comparison}), HasSubstr("two\n    lines"));
}

TEST(PrivateFolderTest, IsOursAloneAndGoesWithWhatItHolds) {
  auto folder = PrivateFolder::Make();
  ASSERT_TRUE(folder.ok()) << folder.status();
  const std::string path = (*folder)->path();
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms::owner_all);
  std::filesystem::create_directories((*folder)->Join("a/b"));
  *folder = nullptr;
  EXPECT_FALSE(std::filesystem::exists(path));
}

// A demonstration in small that is killed, or ends in order: `sleep` for a daemon.
int RunKept(bool killed, const std::string& folder, const std::string& pid_file) {
  const pid_t process = ::fork();
  if (process == 0) {
    auto keeper = Keeper::Start(folder);
    auto child = ChildProcess::Start({"/bin/sleep", "100"});
    if (!keeper.ok() || !child.ok()) ::_exit(9);
    (*keeper)->Watch((*child)->pid());
    std::ofstream(pid_file) << (*child)->pid() << std::flush;
    if (killed) ::kill(::getpid(), SIGKILL);
    keeper->reset();
    child->release();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(process, &status, 0);
  int pid = 0;
  std::ifstream(pid_file) >> pid;
  return pid;
}

TEST(KeeperTest, EndsTheDaemonAndRemovesTheFolderOfAKilledDemonstration) {
  auto outer = PrivateFolder::Make();
  ASSERT_TRUE(outer.ok()) << outer.status();
  const std::string kept = (*outer)->Join("kept");
  std::filesystem::create_directories(kept + "/cache");
  const int pid = RunKept(true, kept, (*outer)->Join("pid"));
  ASSERT_GT(pid, 0);
  bool running = true;
  for (int i = 0; i < 1000 && (running || std::filesystem::exists(kept)); ++i) {
    absl::SleepFor(absl::Milliseconds(10));
    running = test::IsRunning(pid);
  }
  EXPECT_FALSE(running);
  EXPECT_FALSE(std::filesystem::exists(kept));
}

TEST(KeeperTest, TouchesNothingAfterAnOrderlyEnd) {
  auto outer = PrivateFolder::Make();
  ASSERT_TRUE(outer.ok()) << outer.status();
  const std::string kept = (*outer)->Join("kept");
  std::filesystem::create_directories(kept);
  const int pid = RunKept(false, kept, (*outer)->Join("pid"));
  ASSERT_GT(pid, 0);
  EXPECT_TRUE(std::filesystem::exists(kept));
  EXPECT_EQ(::kill(pid, 0), 0) << "still there";
  ::kill(-pid, SIGKILL);
}

std::vector<std::string> LinesUntilEnd(ChildProcess& child) {
  std::vector<std::string> lines;
  for (const absl::Time end = absl::Now() + absl::Seconds(20); absl::Now() < end;) {
    const bool ended = child.ExitCode().has_value();
    for (std::string& line : child.TakeLines()) lines.push_back(std::move(line));
    if (ended) break;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return lines;
}

TEST(ChildProcessTest, GivesLinesOfBothStreamsAndTheExitCode) {
  auto child =
      ChildProcess::Start({"/bin/sh", "-c", "echo one; echo two >&2; printf part; exit 7"});
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_THAT(LinesUntilEnd(**child), ::testing::ElementsAre("one", "two"));
  EXPECT_EQ((*child)->ExitCode(), 7);
  EXPECT_EQ((*child)->tail(), "one\ntwo\npart");
}

TEST(ChildProcessTest, SaysWhichProgramCannotBeStarted) {
  const auto child = ChildProcess::Start({"/no/such/program"});
  EXPECT_THAT(std::string(child.status().message()), HasSubstr("/no/such/program"));
}

TEST(ChildProcessTest, StopEndsAStubbornGroupAndReapsIt) {
  // Ignores SIGTERM, and has a child of its own in the same group.
  auto child =
      ChildProcess::Start({"/bin/sh", "-c", "trap '' TERM; sleep 100 & echo up; wait; wait"});
  ASSERT_TRUE(child.ok()) << child.status();
  std::vector<std::string> lines;
  for (int i = 0; i < 10000 && lines.empty(); ++i) {
    absl::SleepFor(absl::Milliseconds(1));
    lines = (*child)->TakeLines();
  }
  ASSERT_THAT(lines, ::testing::ElementsAre("up"));
  const int pid = (*child)->pid();
  (*child)->Stop(absl::Milliseconds(50));
  EXPECT_EQ((*child)->ExitCode(), 128 + SIGKILL);
  EXPECT_EQ(::kill(pid, 0), -1);  // reaped: no such process
  EXPECT_EQ(errno, ESRCH);
  // The grandchild held the pipe open; it ends when the last of the group is dead.
  for (int i = 0; i < 10000 && (*child)->output_descriptor() >= 0; ++i) {
    (*child)->TakeLines();
    absl::SleepFor(absl::Milliseconds(1));
  }
  EXPECT_LT((*child)->output_descriptor(), 0);
}

TEST(TrainerFlagsTest, PresetsAndSizesTogether) {
  const auto parsed =
      ParseTrainerFlags({"--preset", "small", "--hidden", "300", "--submit", "stream"});
  const TrainerFlags& flags = std::get<TrainerFlags>(parsed);
  EXPECT_EQ(flags.shape.dim, 128);
  EXPECT_EQ(flags.shape.hidden, 300);
  EXPECT_EQ(flags.submit, SubmitWay::kStream);
}

TEST(TrainerFlagsTest, WrongOnesLeaveWithCodeTwoAndAReason) {
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"--submit", "pigeon"},
                                                {"--preset", "huge"},
                                                {"--heads", "5"},
                                                {"--steps", "0"},
                                                {"--progress", "loud"},
                                                {"--no-such-flag"}}) {
    const auto parsed = ParseTrainerFlags(wrong);
    const auto* print = std::get_if<PrintAndExit>(&parsed);
    ASSERT_NE(print, nullptr) << wrong[0];
    EXPECT_EQ(print->code, 2) << wrong[0];
    EXPECT_FALSE(print->text.empty());
  }
}

TEST(TrainerFlagsTest, HelpIsNoError) {
  const auto parsed = ParseTrainerFlags({"--help"});
  EXPECT_EQ(std::get<PrintAndExit>(parsed).code, 0);
  EXPECT_THAT(std::get<PrintAndExit>(parsed).text, HasSubstr("Example:"));
}

}  // namespace
}  // namespace anex::train
