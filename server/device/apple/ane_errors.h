// What the error codes of AppleNeuralEngine.framework, its compiler and the driver mean, as far as
// is known: ours to say in words, since theirs are "ANECCompile() FAILED". Pure; any thread.
#ifndef ANEX_SERVER_DEVICE_APPLE_ANE_ERRORS_H_
#define ANEX_SERVER_DEVICE_APPLE_ANE_ERRORS_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace anex::device::apple {

inline constexpr std::string_view kAneDomain = "com.apple.appleneuralengine";
inline constexpr std::string_view kAneCompilerDomain = "com.apple.appleneuralengine.compiler";

// One code of kAneDomain. `status` is what a client sees.
struct AneErrorCode {
  int64_t code;
  absl::StatusCode status;
  std::string_view meaning;  // a sentence without a full stop: what it is, what to do
};

// All known codes of kAneDomain, ascending.
std::span<const AneErrorCode> AneErrorCodes();

// `what` was tried and failed with this NSError: "load: com.apple.appleneuralengine/6: the program
// could not be loaded ... (Apple says: ...)". `text` is the error's own description. An unknown
// domain or code is INTERNAL and says so.
absl::Status ExplainError(std::string_view what, std::string_view domain, int64_t code,
                          std::string_view text);

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_ANE_ERRORS_H_
