#include "client/cli/bench/submit_bench.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/bench/paced_load.h"
#include "client/cli/bench/recorded_run.h"
#include "client/cli/bench/site.h"
#include "client/cli/bench/submit_way.h"

namespace anex::bench {
namespace {

constexpr char kInProcessWay[] = "in-process";
constexpr int kWarmUpRuns = 50;

SubmitMode PathOf(const std::string& way) {
  if (way == "unary") return SubmitMode::kUnary;
  return way == "stream" ? SubmitMode::kStream : SubmitMode::kRing;
}

// One way with its figures, one for each load.
class WayRun {
 public:
  WayRun(std::string way, const std::vector<double>& rates) : way_(std::move(way)) {
    figures_.push_back({.way = way_});
    for (const double rate : rates) figures_.push_back({.way = way_, .per_second = rate});
  }

  bool in_process() const { return way_ == kInProcessWay; }
  const std::string& way() const { return way_; }
  std::vector<SubmitFigure>& figures() { return figures_; }
  void MarkAll(Outcome outcome, const std::string& reason) {
    for (SubmitFigure& figure : figures_) {
      figure.outcome = outcome;
      figure.reason = reason;
    }
  }

  // UNAVAILABLE of a daemon is the caller's; all else is told of the figures.
  absl::Status Make(Rig& rig) {
    absl::StatusOr<std::unique_ptr<SubmitWay>> made =
        SubmitWay::Make(rig, in_process(), PathOf(way_));
    absl::Status status = made.status();
    if (status.ok()) {
      submit_ = *std::move(made);
      status = submit_->Begin();
      for (int i = 0; i < kWarmUpRuns && status.ok(); ++i) status = RunAndCheck();
      submit_->End();
    }
    return Settle(status, true, figures_);
  }

  absl::Status Measure(SubmitFigure& figure, double seconds) {
    if (submit_ == nullptr || figure.outcome != Outcome::kMeasured) return absl::OkStatus();
    absl::Status status = submit_->Begin();
    if (status.ok()) status = RunAndCheck();  // wakes up whoever sleeps
    if (status.ok()) status = Load(figure, seconds);
    submit_->End();
    return Settle(status, false, std::span(&figure, 1));
  }

 private:
  absl::Status RunAndCheck() {
    absl::Status run = submit_->Run();
    return run.ok() ? submit_->Check() : run;
  }

  absl::Status Load(SubmitFigure& figure, double seconds) {
    SteadyLoadClock clock;
    absl::StatusOr<LoadResult> result = RunLoad(
        clock,
        {.per_second = figure.per_second, .duration_ns = static_cast<int64_t>(seconds * 1e9)},
        [this] { return submit_->Run(); }, [this] { return submit_->Check(); });
    if (!result.ok()) return result.status();
    figure.latency.Merge(result->latency);
    figure.service.Merge(result->service);
    figure.lateness.Merge(result->lateness);
    figure.runs += result->runs;
    figure.given_up += result->given_up;
    figure.elapsed_ns += result->elapsed_ns;
    std::vector<double> round;
    for (const Percentile& each : SubmitPercentiles()) {
      round.push_back(static_cast<double>(result->latency.Percentile(each.q)));
    }
    figure.rounds.push_back(std::move(round));
    return absl::OkStatus();
  }

  absl::Status Settle(const absl::Status& status, bool opening, std::span<SubmitFigure> figures) {
    if (status.ok()) return status;
    if (absl::IsUnavailable(status) && !in_process()) return status;
    const bool lacks = opening && !absl::IsDataLoss(status) && !absl::IsInternal(status);
    for (SubmitFigure& figure : figures) {
      figure.outcome = absl::IsDataLoss(status) ? Outcome::kWrong
                       : lacks                  ? Outcome::kUnavailable
                                                : Outcome::kFailed;
      figure.reason = std::string(status.message());
    }
    return absl::OkStatus();
  }

  const std::string way_;
  std::vector<SubmitFigure> figures_;
  std::unique_ptr<SubmitWay> submit_;
};

class SubmitRun {
 public:
  SubmitRun(const Places& places, const SubmitOptions& options,
            std::shared_ptr<const Workload> workload)
      : options_(options),
        places_(places),
        workload_(std::move(workload)),
        daemon_(places.daemon, workload_, options.device, false) {}

  absl::Status Measure(SubmitReport& report) {
    const absl::StatusOr<Rig*> rig = daemon_.Main();
    if (!rig.ok()) return rig.status();
    report.device = (*rig)->device();
    for (const std::string& way : options_.ways.empty() ? SubmitWays() : options_.ways) {
      ways_.push_back(std::make_unique<WayRun>(way, options_.rates));
      if (absl::Status made = Make(*ways_.back(), **rig); !made.ok()) return made;
    }
    for (int round = 0; round < options_.rounds; ++round) {
      if (absl::Status done = Round(round); !done.ok()) return done;
    }
    for (const auto& way : ways_) {
      for (SubmitFigure& figure : way->figures()) report.figures.push_back(std::move(figure));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Make(WayRun& way, Rig& daemon) {
    if (!way.in_process()) return way.Make(daemon);
    if (!places_.in_process) {
      way.MarkAll(Outcome::kUnavailable, places_.no_in_process);
      return absl::OkStatus();
    }
    in_process_ = std::make_unique<Site>(places_.in_process, workload_, daemon.device(), true);
    const absl::StatusOr<Rig*> here = in_process_->Main();
    if (here.ok()) return way.Make(**here);
    way.MarkAll(Outcome::kUnavailable, std::string(here.status().message()));
    return absl::OkStatus();
  }

  absl::Status Round(int round) {
    const size_t count = ways_.size();
    for (size_t i = 0; i < count; ++i) {
      WayRun& way = *ways_[(static_cast<size_t>(round) + i) % count];
      if (options_.say) {
        options_.say(absl::StrCat("round ", round + 1, " of ", options_.rounds, ": ", way.way()));
      }
      for (SubmitFigure& figure : way.figures()) {
        if (absl::Status done = way.Measure(figure, options_.seconds); !done.ok()) return done;
      }
    }
    return absl::OkStatus();
  }

  const SubmitOptions& options_;
  const Places& places_;
  const std::shared_ptr<const Workload> workload_;
  Site daemon_;  // before the ways that live on it
  std::unique_ptr<Site> in_process_;
  std::vector<std::unique_ptr<WayRun>> ways_;
};

nlohmann::ordered_json HistogramJson(const LatencyHistogram& histogram) {
  nlohmann::ordered_json buckets = nlohmann::ordered_json::array();
  for (const LatencyHistogram::Bucket& bucket : histogram.Buckets()) {
    buckets.push_back({bucket.up_to_ns, bucket.count});
  }
  nlohmann::ordered_json json{{"count", histogram.count()}};
  const bool any = histogram.count() > 0;
  for (const Percentile& each : SubmitPercentiles()) {
    json[each.name] = any ? nlohmann::ordered_json(histogram.Percentile(each.q)) : nullptr;
  }
  json["mean"] = any ? nlohmann::ordered_json(histogram.mean()) : nullptr;
  json["buckets"] = std::move(buckets);
  return json;
}

nlohmann::ordered_json LoadJson(const SubmitFigure& figure) {
  using Json = nlohmann::ordered_json;
  Json json{{"way", figure.way},
            {"load", figure.load()},
            {"per_second", figure.per_second > 0 ? Json(figure.per_second) : Json(nullptr)},
            {"outcome", OutcomeName(figure.outcome)},
            {"reason", figure.reason.empty() ? Json(nullptr) : Json(figure.reason)}};
  const bool measured = figure.outcome == Outcome::kMeasured;
  json["runs"] = measured ? Json(figure.runs) : Json(nullptr);
  json["given_up"] = measured ? Json(figure.given_up) : Json(nullptr);
  json["achieved_per_second"] = measured ? Json(figure.achieved()) : Json(nullptr);
  json["behind"] = measured ? Json(figure.behind()) : Json(nullptr);
  json["latency_ns"] = measured ? HistogramJson(figure.latency) : Json(nullptr);
  json["service_ns"] = measured ? HistogramJson(figure.service) : Json(nullptr);
  json["lateness_ns"] = measured ? HistogramJson(figure.lateness) : Json(nullptr);
  return json;
}

}  // namespace

const std::vector<std::string>& SubmitWays() {
  static const auto* const ways =
      new std::vector<std::string>{kInProcessWay, "unary", "stream", "ring"};
  return *ways;
}

const std::vector<Percentile>& SubmitPercentiles() {
  static const auto* const all = new std::vector<Percentile>{
      {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1}};
  return *all;
}

std::string SubmitFigure::load() const {
  return per_second > 0 ? absl::StrCat(per_second, "/s") : "closed";
}
std::string SubmitFigure::name() const { return absl::StrCat(way, "/", load()); }

double SubmitFigure::achieved() const {
  return elapsed_ns > 0 ? static_cast<double>(runs) * 1e9 / static_cast<double>(elapsed_ns) : 0;
}

bool SubmitFigure::behind() const {
  return per_second > 0 && (given_up > 0 || achieved() < 0.99 * per_second);
}

bool SubmitReport::good() const {
  return std::ranges::none_of(figures, [](const SubmitFigure& figure) {
    return figure.outcome == Outcome::kFailed || figure.outcome == Outcome::kWrong;
  });
}

absl::Status CheckSubmitOptions(const SubmitOptions& options) {
  for (const std::string& way : options.ways) {
    if (std::ranges::count(SubmitWays(), way) == 0) {
      return absl::InvalidArgumentError(absl::StrCat("there is no way \"", way, "\"; there are ",
                                                     absl::StrJoin(SubmitWays(), ", ")));
    }
    if (std::ranges::count(options.ways, way) > 1) {
      return absl::InvalidArgumentError(absl::StrCat("the way ", way, " is named twice"));
    }
  }
  for (const double rate : options.rates) {
    if (!(rate > 0 && rate <= 1e7) || std::ranges::count(options.rates, rate) > 1) {
      return absl::InvalidArgumentError(
          "a rate is a number of invocations a second, above 0 and at most 10,000,000, once");
    }
  }
  if (options.rounds < 1 || !(options.seconds > 0)) {
    return absl::InvalidArgumentError("there must be a round, of some time");
  }
  return CheckWorkloadName(options.kernel);
}

absl::StatusOr<SubmitReport> RunSubmit(const Places& places, const SubmitOptions& options) {
  if (absl::Status good = CheckSubmitOptions(options); !good.ok()) return good;
  absl::StatusOr<std::shared_ptr<Transport>> watcher = places.daemon();
  if (!watcher.ok()) return watcher.status();
  const absl::StatusOr<DaemonInfo> info = (*watcher)->GetInfo();
  if (!info.ok()) return info.status();
  absl::StatusOr<std::shared_ptr<const Workload>> workload = Workload::Make(options.kernel);
  if (!workload.ok()) return workload.status();
  SubmitReport report{.daemon_version = info->version,
                      .daemon_build = info->build,
                      .kernel = options.kernel,
                      .rounds = options.rounds,
                      .seconds = options.seconds};
  SubmitRun run(places, options, *std::move(workload));
  if (absl::Status measured = run.Measure(report); !measured.ok()) return measured;
  return report;
}

nlohmann::ordered_json ToJson(const SubmitReport& report) {
  using Json = nlohmann::ordered_json;
  Json figures = Json::array(), loads = Json::array();
  for (const SubmitFigure& figure : report.figures) {
    loads.push_back(LoadJson(figure));
    for (size_t i = 0; i < SubmitPercentiles().size(); ++i) {
      const std::string tail = absl::StrCat("/", figure.load(), "/", SubmitPercentiles()[i].name);
      Json rounds = Json::array();
      for (const std::vector<double>& round : figure.rounds) rounds.push_back({round[i]});
      const bool base = figure.way == kInProcessWay;
      figures.push_back(
          {{"name", absl::StrCat(report.kernel, "/", figure.way, tail)},
           {"outcome", OutcomeName(figure.outcome)},
           {"reason", figure.reason.empty() ? Json(nullptr) : Json(figure.reason)},
           {"over",
            base ? Json(nullptr) : Json(absl::StrCat(report.kernel, "/", kInProcessWay, tail))},
           {"rounds_ns", figure.outcome == Outcome::kMeasured ? rounds : Json::array()}});
    }
  }
  return {{"bench", kSubmitBench},
          {"schema", kSchema},
          {"daemon", {{"version", report.daemon_version}, {"build", report.daemon_build}}},
          {"device", report.device},
          {"kernel", report.kernel},
          {"settings", {{"rounds", report.rounds}, {"seconds", report.seconds}}},
          {"loads", std::move(loads)},
          {"figures", std::move(figures)}};
}

}  // namespace anex::bench
