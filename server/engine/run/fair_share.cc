#include "server/engine/run/fair_share.h"

#include <algorithm>

#include "absl/numeric/int128.h"

namespace anex::engine {
namespace {

// Virtual time per nanosecond at weight 1: what is left of a microsecond at weight 1000.
constexpr uint64_t kUnitsPerNs = 1024;
// A day's turn at weight 1 is 2^56.3 units, so tags are below 2^62 when the clock is below 2^61,
// which is reached after 26 days of one child's device time.
constexpr uint64_t kMostClock = uint64_t{1} << 61;
// Beyond that the smallest ones are forgiven.
constexpr size_t kMostDebts = 64;

// `units` of a child of weight `from`, on the clock of one of weight `to`.
uint64_t Rescale(uint64_t units, uint32_t from, uint32_t to) {
  constexpr uint64_t kMost = FairShare::kMostTurnNs * kUnitsPerNs;
  const absl::uint128 scaled = absl::uint128(units) * from / to;
  return scaled > kMost ? kMost : absl::Uint128Low64(scaled);
}

uint32_t Legal(uint32_t weight) { return std::clamp(weight, uint32_t{1}, FairShare::kMostWeight); }

}  // namespace

FairShare::Child FairShare::Add(uint32_t weight) {
  Child child = static_cast<Child>(entries_.size());
  if (free_.empty()) {
    entries_.emplace_back();
    ready_.Grow(entries_.size());
    // Whoever leaves must not need memory. There is at most one debt for each who left and whose
    // place nobody has taken.
    free_.reserve(entries_.size());
    debts_.reserve(std::min(entries_.size(), kMostDebts));
  } else {
    child = free_.back();
    free_.pop_back();
  }
  weight = Legal(weight);
  entries_[child] = {.tag = TakeOverDebt(weight), .weight = weight};
  ++size_;
  return child;
}

void FairShare::Remove(Child child) {
  SetReady(child, false);
  Entry& entry = entries_[child];
  if (entry.tag > clock_) {
    if (debts_.size() == kMostDebts) {
      const auto least = std::min_element(
          debts_.begin(), debts_.end(), [](const Debt& a, const Debt& b) { return a.tag < b.tag; });
      debts_.erase(least);
    }
    debts_.push_back({entry.tag, entry.weight});
  }
  entry = Entry{};
  free_.push_back(child);
  --size_;
}

// The tag of a newcomer: the clock, and on top the largest debt that somebody left behind.
uint64_t FairShare::TakeOverDebt(uint32_t weight) {
  std::erase_if(debts_, [this](const Debt& debt) { return debt.tag <= clock_; });
  if (debts_.empty()) return clock_;
  const auto owed = [this, weight](const Debt& debt) {
    return Rescale(debt.tag - clock_, debt.weight, weight);
  };
  const auto largest =
      std::max_element(debts_.begin(), debts_.end(),
                       [&](const Debt& a, const Debt& b) { return owed(a) < owed(b); });
  const uint64_t tag = clock_ + owed(*largest);
  debts_.erase(largest);
  return tag;
}

void FairShare::SetWeight(Child child, uint32_t weight) {
  Entry& entry = entries_[child];
  weight = Legal(weight);
  if (entry.weight == weight) return;
  if (entry.tag > clock_) {
    entry.tag = clock_ + Rescale(entry.tag - clock_, entry.weight, weight);
    if (ready(child)) ready_.Move(child, entry.tag);
  }
  entry.weight = weight;
  entry.remainder = 0;
}

void FairShare::SetReady(Child child, bool ready) {
  if (ready_.contains(child) == ready) return;
  if (!ready) return ready_.Erase(child);
  Entry& entry = entries_[child];
  entry.tag = std::max(entry.tag, clock_);
  ready_.Push(child, entry.tag);
}

// The clock stands at the tag of whoever is about to be served, so that who becomes ready during
// that turn starts with it and not before. If it is not served after all (it was blocked), nothing
// is lost: every other ready tag is as late or later.
FairShare::Child FairShare::Next() {
  const Child next = ready_.top();
  clock_ = entries_[next].tag;
  if (clock_ >= kMostClock) SetClockBack();
  return next;
}

void FairShare::Charge(Child child, int64_t ns) {
  Entry& entry = entries_[child];
  if (!ready(child)) entry.tag = std::max(entry.tag, clock_);  // else it was paid from old times
  const uint64_t spent =
      static_cast<uint64_t>(std::clamp<int64_t>(ns, 0, kMostTurnNs)) * kUnitsPerNs +
      entry.remainder;
  if (entry.weight == 1) {  // most are, at every level, and a division takes as long as the rest
    entry.tag += spent;
  } else {
    entry.tag += spent / entry.weight;
    entry.remainder = static_cast<uint32_t>(spent % entry.weight);
  }
  if (ready(child)) ready_.Move(child, entry.tag);
}

void FairShare::SetClockBack() {
  const uint64_t by = clock_;
  const auto back = [by](uint64_t tag) { return tag > by ? tag - by : 0; };
  for (Entry& entry : entries_) entry.tag = back(entry.tag);
  for (Debt& debt : debts_) debt.tag = back(debt.tag);
  ready_.ChangeAll(back);
  clock_ = 0;
}

}  // namespace anex::engine
