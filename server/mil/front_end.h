// The front end's one door: text and weight files in, checked program or diagnostics out.
// Threads: any, no shared state. Never aborts, whatever the input; bounds in FrontEndLimits.
#ifndef ANEX_SERVER_MIL_FRONT_END_H_
#define ANEX_SERVER_MIL_FRONT_END_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "proto/values/kernel_values.h"
#include "server/mil/program.h"

namespace anex::mil {

struct FrontEndLimits {
  uint64_t text_bytes = 64ull << 20;
  uint32_t nesting = 64;
  uint32_t operations = 1u << 20;
  uint32_t literals = 1u << 24;  // inline; 16 M of them are 256 MB of tree
  uint32_t arguments = 64;       // of one operation; no operation has a third of that
  uint32_t operands = 1u << 22;  // values of all arguments, and results; 4 M are 0.5 GB of tree
  uint32_t ports = 1u << 16;     // inputs and outputs of all functions
  uint32_t functions = 256;
  // Constants, ports and the most results that are needed at once. No machine with an ANE holds
  // more; whether a machine holds as much is for its device to say.
  uint64_t program_bytes = 64ull << 30;
  // Constants that cannot stay in their weight file: packed in less than a byte, or misaligned.
  uint64_t unpacked_bytes = 8ull << 30;
  uint32_t errors = 20;  // reported, then it stops
  // Asked now and then; once it says so the reading ends, and nothing comes of it.
  std::function<bool()> stopped;
};

struct FrontEndResult {
  std::shared_ptr<const Program> program;  // null if any diagnostic is an error
  std::vector<Diagnostic> diagnostics;     // in source order
  bool stopped = false;                    // by FrontEndLimits::stopped: there is neither
  int64_t parse_ns = 0, check_ns = 0;      // the two take turns
};

enum class MissingWeights : uint8_t {
  kError = 0,  // compile: a BLOBFILE without its file is an error
  kNote = 1,   // check: a note; the constant is made up, and what depends on it is believed
};

// The finding that `text` is over `limits.text_bytes`, if it is.
std::optional<Diagnostic> TextOverLimit(std::string_view text, std::string_view name,
                                        const FrontEndLimits& limits);

// `source` must outlive the call only: constants keep the weight files that they point into alive.
FrontEndResult Read(const ProgramSource& source, MissingWeights missing = MissingWeights::kError,
                    const FrontEndLimits& limits = {});

// INVALID_ARGUMENT whose message is the errors rendered as text (file:line:column, line, caret); of
// another code if one is given.
// REQUIRES: at least one diagnostic is an error.
absl::Status ToStatus(const std::vector<Diagnostic>& diagnostics,
                      absl::StatusCode code = absl::StatusCode::kInvalidArgument);

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_FRONT_END_H_
