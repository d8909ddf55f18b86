#include "server/engine/objects/session.h"

#include <utility>

namespace anex::engine {

Session::Session(Options options, const Limits& limits)
    : surfaces("surface", "surfaces_per_session", limits.surfaces_per_session),
      kernels("kernel", "kernels_per_session", limits.kernels_per_session),
      sets("parameter set", "parameter_sets_per_session", limits.parameter_sets_per_session),
      leases("write lease", "parameter_sets_per_session", limits.parameter_sets_per_session),
      invocations("invocation", "invocations_per_session", limits.invocations_per_session),
      chains("chain", "chains_per_session", limits.chains_per_session),
      lanes("lane", "lanes_per_session", limits.lanes_per_session),
      fences("fence", "fences_per_session", limits.fences_per_session),
      options_(std::move(options)),
      budget_(std::make_shared<ByteBudget>(
          "surface_bytes_per_session", limits.surface_bytes_per_session, options_.engine_budget)),
      pool_(std::make_shared<SurfacePool>(options_.make_region, budget_)),
      usage_(std::make_shared<Usage>()) {}

SessionStatus Session::Status(int64_t now_ns) const {
  SessionStatus status;
  status.id = id();
  status.client_name = client_name();
  status.pid = identity().pid;
  status.uid = identity().uid;
  status.age_ns = now_ns - opened_ns();
  status.device_share_1s = usage_->DeviceShare1s(now_ns);
  status.usage = usage_->Snapshot();
  status.surfaces = surfaces.size();
  status.kernels = kernels.size();
  status.parameter_sets = sets.size();
  status.invocations = invocations.size();
  status.chains = chains.size();
  status.lanes = lanes.size();
  status.surface_bytes = budget_->used();
  return status;
}

void Session::End() {
  if (ended_.exchange(true)) return;
  lanes.Close();
  chains.Close();
  invocations.Close();
  leases.Close();  // the sets' Close ends them
  for (const auto& entry : sets.Close()) entry->set->Close();
  kernels.Close();
  for (const auto& fence : fences.Close()) fence->Close();
  surfaces.Close();
  pool_->Close();
}

}  // namespace anex::engine
