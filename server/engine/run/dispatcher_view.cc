// What the dispatcher shows of itself, and the knobs of its policy.

#include <algorithm>
#include <utility>

#include "server/engine/run/dispatcher.h"

namespace anex::engine {
namespace {

// Looking ahead may take this part of one core's time, however often somebody asks.
constexpr int64_t kProspectsRest = 10;
constexpr size_t kLanesAtOnce = 64;

}  // namespace

void Dispatcher::SetUserWeight(uint64_t user, uint32_t weight) {
  absl::MutexLock lock(&mutex_);
  scheduler_->SetUserWeight(user, weight);
}

void Dispatcher::SetSessionWeight(SessionId session, uint32_t weight) {
  absl::MutexLock lock(&mutex_);
  scheduler_->SetSessionWeight(session, weight);
}

void Dispatcher::SetShares(const ClassShares& shares) {
  absl::MutexLock lock(&mutex_);
  scheduler_->SetShares(shares);
}

Dispatcher::Load Dispatcher::load() const {
  absl::MutexLock lock(&mutex_);
  return {queued_, current_ != nullptr ? 1u : 0u};
}

// The lock is held for a copy of the policy only; the look ahead itself goes without.
std::map<uint64_t, Prospect> Dispatcher::Prospects() const {
  const int64_t begin_ns = clock_.Now();
  std::vector<LaneBacklog> backlog;
  std::unique_ptr<Scheduler> policy;
  int64_t left_ns = 0;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [number, lane] : lanes_) {
      if (lane->closed() || lane->blocked() || lane->empty()) continue;
      // A lane that has not run yet is taken for one like the others.
      const int64_t turn_ns =
          lane->expected_turn_ns() != 0 ? lane->expected_turn_ns() : expected_turn_ns_;
      backlog.push_back({number, lane->turns_waiting(), turn_ns, lane->running()});
      if (lane->running()) left_ns = turn_ns - (begin_ns - turn_began_ns_);
    }
    policy = scheduler_->Clone();
  }
  std::map<uint64_t, Prospect> prospects;
  if (policy == nullptr) return prospects;
  for (const LaneOutlook& one : Forecast(*policy, backlog, left_ns)) {
    prospects[one.lane] = one.prospect;
  }
  const int64_t end_ns = clock_.Now();
  next_prospects_ns_ = end_ns + kProspectsRest * (end_ns - begin_ns);
  return prospects;
}

Dispatcher::LaneView Dispatcher::ViewLocked(const Lane& lane) const {
  LaneView view{lane.session(), lane.name(), lane.queued(), lane.running(), lane.blocked(), {}};
  const auto known = prospects_.find(lane.number());
  if (lane.turns_waiting() > 0 && !lane.blocked() && known != prospects_.end()) {
    view.prospect = known->second;
  }
  return view;
}

// The device thread wants the lock after every turn: a few lanes are looked at with it at a time.
std::vector<Dispatcher::LaneView> Dispatcher::Lanes() const {
  absl::MutexLock looking_ahead(&prospects_mutex_);
  if (clock_.Now() >= next_prospects_ns_) prospects_ = Prospects();
  std::vector<uint64_t> numbers;
  {
    absl::MutexLock lock(&mutex_);
    numbers.reserve(lanes_.size());
    for (const auto& [number, lane] : lanes_) numbers.push_back(number);
  }
  std::vector<LaneView> views;
  views.reserve(numbers.size());
  for (size_t first = 0; first < numbers.size(); first += kLanesAtOnce) {
    absl::MutexLock lock(&mutex_);
    const size_t end = std::min(numbers.size(), first + kLanesAtOnce);
    for (size_t i = first; i < end; ++i) {
      const auto it = lanes_.find(numbers[i]);
      if (it != lanes_.end()) views.push_back(ViewLocked(*it->second));
    }
  }
  return views;
}

std::optional<Dispatcher::LaneView> Dispatcher::LaneOf(uint64_t lane) const {
  absl::MutexLock looking_ahead(&prospects_mutex_);
  if (clock_.Now() >= next_prospects_ns_) prospects_ = Prospects();
  absl::MutexLock lock(&mutex_);
  const auto it = lanes_.find(lane);
  if (it == lanes_.end()) return std::nullopt;
  return ViewLocked(*it->second);
}

DeviceStatus Dispatcher::Status() const {
  DeviceStatus status;
  status.info.name = slot_->name();
  status.info.description = slot_->capabilities().description;
  status.info.capabilities = slot_->capabilities().claims;
  status.info.health = slot_->health(&status.info.health_reason);
  log_.Settle();
  const int64_t now_ns = clock_.Now();
  status.busy_1s = log_.device().DeviceShare1s(now_ns);
  status.busy_60s = log_.device().DeviceShare60s(now_ns);
  status.usage = log_.device().Snapshot();
  const Load now = load();
  status.queued = now.queued;
  status.running = now.running;
  return status;
}

}  // namespace anex::engine
