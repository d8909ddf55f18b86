// The operators new of a binary that links this fail when a test says so.
//
// Threads: any allocates; one test arms and disarms, with its own threads at rest.
#ifndef ANEX_TESTS_ENGINE_FAILING_NEW_H_
#define ANEX_TESTS_ENGINE_FAILING_NEW_H_

#include <atomic>
#include <cstdint>

namespace anex::engine::testing {

// Which allocations fail. Only one thread allocates while a test has armed it, or whoever fails is
// not important.
enum class Who : uint8_t { kNobody, kThisThread, kOtherThreads };
enum class HowMany : uint8_t { kOne, kAllFromThere };
extern std::atomic<Who> who;
extern std::atomic<HowMany> how_many;
extern std::atomic<int64_t> left;  // that still succeed
extern thread_local bool is_test;  // of the thread that kThisThread means

}  // namespace anex::engine::testing

#endif  // ANEX_TESTS_ENGINE_FAILING_NEW_H_
