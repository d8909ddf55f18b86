// Remembers for a short time which programs failed to compile, so that sending one again and again
// costs the device nothing. The time doubles with every further failure up to a bound.
//
// Threads: none of its own; guarded by its owner's lock. Bound: kMostRemembered programs; the one
// whose time is up soonest makes room.
#ifndef ANEX_SERVER_ENGINE_COMPILE_COMPILE_BREAKER_H_
#define ANEX_SERVER_ENGINE_COMPILE_COMPILE_BREAKER_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "proto/values/hash_map.h"
#include "server/engine/compile/compile_flight.h"

namespace anex::engine {

class CompileBreaker {
 public:
  static constexpr size_t kMostRemembered = 1024;

  CompileBreaker(int64_t first_ns, int64_t longest_ns)
      : first_ns_(first_ns), longest_ns_(longest_ns) {}

  // The failure to answer with, or null: try it.
  const FlightOutcome* Find(const std::string& digest, int64_t now_ns) const;
  // Failures that say nothing about the program (UNAVAILABLE, CANCELLED, a want of memory or of
  // whatever else there may be more of next time) are not remembered.
  void Failed(const std::string& digest, const FlightOutcome& outcome, int64_t now_ns);
  void Succeeded(const std::string& digest);  // takes no memory
  size_t size() const { return failures_.size(); }

 private:
  struct Failure {
    FlightOutcome outcome;
    int64_t until_ns = 0;
    int64_t lasts_ns = 0;
  };
  void MakeRoom();

  const int64_t first_ns_, longest_ns_;
  HashMap<std::string, Failure> failures_;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_COMPILE_COMPILE_BREAKER_H_
