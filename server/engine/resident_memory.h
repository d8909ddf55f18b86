// The memory of this process that is in RAM, as the operating system counts it. Any thread.
#ifndef ANEX_SERVER_ENGINE_RESIDENT_MEMORY_H_
#define ANEX_SERVER_ENGINE_RESIDENT_MEMORY_H_

#include <cstdint>

namespace anex::engine {

uint64_t ResidentBytes();  // 0 if the system does not tell

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RESIDENT_MEMORY_H_
