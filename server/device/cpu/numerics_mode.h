// How the device computes. "reference": plain loops in double precision, one rounding at the end of
// each operation; slow, and the oracle for everything else. "default": the same results to within
// one unit in the last place of fp16 (see README.md for the exact promise), fast.
#ifndef ANEX_SERVER_DEVICE_CPU_NUMERICS_MODE_H_
#define ANEX_SERVER_DEVICE_CPU_NUMERICS_MODE_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/device/artifact.h"

namespace anex::device::cpu {

enum class NumericsMode : uint8_t { kDefault = 0, kReference = 1 };

std::string_view NumericsModeName(NumericsMode mode);
// Reads the option "numerics". INVALID_ARGUMENT for any other key, and for another value.
absl::StatusOr<NumericsMode> ReadNumericsMode(const DeviceOptions& options);

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_NUMERICS_MODE_H_
