#include "tests/engine/failing_new.h"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace anex::engine::testing {

std::atomic<Who> who{Who::kNobody};
std::atomic<HowMany> how_many{HowMany::kOne};
std::atomic<int64_t> left{0};
thread_local bool is_test = false;

}  // namespace anex::engine::testing

namespace {

using namespace anex::engine::testing;  // NOLINT(google-build-using-namespace): of this file's own

bool Fails() {
  const Who whose = who.load(std::memory_order_relaxed);
  if (whose == Who::kNobody || is_test != (whose == Who::kThisThread)) return false;
  const int64_t before = left.fetch_sub(1);
  return how_many.load() == HowMany::kOne ? before == 0 : before <= 0;
}

void* Allocate(size_t bytes, size_t alignment) noexcept {
  if (Fails()) return nullptr;
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  return std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
}
void* AllocateOrThrow(size_t bytes, size_t alignment) {
  void* const memory = Allocate(bytes, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t bytes) { return AllocateOrThrow(bytes, alignof(std::max_align_t)); }
void* operator new[](size_t bytes) { return AllocateOrThrow(bytes, alignof(std::max_align_t)); }
void* operator new(size_t bytes, std::align_val_t alignment) {
  return AllocateOrThrow(bytes, static_cast<size_t>(alignment));
}
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  return Allocate(bytes, alignof(std::max_align_t));
}
void* operator new[](size_t bytes, const std::nothrow_t&) noexcept {
  return Allocate(bytes, alignof(std::max_align_t));
}
// GCC sees free() for memory that a replaced operator new gave, and forgets which one.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
