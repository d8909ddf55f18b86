// Where in its line the piece of it begins that a finding carries. Lines of a usual length are
// carried whole; of a very long one (generators put whole programs on one) only what is around the
// place, and then the property kSourceLineOffset says how many bytes of the line stand in front.
// Any thread.
#ifndef ANEX_PROTO_VALUES_SOURCE_LINE_H_
#define ANEX_PROTO_VALUES_SOURCE_LINE_H_

#include <charconv>
#include <cstddef>
#include <string>

#include "proto/values/kernel_values.h"

namespace anex {

inline constexpr char kSourceLineOffset[] = "source_line_offset";

// 0 if the line is whole, or for a number that no finding can have: it comes from elsewhere. Never
// more than the bytes in front of the place.
inline size_t SourceLineOffset(const Diagnostic& diagnostic) {
  const auto found = diagnostic.properties.find(kSourceLineOffset);
  if (found == diagnostic.properties.end()) return 0;
  const std::string& digits = found->second;
  size_t offset = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), offset);
  const bool whole = read.ec == std::errc() && read.ptr == digits.data() + digits.size();
  return whole && diagnostic.column > 0 && offset < static_cast<size_t>(diagnostic.column) ? offset
                                                                                           : 0;
}

}  // namespace anex

#endif  // ANEX_PROTO_VALUES_SOURCE_LINE_H_
