// Names -> values of a function, of which a text may have millions: eight bytes each, and the names
// themselves stay where they are. Open addressing; the hash is seeded, as names come from the text.
// Survives an allocation that fails. One thread.
#ifndef ANEX_SERVER_MIL_NAME_TABLE_H_
#define ANEX_SERVER_MIL_NAME_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/hash/hash.h"
#include "server/mil/program.h"

namespace anex::mil {

// `NameOf` says which name a value was entered under: std::string_view(ValueId).
template <typename NameOf>
class NameTable {
 public:
  explicit NameTable(NameOf name_of) : name_of_(name_of), slots_(kFirst) {}

  std::optional<ValueId> Find(std::string_view name) const {
    const Slot& slot = slots_[PlaceOf(name, HashOf(name))];
    return slot.value == kNone ? std::nullopt : std::optional(slot.value);
  }
  // `name` is called `value` from now on, whatever it was before.
  // REQUIRES: name_of(value) == name.
  void Set(std::string_view name, ValueId value) {
    if ((count_ + 1) * 4 > slots_.size() * 3) Grow();
    const uint32_t hash = HashOf(name);
    Slot& slot = slots_[PlaceOf(name, hash)];
    if (slot.value == kNone) ++count_;
    slot = {hash, value};
  }
  void Clear() {
    slots_.assign(kFirst, Slot{});
    count_ = 0;
  }

 private:
  static constexpr size_t kFirst = 64;
  static constexpr ValueId kNone = UINT32_MAX;
  struct Slot {
    uint32_t hash = 0;
    ValueId value = kNone;
  };

  static uint32_t HashOf(std::string_view name) {
    return static_cast<uint32_t>(absl::Hash<std::string_view>()(name));
  }
  // Where the name is, or would be: there is always a free slot.
  size_t PlaceOf(std::string_view name, uint32_t hash) const {
    for (size_t at = hash;; ++at) {
      const Slot& slot = slots_[at & (slots_.size() - 1)];
      const bool here = slot.value == kNone || (slot.hash == hash && name_of_(slot.value) == name);
      if (here) return at & (slots_.size() - 1);
    }
  }
  void Grow() {
    std::vector<Slot> larger(slots_.size() * 2);
    for (const Slot& slot : slots_) {
      if (slot.value == kNone) continue;
      size_t at = slot.hash & (larger.size() - 1);
      while (larger[at].value != kNone) at = (at + 1) & (larger.size() - 1);
      larger[at] = slot;
    }
    slots_ = std::move(larger);
  }

  NameOf name_of_;
  std::vector<Slot> slots_;  // a power of two of them
  size_t count_ = 0;
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_NAME_TABLE_H_
