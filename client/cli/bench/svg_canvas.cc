#include "client/cli/bench/svg_canvas.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace anex::bench {
namespace {

// Tenths of a pixel are more than anybody sees.
std::string Px(double value) {
  const double rounded = std::round(value * 10) / 10;
  return absl::StrFormat("%g", rounded == 0 ? 0.0 : rounded);
}

std::string Class(std::string_view css_class) {
  return absl::StrCat(" class=\"", EscapeXml(css_class), "\"");
}

std::string_view AnchorName(Anchor anchor) {
  switch (anchor) {
    case Anchor::kStart:
      return "start";
    case Anchor::kMiddle:
      return "middle";
    case Anchor::kEnd:
      return "end";
  }
  return "start";
}

}  // namespace

std::string EscapeXml(std::string_view untrusted) {
  std::string out;
  for (const char c : untrusted) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') {
          out += "\xEF\xBF\xBD";
        } else {
          out += c;
        }
    }
  }
  return out;
}

void SvgCanvas::Rect(double x, double y, double width, double height, std::string_view css_class) {
  absl::StrAppend(&body_, "<rect", Class(css_class), " x=\"", Px(x), "\" y=\"", Px(y),
                  "\" width=\"", Px(width), "\" height=\"", Px(height), "\"/>\n");
}

void SvgCanvas::Line(double x1, double y1, double x2, double y2, std::string_view css_class) {
  absl::StrAppend(&body_, "<line", Class(css_class), " x1=\"", Px(x1), "\" y1=\"", Px(y1),
                  "\" x2=\"", Px(x2), "\" y2=\"", Px(y2), "\"/>\n");
}

void SvgCanvas::Circle(double x, double y, double radius, std::string_view css_class,
                       std::string_view tip) {
  absl::StrAppend(&body_, "<circle", Class(css_class), " cx=\"", Px(x), "\" cy=\"", Px(y),
                  "\" r=\"", Px(radius), "\">");
  if (!tip.empty()) absl::StrAppend(&body_, "<title>", EscapeXml(tip), "</title>");
  body_ += "</circle>\n";
}

void SvgCanvas::Text(double x, double y, std::string_view text, std::string_view css_class,
                     Anchor anchor) {
  absl::StrAppend(&body_, "<text", Class(css_class), " x=\"", Px(x), "\" y=\"", Px(y),
                  "\" text-anchor=\"", std::string(AnchorName(anchor)), "\">", EscapeXml(text),
                  "</text>\n");
}

std::string SvgCanvas::Finish(double width, double height, std::string_view title,
                              std::string_view css) const {
  return absl::StrCat(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" "
      "viewBox=\"0 0 ",
      Px(width), " ", Px(height), "\" width=\"", Px(width), "\" height=\"", Px(height),
      "\" role=\"img\">\n<title>", EscapeXml(title), "</title>\n<style>\n", EscapeXml(css),
      "</style>\n", body_, "</svg>\n");
}

}  // namespace anex::bench
