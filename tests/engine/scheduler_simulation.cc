#include "tests/engine/scheduler_simulation.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace anex::engine::testing {

uint32_t SeedOfThisRun() {
  static const uint32_t seed = [] {
    const char* given = std::getenv("ANEX_SEED");
    const uint32_t chosen = given != nullptr
                                ? static_cast<uint32_t>(std::strtoul(given, nullptr, 10))
                                : std::random_device{}();
    std::printf("seed %u (ANEX_SEED=%u repeats this run)\n", chosen, chosen);
    return chosen;
  }();
  return seed;
}

void History::Accepted(uint64_t lane, uint64_t submission) {
  if (submission != entries_.size()) ++strangers_;
  entries_.push_back({lane, 0});
}

void History::Completed(uint64_t lane, uint64_t submission) {
  if (submission >= entries_.size() || entries_[submission].lane != lane) {
    ++strangers_;
    return;
  }
  ++entries_[submission].completions;
  const auto [last, first] = last_completed_.emplace(lane, submission);
  if (!first && last->second >= submission) ++out_of_order_;
  last->second = submission;
}

std::string History::Problem() const {
  uint64_t lost = 0, doubled = 0;
  for (const Entry& entry : entries_) {
    if (entry.completions == 0) ++lost;
    if (entry.completions > 1) ++doubled;
  }
  if (lost + doubled + out_of_order_ + strangers_ == 0) return "";
  return "lost " + std::to_string(lost) + ", doubled " + std::to_string(doubled) +
         ", out of order " + std::to_string(out_of_order_) + ", never accepted " +
         std::to_string(strangers_);
}

double Jain(const std::vector<double>& shares) {
  double sum = 0, squares = 0;
  for (const double share : shares) {
    sum += share;
    squares += share * share;
  }
  return sum * sum / (static_cast<double>(shares.size()) * squares);
}

uint64_t Simulation::AddLane(uint64_t user, uint64_t session, QosClass qos, uint32_t weight) {
  const uint64_t number = lanes_.size();
  lanes_.push_back(std::make_unique<Entry>(number, session));
  (void)policy_->Add({number, user, SessionId(session), qos, weight});
  return number;
}

void Simulation::RemoveLane(uint64_t lane) {
  Lane::JobList dropped;
  lanes_.at(lane)->lane.TakeQueued(dropped, [](const Job&) { return true; });
  for (const auto& job : dropped) history_.Dropped(job->item.user_data);
  policy_->Remove(lane);
  lanes_[lane] = nullptr;
}

void Simulation::Submit(uint64_t lane, int64_t step_ns, uint32_t steps) {
  auto job = std::make_shared<Job>();
  job->item.user_data = plans_.size();
  plans_.push_back({step_ns, steps});
  history_.Accepted(lane, job->item.user_data);
  (void)lanes_.at(lane)->lane.Push(std::move(job));
  Refresh(*lanes_[lane]);
}

void Simulation::Unblock(uint64_t lane) {
  Entry& entry = *lanes_.at(lane);
  entry.block = false;
  entry.lane.Unblock();
  Refresh(entry);
}

void Simulation::Refresh(Entry& entry) {
  const bool ready = entry.lane.Ready();
  if (ready && !entry.told_ready) entry.ready_since_ns = now_ns_;
  entry.told_ready = ready;
  policy_->SetReady(entry.lane.number(), ready);
}

bool Simulation::Turn(const std::function<void(uint64_t lane)>& after) {
  const std::optional<uint64_t> next = policy_->Next();
  if (!next.has_value()) return false;
  if (*next >= lanes_.size() || lanes_[*next] == nullptr || !lanes_[*next]->lane.Ready()) {
    named_wrongly_ = true;
    return false;
  }
  Entry& entry = *lanes_[*next];
  const uint64_t submission = entry.lane.Start()->item.user_data;
  Refresh(entry);
  if (entry.block) {
    entry.lane.Block();
    Refresh(entry);
    return true;
  }
  entry.longest_wait_ns = std::max(entry.longest_wait_ns, now_ns_ - entry.ready_since_ns);
  Plan& plan = plans_[submission];
  now_ns_ += plan.step_ns;
  entry.device_ns += plan.step_ns;
  policy_->Served(*next, plan.step_ns);
  const bool done = --plan.steps_left == 0;
  if (done) {
    history_.Completed(*next, entry.lane.Finish()->item.user_data);
  } else {
    entry.lane.PutBack();
  }
  Refresh(entry);
  if (done && after) after(*next);
  return true;
}

int64_t Simulation::LongestWait(uint64_t lane) const {
  const Entry& entry = *lanes_.at(lane);
  if (!entry.told_ready) return entry.longest_wait_ns;
  return std::max(entry.longest_wait_ns, now_ns_ - entry.ready_since_ns);
}

}  // namespace anex::engine::testing
