#include "server/mil/arena.h"

#include <algorithm>

namespace anex::mil {
namespace {

// Small programs are most of those that are read; large blocks that come and go would be taken from
// the system and given back each time.
constexpr size_t kFirstBlock = 4 << 10;
constexpr size_t kLargestBlock = 64 << 10;

}  // namespace

// Blocks begin aligned for anything, as operator new gives them.
void* Arena::TakeFromNext(size_t bytes) {
  // Blocks behind this one are left from before a Rewind.
  while (block_ + 1 < blocks_.size()) {
    ++block_;
    used_ = 0;
    if (bytes > blocks_[block_].size) continue;
    used_ = bytes;
    return blocks_[block_].bytes.get();
  }
  const size_t usual =
      blocks_.empty() ? kFirstBlock : std::min(2 * blocks_.back().size, kLargestBlock);
  const size_t size = std::max(usual, bytes);
  blocks_.push_back({std::make_unique_for_overwrite<std::byte[]>(size), size});
  block_ = blocks_.size() - 1;
  used_ = bytes;
  return blocks_[block_].bytes.get();
}

}  // namespace anex::mil
