#include "client/cli/bench/ceiling.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/bench/contender.h"
#include "client/cli/bench/mode_list.h"
#include "client/cli/bench/workload.h"

namespace anex::bench {
namespace {

// Copies take microseconds: the experiment made ten times as many of them.
constexpr int kCopyFactor = 10;

bool Wanted(const CeilingOptions& options, const ModeInfo& mode) {
  return options.modes.empty() || std::ranges::count(options.modes, mode.id) > 0;
}

// Whether a mode that is wanted is compared with this one in process.
bool IsBaseline(const CeilingOptions& options, const ModeInfo& mode) {
  return std::ranges::any_of(AllModes(), [&](const ModeInfo& other) {
    return Wanted(options, other) && other.over == mode.id;
  });
}

std::string NameOf(const std::string& shape, std::string_view mode, Place place) {
  return Figure{.shape = shape, .mode = std::string(mode), .place = place}.name();
}

Figure Empty(const std::string& shape, const ModeInfo& mode, Place place) {
  Figure figure{.shape = shape, .mode = std::string(mode.id), .place = place};
  figure.runs = mode.runs;
  figure.copies = mode.copies;
  if (place == Place::kDaemon) figure.over = NameOf(shape, mode.over, Place::kInProcess);
  return figure;
}

// One shape's part of the experiment.
class ShapeRun {
 public:
  ShapeRun(const Places& places, const CeilingOptions& options,
           std::shared_ptr<const Workload> workload)
      : places_(places), options_(options), workload_(std::move(workload)) {}

  absl::Status Measure(CeilingReport& report) {
    if (absl::Status opened = OpenSites(); !opened.ok()) return opened;
    report.device = daemon_->Main().value()->device();
    report.device_description = daemon_->Main().value()->DescribeDevice();
    if (in_process_ != nullptr) {
      report.in_process_description = in_process_->Main().value()->DescribeDevice();
    }
    if (absl::Status made = MakeContenders(); !made.ok()) return made;
    Say("warming up");
    for (Contender& each : contenders_) {
      if (absl::Status warm = each.WarmUp(options_.warmup); !warm.ok()) return warm;
    }
    for (int round = 0; round < options_.rounds; ++round) {
      Say(absl::StrCat("round ", round + 1, " of ", options_.rounds));
      if (absl::Status done = Round(round); !done.ok()) return done;
    }
    for (Contender& each : contenders_) report.figures.push_back(each.Finish());
    return absl::OkStatus();
  }

 private:
  void Say(const std::string& what) const {
    if (options_.say) options_.say(absl::StrCat(workload_->name(), ": ", what));
  }

  absl::Status OpenSites() {
    daemon_ = std::make_unique<Site>(places_.daemon, workload_, options_.device, false);
    const absl::StatusOr<Rig*> rig = daemon_->Main();
    if (!rig.ok()) return rig.status();
    if (!places_.in_process) return absl::OkStatus();
    // Figures of another device would be no baseline.
    in_process_ = std::make_unique<Site>(places_.in_process, workload_, (*rig)->device(), true);
    const absl::StatusOr<Rig*> here = in_process_->Main();
    if (here.ok()) return absl::OkStatus();
    in_process_ = nullptr;
    no_in_process_ = std::string(here.status().message());
    return absl::OkStatus();
  }

  absl::Status MakeContenders() {
    for (const ModeInfo& mode : AllModes()) {
      if (workload_->null() && !mode.null_kernel) continue;
      if (mode.in_process && (Wanted(options_, mode) || IsBaseline(options_, mode))) {
        contenders_.emplace_back(mode, Empty(workload_->name(), mode, Place::kInProcess),
                                 last_pass_);
        if (in_process_ == nullptr) {
          contenders_.back().MarkUnavailable(places_.in_process ? no_in_process_
                                                                : places_.no_in_process);
        } else if (absl::Status made = contenders_.back().Make(*in_process_); !made.ok()) {
          return made;
        }
      }
      if (!Wanted(options_, mode)) continue;
      contenders_.emplace_back(mode, Empty(workload_->name(), mode, Place::kDaemon), last_pass_);
      absl::Status made = contenders_.back().Make(*daemon_);
      if (!made.ok()) return made;
    }
    return absl::OkStatus();
  }

  // Each round begins with another mode, so that none is always behind the same one.
  absl::Status Round(int round) {
    const size_t count = contenders_.size();
    const size_t first = static_cast<size_t>(round) * 7 % count;
    for (size_t i = 0; i < count; ++i) {
      Contender& each = contenders_[(first + i) % count];
      const int passes = options_.passes * (each.copies_only() ? kCopyFactor : 1);
      if (absl::Status done = each.Round(passes); !done.ok()) return done;
    }
    return absl::OkStatus();
  }

  const Places& places_;
  const CeilingOptions& options_;
  const std::shared_ptr<const Workload> workload_;
  // Before the contenders, whose modes live on them.
  std::unique_ptr<Site> daemon_, in_process_;
  std::string no_in_process_;
  uint64_t last_pass_ = 0;
  std::vector<Contender> contenders_;
};

absl::Status CheckModes(const CeilingOptions& options) {
  for (const std::string& id : options.modes) {
    if (FindMode(id) != nullptr) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "there is no mode \"", id, "\"; there are ",
        absl::StrJoin(AllModes(), ", ",
                      [](std::string* out, const ModeInfo& mode) { out->append(mode.id); })));
  }
  return absl::OkStatus();
}

// That something is left to measure of the shape.
absl::Status CheckShape(const CeilingOptions& options, const std::string& shape) {
  const absl::StatusOr<bool> null = IsNullWorkload(shape);
  if (!null.ok()) return null.status();
  if (std::ranges::count(options.shapes, shape) > 1) {
    return absl::InvalidArgumentError(absl::StrCat("the shape ", shape, " is named twice"));
  }
  const bool any = std::ranges::any_of(AllModes(), [&](const ModeInfo& mode) {
    return Wanted(options, mode) && (mode.null_kernel || !*null);
  });
  if (any) return absl::OkStatus();
  return absl::InvalidArgumentError("none of the modes is there for the null kernel");
}

}  // namespace

absl::Status CheckCeilingOptions(const CeilingOptions& options) {
  if (options.shapes.empty() || options.warmup < 0 || options.rounds < 1 || options.passes < 1) {
    return absl::InvalidArgumentError("the experiment needs a shape, a round and a pass");
  }
  if (absl::Status known = CheckModes(options); !known.ok()) return known;
  for (const std::string& shape : options.shapes) {
    if (absl::Status good = CheckShape(options, shape); !good.ok()) return good;
  }
  return absl::OkStatus();
}

absl::StatusOr<CeilingReport> RunCeiling(const Places& places, const CeilingOptions& options) {
  if (absl::Status good = CheckCeilingOptions(options); !good.ok()) return good;
  absl::StatusOr<std::shared_ptr<Transport>> watcher = places.daemon();
  if (!watcher.ok()) return watcher.status();
  const absl::StatusOr<DaemonInfo> info = (*watcher)->GetInfo();
  if (!info.ok()) return info.status();
  CeilingReport report{.daemon_version = info->version,
                       .daemon_build = info->build,
                       .processors = std::thread::hardware_concurrency(),
                       .warmup = options.warmup,
                       .rounds = options.rounds,
                       .passes = options.passes,
                       .shapes = options.shapes};
  for (const std::string& shape : options.shapes) {
    absl::StatusOr<std::shared_ptr<const Workload>> workload = Workload::Make(shape);
    if (!workload.ok()) return workload.status();
    ShapeRun run(places, options, *std::move(workload));
    if (absl::Status measured = run.Measure(report); !measured.ok()) return measured;
  }
  return report;
}

}  // namespace anex::bench
