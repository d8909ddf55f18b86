// Tokens of the side channel as they travel in messages: two hexadecimal digits a byte, of either
// case. Abseil's reader of such text has another form in each of its years.
#ifndef ANEX_PROTO_WIRE_TOKEN_HEX_H_
#define ANEX_PROTO_WIRE_TOKEN_HEX_H_

#include <optional>
#include <string_view>

#include "proto/wire/side_channel_frame.h"

namespace anex {

// Nothing for text of another length, or with anything else in it.
std::optional<SideChannelToken> SideChannelTokenFromHex(std::string_view hex);

}  // namespace anex

#endif  // ANEX_PROTO_WIRE_TOKEN_HEX_H_
