// How submissions travel to the daemon, and the choice among the ways: ring, else stream, else one
// call for each.
//
// Threads: values and functions; any.
#ifndef ANEX_CLIENT_ANEX_SUBMIT_PATH_H_
#define ANEX_CLIENT_ANEX_SUBMIT_PATH_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/transport/transport.h"

namespace anex {

enum class SubmitMode : uint8_t {
  kUnary = 0,   // a call for each, which waits
  kStream = 1,  // many in flight on one stream
  kRing = 2,    // many in flight in memory shared with the daemon, in one lane
  kBest = 3,    // the last of these that can be had
};
// "unary", "stream", "ring", "best".
std::string_view SubmitModeName(SubmitMode mode);

namespace internal {

struct SubmitPath {
  SubmitMode mode = SubmitMode::kUnary;
  std::unique_ptr<SubmissionStream> stream;  // null for kUnary
  std::string note;                          // why it is no better one
};

// A way with `credits` for `lane`, or for any if that is empty (then there is no ring). Only kBest
// looks further when one cannot be had; the session's own end is an error for it, too.
absl::StatusOr<SubmitPath> OpenPath(Transport& transport, LaneId lane, SubmitMode mode,
                                    uint32_t credits);

}  // namespace internal
}  // namespace anex

#endif  // ANEX_CLIENT_ANEX_SUBMIT_PATH_H_
