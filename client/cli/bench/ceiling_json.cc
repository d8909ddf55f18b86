#include "client/cli/bench/ceiling_json.h"

#include <cmath>

#include "client/cli/bench/recorded_run.h"
#include "client/cli/bench/workload.h"

namespace anex::bench {
namespace {

using Json = nlohmann::ordered_json;

// What was not measured is null, never 0.
Json OrNull(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }
Json TextOrNull(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json SpreadJson(const std::optional<Spread>& spread) {
  if (!spread) return nullptr;
  return {{"median", spread->median},  {"p25", spread->p25},     {"p75", spread->p75},
          {"p99", spread->p99},        {"least", spread->least}, {"most", spread->most},
          {"samples", spread->samples}};
}

Json ClientsJson(const std::optional<ClientFigures>& clients) {
  if (!clients) return nullptr;
  return {{"clients", clients->clients}, {"p50_ns", clients->p50_ns},
          {"p99_ns", clients->p99_ns},   {"p999_ns", OrNull(clients->p999_ns)},
          {"most_ns", clients->most_ns}, {"jain", clients->jain}};
}

Json FigureJson(const CeilingReport& report, const Figure& figure) {
  const bool measured = figure.outcome == Outcome::kMeasured;
  const std::optional<RatioEstimate> over = report.Over(figure);
  Json json{{"name", figure.name()},
            {"shape", figure.shape},
            {"mode", figure.mode},
            {"place", PlaceName(figure.place)},
            {"outcome", OutcomeName(figure.outcome)},
            {"reason", TextOrNull(figure.reason)},
            {"way", TextOrNull(figure.way)},
            {"note", TextOrNull(figure.note)},
            {"runs", figure.runs},
            {"copies", figure.copies},
            {"unit", figure.runs > 0 ? "kernel" : "copy"},
            {"unit_ns", OrNull(figure.unit_ns())},
            {"unit_device_ns", OrNull(figure.unit_device_ns())},
            {"units_per_s", OrNull(figure.units_per_s())},
            {"pass_ns", measured ? SpreadJson(SpreadOf(figure.pass_ns)) : Json(nullptr)},
            {"over", TextOrNull(figure.over)},
            {"over_ratio", over ? Json(over->ratio) : Json(nullptr)}};
  const bool sure = over && over->interval_known;
  json["over_low"] = sure ? Json(over->low) : Json(nullptr);
  json["over_high"] = sure ? Json(over->high) : Json(nullptr);
  json["clients"] = ClientsJson(measured ? figure.clients : std::nullopt);
  json["verified_passes"] = figure.verified_passes;
  json["notices_skipped"] = figure.notices_skipped;
  json["notices_doubled"] = figure.runs > 0 ? Json(figure.notices_doubled) : Json(nullptr);
  json["rounds_ns"] = measured ? Json(figure.pass_ns) : Json::array();
  return json;
}

}  // namespace

Json ToJson(const CeilingReport& report) {
  Json figures = Json::array(), overheads = Json::array();
  for (const Figure& figure : report.figures) figures.push_back(FigureJson(report, figure));
  for (const std::string& shape : report.shapes) {
    for (const Place place : {Place::kInProcess, Place::kDaemon}) {
      const std::optional<double> ns = report.CopyOverheadNs(shape, place);
      if (!ns) continue;
      overheads.push_back({{"shape", shape}, {"place", PlaceName(place)}, {"ns_per_copy", *ns}});
    }
  }
  return {{"bench", kCeilingBench},
          {"schema", kSchema},
          {"daemon", {{"version", report.daemon_version}, {"build", report.daemon_build}}},
          {"device", report.device},
          {"device_description", TextOrNull(report.device_description)},
          {"in_process_description", TextOrNull(report.in_process_description)},
          {"processors", report.processors},
          {"settings",
           {{"kernels", kKernels},
            {"warmup", report.warmup},
            {"rounds", report.rounds},
            {"passes_per_round", report.passes},
            {"shapes", report.shapes}}},
          {"figures", std::move(figures)},
          {"copy_overheads", std::move(overheads)}};
}

}  // namespace anex::bench
