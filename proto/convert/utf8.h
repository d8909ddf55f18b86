// Text for protobuf. A `string` field must be valid UTF-8, or the reader refuses the whole message;
// what comes from programs, paths and devices need not be. Pure function, any thread.
#ifndef ANEX_PROTO_CONVERT_UTF8_H_
#define ANEX_PROTO_CONVERT_UTF8_H_

#include <string>

namespace anex::convert {

// `text` with every byte that is not part of valid UTF-8 replaced by '?'.
std::string ToUtf8(std::string text);

}  // namespace anex::convert

#endif  // ANEX_PROTO_CONVERT_UTF8_H_
