#include "client/cli/output/bench_view.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/bench/workload.h"
#include "client/cli/output/table.h"
#include "client/cli/output/text.h"

namespace anex::cli {
namespace {

using bench::CeilingReport;
using bench::ComparedFigure;
using bench::Figure;
using bench::Outcome;
using bench::Place;
using bench::RatioEstimate;
using bench::SubmitFigure;
using bench::Verdict;

constexpr int kWide = 120;

// Three digits: times are compared by them, and columns stay narrow.
std::string Ns(double ns) {
  const char* unit = "ns";
  double size = std::abs(ns);
  for (const char* next : {"us", "ms", "s"}) {
    if (size < 999.5) break;
    size /= 1000;
    unit = next;
  }
  const bool whole = *unit == 'n' || size >= 99.95;
  const int decimals = whole ? 0 : size < 9.995 ? 2 : 1;
  return absl::StrFormat("%s%.*f %s", ns < 0 ? "-" : "", decimals, size, unit);
}
std::string NsOrDash(const std::optional<double>& ns) { return ns ? Ns(*ns) : "-"; }

std::string Ratio(double ratio) {
  const int decimals = ratio < 0.0995 ? 3 : ratio < 9.995 ? 2 : ratio < 99.95 ? 1 : 0;
  return absl::StrFormat("%.*f", decimals, ratio);
}
std::string Interval(const RatioEstimate& ratio) {
  if (!ratio.interval_known) return "-";
  return absl::StrCat(Ratio(ratio.low), "-", Ratio(ratio.high));
}
std::string Percent(double share) { return absl::StrFormat("%.0f %%", share * 100); }

Tint TintOf(Outcome outcome) {
  return outcome == Outcome::kMeasured      ? Tint::kPlain
         : outcome == Outcome::kUnavailable ? Tint::kDim
                                            : Tint::kBad;
}
Cell OutcomeCell(Outcome outcome) {
  return {std::string(bench::OutcomeName(outcome)), TintOf(outcome)};
}

// Why something is not there, each reason once: "ring-1, ring-12: unavailable: ...".
class Reasons {
 public:
  void Add(const std::string& what, Outcome outcome, const std::string& reason) {
    if (outcome == Outcome::kMeasured) return;
    const std::pair<Outcome, std::string> key(outcome, reason);
    const auto found = std::ranges::find(all_, key, &Entry::key);
    Entry& entry = found == all_.end() ? all_.emplace_back(Entry{key, {}}) : *found;
    entry.what.push_back(what);
  }
  std::string Render(const Style& style) const {
    std::string out;
    for (const Entry& each : all_) {
      absl::StrAppend(
          &out, Harmless(absl::StrJoin(each.what, ", ")), ": ",
          style.Paint(std::string(bench::OutcomeName(each.key.first)), TintOf(each.key.first)),
          each.key.second.empty() ? "" : ": ", Harmless(each.key.second), "\n");
    }
    return out;
  }

 private:
  struct Entry {
    std::pair<Outcome, std::string> key;
    std::vector<std::string> what;
  };
  std::vector<Entry> all_;
};

// Both places of a mode, side by side.
struct ModeRow {
  std::string mode;
  const Figure* here = nullptr;
  const Figure* daemon = nullptr;
};

std::vector<ModeRow> RowsOf(const CeilingReport& report, const std::string& shape) {
  std::vector<ModeRow> rows;
  for (const Figure& figure : report.figures) {
    if (figure.shape != shape) continue;
    if (rows.empty() || rows.back().mode != figure.mode) rows.push_back({figure.mode});
    (figure.place == Place::kInProcess ? rows.back().here : rows.back().daemon) = &figure;
  }
  return rows;
}

Table CeilingTable(bool wide) {
  std::vector<Table::Column> columns = {{"MODE"},
                                        {"IN PROCESS", Align::kRight},
                                        {"DAEMON", Align::kRight},
                                        {"SPREAD", Align::kRight},
                                        {"OVER", Align::kRight}};
  if (wide) {
    columns.push_back({"95 % OF IT", Align::kRight});
    columns.push_back({"DEVICE", Align::kRight});
    columns.push_back({"PASS", Align::kRight});
  }
  columns.push_back({"KERNELS/s", Align::kRight});
  columns.push_back({"WAY"});
  return Table(std::move(columns));
}

Cell UnitCell(const Figure* figure) {
  if (figure == nullptr) return Cell("-");
  const std::optional<double> ns = figure->unit_ns();
  return ns ? Cell(Ns(*ns)) : OutcomeCell(figure->outcome);
}

void AddRow(const CeilingReport& report, const ModeRow& row, bool wide, Table& table) {
  // The figures behind the first two columns are the daemon's, or those there are.
  const Figure& shown = row.daemon != nullptr ? *row.daemon : *row.here;
  const std::optional<bench::Spread> pass = bench::SpreadOf(shown.pass_ns);
  const std::optional<RatioEstimate> over = report.Over(shown);
  const bool measured = shown.unit_ns().has_value();
  std::vector<Cell> cells = {Cell(row.mode), UnitCell(row.here), UnitCell(row.daemon),
                             Cell(measured ? Percent(pass->relative()) : "-"),
                             Cell(over ? Ratio(over->ratio) : "-")};
  if (wide) {
    cells.emplace_back(over ? Interval(*over) : "-");
    cells.emplace_back(NsOrDash(shown.unit_device_ns()));
    cells.emplace_back(measured ? Ns(pass->median) : "-");
  }
  const std::optional<double> rate = shown.units_per_s();
  cells.emplace_back(rate ? FormatCount(static_cast<uint64_t>(*rate)) : "-");
  cells.emplace_back(measured ? shown.way : "");
  table.Add(std::move(cells));
}

// What one of several clients sees of a pass.
Table ClientsTable() {
  return Table({{"SEEN BY A CLIENT"},
                {"PASS p50", Align::kRight},
                {"p99", Align::kRight},
                {"p99.9", Align::kRight},
                {"MOST", Align::kRight},
                {"FAIRNESS", Align::kRight}});
}
void AddClients(const Figure& figure, Table& table) {
  if (!figure.clients || figure.outcome != Outcome::kMeasured) return;
  const bench::ClientFigures& seen = *figure.clients;
  table.Add({Cell(figure.mode), Cell(Ns(seen.p50_ns)), Cell(Ns(seen.p99_ns)),
             Cell(NsOrDash(seen.p999_ns)), Cell(Ns(seen.most_ns)),
             Cell(absl::StrFormat("%.3f", seen.jain))});
}

std::string RenderCopies(const CeilingReport& report, const std::string& shape) {
  std::string out;
  for (const Place place : {Place::kInProcess, Place::kDaemon}) {
    const std::optional<double> ns = report.CopyOverheadNs(shape, place);
    if (!ns) continue;
    absl::StrAppend(&out, out.empty() ? "A copy adds, by (sequential - run-only) / 11: " : ", ",
                    Ns(*ns), place == Place::kInProcess ? " in process" : " at the daemon");
  }
  return out.empty() ? "" : out + "\n";
}

std::string RenderShape(const CeilingReport& report, const std::string& shape, bool wide,
                        const Style& style) {
  std::string out = absl::StrCat("\n", style.Paint(Harmless(shape), Tint::kBold));
  absl::StrAppend(&out, shape == "null" ? "  the least that a kernel can do\n"
                                        : "  time of one kernel (copy-only: of one copy)\n");
  Table table = CeilingTable(wide);
  Reasons reasons;
  Table clients = ClientsTable();
  for (const ModeRow& row : RowsOf(report, shape)) {
    AddRow(report, row, wide, table);
    if (row.here != nullptr) {
      reasons.Add(absl::StrCat(row.mode, " in process"), row.here->outcome, row.here->reason);
    }
    if (row.daemon == nullptr) continue;
    reasons.Add(row.mode, row.daemon->outcome, row.daemon->reason);
    AddClients(*row.daemon, clients);
  }
  return absl::StrCat(out, table.Render(style), clients.empty() ? "" : "\n", clients.Render(style),
                      RenderCopies(report, shape), reasons.Render(style));
}

std::string Verification(const CeilingReport& report, const Style& style) {
  uint64_t passes = 0, runs = 0;
  for (const Figure& figure : report.figures) {
    passes += figure.verified_passes;
    runs += figure.verified_passes * static_cast<uint64_t>(figure.runs);
  }
  return absl::StrCat("\n", FormatCount(passes), " passes, the results of ", FormatCount(runs),
                      " kernel runs compared bit by bit; a kernel left out\nor run twice was "
                      "noticed in every mode that has a time.\n",
                      report.good() ? style.Paint("All right.", Tint::kGood)
                                    : style.Paint("NOT ALL OF THEM WERE RIGHT.", Tint::kBad),
                      "\n");
}

Cell VerdictCell(Verdict verdict) {
  Tint tint = Tint::kDim;
  if (verdict == Verdict::kWorse || verdict == Verdict::kLost) tint = Tint::kBad;
  if (verdict == Verdict::kBetter) tint = Tint::kGood;
  if (verdict == Verdict::kUnsure) tint = Tint::kWarn;
  return {std::string(bench::VerdictName(verdict)), tint};
}

void AddSubmitRow(const SubmitFigure& figure, bool wide, Table& table) {
  const bool measured = figure.outcome == Outcome::kMeasured;
  std::vector<Cell> cells = {Cell(figure.way), Cell(figure.load())};
  cells.push_back(measured ? Cell(FormatCount(figure.runs)) : OutcomeCell(figure.outcome));
  for (const bench::Percentile& each : bench::SubmitPercentiles()) {
    cells.emplace_back(measured ? Ns(static_cast<double>(figure.latency.Percentile(each.q))) : "-");
  }
  if (wide) {
    const bool paced = figure.per_second > 0;
    cells.emplace_back(measured ? Ns(static_cast<double>(figure.service.Percentile(0.99))) : "-");
    cells.emplace_back(measured && paced && figure.lateness.count() > 0
                           ? Ns(static_cast<double>(figure.lateness.Percentile(0.99)))
                           : "-");
    cells.emplace_back(measured ? FormatCount(static_cast<uint64_t>(figure.achieved())) : "-");
  }
  table.Add(std::move(cells));
}

}  // namespace

std::string RenderCeiling(const CeilingReport& report, int columns, const Style& style) {
  std::string out =
      absl::StrCat(style.Paint("anexd " + Harmless(report.daemon_version), Tint::kBold), " on ",
                   Harmless(report.device), ", ", report.processors, " processors\n",
                   bench::kKernels, " kernels a pass; medians of ", report.rounds * report.passes,
                   " passes in ", report.rounds, " rounds.\n");
  if (!report.in_process_description.empty() &&
      report.in_process_description != report.device_description) {
    absl::StrAppend(&out, style.Paint("note:", Tint::kWarn),
                    " in process the device is another: ", Harmless(report.in_process_description),
                    "\n      at the daemon: ", Harmless(report.device_description), "\n");
  }
  for (const std::string& shape : report.shapes) {
    out += RenderShape(report, shape, columns >= kWide, style);
  }
  return out + Verification(report, style);
}

std::string RenderSubmit(const bench::SubmitReport& report, int columns, const Style& style) {
  const bool wide = columns >= kWide;
  std::vector<Table::Column> titles = {{"WAY"}, {"LOAD", Align::kRight}, {"RUNS", Align::kRight}};
  for (const bench::Percentile& each : bench::SubmitPercentiles()) {
    titles.push_back({each.name, Align::kRight});
  }
  if (wide) {
    titles.push_back({"p99 FROM START", Align::kRight});
    titles.push_back({"LATE p99", Align::kRight});
    titles.push_back({"MADE/s", Align::kRight});
  }
  Table table(std::move(titles));
  Reasons reasons;
  std::string behind;
  for (const SubmitFigure& figure : report.figures) {
    AddSubmitRow(figure, wide, table);
    reasons.Add(figure.name(), figure.outcome, figure.reason);
    if (figure.outcome == Outcome::kMeasured && figure.behind()) {
      absl::StrAppend(
          &behind, figure.name(), ": behind, ",
          FormatCount(static_cast<uint64_t>(figure.achieved())), " a second were made",
          figure.given_up > 0 ? absl::StrCat(", ", FormatCount(figure.given_up), " given up") : "",
          "\n");
    }
  }
  return absl::StrCat(style.Paint("anexd " + Harmless(report.daemon_version), Tint::kBold), " on ",
                      Harmless(report.device), ". One invocation of kernel ",
                      Harmless(report.kernel),
                      ",\nfrom the moment at which it was meant to start.\n\n", table.Render(style),
                      behind, reasons.Render(style));
}

std::string RenderComparison(const bench::Comparison& comparison, const Style& style) {
  const bool relative = comparison.options.relative;
  Table table({{"FIGURE"},
               {"BEFORE", Align::kRight},
               {"AFTER", Align::kRight},
               {"RATIO", Align::kRight},
               {"95 % OF IT", Align::kRight},
               {"VERDICT"}});
  const auto value = [&](const std::optional<double>& of) {
    return !of ? std::string("-") : relative ? Ratio(*of) : Ns(*of);
  };
  std::string reasons;
  for (const ComparedFigure& figure : comparison.figures) {
    table.Add({Cell(figure.name), Cell(value(figure.before)), Cell(value(figure.after)),
               Cell(figure.change ? Ratio(figure.change->ratio) : "-"),
               Cell(figure.change ? Interval(*figure.change) : "-"), VerdictCell(figure.verdict)});
    if (figure.verdict == Verdict::kLost) {
      absl::StrAppend(&reasons, Harmless(figure.name), ": ", Harmless(figure.reason), "\n");
    }
  }
  std::string out;
  for (const std::string& each : comparison.differences) {
    absl::StrAppend(&out, style.Paint("note:", Tint::kWarn), " ", Harmless(each), "\n");
  }
  const size_t worse = comparison.Count(Verdict::kWorse) + comparison.Count(Verdict::kLost);
  absl::StrAppend(&out, table.Render(style), reasons, "\n", worse, " worse by more than ",
                  Percent(comparison.options.tolerance), ", ", comparison.Count(Verdict::kBetter),
                  " better, ", comparison.Count(Verdict::kSame), " the same, ",
                  comparison.Count(Verdict::kUnsure), " unsure.\n");
  return out;
}

}  // namespace anex::cli
