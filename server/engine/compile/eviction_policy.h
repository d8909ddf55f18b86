// Which cache entries go when the cache is over its quota: a pure function of a snapshot.
// Threads: any, no state.
#ifndef ANEX_SERVER_ENGINE_COMPILE_EVICTION_POLICY_H_
#define ANEX_SERVER_ENGINE_COMPILE_EVICTION_POLICY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace anex::engine {

struct EvictionCandidate {
  std::string digest;
  uint64_t bytes = 0;
  int64_t last_used_ns = 0;  // wall clock, since the epoch
};

// The names to drop, least recently used first (ties by name, so that daemons that share a folder
// agree), until what remains is at most `quota_bytes`. `keep` (may be "") goes only if nothing else
// is left: it is the entry that was just written.
std::vector<std::string> ChooseEvictions(std::vector<EvictionCandidate> entries,
                                         uint64_t quota_bytes, std::string_view keep);

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_COMPILE_EVICTION_POLICY_H_
