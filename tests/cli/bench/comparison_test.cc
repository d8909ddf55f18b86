// Two recorded runs, from their text to a verdict.
#include "client/cli/bench/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "client/cli/bench/recorded_run.h"

namespace anex::bench {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

// Ten rounds of three samples around `ns`, a percent apart.
Json RoundsAround(double ns) {
  Json rounds = Json::array();
  for (int i = 0; i < 10; ++i) {
    const double level = ns * (1 + 0.002 * (i - 5));
    rounds.push_back({level * 0.995, level, level * 1.005});
  }
  return rounds;
}

Json Figure(const std::string& name, double ns, const std::string& over = "") {
  Json figure{
      {"name", name}, {"outcome", "measured"}, {"runs", 12}, {"rounds_ns", RoundsAround(ns * 12)}};
  if (!over.empty()) figure["over"] = over;
  return figure;
}

Json Lacking(const std::string& name, const std::string& outcome, const std::string& reason) {
  return {{"name", name}, {"outcome", outcome}, {"reason", reason}, {"rounds_ns", Json::array()}};
}

Json FileOf(const std::vector<Json>& figures) {
  return {{"bench", "ceiling"},
          {"schema", 1},
          {"daemon", {{"version", "1"}, {"build", "b"}}},
          {"device", "cpu"},
          {"figures", figures}};
}

RecordedRun Parsed(const Json& json) {
  absl::StatusOr<RecordedRun> run = ParseRecordedRun(json.dump(), "x.json");
  EXPECT_TRUE(run.ok()) << run.status();
  return run.ok() ? *std::move(run) : RecordedRun();
}

std::map<std::string, ComparedFigure> Compared(const Json& before, const Json& after,
                                               const ComparisonOptions& options = {}) {
  const auto comparison = Compare(Parsed(before), Parsed(after), options);
  EXPECT_TRUE(comparison.ok()) << comparison.status();
  std::map<std::string, ComparedFigure> by_name;
  for (const ComparedFigure& figure : comparison->figures) by_name[figure.name] = figure;
  return by_name;
}

TEST(Comparison, SaysWhatGotWorseAndWhatDidNot) {
  const auto figures =
      Compared(FileOf({Figure("a", 100), Figure("b", 100), Figure("c", 100), Figure("d", 100)}),
               FileOf({Figure("a", 103), Figure("b", 120), Figure("c", 70), Figure("d", 96)}));
  EXPECT_EQ(figures.at("a").verdict, Verdict::kSame);
  EXPECT_EQ(figures.at("b").verdict, Verdict::kWorse);
  EXPECT_EQ(figures.at("c").verdict, Verdict::kBetter);
  EXPECT_EQ(figures.at("d").verdict, Verdict::kSame);
  EXPECT_NEAR(figures.at("b").change->ratio, 1.2, 0.01);
  EXPECT_GT(figures.at("b").change->low, 1.15);
  EXPECT_NEAR(*figures.at("b").before, 100, 1) << "of one kernel, not of twelve";
}

TEST(Comparison, TheToleranceDecides) {
  const Json before = FileOf({Figure("a", 100)}), after = FileOf({Figure("a", 120)});
  EXPECT_EQ(Compared(before, after, {.tolerance = 0.25}).at("a").verdict, Verdict::kSame);
  EXPECT_EQ(Compared(before, after, {.tolerance = 0.1}).at("a").verdict, Verdict::kWorse);
  // Both ways alike: 1/1.25 is as far as 1.25.
  EXPECT_EQ(Compared(after, before, {.tolerance = 0.25}).at("a").verdict, Verdict::kSame);
  EXPECT_EQ(Compared(after, before, {.tolerance = 0.1}).at("a").verdict, Verdict::kBetter);
}

TEST(Comparison, NoiseIsNoRegression) {
  Json noisy = Figure("a", 100);
  // Half of the rounds three times as slow: the medians moved, but might as well not have.
  for (int i = 0; i < 10; i += 2) {
    for (Json& sample : noisy["rounds_ns"][i]) sample = sample.get<double>() * 3;
  }
  const auto figures = Compared(FileOf({Figure("a", 100)}), FileOf({noisy}));
  EXPECT_EQ(figures.at("a").verdict, Verdict::kUnsure);
  Json two_rounds = Figure("a", 300);
  two_rounds["rounds_ns"].erase(two_rounds["rounds_ns"].begin() + 2, two_rounds["rounds_ns"].end());
  EXPECT_EQ(Compared(FileOf({Figure("a", 100)}), FileOf({two_rounds})).at("a").verdict,
            Verdict::kUnsure);
}

TEST(Comparison, WhatIsNoLongerRightOrThereCountsAsWorse) {
  const Json before = FileOf({Figure("a", 100), Figure("b", 100), Figure("c", 100),
                              Lacking("d", "unavailable", "no rings"), Figure("e", 100)});
  const Json after =
      FileOf({Lacking("a", "unavailable", "no rings here"), Lacking("b", "wrong", "kernel 7"),
              Figure("c", 100), Figure("d", 9), Figure("f", 3)});
  const auto figures = Compared(before, after);
  EXPECT_EQ(figures.at("a").verdict, Verdict::kLost);
  EXPECT_EQ(figures.at("a").reason, "unavailable: no rings here");
  EXPECT_FALSE(figures.at("a").after.has_value());
  EXPECT_EQ(figures.at("b").verdict, Verdict::kLost);
  EXPECT_EQ(figures.at("d").verdict, Verdict::kNew);
  EXPECT_EQ(figures.at("e").verdict, Verdict::kGone) << "it was not asked for";
  EXPECT_EQ(figures.at("f").verdict, Verdict::kNew);
  const auto comparison = Compare(Parsed(before), Parsed(after), {});
  EXPECT_TRUE(comparison->got_worse());
  EXPECT_FALSE(Compare(Parsed(before), Parsed(before), {})->got_worse());
  EXPECT_EQ(comparison->figures.back().name, "e");
}

// The machine ran at half its speed the second time; the daemon is what it was.
TEST(Comparison, RelativeFiguresDoNotSeeTheMachinesSpeed) {
  const auto run = [](double speed, double ring) {
    return FileOf({Figure("s/run-only/in-process", 50 / speed),
                   Figure("s/ring-1/daemon", ring / speed, "s/run-only/in-process")});
  };
  const auto same = Compared(run(1, 60), run(0.5, 60), {.relative = true});
  ASSERT_EQ(same.size(), 1u) << "what is compared with nothing is left out";
  EXPECT_EQ(same.at("s/ring-1/daemon").verdict, Verdict::kSame);
  EXPECT_NEAR(*same.at("s/ring-1/daemon").before, 1.2, 0.01);
  EXPECT_EQ(Compared(run(1, 60), run(0.5, 60)).at("s/ring-1/daemon").verdict, Verdict::kWorse);
  const auto worse = Compared(run(1, 60), run(0.5, 80), {.relative = true});
  EXPECT_EQ(worse.at("s/ring-1/daemon").verdict, Verdict::kWorse);
}

TEST(Comparison, DifferencesOfTheRunsAreTold) {
  Json after = FileOf({Figure("a", 100)});
  after["device"] = "ane";
  after["daemon"]["version"] = "2";
  const auto comparison = Compare(Parsed(FileOf({Figure("a", 100)})), Parsed(after), {});
  ASSERT_EQ(comparison->differences.size(), 2u);
  EXPECT_THAT(comparison->differences[0], HasSubstr("\"1 b\" and is \"2 b\""));
  EXPECT_THAT(comparison->differences[1], HasSubstr("\"cpu\" and is \"ane\""));
  Json submit = after;
  submit["bench"] = "submit";
  EXPECT_FALSE(Compare(Parsed(after), Parsed(submit), {}).ok());
  EXPECT_FALSE(Compare(Parsed(after), Parsed(FileOf({Figure("z", 1)})), {}).ok());
}

TEST(Comparison, AsJsonUnknownIsNull) {
  const auto comparison =
      Compare(Parsed(FileOf({Figure("a", 100), Figure("b", 100)})),
              Parsed(FileOf({Figure("a", 150), Lacking("b", "failed", "broke")})), {});
  const Json json = ToJson(*comparison);
  EXPECT_EQ(json["worse"], 2);
  EXPECT_EQ(json["figures"][0]["verdict"], "WORSE");
  EXPECT_NEAR(json["figures"][0]["ratio"].get<double>(), 1.5, 0.01);
  EXPECT_EQ(json["figures"][1]["verdict"], "LOST");
  EXPECT_TRUE(json["figures"][1]["after"].is_null());
  EXPECT_TRUE(json["figures"][1]["ratio"].is_null());
}

TEST(RecordedRun, WhateverAFileHoldsIsRefusedWithItsName) {
  const Json good = FileOf({Figure("a", 100)});
  EXPECT_TRUE(ParseRecordedRun(good.dump(), "x.json").ok());
  std::vector<std::string> bad = {"", "[]", "17", "{", good.dump().substr(0, 200), "null"};
  const auto with = [&](const std::function<void(Json&)>& spoil) {
    Json json = good;
    spoil(json);
    bad.push_back(json.dump());
  };
  with([](Json& json) { json.erase("bench"); });
  with([](Json& json) { json["bench"] = "mil"; });
  with([](Json& json) { json["schema"] = 2; });
  with([](Json& json) { json["schema"] = "1"; });
  with([](Json& json) { json.erase("figures"); });
  with([](Json& json) { json["figures"] = Json::array(); });
  with([](Json& json) { json["figures"] = {1, 2}; });
  with([](Json& json) { json["figures"][0]["name"] = 3; });
  with([](Json& json) { json["figures"][0].erase("outcome"); });
  with([](Json& json) { json["figures"][0].erase("rounds_ns"); });
  with([](Json& json) { json["figures"][0]["rounds_ns"] = {1, 2}; });
  with([](Json& json) { json["figures"][0]["rounds_ns"] = Json::array({Json::array({"x"})}); });
  with([](Json& json) { json["figures"][0]["rounds_ns"] = Json::array({Json::array({-1.0})}); });
  with([](Json& json) { json["figures"][0]["rounds_ns"] = Json::array(); });
  with([](Json& json) { json["figures"].push_back(json["figures"][0]); });
  for (const std::string& text : bad) {
    const auto run = ParseRecordedRun(text, "x.json");
    ASSERT_FALSE(run.ok()) << text;
    EXPECT_TRUE(absl::IsInvalidArgument(run.status())) << text;
    EXPECT_THAT(std::string(run.status().message()), HasSubstr("x.json: ")) << text;
  }
}

}  // namespace
}  // namespace anex::bench
