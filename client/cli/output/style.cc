#include "client/cli/output/style.h"

#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace anex::cli {

Style Style::For(int descriptor) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool wanted = no_color == nullptr || *no_color == '\0';
  const bool able = term == nullptr || std::string_view(term) != "dumb";
  return Style(wanted && able && ::isatty(descriptor) == 1);
}

std::string Style::Paint(std::string_view text, Tint tint) const {
  const char* code = nullptr;
  switch (tint) {
    case Tint::kPlain:
      break;
    case Tint::kBold:
      code = "1";
      break;
    case Tint::kDim:
      code = "2";
      break;
    case Tint::kGood:
      code = "32";
      break;
    case Tint::kWarn:
      code = "33";
      break;
    case Tint::kBad:
      code = "31";
      break;
  }
  if (!colour_ || code == nullptr || text.empty()) return std::string(text);
  return absl::StrCat("\x1b[", code, "m", std::string(text), "\x1b[0m");
}

}  // namespace anex::cli
