// Lays buffers that are not all alive at once into one arena. Pure: lifetimes in, offsets out.
#ifndef ANEX_SERVER_DEVICE_CPU_MEMORY_PLAN_H_
#define ANEX_SERVER_DEVICE_CPU_MEMORY_PLAN_H_

#include <cstdint>
#include <span>
#include <vector>

namespace anex::device::cpu {

// Offsets are multiples of this: a cache line, and the widest vector.
inline constexpr uint64_t kArenaAlignment = 64;

struct Lifetime {
  uint64_t bytes = 0;
  int first = 0, last = 0;  // steps that write it first and read it last, both included
};

struct MemoryPlan {
  std::vector<uint64_t> offsets;  // one per lifetime
  uint64_t arena_bytes = 0;
};

// Two lifetimes that share a step never overlap. Largest first, each at the lowest offset that is
// free during its whole life: not optimal, but within a few percent on real programs, and stable.
// That takes time in the square of their number: more than kMostCompared are placed in the order of
// their first steps instead, each in the smallest hole that is free then.
inline constexpr size_t kMostCompared = 2048;
MemoryPlan PlanMemory(std::span<const Lifetime> lifetimes);
// One after the other, whatever their lives.
MemoryPlan PlanApart(std::span<const Lifetime> lifetimes);

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_MEMORY_PLAN_H_
