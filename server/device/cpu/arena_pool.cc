#include "server/device/cpu/arena_pool.h"

#include <cstring>
#include <new>

#include "server/device/cpu/memory_plan.h"

namespace anex::device::cpu {
namespace {

// Null if there is no memory. Touched here, so that no run pays for the page faults.
std::byte* NewArena(uint64_t bytes) {
  void* memory = ::operator new (bytes, std::align_val_t{kArenaAlignment}, std::nothrow);
  if (memory != nullptr) std::memset(memory, 0, bytes);
  return static_cast<std::byte*>(memory);
}

}  // namespace

ArenaPool::ArenaPool(uint64_t bytes) : bytes_(bytes) {
  absl::MutexLock lock(&mutex_);
  free_.reserve(8);
  std::byte* first = NewArena(bytes_);
  if (first == nullptr) throw std::bad_alloc();
  free_.push_back(first);
  made_ = 1;
}

ArenaPool::~ArenaPool() {
  absl::MutexLock lock(&mutex_);
  for (std::byte* arena : free_) ::operator delete (arena, std::align_val_t{kArenaAlignment});
}

std::byte* ArenaPool::Take() {
  {
    absl::MutexLock lock(&mutex_);
    if (!free_.empty()) {
      std::byte* arena = free_.back();
      free_.pop_back();
      return arena;
    }
    free_.reserve(made_ + 1);
    ++made_;
  }
  std::byte* arena = NewArena(bytes_);
  if (arena != nullptr) return arena;
  absl::MutexLock lock(&mutex_);
  --made_;
  return nullptr;
}

void ArenaPool::GiveBack(std::byte* arena) {
  if (arena == nullptr) return;
  absl::MutexLock lock(&mutex_);
  free_.push_back(arena);
}

uint64_t ArenaPool::resident_bytes() const {
  absl::MutexLock lock(&mutex_);
  return made_ * bytes_;
}

}  // namespace anex::device::cpu
