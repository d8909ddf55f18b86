// The threads on which the double of XPC calls handlers: a few for all connections, as libdispatch
// has. Never destroyed, as libdispatch is not.
//
// Threads: any.
#ifndef ANEX_TESTS_DOUBLES_APPLE_XPC_POOL_H_
#define ANEX_TESTS_DOUBLES_APPLE_XPC_POOL_H_

#include <chrono>
#include <functional>

namespace anex::xpc_double {

using Instant = std::chrono::steady_clock::time_point;

// Runs `task` on one of the threads, not before `when`. Tasks that are due run in their order.
void RunLater(std::function<void()> task, Instant when = {});

}  // namespace anex::xpc_double

#endif  // ANEX_TESTS_DOUBLES_APPLE_XPC_POOL_H_
