#include "server/engine/compile/eviction_policy.h"

#include <algorithm>
#include <tuple>

namespace anex::engine {

std::vector<std::string> ChooseEvictions(std::vector<EvictionCandidate> entries,
                                         uint64_t quota_bytes, std::string_view keep) {
  std::sort(entries.begin(), entries.end(), [&](const auto& a, const auto& b) {
    return std::forward_as_tuple(a.digest == keep, a.last_used_ns, a.digest) <
           std::forward_as_tuple(b.digest == keep, b.last_used_ns, b.digest);
  });
  // No overflow: the sizes of files on one disk cannot add up to 2^64.
  uint64_t total = 0;
  for (const EvictionCandidate& entry : entries) total += entry.bytes;
  std::vector<std::string> drop;
  for (const EvictionCandidate& entry : entries) {
    if (total <= quota_bytes) break;
    total -= entry.bytes;
    drop.push_back(entry.digest);
  }
  return drop;
}

}  // namespace anex::engine
