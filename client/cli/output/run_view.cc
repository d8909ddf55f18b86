#include "client/cli/output/run_view.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/output/table.h"
#include "client/cli/output/text.h"
#include "client/cli/output/views.h"

namespace anex::cli {
namespace {

// JSON has no NaN and no infinity.
Json Number(double value) { return std::isfinite(value) ? Json(value) : Json(FormatNumber(value)); }

// What was not measured is null, never 0.
Json OrNull(const std::optional<int64_t>& value) { return value ? Json(*value) : Json(nullptr); }

std::string FirstValues(const TensorSummary& summary) {
  const std::string values = absl::StrJoin(
      summary.first, " ", [](std::string* out, double value) { *out += FormatNumber(value); });
  return summary.elements > summary.first.size() ? values + " ..." : values;
}

Json OutputJson(const RunOutput& output) {
  Json first = Json::array();
  for (const double value : output.summary.first) first.push_back(Number(value));
  return {{"name", output.port.name},
          {"layout", ToJson(output.port.layout)},
          {"elements", output.summary.elements},
          {"min", Number(output.summary.min)},
          {"max", Number(output.summary.max)},
          {"mean", Number(output.summary.mean)},
          {"nan", output.summary.nan},
          {"inf", output.summary.inf},
          {"first", first},
          {"file", output.written},
          {"problem", std::string(output.write_status.message())}};
}

std::string RenderInputs(const RunReport& report, const Style& style) {
  Table table({{"INPUT"}, {"DTYPE"}, {"SHAPE"}, {"VALUES"}});
  for (const RunInput& input : report.inputs) {
    table.Add({input.port.name, Cell(DTypeName(input.port.layout.dtype)),
               input.port.layout.shape.ToString(), input.fill.ToString()});
  }
  return table.Render(style);
}

std::string RenderOutputs(const RunReport& report, const Style& style) {
  Table table({{"OUTPUT"},
               {"DTYPE"},
               {"SHAPE"},
               {"MIN", Align::kRight},
               {"MAX", Align::kRight},
               {"MEAN", Align::kRight},
               {"NAN", Align::kRight},
               {"INF", Align::kRight},
               {"FIRST"}});
  for (const RunOutput& output : report.outputs) {
    const TensorSummary& s = output.summary;
    const auto count = [](uint64_t n) {
      return Cell(FormatCount(n), n > 0 ? Tint::kBad : Tint::kPlain);
    };
    table.Add({output.port.name, Cell(DTypeName(output.port.layout.dtype)),
               output.port.layout.shape.ToString(), FormatNumber(s.min), FormatNumber(s.max),
               FormatNumber(s.mean), count(s.nan), count(s.inf), FirstValues(s)});
  }
  return table.Render(style);
}

std::string RenderTimings(const RunReport& report) {
  const RunTimings& t = report.timings;
  const auto split = [](int64_t all, int64_t device, int64_t queue) {
    return absl::StrCat(FormatDuration(all), " (device ", FormatDuration(device), ", queue ",
                        FormatDuration(queue), ")");
  };
  std::string out =
      absl::StrCat("first run ", split(t.first_ns, t.first_device_ns, t.first_queue_ns));
  if (!t.median_ns || !t.device_median_ns || !t.queue_median_ns || !t.min_ns) return out + "\n";
  absl::StrAppend(&out, ", then ", FormatCount(report.repeat), " more: median ",
                  split(*t.median_ns, *t.device_median_ns, *t.queue_median_ns), ", least ",
                  FormatDuration(*t.min_ns), ", by ", t.path, "\n");
  if (!t.note.empty()) absl::StrAppend(&out, Harmless(t.note), "\n");
  return out;
}

}  // namespace

std::string RenderRun(const RunReport& report, const Style& style) {
  std::string out = RenderKernel(report.kernel, style);
  absl::StrAppend(&out, "function ", Harmless(report.function), ": ", RenderTimings(report), "\n");
  const std::string inputs = RenderInputs(report, style);
  if (!inputs.empty()) absl::StrAppend(&out, inputs, "\n");
  out += RenderOutputs(report, style);
  for (const RunOutput& output : report.outputs) {
    if (output.written.empty()) continue;
    absl::StrAppend(&out, Harmless(output.port.name), " written to ", Harmless(output.written),
                    "\n");
  }
  return out;
}

Json ToJson(const RunReport& report) {
  Json inputs = Json::array(), outputs = Json::array();
  for (const RunInput& input : report.inputs) {
    inputs.push_back({{"name", input.port.name},
                      {"layout", ToJson(input.port.layout)},
                      {"values", input.fill.ToString()}});
  }
  for (const RunOutput& output : report.outputs) outputs.push_back(OutputJson(output));
  const RunTimings& t = report.timings;
  return {{"kernel", ToJson(report.kernel)},
          {"function", report.function},
          {"inputs", inputs},
          {"outputs", outputs},
          {"repeat", report.repeat},
          {"run_timings",
           {{"first_ns", t.first_ns},
            {"first_device_ns", t.first_device_ns},
            {"first_queue_ns", t.first_queue_ns},
            {"median_ns", OrNull(t.median_ns)},
            {"min_ns", OrNull(t.min_ns)},
            {"device_median_ns", OrNull(t.device_median_ns)},
            {"queue_median_ns", OrNull(t.queue_median_ns)},
            {"path", t.path},
            {"note", t.note}}}};
}

}  // namespace anex::cli
