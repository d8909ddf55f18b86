#include "tests/launchd/property_list.h"

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace anex::test {
namespace {

using cli::Json;

class Reader {
 public:
  explicit Reader(std::string_view text) : all_(text), rest_(text) {}

  absl::StatusOr<Json> Read() {
    for (const char* head : {"<?xml", "<!DOCTYPE"}) {
      SkipBlank();
      if (!rest_.starts_with(head)) return Bad(head);
      rest_.remove_prefix(rest_.find('>') + 1);
    }
    if (!Take("<plist version=\"1.0\">")) return Bad("<plist>");
    absl::StatusOr<Json> value = ReadValue();
    if (!value.ok()) return value;
    if (!Take("</plist>")) return Bad("</plist>");
    SkipBlank();
    if (!rest_.empty()) return Bad("the end");
    return value;
  }

 private:
  absl::Status Bad(std::string_view wanted) const {
    return absl::InvalidArgumentError(absl::StrCat("at byte ", all_.size() - rest_.size(),
                                                   ": expected ", std::string(wanted), ", found ",
                                                   std::string(rest_.substr(0, 30))));
  }
  // And comments, in which XML allows no two hyphens.
  void SkipBlank() {
    for (;;) {
      const size_t at = rest_.find_first_not_of(" \t\r\n");
      rest_.remove_prefix(at == rest_.npos ? rest_.size() : at);
      if (!rest_.starts_with("<!--")) return;
      const size_t end = rest_.find("--", 4);
      if (end == rest_.npos || rest_.substr(end, 3) != "-->") return;
      rest_.remove_prefix(end + 3);
    }
  }
  bool Take(std::string_view tag) {
    SkipBlank();
    if (!rest_.starts_with(tag)) return false;
    rest_.remove_prefix(tag.size());
    return true;
  }
  // Up to </tag>.
  absl::StatusOr<std::string> Text(std::string_view tag) {
    const std::string close = absl::StrCat("</", std::string(tag), ">");
    const size_t end = rest_.find('<');
    if (end == rest_.npos || !rest_.substr(end).starts_with(close)) return Bad(close);
    const std::string text = absl::StrReplaceAll(std::string(rest_.substr(0, end)),
                                                 {{"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}});
    rest_.remove_prefix(end + close.size());
    return text;
  }
  absl::StatusOr<Json> ReadValue() {
    if (Take("<true/>")) return Json(true);
    if (Take("<false/>")) return Json(false);
    if (Take("<dict>")) return ReadDict();
    if (Take("<array>")) return ReadArray();
    if (Take("<string>")) {
      const auto text = Text("string");
      return text.ok() ? absl::StatusOr<Json>(Json(*text)) : text.status();
    }
    if (Take("<integer>")) {
      const auto text = Text("integer");
      int64_t number = 0;
      if (!text.ok() || !absl::SimpleAtoi(*text, &number)) return Bad("a whole number");
      return Json(number);
    }
    return Bad("a value");
  }
  absl::StatusOr<Json> ReadDict() {
    Json dict = Json::object();
    while (!Take("</dict>")) {
      if (!Take("<key>")) return Bad("<key>");
      const auto key = Text("key");
      if (!key.ok()) return key.status();
      if (dict.contains(*key)) return Bad(absl::StrCat("no second ", *key));
      const auto value = ReadValue();
      if (!value.ok()) return value;
      dict[*key] = *value;
    }
    return dict;
  }
  absl::StatusOr<Json> ReadArray() {
    Json array = Json::array();
    while (!Take("</array>")) {
      const auto value = ReadValue();
      if (!value.ok()) return value;
      array.push_back(*value);
    }
    return array;
  }

  const std::string_view all_;
  std::string_view rest_;
};

}  // namespace

absl::StatusOr<Json> ReadPropertyList(std::string_view text) { return Reader(text).Read(); }

}  // namespace anex::test
