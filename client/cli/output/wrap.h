// Text in lines for a column of a screen. Pure, any thread.
#ifndef ANEX_CLIENT_CLI_OUTPUT_WRAP_H_
#define ANEX_CLIENT_CLI_OUTPUT_WRAP_H_

#include <string>
#include <string_view>
#include <vector>

namespace anex::cli {

// `text` in lines of at most `width` columns (one at least), broken at spaces; a word that is
// longer is broken where the line ends. One empty line for "".
std::vector<std::string> WrapText(std::string_view text, size_t width);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_OUTPUT_WRAP_H_
