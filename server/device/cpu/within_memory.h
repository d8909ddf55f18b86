// Turns a want of memory into a Status: how much a program takes is its author's doing, and must
// not end the process that holds the device. Any thread.
#ifndef ANEX_SERVER_DEVICE_CPU_WITHIN_MEMORY_H_
#define ANEX_SERVER_DEVICE_CPU_WITHIN_MEMORY_H_

#include <new>
#include <stdexcept>

#include "absl/status/status.h"

namespace anex::device::cpu {

// What `make` returns, a StatusOr; RESOURCE_EXHAUSTED if an allocation in it fails.
template <typename Make>
auto WithinMemory(const Make& make) -> decltype(make()) {
  try {
    return make();
  } catch (const std::bad_alloc&) {
  } catch (const std::length_error&) {
  }
  return absl::ResourceExhaustedError("the cpu device has not enough memory for this program");
}

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_WITHIN_MEMORY_H_
