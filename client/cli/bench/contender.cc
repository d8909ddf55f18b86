#include "client/cli/bench/contender.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"

namespace anex::bench {
namespace {

constexpr size_t kSamplesForP999 = 1000;
// The kernel that spoilt passes leave out or run twice: one in the middle.
constexpr int kSpoilt = 6;

const std::vector<int>& WholePlan() {
  static const auto* const plan = [] {
    auto* all = new std::vector<int>(kKernels);
    std::iota(all->begin(), all->end(), 0);
    return all;
  }();
  return *plan;
}

// That there is no such thing here, rather than that it broke.
bool SaysUnavailable(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kNotFound:  // no such device
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kPermissionDenied:
      return true;
    default:
      return false;
  }
}

ClientFigures FiguresOf(const std::vector<std::vector<int64_t>>& passes) {
  ClientFigures figures{.clients = static_cast<int>(passes.front().size())};
  std::vector<double> all;
  for (const std::vector<int64_t>& pass : passes) {
    std::vector<double> speeds;
    for (const int64_t ns : pass) {
      all.push_back(static_cast<double>(ns));
      speeds.push_back(1 / std::max(1.0, static_cast<double>(ns)));
    }
    figures.jain += JainIndex(speeds) / static_cast<double>(passes.size());
  }
  figures.p50_ns = Quantile(all, 0.5);
  figures.p99_ns = Quantile(all, 0.99);
  figures.most_ns = Quantile(all, 1);
  if (all.size() >= kSamplesForP999) figures.p999_ns = Quantile(all, 0.999);
  return figures;
}

}  // namespace

absl::Status Contender::Settle(const absl::Status& status, bool opening) {
  if (status.ok()) return status;
  if (absl::IsUnavailable(status) && figure_.place == Place::kDaemon) return status;
  figure_.reason = std::string(status.message());
  if (absl::IsDataLoss(status)) {
    figure_.outcome = Outcome::kWrong;
  } else {
    figure_.outcome = opening && SaysUnavailable(status) ? Outcome::kUnavailable : Outcome::kFailed;
  }
  return absl::OkStatus();
}

void Contender::MarkUnavailable(std::string reason) {
  figure_.outcome = Outcome::kUnavailable;
  figure_.reason = std::move(reason);
}

absl::Status Contender::Make(Site& site) {
  absl::StatusOr<std::unique_ptr<Mode>> made = info_.make(site);
  if (!made.ok()) return Settle(made.status(), true);
  mode_ = *std::move(made);
  // Whether there are rings, streams and the like shows here, not in the middle of the experiment.
  const absl::Status begun = mode_->Begin();
  mode_->End();
  return Settle(begun, true);
}

absl::Status Contender::CheckCount(uint64_t counted_before, uint64_t claimed_before) const {
  const absl::StatusOr<uint64_t> counted = mode_->CountRuns();
  if (!counted.ok()) return counted.status();
  const uint64_t ran = *counted - counted_before;
  const uint64_t claimed = mode_->claimed_runs() - claimed_before;
  if (ran == claimed) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("the engine ran ", ran, " kernels where ", claimed, " were submitted"));
}

template <typename Work>
absl::Status Contender::Opened(const Work& work) {
  const absl::StatusOr<uint64_t> counted = mode_->CountRuns();
  if (!counted.ok()) return counted.status();
  const uint64_t claimed = mode_->claimed_runs();
  absl::Status status = mode_->Begin();
  if (status.ok()) status = work();
  if (status.ok()) status = CheckCount(*counted, claimed);
  mode_->End();
  return status;
}

absl::Status Contender::VerifiedPass(PassTiming& timing) {
  const uint64_t pass = ++last_pass_;
  mode_->Feed(pass);
  absl::StatusOr<PassTiming> ran = mode_->Run(WholePlan());
  if (!ran.ok()) return ran.status();
  timing = *std::move(ran);
  absl::Status right = mode_->Verify(pass);
  if (!right.ok()) {
    return absl::DataLossError(absl::StrCat("pass ", pass, ": ", std::string(right.message())));
  }
  ++figure_.verified_passes;
  return right;
}

absl::StatusOr<bool> Contender::Notices(std::span<const int> plan) {
  absl::Status verdict;
  const absl::Status status = Opened([&]() -> absl::Status {
    const uint64_t pass = ++last_pass_;
    mode_->Feed(pass);
    const absl::StatusOr<PassTiming> ran = mode_->Run(plan);
    if (!ran.ok()) return ran.status();
    verdict = mode_->Verify(pass);
    return absl::OkStatus();
  });
  if (absl::IsDataLoss(status) || absl::IsDataLoss(verdict)) return true;
  if (!status.ok()) return status;
  if (!verdict.ok()) return verdict;
  return false;
}

absl::Status Contender::NoticesSpoilt() {
  std::vector<int> skipped = WholePlan(), doubled = WholePlan();
  skipped.erase(skipped.begin() + kSpoilt);
  doubled.insert(doubled.begin() + kSpoilt, kSpoilt);
  const absl::StatusOr<bool> skip = Notices(skipped);
  if (!skip.ok()) return skip.status();
  figure_.notices_skipped = *skip;
  if (info_.runs > 0) {  // a copy that is made twice changes nothing
    const absl::StatusOr<bool> twice = Notices(doubled);
    if (!twice.ok()) return twice.status();
    figure_.notices_doubled = *twice;
  }
  if (!figure_.notices_skipped) {
    return absl::DataLossError("a pass with a kernel left out was taken for a whole one");
  }
  if (info_.runs > 0 && !figure_.notices_doubled) {
    return absl::DataLossError("a pass with a kernel run twice was taken for a whole one");
  }
  return absl::OkStatus();
}

absl::Status Contender::WarmUp(int passes) {
  if (!working()) return absl::OkStatus();
  absl::Status status = Opened([&] {
    PassTiming ignored;
    absl::Status pass;
    for (int i = 0; i < passes && pass.ok(); ++i) pass = VerifiedPass(ignored);
    return pass;
  });
  if (status.ok()) status = NoticesSpoilt();
  return Settle(status, false);
}

absl::Status Contender::Round(int passes) {
  if (!working()) return absl::OkStatus();
  std::vector<double> round;
  const absl::Status status = Opened([&] {
    PassTiming timing;
    absl::Status pass;
    for (int i = 0; i < passes; ++i) {
      pass = VerifiedPass(timing);
      if (!pass.ok()) break;
      round.push_back(static_cast<double>(timing.ns));
      figure_.device_ns.push_back(static_cast<double>(timing.device_ns));
      if (!timing.client_ns.empty()) client_ns_.push_back(std::move(timing.client_ns));
    }
    return pass;
  });
  if (status.ok()) figure_.pass_ns.push_back(std::move(round));
  return Settle(status, false);
}

Figure Contender::Finish() {
  if (mode_ != nullptr) {
    figure_.way = mode_->way();
    figure_.note = mode_->note();
  }
  mode_.reset();
  if (!client_ns_.empty()) figure_.clients = FiguresOf(client_ns_);
  return std::move(figure_);
}

}  // namespace anex::bench
