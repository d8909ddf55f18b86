#include "server/device/cpu/memory_plan.h"

#include <algorithm>
#include <numeric>

namespace anex::device::cpu {
namespace {

uint64_t RoundUp(uint64_t bytes) {
  return (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment;
}

struct Placed {
  uint64_t begin, end;
};

// The lowest gap of `bytes` between `taken`, which is sorted here.
uint64_t LowestGap(std::vector<Placed>& taken, uint64_t bytes) {
  std::sort(taken.begin(), taken.end(),
            [](const Placed& a, const Placed& b) { return a.begin < b.begin; });
  uint64_t at = 0;
  for (const Placed& other : taken) {
    if (at + bytes <= other.begin) break;
    at = std::max(at, other.end);
  }
  return at;
}

}  // namespace

MemoryPlan PlanMemory(std::span<const Lifetime> lifetimes) {
  std::vector<size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return lifetimes[a].bytes > lifetimes[b].bytes; });
  MemoryPlan plan{std::vector<uint64_t>(lifetimes.size(), 0), 0};
  std::vector<size_t> done;
  std::vector<Placed> taken;
  for (const size_t i : order) {
    const Lifetime& mine = lifetimes[i];
    taken.clear();
    for (const size_t j : done) {
      const Lifetime& other = lifetimes[j];
      if (mine.first > other.last || other.first > mine.last) continue;
      taken.push_back({plan.offsets[j], plan.offsets[j] + RoundUp(other.bytes)});
    }
    plan.offsets[i] = LowestGap(taken, RoundUp(mine.bytes));
    plan.arena_bytes = std::max(plan.arena_bytes, plan.offsets[i] + RoundUp(mine.bytes));
    done.push_back(i);
  }
  return plan;
}

}  // namespace anex::device::cpu
