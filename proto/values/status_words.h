// Statuses that are made where nobody can be told of a want of memory: by a thread that serves
// everybody, about one request of somebody. Any thread.
#ifndef ANEX_PROTO_VALUES_STATUS_WORDS_H_
#define ANEX_PROTO_VALUES_STATUS_WORDS_H_

#include <new>

#include "absl/status/status.h"

namespace anex {

// What `make` returns, a Status of `code`; the bare code, which takes no memory, where there is
// none for the words.
template <typename Make>
absl::Status InWordsIfRoom(absl::StatusCode code, const Make& make) noexcept {
  try {
    return make();
  } catch (const std::bad_alloc&) {
    return absl::Status(code, "");
  }
}

}  // namespace anex

#endif  // ANEX_PROTO_VALUES_STATUS_WORDS_H_
