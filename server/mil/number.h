// The spelling of one number or truth value -> its bytes in a declared element type. Pure
// functions, any thread.
//
// Floats are rounded exactly once, to nearest even, whatever the spelling (decimal, hexadecimal,
// integer, inf, nan): text that is just off a tie of fp16 does not become the tie on its way
// through double.
#ifndef ANEX_SERVER_MIL_NUMBER_H_
#define ANEX_SERVER_MIL_NUMBER_H_

#include <cstddef>
#include <string_view>

#include "server/mil/scalar_type.h"

namespace anex::mil {

enum class NumberResult : uint8_t {
  kOk,
  kMalformed,   // not a number of any kind
  kNotInteger,  // a fraction or a word where an integer belongs
  kOutOfRange,  // an integer that the type cannot hold
  kInfinity,    // stored as infinity, though a finite number was written
};

// Writes ElementSize(type.dtype) bytes to `out` if the result is kOk or kInfinity.
// REQUIRES: not string.
NumberResult ReadNumber(std::string_view text, const ScalarType& type, std::byte* out);

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_NUMBER_H_
