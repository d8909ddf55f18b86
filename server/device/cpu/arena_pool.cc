#include "server/device/cpu/arena_pool.h"

#include <cstring>
#include <new>

#include "server/device/cpu/memory_plan.h"

namespace anex::device::cpu {
namespace {

// Touched here, so that no run pays for the page faults.
std::byte* NewArena(uint64_t bytes) {
  void* memory = ::operator new (bytes, std::align_val_t{kArenaAlignment});
  std::memset(memory, 0, bytes);
  return static_cast<std::byte*>(memory);
}

}  // namespace

ArenaPool::ArenaPool(uint64_t bytes) : bytes_(bytes) {
  absl::MutexLock lock(&mutex_);
  free_.reserve(8);
  free_.push_back(NewArena(bytes_));
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
    ++made_;
    free_.reserve(made_);
  }
  return NewArena(bytes_);
}

void ArenaPool::GiveBack(std::byte* arena) {
  absl::MutexLock lock(&mutex_);
  free_.push_back(arena);
}

uint64_t ArenaPool::resident_bytes() const {
  absl::MutexLock lock(&mutex_);
  return made_ * bytes_;
}

}  // namespace anex::device::cpu
