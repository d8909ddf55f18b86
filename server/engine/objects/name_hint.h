// "did you mean": the nearest of the names that exist. Pure, any thread.
#ifndef ANEX_SERVER_ENGINE_OBJECTS_NAME_HINT_H_
#define ANEX_SERVER_ENGINE_OBJECTS_NAME_HINT_H_

#include <span>
#include <string>
#include <string_view>

namespace anex::engine {

// "; did you mean \"query\"?" if one of `names` is near enough, else "; there are a, b, c" (at most
// eight), or "; there are none".
std::string NameHint(std::string_view wanted_untrusted, std::span<const std::string> names);

// A name from outside for a message: control bytes escaped, cut after 64 bytes, in quotes.
std::string Quoted(std::string_view name_untrusted);

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_OBJECTS_NAME_HINT_H_
