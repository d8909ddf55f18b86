#include "client/cli/bench/recorded_run.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace anex::bench {
namespace {

using Json = nlohmann::json;

// The member of an object, or null.
const Json& Member(const Json& object, const char* key) {
  static const auto* const kNull = new Json();
  if (!object.is_object()) return *kNull;
  const auto found = object.find(key);
  return found == object.end() ? *kNull : *found;
}

std::string TextOf(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

int64_t CountOf(const Json& value) {
  return value.is_number_unsigned() && value.get<uint64_t>() <= INT32_MAX
             ? static_cast<int64_t>(value.get<uint64_t>())
             : 0;
}

// nullopt for anything but lists of positive numbers.
std::optional<Rounds> RoundsOf(const Json& value, double units) {
  if (!value.is_array()) return std::nullopt;
  Rounds rounds;
  for (const Json& round_json : value) {
    if (!round_json.is_array()) return std::nullopt;
    std::vector<double> round;
    for (const Json& sample : round_json) {
      const double ns = sample.is_number() ? sample.get<double>() : -1;
      if (!(ns >= 0) || !std::isfinite(ns)) return std::nullopt;
      round.push_back(ns / units);
    }
    rounds.push_back(std::move(round));
  }
  return rounds;
}

absl::StatusOr<RecordedFigure> FigureOf(const Json& json) {
  RecordedFigure figure{.name = TextOf(Member(json, "name")),
                        .outcome = TextOf(Member(json, "outcome")),
                        .reason = TextOf(Member(json, "reason")),
                        .over = TextOf(Member(json, "over"))};
  if (figure.name.empty() || figure.outcome.empty()) {
    return absl::InvalidArgumentError("a figure has no name or no outcome");
  }
  const int64_t runs = CountOf(Member(json, "runs")), copies = CountOf(Member(json, "copies"));
  const int64_t units = runs > 0 ? runs : std::max<int64_t>(copies, 1);
  std::optional<Rounds> rounds = RoundsOf(Member(json, "rounds_ns"), static_cast<double>(units));
  if (!rounds) {
    return absl::InvalidArgumentError(
        absl::StrCat("rounds_ns of ", figure.name, " is not a list of lists of times"));
  }
  figure.rounds = *std::move(rounds);
  if (figure.measured() && !SpreadOf(figure.rounds)) {
    return absl::InvalidArgumentError(
        absl::StrCat(figure.name, " was measured, but has no samples"));
  }
  return figure;
}

}  // namespace

const RecordedFigure* RecordedRun::Find(std::string_view name) const {
  const auto found = std::ranges::find(figures, name, &RecordedFigure::name);
  return found == figures.end() ? nullptr : &*found;
}

absl::StatusOr<RecordedRun> ParseRecordedRun(std::string_view text, std::string_view file) {
  const auto bad = [&](std::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat(std::string(file), ": ", std::string(what),
                                                   "; it must be what anectl bench wrote with "
                                                   "--json FILE"));
  };
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return bad("not a JSON object");
  RecordedRun run{.bench = TextOf(Member(json, "bench")), .device = TextOf(Member(json, "device"))};
  if (run.bench != kCeilingBench && run.bench != kSubmitBench) return bad("no benchmark's result");
  if (CountOf(Member(json, "schema")) != kSchema) return bad("another version of the schema");
  const Json& daemon = Member(json, "daemon");
  run.daemon =
      absl::StrCat(TextOf(Member(daemon, "version")), " ", TextOf(Member(daemon, "build")));
  const Json& figures = Member(json, "figures");
  if (!figures.is_array() || figures.empty()) return bad("it has no figures");
  std::set<std::string> names;
  for (const Json& each : figures) {
    absl::StatusOr<RecordedFigure> figure = FigureOf(each);
    if (!figure.ok()) return bad(std::string(figure.status().message()));
    if (!names.insert(figure->name).second) return bad(figure->name + " is there twice");
    run.figures.push_back(*std::move(figure));
  }
  return run;
}

}  // namespace anex::bench
