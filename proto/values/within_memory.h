// Turns a want of memory (or of threads, which take memory) into a Status: how much a request takes
// is its author's doing, and must not end the process that everybody uses. Stands where requests
// come in: around a call from a client, a compile, a step on the device. Any thread.
#ifndef ANEX_PROTO_VALUES_WITHIN_MEMORY_H_
#define ANEX_PROTO_VALUES_WITHIN_MEMORY_H_

#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace anex {

// What `make` returns, a Status or a StatusOr; RESOURCE_EXHAUSTED "not enough memory to `what`" if
// an allocation in it fails. `make` must leave nothing half done when it is left by an exception.
template <typename Make>
auto WithinMemory(std::string_view what, const Make& make) -> decltype(make()) {
  const char* want = "not enough memory to ";
  try {
    return make();
  } catch (const std::bad_alloc&) {
  } catch (const std::length_error&) {
    want = "more memory than any machine has is needed to ";
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::resource_unavailable_try_again) throw;
    want = "no thread could be had to ";
  }
  try {
    return absl::ResourceExhaustedError(absl::StrCat(want, std::string(what)));
  } catch (const std::bad_alloc&) {  // not even for the sentence; a bare code takes no memory
    return absl::Status(absl::StatusCode::kResourceExhausted, "");
  }
}

}  // namespace anex

#endif  // ANEX_PROTO_VALUES_WITHIN_MEMORY_H_
