// The engine's verbs about what everybody may have: limits and weights, changed while it runs.
#include <algorithm>
#include <utility>

#include "server/engine/engine_impl.h"

namespace anex::engine {

std::vector<LimitInfo> Engine::GetLimits(const Caller&) const { return impl_->limits.Now().List(); }

absl::StatusOr<std::vector<LimitInfo>> Engine::SetLimits(
    const Caller& caller, const std::map<std::string, uint64_t>& values) {
  if (absl::Status role = CheckRole(caller, Role::kOperator); !role.ok()) return role;
  absl::MutexLock lock(&impl_->change_mutex);
  if (absl::Status set = impl_->limits.Set(values); !set.ok()) return set;
  impl_->ApplyLimits();
  impl_->events->OnLimitsSet(caller.identity, values);
  return impl_->limits.Now().List();
}

std::vector<std::string> Engine::Reconfigure(const Limits& limits, const Weights& weights) {
  absl::MutexLock lock(&impl_->change_mutex);
  std::vector<std::string> fixed = impl_->limits.Replace(limits);
  impl_->ApplyLimits();
  impl_->ApplyWeights(weights);
  return fixed;
}

void Engine::Impl::ApplyLimits() {
  const Limits now = limits.Now();
  if (cache) cache->SetQuota(now.cache_bytes);
  ClassShares shares;
  const auto keep = [&shares](QosClass qos, uint64_t permille) {
    shares.kept_permille[static_cast<size_t>(qos)] = static_cast<uint32_t>(permille);
  };
  keep(QosClass::kInteractive, now.interactive_kept_permille);
  keep(QosClass::kDefault, now.default_kept_permille);
  keep(QosClass::kUtility, now.utility_kept_permille);
  keep(QosClass::kBackground, now.background_kept_permille);
  for (const auto& dispatcher : dispatchers) dispatcher->SetShares(shares);
  ApplySessionWeights();
  events->OnLimitsChanged(now);
}

uint32_t Engine::Impl::WeightOf(const std::string& client_name, uint32_t asked) const {
  absl::MutexLock lock(&weights_mutex);
  const auto named = weights.sessions.find(client_name);
  if (named != weights.sessions.end()) return named->second;
  return static_cast<uint32_t>(std::min<uint64_t>(asked, limits.Get(&Limits::asked_weight)));
}

// A session that is just being opened takes its weight from the table, so the table comes first. A
// lane that is just being opened may still bring the old weight; the next change mends it.
void Engine::Impl::ApplyWeights(const Weights& wanted) {
  Weights before;
  {
    absl::MutexLock lock(&weights_mutex);
    before = std::exchange(weights, wanted);
  }
  for (const auto& dispatcher : dispatchers) {
    for (const auto& [uid, weight] : before.users) {
      if (!wanted.users.contains(uid)) dispatcher->SetUserWeight(uid, 1);
    }
    for (const auto& [uid, weight] : wanted.users) dispatcher->SetUserWeight(uid, weight);
  }
  ApplySessionWeights();
}

void Engine::Impl::ApplySessionWeights() {
  for (const auto& session : sessions.List()) {
    const uint32_t weight = WeightOf(session->client_name(), session->asked_weight());
    if (weight == session->weight()) continue;
    session->SetWeight(weight);
    for (const auto& dispatcher : dispatchers) dispatcher->SetSessionWeight(session->id(), weight);
  }
}

}  // namespace anex::engine
