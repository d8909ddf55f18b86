// A map by hash that survives a want of memory. Those of Abseil do not: where an allocation in them
// fails they are left in pieces, and the next touch ends the process. What requests make grow is
// therefore kept in one of these; its hash is Abseil's, which nobody can foresee.
#ifndef ANEX_PROTO_VALUES_HASH_MAP_H_
#define ANEX_PROTO_VALUES_HASH_MAP_H_

#include <unordered_map>

#include "absl/hash/hash.h"

namespace anex {

template <typename Key, typename Value>
using HashMap = std::unordered_map<Key, Value, absl::Hash<Key>>;

}  // namespace anex

#endif  // ANEX_PROTO_VALUES_HASH_MAP_H_
