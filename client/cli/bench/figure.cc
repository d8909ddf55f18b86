#include "client/cli/bench/figure.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace anex::bench {
namespace {

Rounds PerUnit(const Figure& figure) {
  Rounds rounds = figure.pass_ns;
  for (auto& round : rounds) {
    for (double& ns : round) ns /= figure.units();
  }
  return rounds;
}

}  // namespace

std::string_view PlaceName(Place place) {
  return place == Place::kInProcess ? "in-process" : "daemon";
}

std::string_view OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kMeasured:
      return "measured";
    case Outcome::kUnavailable:
      return "unavailable";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kWrong:
      return "wrong";
  }
  return "?";
}

std::string Figure::name() const {
  return absl::StrCat(shape, "/", mode, "/", std::string(PlaceName(place)));
}

std::optional<double> Figure::unit_ns() const {
  const std::optional<Spread> spread = SpreadOf(pass_ns);
  if (outcome != Outcome::kMeasured || !spread || units() == 0) return std::nullopt;
  return spread->median / units();
}

std::optional<double> Figure::unit_device_ns() const {
  if (outcome != Outcome::kMeasured || runs == 0 || device_ns.empty()) return std::nullopt;
  return Quantile(device_ns, 0.5) / runs;
}

std::optional<double> Figure::units_per_s() const {
  const std::optional<double> ns = unit_ns();
  if (!ns || *ns <= 0) return std::nullopt;
  return 1e9 / *ns;
}

const Figure* CeilingReport::Find(std::string_view name) const {
  const auto found =
      std::ranges::find_if(figures, [&](const Figure& figure) { return figure.name() == name; });
  return found == figures.end() ? nullptr : &*found;
}

std::optional<RatioEstimate> CeilingReport::Over(const Figure& figure) const {
  const Figure* below = figure.over.empty() ? nullptr : Find(figure.over);
  if (below == nullptr || !figure.unit_ns() || !below->unit_ns()) return std::nullopt;
  return EstimateRatio(PerUnit(figure), PerUnit(*below), Pairing::kSameRun);
}

std::optional<double> CeilingReport::CopyOverheadNs(std::string_view shape, Place place) const {
  const std::string start(shape), end(PlaceName(place));
  const Figure* with = Find(absl::StrCat(start, "/sequential/", end));
  const Figure* without = Find(absl::StrCat(start, "/run-only/", end));
  if (with == nullptr || without == nullptr || with->copies == 0) return std::nullopt;
  const std::optional<double> more = with->unit_ns(), less = without->unit_ns();
  if (!more || !less) return std::nullopt;
  return (*more * with->runs - *less * without->runs) / with->copies;
}

bool CeilingReport::good() const {
  return std::ranges::none_of(figures, [](const Figure& figure) {
    return figure.outcome == Outcome::kFailed || figure.outcome == Outcome::kWrong;
  });
}

}  // namespace anex::bench
