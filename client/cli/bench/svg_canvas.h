// A drawing as SVG text: shapes with CSS classes, coordinates in pixels, texts escaped. What it
// gives is one self-contained document.
//
// Threads: value, one owner.
#ifndef ANEX_CLIENT_CLI_BENCH_SVG_CANVAS_H_
#define ANEX_CLIENT_CLI_BENCH_SVG_CANVAS_H_

#include <string>
#include <string_view>

namespace anex::bench {

enum class Anchor { kStart, kMiddle, kEnd };

class SvgCanvas {
 public:
  void Rect(double x, double y, double width, double height, std::string_view css_class);
  void Line(double x1, double y1, double x2, double y2, std::string_view css_class);
  // `tip` is shown when the pointer rests on it; may be empty.
  void Circle(double x, double y, double radius, std::string_view css_class,
              std::string_view tip = "");
  void Text(double x, double y, std::string_view text, std::string_view css_class,
            Anchor anchor = Anchor::kStart);

  // The document: `title` for readers that cannot see it, `css` for the classes.
  std::string Finish(double width, double height, std::string_view title,
                     std::string_view css) const;

 private:
  std::string body_;
};

// The text for use in XML: markup escaped, control characters that XML forbids as U+FFFD.
std::string EscapeXml(std::string_view untrusted);

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_SVG_CANVAS_H_
