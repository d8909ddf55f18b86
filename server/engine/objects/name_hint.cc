#include "server/engine/objects/name_hint.h"

#include <algorithm>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace anex::engine {
namespace {

constexpr size_t kShown = 64;  // bytes of an untrusted name that a message repeats
constexpr size_t kListed = 8;

// Levenshtein's distance, one row at a time.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replace = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replace, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::string Listed(std::span<const std::string> names) {
  std::string text = "; there are ";
  for (size_t i = 0; i < std::min(names.size(), kListed); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ", ", Quoted(names[i]));
  }
  if (names.size() > kListed) absl::StrAppend(&text, " and ", names.size() - kListed, " more");
  return text;
}

}  // namespace

std::string NameHint(std::string_view wanted_untrusted, std::span<const std::string> names) {
  if (names.empty()) return "; there are none";
  const std::string_view wanted = wanted_untrusted.substr(0, kShown);
  const auto nearer = [&](const std::string& a, const std::string& b) {
    return Distance(wanted, a) < Distance(wanted, b);
  };
  const auto nearest = std::min_element(names.begin(), names.end(), nearer);
  const size_t near_enough = (wanted.size() + 2) / 3;
  if (Distance(wanted, *nearest) > near_enough) return Listed(names);
  return absl::StrCat("; did you mean ", Quoted(*nearest), "?");
}

std::string Quoted(std::string_view name_untrusted) {
  const bool cut = name_untrusted.size() > kShown;
  return absl::StrCat("\"", absl::CHexEscape(std::string(name_untrusted.substr(0, kShown))),
                      cut ? "..." : "", "\"");
}

}  // namespace anex::engine
