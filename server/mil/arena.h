// Memory for many small values that are made one after another and die together: the nodes of a
// syntax tree. A few large blocks instead of many small ones, and nothing to be taken apart.
//
// What it gives stays where it is until the arena is rewound past it or dies. Nothing is destroyed,
// so only plain values can live in it. One thread.
#ifndef ANEX_SERVER_MIL_ARENA_H_
#define ANEX_SERVER_MIL_ARENA_H_

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

namespace anex::mil {

// A row of values in an arena. A value itself: copying it copies no element.
template <typename T>
class Nodes {
 public:
  Nodes() = default;
  Nodes(const T* first, size_t size) : first_(first), size_(size) {}

  const T* begin() const { return first_; }
  const T* end() const { return first_ + size_; }
  const T* data() const { return first_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const T& operator[](size_t i) const { return first_[i]; }
  const T& front() const { return first_[0]; }
  const T& back() const { return first_[size_ - 1]; }

 private:
  const T* first_ = nullptr;
  size_t size_ = 0;
};

class Arena {
 public:
  Arena() = default;
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;

  // A copy of `values` (anything contiguous) that lives as long as the arena.
  template <typename Values>
  auto Keep(const Values& values) {
    using T = std::remove_cvref_t<decltype(*values.data())>;
    static_assert(std::is_trivially_copyable_v<T>);
    if (values.empty()) return Nodes<T>();
    T* const at = static_cast<T*>(Take(values.size() * sizeof(T), alignof(T)));
    std::uninitialized_copy_n(values.data(), values.size(), at);
    return Nodes<T>(at, values.size());
  }
  template <typename T>
  const T* KeepOne(const T& value) {
    return Keep(std::span<const T, 1>(&value, 1)).data();
  }

  // A moment in the arena's life.
  struct Mark {
    size_t block = 0, used = 0;
  };
  Mark Now() const { return {block_, used_}; }
  // Takes back all that was given since; its memory serves what comes next.
  void Rewind(Mark mark) {
    block_ = mark.block;
    used_ = mark.used;
  }

 private:
  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    size_t size = 0;
  };

  void* Take(size_t bytes, size_t alignment) {
    const size_t at = (used_ + alignment - 1) & ~(alignment - 1);
    if (block_ >= blocks_.size() || at + bytes > blocks_[block_].size) return TakeFromNext(bytes);
    used_ = at + bytes;
    return blocks_[block_].bytes.get() + at;
  }
  void* TakeFromNext(size_t bytes);

  std::vector<Block> blocks_;
  size_t block_ = 0, used_ = 0;  // the block at hand, and how much of it was given
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_ARENA_H_
