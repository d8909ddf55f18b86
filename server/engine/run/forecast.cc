#include "server/engine/run/forecast.h"

#include <algorithm>

#include "proto/values/hash_map.h"

namespace anex::engine {
namespace {

struct Ahead {
  uint64_t steps = 0;
  int64_t step_ns = 0;
  bool told = false;
};

}  // namespace

std::vector<LaneOutlook> Forecast(Scheduler& policy, std::span<const LaneBacklog> backlog,
                                  int64_t left_ns) {
  HashMap<uint64_t, Ahead> lanes;
  size_t waiting = 0;
  for (const LaneBacklog& lane : backlog) {
    lanes[lane.lane] = {lane.steps, lane.step_ns};
    if (lane.steps > 0) ++waiting;
    if (!lane.running) continue;
    policy.Served(lane.lane, lane.step_ns);
    policy.SetReady(lane.lane, lane.steps > 0);
  }
  std::vector<LaneOutlook> outlook;
  int64_t now_ns = std::max<int64_t>(left_ns, 0);
  for (uint64_t turn = 0; turn < kMostTurns && outlook.size() < waiting; ++turn) {
    const std::optional<uint64_t> next = policy.Next();
    if (!next) break;
    Ahead& lane = lanes[*next];
    policy.SetReady(*next, false);
    if (lane.steps == 0) continue;  // ready without known steps: not what was promised, so no turn
    if (!lane.told) outlook.push_back({*next, {turn, now_ns}});
    lane.told = true;
    now_ns += lane.step_ns;
    policy.Served(*next, lane.step_ns);
    policy.SetReady(*next, --lane.steps > 0);
  }
  return outlook;
}

}  // namespace anex::engine
