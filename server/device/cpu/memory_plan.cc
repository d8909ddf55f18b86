#include "server/device/cpu/memory_plan.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <set>
#include <utility>

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

// Holes of an arena that grows at its end: by offset, to merge neighbours, and by size, to find
// one.
class Holes {
 public:
  uint64_t Take(uint64_t bytes) {
    if (bytes == 0) return 0;
    const auto found = by_size_.lower_bound({bytes, 0});
    if (found == by_size_.end()) {
      const uint64_t at = end_;
      end_ += bytes;
      return at;
    }
    const auto [size, at] = *found;
    Forget(by_offset_.find(at));
    if (size > bytes) Add(at + bytes, size - bytes);
    return at;
  }
  void Give(uint64_t at, uint64_t bytes) {
    if (bytes == 0) return;
    auto next = by_offset_.lower_bound(at);
    if (next != by_offset_.end() && next->first == at + bytes) {
      bytes += next->second;
      next = Forget(next);
    }
    if (next != by_offset_.begin()) {
      const auto before = std::prev(next);
      if (before->first + before->second == at) {
        at = before->first;
        bytes += before->second;
        Forget(before);
      }
    }
    Add(at, bytes);
  }
  uint64_t end() const { return end_; }

 private:
  using ByOffset = std::map<uint64_t, uint64_t>;
  void Add(uint64_t at, uint64_t bytes) {
    by_offset_.emplace(at, bytes);
    by_size_.emplace(bytes, at);
  }
  ByOffset::iterator Forget(ByOffset::iterator hole) {
    by_size_.erase({hole->second, hole->first});
    return by_offset_.erase(hole);
  }

  ByOffset by_offset_;
  std::set<std::pair<uint64_t, uint64_t>> by_size_;
  uint64_t end_ = 0;
};

MemoryPlan PlanInOrder(std::span<const Lifetime> lifetimes) {
  std::vector<size_t> begins(lifetimes.size());
  std::iota(begins.begin(), begins.end(), size_t{0});
  std::vector<size_t> ends = begins;
  std::stable_sort(begins.begin(), begins.end(),
                   [&](size_t a, size_t b) { return lifetimes[a].first < lifetimes[b].first; });
  std::stable_sort(ends.begin(), ends.end(),
                   [&](size_t a, size_t b) { return lifetimes[a].last < lifetimes[b].last; });
  MemoryPlan plan{std::vector<uint64_t>(lifetimes.size(), 0), 0};
  Holes holes;
  auto over = ends.begin();
  for (const size_t i : begins) {
    for (; lifetimes[*over].last < lifetimes[i].first; ++over) {
      holes.Give(plan.offsets[*over], RoundUp(lifetimes[*over].bytes));
    }
    plan.offsets[i] = holes.Take(RoundUp(lifetimes[i].bytes));
  }
  plan.arena_bytes = holes.end();
  return plan;
}

}  // namespace

MemoryPlan PlanApart(std::span<const Lifetime> lifetimes) {
  MemoryPlan plan;
  for (const Lifetime& each : lifetimes) {
    plan.offsets.push_back(plan.arena_bytes);
    plan.arena_bytes += RoundUp(each.bytes);
  }
  return plan;
}

MemoryPlan PlanMemory(std::span<const Lifetime> lifetimes) {
  if (lifetimes.size() > kMostCompared) return PlanInOrder(lifetimes);
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
