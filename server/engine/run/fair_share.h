// How several children share what one parent gets, by weight: one node of the tree that is the
// fair scheduler. Start-time fair queueing, with costs that are known only afterwards.
//
//   Each child has a tag on the parent's virtual clock: where its next turn starts. The least tag
//   goes next, and the clock is at the tag of whoever went last. A turn that cost c moves the tag
//   on by c / weight. A child that becomes ready starts at the later of its tag and the clock: what
//   it did not use while it was away is gone, and what it had used too much is not forgotten.
//
// Fairness: of two children that are both ready all the time, what each got divided by its weight
// differs by at most one turn of each divided by its weight.
// Starvation bound: with turns of at most L, a ready child of weight w has its turn after the
// others got at most L * (sum of their weights) / w, plus one turn each.
//
// Coming and going wins nothing either: the debt of a child that leaves, what it had used beyond
// the clock, is taken over by the next newcomer.
//
// Threads: none. Values: a copy is a node of its own. All but Add and Remove cost O(log n) and
// allocate nothing. Tags are exact (remainders are carried) and never overflow (the clock is set
// back long before).
#ifndef ANEX_SERVER_ENGINE_RUN_FAIR_SHARE_H_
#define ANEX_SERVER_ENGINE_RUN_FAIR_SHARE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "server/engine/run/indexed_heap.h"

namespace anex::engine {

class FairShare {
 public:
  using Child = uint32_t;  // small numbers, used again after Remove

  static constexpr uint32_t kMostWeight = 1000;
  static constexpr int64_t kMostTurnNs = 86'400'000'000'000;  // a day; longer ones count as that

  // A child that is not ready. `weight` is clamped to 1 .. kMostWeight.
  Child Add(uint32_t weight);
  void Remove(Child child);
  // What it owes counts in time of the parent, so it owes more on the clock with a lower weight.
  void SetWeight(Child child, uint32_t weight);

  void SetReady(Child child, bool ready);
  bool ready(Child child) const { return ready_.contains(child); }
  bool any_ready() const { return !ready_.empty(); }
  size_t size() const { return size_; }

  // Whose turn it is; said again until something changes. REQUIRES: any_ready().
  Child Next();
  // The child used `ns` >= 0 of what the parent got.
  void Charge(Child child, int64_t ns);
  // It owes nothing: Remove would not be noticed.
  bool settled(Child child) const { return entries_[child].tag <= clock_; }

 private:
  struct Entry {
    uint64_t tag = 0;
    uint32_t weight = 0;     // 0 = a free slot
    uint32_t remainder = 0;  // of the divisions by the weight so far, < weight
  };
  struct Debt {
    uint64_t tag = 0;
    uint32_t weight = 1;
  };

  uint64_t TakeOverDebt(uint32_t weight);
  void SetClockBack();

  uint64_t clock_ = 0;
  size_t size_ = 0;
  std::vector<Entry> entries_;
  std::vector<Child> free_;
  std::vector<Debt> debts_;  // of those that left
  IndexedHeap<uint64_t> ready_;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RUN_FAIR_SHARE_H_
