#include "server/engine/compile/compile_breaker.h"

#include <algorithm>
#include <utility>

namespace anex::engine {
namespace {

bool SaysSomethingAboutTheProgram(const FlightOutcome& outcome) {
  if (outcome.refusal != absl::StatusCode::kOk) return true;
  return !outcome.not_cached && !outcome.no_room && !outcome.status.ok() &&
         !absl::IsUnavailable(outcome.status) && !absl::IsCancelled(outcome.status) &&
         !absl::IsAborted(outcome.status) && !absl::IsResourceExhausted(outcome.status);
}

}  // namespace

const FlightOutcome* CompileBreaker::Find(const std::string& digest, int64_t now_ns) const {
  auto it = failures_.find(digest);
  if (it == failures_.end() || now_ns >= it->second.until_ns) return nullptr;
  return &it->second.outcome;
}

void CompileBreaker::Failed(const std::string& digest, const FlightOutcome& outcome,
                            int64_t now_ns) {
  if (!SaysSomethingAboutTheProgram(outcome)) return;
  if (!failures_.contains(digest) && failures_.size() >= kMostRemembered) MakeRoom();
  FlightOutcome remembered = outcome;  // whole before it is seen, or not at all
  Failure& failure = failures_[digest];
  failure.lasts_ns =
      failure.lasts_ns == 0 ? first_ns_ : std::min(failure.lasts_ns * 2, longest_ns_);
  failure.until_ns = now_ns + failure.lasts_ns;
  failure.outcome = std::move(remembered);
}

void CompileBreaker::Succeeded(const std::string& digest) { failures_.erase(digest); }

void CompileBreaker::MakeRoom() {
  failures_.erase(std::min_element(
      failures_.begin(), failures_.end(),
      [](const auto& a, const auto& b) { return a.second.until_ns < b.second.until_ns; }));
}

}  // namespace anex::engine
