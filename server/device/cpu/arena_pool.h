// Scratch memory for the requests of one executable: one arena to begin with, another one only if
// two requests run at the same time.
//
// Threads: any. The lock is held for a few instructions, never during a run.
#ifndef ANEX_SERVER_DEVICE_CPU_ARENA_POOL_H_
#define ANEX_SERVER_DEVICE_CPU_ARENA_POOL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace anex::device::cpu {

class ArenaPool {
 public:
  explicit ArenaPool(uint64_t bytes);
  ~ArenaPool();  // REQUIRES: no lease is left

  // Memory from construction to destruction. The last one given back is the next one given out.
  class Lease {
   public:
    explicit Lease(ArenaPool& pool) : pool_(pool), data_(pool.Take()) {}
    ~Lease() { pool_.GiveBack(data_); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    std::byte* data() const { return data_; }

   private:
    ArenaPool& pool_;
    std::byte* const data_;
  };

  uint64_t resident_bytes() const;

 private:
  std::byte* Take();
  void GiveBack(std::byte* arena);

  const uint64_t bytes_;
  mutable absl::Mutex mutex_;
  std::vector<std::byte*> free_ ABSL_GUARDED_BY(mutex_);
  uint64_t made_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_ARENA_POOL_H_
