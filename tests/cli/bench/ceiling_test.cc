// The experiment over an engine that stands for a daemon: it has no rings, and its device cheats
// when it is told to.
#include "client/cli/bench/ceiling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/cli/bench/ceiling_json.h"
#include "client/cli/bench/mode_list.h"
#include "client/cli/bench/recorded_run.h"
#include "tests/cli/bench/cheating_engine.h"

namespace anex::bench {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

CeilingOptions Quick() { return {.shapes = {"8x5"}, .warmup = 1, .rounds = 3, .passes = 2}; }

CeilingReport Measured(const CheatingPlaces& where, const CeilingOptions& options) {
  absl::StatusOr<CeilingReport> report = RunCeiling(where.places, options);
  EXPECT_TRUE(report.ok()) << report.status();
  return report.ok() ? *std::move(report) : CeilingReport();
}

TEST(Ceiling, EveryModeIsMeasuredVerifiedAndNoticesASpoiltPass) {
  CeilingOptions options = Quick();
  options.shapes = {"null", "8x5"};
  const CeilingReport report = Measured(CheatingPlaces(), options);
  EXPECT_TRUE(report.good());
  size_t measured = 0;
  for (const Figure& figure : report.figures) {
    if (figure.mode.starts_with("ring")) continue;
    EXPECT_EQ(figure.outcome, Outcome::kMeasured) << figure.name() << ": " << figure.reason;
    EXPECT_TRUE(figure.notices_skipped) << figure.name();
    EXPECT_EQ(figure.notices_doubled, figure.runs > 0) << figure.name();
    EXPECT_EQ(figure.verified_passes, figure.runs > 0 ? 7u : 61u) << figure.name();
    EXPECT_GT(*figure.unit_ns(), 0) << figure.name();
    EXPECT_EQ(figure.pass_ns.size(), 3u) << figure.name();
    EXPECT_EQ(report.Over(figure).has_value(), figure.place == Place::kDaemon) << figure.name();
    ++measured;
  }
  EXPECT_GT(measured, 30u);
  const Figure* clients = report.Find("8x5/clients-4/daemon");
  ASSERT_TRUE(clients != nullptr && clients->clients.has_value());
  EXPECT_EQ(clients->clients->clients, 4);
  EXPECT_GT(clients->clients->jain, 0.25);
  EXPECT_FALSE(clients->clients->p999_ns.has_value()) << "of 24 samples there is no such thing";
  EXPECT_TRUE(report.CopyOverheadNs("8x5", Place::kDaemon).has_value());
}

TEST(Ceiling, WhatADaemonDoesNotOfferIsUnavailableAndNotNought) {
  CeilingOptions options = Quick();
  options.modes = {"ring-1", "ring-12", "unary"};
  const CeilingReport report = Measured(CheatingPlaces(), options);
  EXPECT_TRUE(report.good()) << "that is no failure";
  for (const char* mode : {"ring-1", "ring-12"}) {
    const Figure* ring = report.Find(std::string("8x5/") + mode + "/daemon");
    ASSERT_NE(ring, nullptr);
    EXPECT_EQ(ring->outcome, Outcome::kUnavailable);
    EXPECT_THAT(ring->reason, HasSubstr("no rings"));
    EXPECT_FALSE(ring->unit_ns().has_value());
  }
  const Json json = ToJson(report);
  for (const Json& figure : json["figures"]) {
    if (figure["outcome"] == "measured") continue;
    EXPECT_EQ(figure["outcome"], "unavailable");
    EXPECT_THAT(figure["reason"].get<std::string>(), HasSubstr("no rings"));
    for (const char* key : {"unit_ns", "unit_device_ns", "units_per_s", "pass_ns", "over_ratio"}) {
      EXPECT_TRUE(figure[key].is_null()) << key;
    }
  }
}

TEST(Ceiling, ABuildWithoutAnEngineInProcessSaysSo) {
  CheatingPlaces where;
  where.places.in_process = nullptr;
  CeilingOptions options = Quick();
  options.modes = {"run-only", "unary"};
  const CeilingReport report = Measured(where, options);
  const Figure* here = report.Find("8x5/run-only/in-process");
  ASSERT_NE(here, nullptr);
  EXPECT_EQ(here->outcome, Outcome::kUnavailable);
  EXPECT_THAT(here->reason, HasSubstr("no engine"));
  const Figure* daemon = report.Find("8x5/unary/daemon");
  EXPECT_EQ(daemon->outcome, Outcome::kMeasured);
  EXPECT_FALSE(report.Over(*daemon).has_value());
}

// Times on another device would be no baseline.
TEST(Ceiling, AnotherDeviceInProcessIsUnavailable) {
  CeilingOptions options = Quick();
  options.modes = {"run-only"};
  const CeilingReport report = Measured(CheatingPlaces("other"), options);
  const Figure* here = report.Find("8x5/run-only/in-process");
  EXPECT_EQ(here->outcome, Outcome::kUnavailable);
  EXPECT_THAT(here->reason, HasSubstr("fake"));
  EXPECT_EQ(report.device, "fake");
}

TEST(Ceiling, ADeviceThatSkipsARunIsFoundOutInEveryMode) {
  CheatingPlaces where;
  where.faults->SkipRuns(19);
  const CeilingReport report = Measured(where, Quick());
  EXPECT_FALSE(report.good());
  for (const Figure& figure : report.figures) {
    if (figure.place == Place::kInProcess || figure.runs == 0) continue;
    if (figure.outcome == Outcome::kUnavailable) continue;
    EXPECT_EQ(figure.outcome, Outcome::kWrong) << figure.name();
    EXPECT_THAT(figure.reason, HasSubstr("values are wrong")) << figure.name();
    EXPECT_FALSE(figure.unit_ns().has_value()) << figure.name() << " has no time";
  }
}

TEST(Ceiling, WrongAnswersAndFailuresAreToldApart) {
  CeilingOptions options = Quick();
  options.modes = {"run-only", "chain-aliased"};
  CheatingPlaces wrong, failing;
  wrong.faults->WrongAnswers(true);
  for (const Figure& figure : Measured(wrong, options).figures) {
    EXPECT_EQ(figure.outcome,
              figure.place == Place::kDaemon ? Outcome::kWrong : Outcome::kMeasured);
  }
  failing.faults->FailRun(absl::InternalError("the device is on fire"));
  const CeilingReport report = Measured(failing, options);
  EXPECT_FALSE(report.good());
  EXPECT_EQ(report.Find("8x5/run-only/daemon")->outcome, Outcome::kFailed);
  EXPECT_THAT(report.Find("8x5/run-only/daemon")->reason, HasSubstr("on fire"));
}

TEST(Ceiling, TheFileIsWhatCompareReads) {
  CeilingOptions options = Quick();
  options.modes = {"stream-4", "copy-only", "ring-1"};
  const CeilingReport report = Measured(CheatingPlaces(), options);
  const Json json = ToJson(report);
  EXPECT_EQ(json["bench"], "ceiling");
  EXPECT_EQ(json["settings"]["kernels"], 12);
  const auto run = ParseRecordedRun(json.dump(), "report.json");
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->device, "fake");
  const RecordedFigure* stream = run->Find("8x5/stream-4/daemon");
  ASSERT_NE(stream, nullptr);
  EXPECT_EQ(stream->over, "8x5/run-only/in-process");
  EXPECT_NEAR(SpreadOf(stream->rounds)->median, *report.Find("8x5/stream-4/daemon")->unit_ns(),
              1e-6);
  EXPECT_NEAR(SpreadOf(run->Find("8x5/copy-only/daemon")->rounds)->median,
              *report.Find("8x5/copy-only/daemon")->unit_ns(), 1e-6);
  EXPECT_FALSE(run->Find("8x5/ring-1/daemon")->measured());
}

TEST(Ceiling, OptionsThatMakeNoSenseAreRefusedFirst) {
  const auto refused = [](CeilingOptions options) {
    bool asked = false;
    Places places;
    places.daemon = [&]() -> absl::StatusOr<std::shared_ptr<Transport>> {
      asked = true;
      return absl::UnavailableError("nobody");
    };
    const absl::Status status = RunCeiling(places, options).status();
    EXPECT_FALSE(asked);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  };
  EXPECT_THAT(refused({.modes = {"rings"}}), HasSubstr("ring-12, chain-copies"));
  EXPECT_THAT(refused({.shapes = {"64"}}), HasSubstr("CHANNELSxCOLUMNS"));
  EXPECT_THAT(refused({.shapes = {"8x5", "8x5"}}), HasSubstr("twice"));
  EXPECT_THAT(refused({.shapes = {"8x5", "null"}, .modes = {"chain-copies"}}),
              HasSubstr("null kernel"));
  refused({.shapes = {}});
  refused({.rounds = 0});
}

TEST(Ceiling, ADaemonThatGoesAwayEndsItAll) {
  Places places;
  places.daemon = [] { return absl::UnavailableError("no daemon answers"); };
  EXPECT_TRUE(absl::IsUnavailable(RunCeiling(places, Quick()).status()));
}

TEST(Ceiling, ModesAreComparedWithWhatIsThere) {
  for (const ModeInfo& mode : AllModes()) {
    const ModeInfo* over = FindMode(mode.over);
    ASSERT_NE(over, nullptr) << mode.id;
    EXPECT_TRUE(over->in_process) << mode.id;
    EXPECT_TRUE(!mode.null_kernel || over->null_kernel) << mode.id;
    EXPECT_GT(mode.units(), 0) << mode.id;
  }
}

}  // namespace
}  // namespace anex::bench
