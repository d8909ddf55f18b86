#include "client/cli/bench/input_pattern.h"

namespace anex::bench {
namespace {

// 12 bits that matter: the sign, one bit of exponent (14 or 15, so 0.5 or 1), ten of mantissa.
// Numbers below 4096 map to 12 bits one to one: an odd factor has an inverse modulo 2^12.
uint16_t HalfOf(uint64_t number) {
  const uint32_t mixed = static_cast<uint32_t>(number * 1597 + 797) & 0xFFF;
  const uint32_t sign = mixed >> 11, exponent = 14 + ((mixed >> 10) & 1), mantissa = mixed & 0x3FF;
  return static_cast<uint16_t>(sign << 15 | exponent << 10 | mantissa);
}

}  // namespace

InputPattern::InputPattern(size_t elements) {
  values_.reserve(elements + kPeriod);
  for (size_t i = 0; i < elements + kPeriod; ++i) values_.push_back(HalfOf(i % kPeriod));
}

std::span<const uint16_t> InputPattern::Values(uint64_t key, size_t elements) const {
  // Neighbouring keys begin far apart.
  const size_t begin = static_cast<size_t>(key * 1009 % kPeriod);
  return std::span(values_).subspan(begin, elements);
}

}  // namespace anex::bench
