#include "client/cli/bench/comparison.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace anex::bench {
namespace {

using Json = nlohmann::ordered_json;

// The rounds that are compared: times, or round by round over the median of the baseline's round,
// which was measured beside it. Empty = there is nothing to compare.
Rounds RoundsFor(const RecordedRun& run, const RecordedFigure& figure, bool relative) {
  if (!figure.measured()) return {};
  if (!relative) return figure.rounds;
  const RecordedFigure* base = figure.over.empty() ? nullptr : run.Find(figure.over);
  if (base == nullptr || !base->measured() || base->rounds.size() != figure.rounds.size()) {
    return {};
  }
  Rounds rounds;
  for (size_t i = 0; i < figure.rounds.size(); ++i) {
    if (base->rounds[i].empty()) continue;
    const double below = Quantile(base->rounds[i], 0.5);
    if (!(below > 0)) continue;
    std::vector<double> round = figure.rounds[i];
    for (double& sample : round) sample /= below;
    rounds.push_back(std::move(round));
  }
  return rounds;
}

// Far enough, and not by chance: doubt leaves at least half of the tolerance. The median of a
// figure that something disturbs half of the time lies above that of a quiet one by a little,
// always.
Verdict Judge(const RatioEstimate& change, double tolerance) {
  const bool slower = change.ratio > 1 + tolerance, faster = change.ratio < 1 / (1 + tolerance);
  if (!slower && !faster) return Verdict::kSame;
  if (!change.interval_known) return Verdict::kUnsure;
  const double half = 1 + tolerance / 2;
  if (slower) return change.low > half ? Verdict::kWorse : Verdict::kUnsure;
  return change.high < 1 / half ? Verdict::kBetter : Verdict::kUnsure;
}

std::string ReasonOf(const RecordedFigure* figure) {
  if (figure == nullptr) return "it is not in the file";
  if (figure->measured()) return "what it is compared with was not measured";
  return absl::StrCat(figure->outcome, figure->reason.empty() ? "" : ": ", figure->reason);
}

// Either may be null, not both.
ComparedFigure CompareOne(const RecordedRun& before_run, const RecordedRun& after_run,
                          const std::string& name, const ComparisonOptions& options) {
  const RecordedFigure *before = before_run.Find(name), *after = after_run.Find(name);
  const Rounds old_rounds =
      before == nullptr ? Rounds() : RoundsFor(before_run, *before, options.relative);
  const Rounds new_rounds =
      after == nullptr ? Rounds() : RoundsFor(after_run, *after, options.relative);
  const std::optional<Spread> was = SpreadOf(old_rounds), is = SpreadOf(new_rounds);
  ComparedFigure figure{.name = name};
  if (was) figure.before = was->median;
  if (is) figure.after = is->median;
  if (was && is) {
    figure.change = EstimateRatio(new_rounds, old_rounds, Pairing::kSeparateRuns);
    figure.verdict = figure.change ? Judge(*figure.change, options.tolerance) : Verdict::kUnsure;
    return figure;
  }
  figure.verdict = is ? Verdict::kNew : Verdict::kNeither;
  if (was) figure.verdict = after == nullptr ? Verdict::kGone : Verdict::kLost;
  if (!is) figure.reason = ReasonOf(after);
  return figure;
}

bool HasBaseline(const RecordedFigure& figure) { return !figure.over.empty(); }

void Differ(std::string_view what, const std::string& before, const std::string& after,
            std::vector<std::string>& differences) {
  if (before == after) return;
  differences.push_back(
      absl::StrCat(std::string(what), " was \"", before, "\" and is \"", after, "\""));
}

}  // namespace

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSame:
      return "same";
    case Verdict::kBetter:
      return "better";
    case Verdict::kWorse:
      return "WORSE";
    case Verdict::kUnsure:
      return "unsure";
    case Verdict::kLost:
      return "LOST";
    case Verdict::kGone:
      return "gone";
    case Verdict::kNew:
      return "new";
    case Verdict::kNeither:
      return "not measured";
  }
  return "?";
}

size_t Comparison::Count(Verdict verdict) const {
  return static_cast<size_t>(std::ranges::count(figures, verdict, &ComparedFigure::verdict));
}

absl::StatusOr<Comparison> Compare(const RecordedRun& before, const RecordedRun& after,
                                   const ComparisonOptions& options) {
  if (before.bench != after.bench) {
    return absl::InvalidArgumentError(absl::StrCat("the first file is of bench ", before.bench,
                                                   ", the second of bench ", after.bench));
  }
  Comparison comparison{.options = options};
  Differ("the daemon", before.daemon, after.daemon, comparison.differences);
  Differ("the device", before.device, after.device, comparison.differences);
  bool common = false;
  for (const RecordedFigure& figure : after.figures) {
    if (options.relative && !HasBaseline(figure)) continue;
    comparison.figures.push_back(CompareOne(before, after, figure.name, options));
    common = common || before.Find(figure.name) != nullptr;
  }
  if (!common) return absl::InvalidArgumentError("the two files have no figure in common");
  for (const RecordedFigure& figure : before.figures) {
    if (after.Find(figure.name) != nullptr || (options.relative && !HasBaseline(figure))) continue;
    comparison.figures.push_back(CompareOne(before, after, figure.name, options));
  }
  return comparison;
}

Json ToJson(const Comparison& comparison) {
  const auto or_null = [](const std::optional<double>& value) {
    return value ? Json(*value) : Json(nullptr);
  };
  Json figures = Json::array();
  for (const ComparedFigure& figure : comparison.figures) {
    const bool known = figure.change && figure.change->interval_known;
    figures.push_back({{"name", figure.name},
                       {"verdict", VerdictName(figure.verdict)},
                       {"before", or_null(figure.before)},
                       {"after", or_null(figure.after)},
                       {"ratio", figure.change ? Json(figure.change->ratio) : Json(nullptr)},
                       {"ratio_low", known ? Json(figure.change->low) : Json(nullptr)},
                       {"ratio_high", known ? Json(figure.change->high) : Json(nullptr)},
                       {"reason", figure.reason.empty() ? Json(nullptr) : Json(figure.reason)}});
  }
  return {{"tolerance", comparison.options.tolerance},
          {"relative", comparison.options.relative},
          {"differences", comparison.differences},
          {"worse", comparison.Count(Verdict::kWorse) + comparison.Count(Verdict::kLost)},
          {"figures", std::move(figures)}};
}

}  // namespace anex::bench
