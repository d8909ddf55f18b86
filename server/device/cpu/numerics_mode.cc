#include "server/device/cpu/numerics_mode.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace anex::device::cpu {

std::string_view NumericsModeName(NumericsMode mode) {
  return mode == NumericsMode::kReference ? "reference" : "default";
}

absl::StatusOr<NumericsMode> ReadNumericsMode(const DeviceOptions& options) {
  NumericsMode mode = NumericsMode::kDefault;
  for (const auto& [key, value] : options) {
    if (key != "numerics") {
      return absl::InvalidArgumentError(
          absl::StrCat("the cpu device has no option '", key, "'; it has: numerics"));
    }
    if (value == "reference") {
      mode = NumericsMode::kReference;
    } else if (value != "default") {
      return absl::InvalidArgumentError(
          absl::StrCat("numerics=", value, " is not known; use default or reference"));
    }
  }
  return mode;
}

}  // namespace anex::device::cpu
