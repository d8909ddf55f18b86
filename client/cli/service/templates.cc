#include "client/cli/service/templates.h"

#include "absl/strings/str_cat.h"

namespace anex::cli {

std::string FillTemplate(std::string_view text, const std::map<std::string, std::string>& values) {
  std::string filled;
  while (!text.empty()) {
    const size_t open = text.find('@');
    const size_t close = open == text.npos ? text.npos : text.find('@', open + 1);
    if (close == text.npos) break;
    const auto value = values.find(std::string(text.substr(open + 1, close - open - 1)));
    if (value == values.end()) {  // no place of ours; the second @ may begin one
      filled.append(text.substr(0, close));
      text.remove_prefix(close);
      continue;
    }
    filled.append(text.substr(0, open)).append(value->second);
    text.remove_prefix(close + 1);
  }
  return filled.append(text);
}

std::string XmlText(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string UnitWord(std::string_view text) {
  std::string word = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') word += '\\';
    if (c == '%') word += '%';  // begins a specifier
    word += c;
  }
  return word + '"';
}

}  // namespace anex::cli
