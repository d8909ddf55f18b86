// What was read not long ago, by its spelling. Programs write `tensor<fp16, [1, 64, 1, 32]>` and
// `bool(true)` again and again: what they say need be worked out only once, and kept only once.
//
// A table of one place for each hash: finding and keeping take constant time, whatever the text.
// Spellings are views into the text, which must outlive this. One thread.
#ifndef ANEX_SERVER_MIL_RECENT_H_
#define ANEX_SERVER_MIL_RECENT_H_

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "absl/hash/hash.h"

namespace anex::mil {

template <typename T>
class Recent {
 public:
  // Null if it was not kept, or something else has taken its place.
  const T* Find(std::string_view spelling) const {
    if (spelling.empty() || spelling.size() > kLongest) return nullptr;
    const Entry& entry = entries_[PlaceOf(spelling)];
    return entry.spelling == spelling ? &entry.what : nullptr;
  }
  void Keep(std::string_view spelling, T what) {
    if (spelling.empty() || spelling.size() > kLongest) return;
    entries_[PlaceOf(spelling)] = {spelling, std::move(what)};
  }

 private:
  static constexpr size_t kEntries = 64;  // few: most programs are small
  static constexpr size_t kLongest = 96;

  struct Entry {
    std::string_view spelling;  // never empty, but of what was never kept
    T what{};
  };
  static size_t PlaceOf(std::string_view spelling) {
    return absl::Hash<std::string_view>()(spelling) % kEntries;
  }

  std::array<Entry, kEntries> entries_;
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_RECENT_H_
