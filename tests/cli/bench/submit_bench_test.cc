#include "client/cli/bench/submit_bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/cli/bench/recorded_run.h"
#include "tests/cli/bench/cheating_engine.h"

namespace anex::bench {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

SubmitOptions Quick() { return {.rates = {500, 2000}, .rounds = 3, .seconds = 0.02}; }

TEST(SubmitBench, EveryWayAndLoadHasItsPercentiles) {
  SubmitOptions options = Quick();
  options.kernel = "8x5";
  const auto report = RunSubmit(CheatingPlaces().places, options);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->good());
  ASSERT_EQ(report->figures.size(), 12u);
  for (const SubmitFigure& figure : report->figures) {
    if (figure.way == "ring") {
      EXPECT_EQ(figure.outcome, Outcome::kUnavailable);
      continue;
    }
    EXPECT_EQ(figure.outcome, Outcome::kMeasured) << figure.name() << ": " << figure.reason;
    EXPECT_EQ(figure.latency.count(), figure.runs + figure.given_up) << figure.name();
    EXPECT_GT(figure.runs, 0u) << figure.name();
    EXPECT_EQ(figure.rounds.size(), 3u);
    if (figure.per_second > 0) {
      // 20 ms of intended starts in each of three rounds, whenever they were done.
      EXPECT_EQ(figure.latency.count(), static_cast<uint64_t>(figure.per_second * 0.06));
    }
  }
}

TEST(SubmitBench, TheFileHasAFigureForEachPercentileAndTheHistograms) {
  const auto report = RunSubmit(CheatingPlaces().places, Quick());
  ASSERT_TRUE(report.ok()) << report.status();
  const Json json = ToJson(*report);
  const auto run = ParseRecordedRun(json.dump(), "submit.json");
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->figures.size(), 12u * 5);
  const RecordedFigure* p99 = run->Find("null/unary/500/s/p99");
  ASSERT_NE(p99, nullptr);
  EXPECT_EQ(p99->over, "null/in-process/500/s/p99");
  EXPECT_EQ(p99->rounds.size(), 3u);
  EXPECT_FALSE(run->Find("null/ring/closed/p50")->measured());
  for (const Json& load : json["loads"]) {
    if (load["outcome"] != "measured") {
      EXPECT_TRUE(load["latency_ns"].is_null() && load["runs"].is_null());
      continue;
    }
    uint64_t counted = 0;
    for (const Json& bucket : load["latency_ns"]["buckets"]) counted += bucket[1].get<uint64_t>();
    EXPECT_EQ(counted, load["latency_ns"]["count"]);
    EXPECT_LE(load["latency_ns"]["p50"], load["latency_ns"]["p99.9"]);
    EXPECT_LE(load["latency_ns"]["p99.9"], load["latency_ns"]["max"]);
  }
}

TEST(SubmitBench, AWrongResultIsFoundOut) {
  for (const char* kernel : {"null", "8x5"}) {
    CheatingPlaces where;
    where.faults->SkipRuns(3);
    SubmitOptions options = Quick();
    options.kernel = kernel;
    options.ways = {"unary", "stream"};
    const auto report = RunSubmit(where.places, options);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_FALSE(report->good());
    for (const SubmitFigure& figure : report->figures) {
      EXPECT_EQ(figure.outcome, Outcome::kWrong) << figure.name();
    }
  }
}

TEST(SubmitBench, OptionsThatMakeNoSenseAreRefused) {
  const auto refused = [](const SubmitOptions& options) {
    return std::string(CheckSubmitOptions(options).message());
  };
  EXPECT_THAT(refused({.ways = {"rocket"}}), HasSubstr("in-process, unary, stream, ring"));
  EXPECT_THAT(refused({.ways = {"ring", "ring"}}), HasSubstr("twice"));
  EXPECT_THAT(refused({.rates = {0}}), HasSubstr("above 0"));
  EXPECT_THAT(refused({.rates = {10, 10}}), HasSubstr("once"));
  EXPECT_THAT(refused({.kernel = "big"}), HasSubstr("CHANNELSxCOLUMNS"));
  EXPECT_NE(refused({.rounds = 0}), "");
  EXPECT_EQ(refused({}), "");
}

}  // namespace
}  // namespace anex::bench
