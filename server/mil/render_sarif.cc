#include "server/mil/render_sarif.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "proto/values/source_line.h"
#include "server/mil/rule_info.h"

namespace anex::mil {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kSchema =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

std::string_view LevelOf(Severity severity) {
  switch (severity) {
    case Severity::kNote:
      return "note";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "error";
}

bool IsPlainInUri(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~' || c == '/';
}

std::string UriOf(std::string_view path) {
  std::string uri = path.starts_with('/') ? "file://" : "";
  for (const char c : path) {
    if (IsPlainInUri(static_cast<unsigned char>(c))) {
      uri.push_back(c);
    } else {
      absl::StrAppendFormat(&uri, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return uri;
}

// The 1-based column in code points of the 1-based column in bytes. What is in front of `line`,
// `offset` bytes of it, is taken for characters of one byte each.
int CodePointColumn(std::string_view line, size_t offset, int column) {
  const size_t bytes = static_cast<size_t>(std::max(column, 1) - 1) - offset;
  const std::string_view before = line.substr(0, std::min(line.size(), bytes));
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  return 1 + static_cast<int>(offset + before.size()) -
         static_cast<int>(std::ranges::count_if(before, continues));
}

Json RegionOf(const Diagnostic& diagnostic) {
  const std::string_view line = diagnostic.source_line;
  const size_t offset = SourceLineOffset(diagnostic);
  Json region{{"startLine", diagnostic.line},
              {"startColumn", CodePointColumn(line, offset, diagnostic.column)}};
  if (diagnostic.end_line > 0) {
    region["endLine"] = diagnostic.end_line;
    region["endColumn"] = diagnostic.end_column;
  } else {
    const int end = std::max(diagnostic.length, 1) + diagnostic.column;
    region["endColumn"] =
        std::max(CodePointColumn(line, offset, end), region["startColumn"].get<int>() + 1);
  }
  if (!line.empty()) region["snippet"] = {{"text", line}};
  return region;
}

Json LocationOf(const Diagnostic& diagnostic) {
  Json physical;
  physical["artifactLocation"]["uri"] = UriOf(diagnostic.file);
  if (diagnostic.line > 0) physical["region"] = RegionOf(diagnostic);
  return {{"physicalLocation", std::move(physical)}};
}

Json RelatedLocations(const Diagnostic& diagnostic) {
  Json related = Json::array();
  for (const Diagnostic& note : diagnostic.notes) {
    Json location = LocationOf(note);
    location["id"] = related.size();
    location["message"]["text"] =
        note.code.empty() ? note.message : absl::StrCat(note.code, ": ", note.message);
    if (!note.properties.empty()) location["properties"] = note.properties;
    related.push_back(std::move(location));
  }
  return related;
}

Json RuleOf(const Diagnostic& diagnostic) {
  Json rule{{"id", diagnostic.code}};
  if (const RuleInfo* info = FindRule(diagnostic.code)) {
    rule["shortDescription"]["text"] = info->title;
    rule["fullDescription"]["text"] = info->explanation;
    rule["help"]["text"] =
        absl::StrCat(std::string(info->explanation), "\n\nFor example:\n\n",
                     std::string(info->example), "\nMended:\n\n", std::string(info->mend));
    rule["help"]["markdown"] = absl::StrCat(
        std::string(info->explanation), "\n\nFor example:\n\n```\n", std::string(info->example),
        "```\n\nMended:\n\n```\n", std::string(info->mend), "```\n");
  }
  rule["defaultConfiguration"]["level"] = LevelOf(diagnostic.severity);
  return rule;
}

Json ResultOf(const Diagnostic& diagnostic, size_t rule_index) {
  Json result{{"ruleId", diagnostic.code},
              {"ruleIndex", rule_index},
              {"level", LevelOf(diagnostic.severity)}};
  result["message"]["text"] =
      diagnostic.help.empty() ? diagnostic.message
                              : absl::StrCat(diagnostic.message, " (help: ", diagnostic.help, ")");
  result["locations"] = Json::array({LocationOf(diagnostic)});
  if (!diagnostic.notes.empty()) result["relatedLocations"] = RelatedLocations(diagnostic);
  if (!diagnostic.properties.empty()) result["properties"] = diagnostic.properties;
  return result;
}

}  // namespace

std::string RenderSarif(std::span<const Diagnostic> diagnostics, std::span<const std::string> files,
                        std::string_view tool_version) {
  Json rules = Json::array(), results = Json::array(), artifacts = Json::array();
  std::map<std::string, size_t> rule_index;
  for (const Diagnostic& diagnostic : diagnostics) {
    const auto [rule, fresh] = rule_index.emplace(diagnostic.code, rules.size());
    if (fresh) rules.push_back(RuleOf(diagnostic));
    results.push_back(ResultOf(diagnostic, rule->second));
  }
  for (const std::string& file : files) {
    Json artifact;
    artifact["location"]["uri"] = UriOf(file);
    artifact["sourceLanguage"] = "mil";
    artifacts.push_back(std::move(artifact));
  }
  Json driver{{"name", "anectl check"}, {"version", tool_version}, {"rules", std::move(rules)}};
  Json run;
  run["tool"]["driver"] = std::move(driver);
  run["invocations"] = Json::array({{{"executionSuccessful", true}}});
  run["columnKind"] = "unicodeCodePoints";
  run["artifacts"] = std::move(artifacts);
  run["results"] = std::move(results);
  const Json log{
      {"$schema", kSchema}, {"version", "2.1.0"}, {"runs", Json::array({std::move(run)})}};
  return log.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace anex::mil
