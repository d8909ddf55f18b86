#include "server/engine/objects/session.h"

#include <utility>

namespace anex::engine {

Session::Session(Options options, const LiveLimits& limits)
    : surfaces("surface", limits.Of(&Limits::surfaces_per_session), options.engine_surfaces),
      kernels("kernel", limits.Of(&Limits::kernels_per_session), options.engine_kernels),
      sets("parameter set", limits.Of(&Limits::parameter_sets_per_session)),
      leases("write lease", limits.Of(&Limits::parameter_sets_per_session)),
      invocations("invocation", limits.Of(&Limits::invocations_per_session)),
      chains("chain", limits.Of(&Limits::chains_per_session)),
      lanes("lane", limits.Of(&Limits::lanes_per_session)),
      fences("fence", limits.Of(&Limits::fences_per_session)),
      options_(std::move(options)),
      budget_(std::make_shared<ByteBudget>(limits.Of(&Limits::surface_bytes_per_session),
                                           "release surfaces first", options_.engine_budget)),
      pool_(std::make_shared<SurfacePool>(options_.make_region, budget_)),
      usage_(std::make_shared<Usage>()),
      queue_(std::make_shared<Quota>(limits.Of(&Limits::queued_per_session),
                                     "drain completions before submitting more",
                                     options_.engine_queue)),
      streams_(std::make_shared<Quota>(limits.Of(&Limits::streams_per_session),
                                       "end a stream first", options_.engine_streams)),
      compiles_(std::make_unique<TokenBucket>(limits.Of(&Limits::compiles_per_minute_per_session),
                                              options_.engine_compiles)),
      kernel_charges_(std::make_unique<KernelCharges>(std::make_shared<ByteBudget>(
          limits.Of(&Limits::kernel_bytes_per_session), "release kernels first", nullptr))),
      uploads_(std::make_shared<ByteBudget>(
          limits.Of(&Limits::upload_bytes_per_session),
          "let the programs that are being sent or compiled end first", options_.engine_uploads)),
      weight_(options_.weight) {}

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
  status.kernel_bytes = kernel_charges_->budget()->used();
  status.upload_bytes = uploads_->used();
  status.weight = weight();
  return status;
}

Session::Remains Session::End() {
  Remains remains;
  if (ended_.exchange(true)) return remains;
  const auto keep = [&remains](auto objects) {
    for (auto& object : objects) remains.push_back(std::move(object));
  };
  lanes.Close();
  keep(chains.Close());
  keep(invocations.Close());
  leases.Close();  // the sets' Close ends them
  auto closed_sets = sets.Close();
  for (const auto& entry : closed_sets) entry->set->Close();
  keep(std::move(closed_sets));
  keep(kernels.Close());
  for (const auto& fence : fences.Close()) fence->Close();
  for (SurfaceEntry& entry : surfaces.Close()) remains.push_back(std::move(entry.hold));
  remains.push_back(pool_->Close());
  return remains;
}

}  // namespace anex::engine
