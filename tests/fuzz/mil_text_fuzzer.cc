// Any bytes as a MIL program. What must hold: findings or a program, never both and never neither;
// a program prints to text that reads back and prints the same; a text that parses has a canonical
// spelling, which is its own and means the same.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "server/mil/ane/ane_rules.h"
#include "server/mil/blob_references.h"
#include "server/mil/canonical.h"
#include "server/mil/front_end.h"
#include "server/mil/printer.h"
#include "server/mil/render_text.h"

namespace anex::mil {
namespace {

// Prints what broke the rule: the input, or the text and findings of what was printed.
void Require(bool holds, std::string_view what, const std::string& text,
             const FrontEndResult& result) {
  if (holds) return;
  std::fprintf(stderr, "%s\n%s\n%s", std::string(what).c_str(), text.c_str(),
               RenderText(result.diagnostics).c_str());
  std::abort();
}

// Constants stand in for missing weights at no cost; printing would write them out.
bool IsCheapToPrint(const Program& program) {
  uint64_t bytes = 0;
  for (const Function& function : program.functions) {
    for (const Value& value : function.values) {
      if (value.constant != nullptr) bytes += value.constant->bytes().size();
    }
  }
  return bytes < 1 << 20;
}

// Where weights are missing, operations may be too: what is left of them does not read back.
bool IsWhole(const Program& program) {
  for (const Function& function : program.functions) {
    std::vector<bool> given(function.values.size(), false);
    for (const ValueId id : function.inputs) given[id] = true;
    for (const Operation* operation : function.Written()) {
      for (const ValueId id : operation->results) given[id] = true;
    }
    for (size_t i = 0; i < given.size(); ++i) {
      if (!given[i] && function.values[i].constant == nullptr) return false;
    }
  }
  return true;
}

// Rules about the ANE see whatever the front end lets through. None of them is an error.
void CheckRules(const ProgramSource& source, const FrontEndResult& result) {
  for (const AneTarget& target : {AneTarget{}, AneTarget{AneChip::kM1, 14}}) {
    for (const Diagnostic& finding : CheckAneRules(source, *result.program, target)) {
      Require(finding.severity != Severity::kError && !RenderText(finding).empty(),
              "a finding about the ANE", source.text, result);
    }
  }
}

// Holds for texts with errors too, as long as they parse.
void CheckCanonical(const std::string& text, const FrontEndResult& result) {
  const Formatted once = Format(text, "fuzz.mil");
  const std::optional<std::string> key = CanonicalKey(text);
  Require(once.text.has_value() == key.has_value(), "a spelling has a key", text, result);
  if (!once.text.has_value()) return;
  Require(Format(*once.text, "fuzz.mil").text == once.text, "is its own spelling", text, result);
  Require(CanonicalKey(*once.text) == key, "keeps the key", text, result);
  const Formatted verbose = Format(text, "fuzz.mil", Dialect::kVerbose);
  Require(CanonicalKey(verbose.text.value_or("")) == key, "one key for both dialects", text,
          result);
  const FrontEndResult read = Read({.name = "fuzz.mil", .text = *key}, MissingWeights::kNote);
  Require((read.program == nullptr) == (result.program == nullptr), "stays right or wrong", *key,
          read);
  if (result.program == nullptr || !IsCheapToPrint(*result.program)) return;
  if (!IsWhole(*result.program)) return;
  Require(Print(*read.program).text == Print(*result.program).text, "means the same", *key, read);
}

void ReadOne(const std::string& text) {
  ListBlobReferences(text);
  const ProgramSource source{.name = "fuzz.mil", .text = text};
  const FrontEndResult result = Read(source, MissingWeights::kNote);
  bool errors = false;
  for (const Diagnostic& diagnostic : result.diagnostics) {
    errors = errors || diagnostic.severity == Severity::kError;
    Require(!RenderText(diagnostic).empty(), "renders", text, result);
  }
  Require(errors == (result.program == nullptr), "findings or a program", text, result);
  CheckCanonical(text, result);
  if (errors) {
    Require(!ToStatus(result.diagnostics).ok(), "an error has a status", text, result);
    return;
  }
  CheckRules(source, result);
  if (!IsCheapToPrint(*result.program) || !IsWhole(*result.program)) return;
  const ProgramSource printed = Print(*result.program);
  const FrontEndResult again = Read(printed);
  Require(again.program != nullptr, "what was printed reads", printed.text, again);
  Require(Print(*again.program).text == printed.text, "prints the same", printed.text, again);
}

}  // namespace
}  // namespace anex::mil

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  anex::mil::ReadOne(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
