// Monotonic time, injectable. Threads: any.
#ifndef ANEX_SERVER_ENGINE_CLOCK_H_
#define ANEX_SERVER_ENGINE_CLOCK_H_

#include <chrono>
#include <cstdint>

namespace anex::engine {

class Clock {
 public:
  virtual ~Clock() = default;
  // Nanoseconds since an arbitrary start; never goes back, not moved by the wall clock.
  virtual int64_t Now() const = 0;
};

class SystemClock final : public Clock {
 public:
  int64_t Now() const override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_CLOCK_H_
