// Whether and how output is coloured. Value, any thread.
#ifndef ANEX_CLIENT_CLI_OUTPUT_STYLE_H_
#define ANEX_CLIENT_CLI_OUTPUT_STYLE_H_

#include <string>
#include <string_view>

namespace anex::cli {

enum class Tint { kPlain, kBold, kDim, kGood, kWarn, kBad };

class Style {
 public:
  explicit Style(bool colour) : colour_(colour) {}
  // Colour only if `descriptor` is a terminal that is not "dumb", and NO_COLOR is unset or empty.
  static Style For(int descriptor);

  bool colour() const { return colour_; }
  // `text` in a tint; unchanged without colour.
  std::string Paint(std::string_view text, Tint tint) const;

 private:
  bool colour_;
};

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_OUTPUT_STYLE_H_
