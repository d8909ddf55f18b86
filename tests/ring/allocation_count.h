// Counts the calls of operator new in the binary that links this. Any thread.
#ifndef ANEX_TESTS_RING_ALLOCATION_COUNT_H_
#define ANEX_TESTS_RING_ALLOCATION_COUNT_H_

#include <cstdint>

namespace anex::ring::testing {

int64_t Allocations();

}  // namespace anex::ring::testing

#endif  // ANEX_TESTS_RING_ALLOCATION_COUNT_H_
