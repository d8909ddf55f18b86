#include "client/cli/bench/ceiling_chart.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/bench/svg_canvas.h"
#include "client/cli/bench/workload.h"

namespace anex::bench {
namespace {

constexpr double kWidth = 1000, kMargin = 32;
constexpr double kPlotLeft = 200, kPlotRight = 700;  // between names and figures
constexpr double kInColumn = 790, kDaemonColumn = 880, kRatioColumn = kWidth - kMargin;
constexpr double kRow = 22, kHead = 118, kPanelHead = 62, kPanelFoot = 26, kFoot = 44;

constexpr char kCss[] = R"css(
svg { background: #ffffff; font-family: system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
text { fill: #1f2933; font-size: 13px; font-variant-numeric: tabular-nums; }
.title { font-size: 22px; font-weight: 600; }
.sub, .axis, .head, .none { fill: #66737f; }
.head, .axis { font-size: 11.5px; }
.shape { font-size: 15px; font-weight: 600; }
.bad { fill: #c0272d; }
.band { fill: #f5f7f9; }
.grid { stroke: #dde3e8; stroke-width: 1; }
.cost { stroke-width: 4; stroke-opacity: 0.3; stroke-linecap: round; }
.spread { stroke-width: 1.5; }
.floor { stroke: #7b8794; stroke-width: 2; }
circle { stroke-width: 2; }
.here { fill: #ffffff; stroke: #7b8794; }
.single { fill: #2f6fb3; stroke: #2f6fb3; }
.call { fill: #c9731a; stroke: #c9731a; }
.ring { fill: #2a8a57; stroke: #2a8a57; }
.chain { fill: #7a4fb0; stroke: #7a4fb0; }
.clients { fill: #147d8c; stroke: #147d8c; }
.rewrite { fill: #b0455f; stroke: #b0455f; }
@media (prefers-color-scheme: dark) {
  svg { background: #14181c; }
  text { fill: #e6eaee; }
  .sub, .axis, .head, .none { fill: #93a0ac; }
  .bad { fill: #ff7b7b; }
  .band { fill: #1b2126; }
  .grid { stroke: #2d353c; }
  .floor { stroke: #9aa7b3; }
  .here { fill: #14181c; stroke: #9aa7b3; }
  .single { fill: #6aa8e8; stroke: #6aa8e8; }
  .call { fill: #eda355; stroke: #eda355; }
  .ring { fill: #5cc78f; stroke: #5cc78f; }
  .chain { fill: #b593e6; stroke: #b593e6; }
  .clients { fill: #4fc0cf; stroke: #4fc0cf; }
  .rewrite { fill: #ea8aa1; stroke: #ea8aa1; }
}
)css";

struct Family {
  const char* prefix;
  const char* css;
  const char* legend;
};
// By what a mode's name begins with; the last is for all others.
constexpr Family kFamilies[] = {{"ring", "ring", "shared-memory ring"},
                                {"unary", "call", "calls and streams"},
                                {"stream", "call", nullptr},
                                {"chain", "chain", "chains"},
                                {"clients", "clients", "several clients"},
                                {"rewrite", "rewrite", "new weights"},
                                {"", "single", "one run after another"}};

const Family& FamilyOf(std::string_view mode) {
  for (const Family& family : kFamilies) {
    if (mode.starts_with(family.prefix)) return family;
  }
  return kFamilies[std::size(kFamilies) - 1];
}

// Three digits, as far as they are behind the point.
int DecimalsOf(double value) { return value < 9.995 ? 2 : value < 99.95 ? 1 : 0; }

std::string Time(double ns) {
  const char* unit = "ns";
  double value = ns;
  for (const char* next : {"\u00b5s", "ms", "s"}) {
    if (value < 999.5) break;
    value /= 1000;
    unit = next;
  }
  return absl::StrFormat("%.*f %s", DecimalsOf(value), value, unit);
}

std::string Ratio(double ratio) { return absl::StrFormat("%.*f\u00d7", DecimalsOf(ratio), ratio); }

// A row: what was measured of a mode in either place.
struct Row {
  std::string mode;
  const Figure* here = nullptr;  // in process; may be of another mode, which it is compared with
  const Figure* daemon = nullptr;
};

std::vector<Row> RowsOf(const CeilingReport& report, const std::string& shape) {
  std::vector<Row> rows;
  for (const Figure& figure : report.figures) {
    if (figure.shape != shape) continue;
    if (figure.place == Place::kDaemon) {
      rows.push_back({figure.mode, report.Find(figure.over), &figure});
      continue;
    }
    // A baseline alone, if the mode itself was not asked for at the daemon.
    const bool also = report.Find(absl::StrCat(shape, "/", figure.mode, "/daemon")) != nullptr;
    if (!also) rows.push_back({figure.mode, &figure, nullptr});
  }
  return rows;
}

// Nanoseconds to pixels, as far as kernels reach.
class LogAxis {
 public:
  explicit LogAxis(const std::vector<Row>& rows) {
    double least = 1e18, most = 0;
    for (const Row& row : rows) {
      for (const Figure* figure : {row.here, row.daemon}) {
        const std::optional<double> ns = figure == nullptr ? std::nullopt : figure->unit_ns();
        if (!ns || *ns <= 0 || figure->runs == 0) continue;
        const double device = figure->unit_device_ns().value_or(0);
        least = std::min(least, device > 0 ? std::min(device, *ns) : *ns);
        most = std::max(most, *ns);
      }
    }
    if (most == 0) least = most = 1000;
    low_ = std::log10(least) - 0.12;
    high_ = std::max(std::log10(most) + 0.12, low_ + 0.5);
  }
  double X(double ns) const {
    const double share = (std::log10(std::max(ns, 1e-3)) - low_) / (high_ - low_);
    return kPlotLeft + std::clamp(share, 0.0, 1.0) * (kPlotRight - kPlotLeft);
  }
  std::vector<double> Ticks() const {
    const bool dense = high_ - low_ < 2.2;
    std::vector<double> ticks;
    for (int decade = static_cast<int>(std::floor(low_)); decade <= high_; ++decade) {
      for (const double factor : {1.0, 2.0, 5.0}) {
        const double at = std::pow(10, decade) * factor;
        if ((dense || factor == 1) && std::log10(at) >= low_ && std::log10(at) <= high_) {
          ticks.push_back(at);
        }
      }
    }
    return ticks;
  }

 private:
  double low_, high_;
};

std::string TickLabel(double ns) {
  const char* unit = "ns";
  for (const char* next : {"\u00b5s", "ms", "s"}) {
    if (ns < 999.5) break;
    ns /= 1000;
    unit = next;
  }
  return absl::StrFormat("%g %s", std::round(ns * 100) / 100, unit);
}

class Chart {
 public:
  explicit Chart(const CeilingReport& report) : report_(report) {}

  std::string Draw() {
    Title();
    for (const std::string& shape : report_.shapes) Panel(shape);
    canvas_.Text(kMargin, y_ + 16, Footer(), "sub");
    return canvas_.Finish(kWidth, y_ + kFoot, "Throughput ceiling: time per kernel by mode", kCss);
  }

 private:
  void Title() {
    canvas_.Text(kMargin, 42, "Throughput ceiling", "title");
    canvas_.Text(
        kMargin, 64,
        absl::StrCat("Time of one kernel of ", kKernels, " in a row. ", "anexd ",
                     report_.daemon_version, ", device ", report_.device, ", ", report_.processors,
                     " processors; medians of ", report_.rounds * report_.passes, " passes in ",
                     report_.rounds, " interleaved rounds"),
        "sub");
    double x = kMargin + 6;
    const auto entry = [&](const char* css, const char* text) {
      canvas_.Circle(x, 90, 5, css);
      canvas_.Text(x + 11, 94.5, text, "head");
      x += 26 + 6.4 * static_cast<double>(std::string_view(text).size());
    };
    canvas_.Line(x, 84, x, 96, "floor");
    canvas_.Text(x + 8, 94.5, "on the device", "head");
    x += 104;
    entry("here", "in process");
    entry("single", "one run after another");
    for (const Family& family : kFamilies) {
      if (family.legend != nullptr && *family.prefix != '\0') entry(family.css, family.legend);
    }
    y_ = kHead;
  }

  void Panel(const std::string& shape) {
    const std::vector<Row> rows = RowsOf(report_, shape);
    if (rows.empty()) return;
    const LogAxis axis(rows);
    const double top = y_ + kPanelHead, bottom = top + kRow * static_cast<double>(rows.size());
    canvas_.Text(kMargin, y_ + 28, ShapeTitle(shape), "shape");
    canvas_.Text(kInColumn, top - 10, "in process", "head", Anchor::kEnd);
    canvas_.Text(kDaemonColumn, top - 10, "daemon", "head", Anchor::kEnd);
    canvas_.Text(kRatioColumn, top - 10, "over", "head", Anchor::kEnd);
    for (size_t i = 0; i < rows.size(); i += 2) {
      canvas_.Rect(kMargin - 8, top + kRow * static_cast<double>(i), kWidth - 2 * kMargin + 16,
                   kRow, "band");
    }
    for (const double tick : axis.Ticks()) {
      canvas_.Line(axis.X(tick), top, axis.X(tick), bottom, "grid");
      canvas_.Text(axis.X(tick), top - 10, TickLabel(tick), "axis", Anchor::kMiddle);
    }
    double middle = top + kRow / 2;
    for (const Row& row : rows) {
      DrawRow(row, axis, middle);
      middle += kRow;
    }
    y_ = bottom + kPanelFoot;
  }

  static std::string ShapeTitle(const std::string& shape) {
    return shape == "null" ? "null kernel: one element copied"
                           : absl::StrCat(shape, " convolution");
  }

  void DrawRow(const Row& row, const LogAxis& axis, double y) {
    const double text_y = y + 4.5;
    canvas_.Text(kMargin, text_y, row.mode, "mode");
    if (row.here != nullptr) Number(*row.here, kInColumn, text_y);
    if (row.daemon != nullptr && row.daemon->unit_ns()) Number(*row.daemon, kDaemonColumn, text_y);
    const Figure* shown = row.daemon != nullptr ? row.daemon : row.here;
    if (shown->outcome != Outcome::kMeasured) {
      canvas_.Text(
          kPlotLeft, text_y,
          Shortened(absl::StrCat(std::string(OutcomeName(shown->outcome)), ": ", shown->reason)),
          Css(*shown));
    } else if (shown->runs == 0) {
      canvas_.Text(kPlotLeft, text_y, "a copy, not a kernel", "none");
    } else {
      DrawMarks(row, axis, y);
    }
    const std::optional<RatioEstimate> over = report_.Over(*shown);
    if (over) canvas_.Text(kRatioColumn, text_y, Ratio(over->ratio), "value", Anchor::kEnd);
  }

  void Number(const Figure& figure, double x, double y) {
    const std::optional<double> ns = figure.unit_ns();
    canvas_.Text(x, y, ns ? Time(*ns) : std::string(OutcomeName(figure.outcome)),
                 ns ? "value" : Css(figure), Anchor::kEnd);
  }

  void DrawMarks(const Row& row, const LogAxis& axis, double y) {
    const std::optional<double> here = row.here ? row.here->unit_ns() : std::nullopt;
    const std::optional<double> daemon = row.daemon ? row.daemon->unit_ns() : std::nullopt;
    const char* css = FamilyOf(row.mode).css;
    if (here && daemon) {
      canvas_.Line(axis.X(*here), y, axis.X(*daemon), y, absl::StrCat("cost ", css));
    }
    const std::optional<double> device = row.daemon ? row.daemon->unit_device_ns() : std::nullopt;
    if (device && *device > 0) {
      canvas_.Line(axis.X(*device), y - 6, axis.X(*device), y + 6, "floor");
    }
    if (here) canvas_.Circle(axis.X(*here), y, 5, "here", Tip(*row.here, *here));
    if (!daemon) return;
    DrawSpread(*row.daemon, axis, y, css);
    canvas_.Circle(axis.X(*daemon), y, 5, css, Tip(*row.daemon, *daemon));
  }

  void DrawSpread(const Figure& figure, const LogAxis& axis, double y, const char* css) {
    const std::optional<Spread> spread = SpreadOf(figure.pass_ns);
    if (!spread) return;
    const double units = figure.units();
    canvas_.Line(axis.X(spread->p25 / units), y, axis.X(spread->p75 / units), y,
                 absl::StrCat("spread ", css));
  }

  static const char* Css(const Figure& figure) {
    return figure.outcome == Outcome::kUnavailable ? "none" : "bad";
  }
  static std::string Tip(const Figure& figure, double ns) {
    return absl::StrCat(figure.name(), ": ", Time(ns), figure.way.empty() ? "" : " by ",
                        figure.way);
  }
  // What fits between the names and the figures, cut at a whole character.
  static std::string Shortened(const std::string& text) {
    constexpr size_t kMost = 84;
    if (text.size() <= kMost) return text;
    size_t end = kMost;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return absl::StrCat(text.substr(0, end), "\u2026");
  }

  std::string Footer() const {
    uint64_t verified = 0;
    for (const Figure& figure : report_.figures) verified += figure.verified_passes;
    return absl::StrCat("Logarithmic. Line: from the same work in process to the daemon. ",
                        verified, " passes, every result compared bit by bit",
                        report_.good() ? "." : "; NOT ALL WERE RIGHT.");
  }

  const CeilingReport& report_;
  SvgCanvas canvas_;
  double y_ = 0;
};

}  // namespace

std::string DrawCeiling(const CeilingReport& report) { return Chart(report).Draw(); }

}  // namespace anex::bench
