#include "server/mil/ane/ane_rules.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/mil/ane/ane_facts.h"
#include "server/mil/ane/ane_families.h"
#include "server/mil/source_text.h"

namespace anex::mil {
namespace {

constexpr size_t kSourceLineBytes = 65536;  // as the front end: beyond that no line is carried

using Rules = std::vector<const AneRule*>;

bool Applies(const AneRule& rule, const AneTarget& target) {
  if (rule.first_macos != 0 || rule.last_macos != 0) {
    if (target.macos == 0) return false;
    if (rule.first_macos != 0 && target.macos < rule.first_macos) return false;
    if (rule.last_macos != 0 && target.macos > rule.last_macos) return false;
  }
  if (!target.chip.has_value()) return !rule.needs_chip;
  return rule.needs_chip ? rule.known.Has(*target.chip) : !rule.clear.Has(*target.chip);
}

bool KnownFor(const AneRule& rule, const AneTarget& target) {
  return !target.chip.has_value() || rule.known.Has(*target.chip);
}

bool Earlier(const Diagnostic& a, const Diagnostic& b) {
  return std::pair(a.line, a.column) < std::pair(b.line, b.column);
}

// One rule's finding at one place.
struct Finding {
  const AneRule* rule;
  std::string what;  // a sentence about the place
  Diagnostic diagnostic;
};

// Findings at one place stand together, the gravest first, of them the surest.
bool ComesFirst(const Finding& a, const Finding& b) {
  const auto key = [](const Finding& f) {
    return std::tuple(f.diagnostic.line, f.diagnostic.column,
                      -static_cast<int>(f.diagnostic.severity), f.rule->kind, f.rule->Disputed(),
                      f.rule->Surest());
  };
  return key(a) < key(b);
}

bool SamePlace(const Diagnostic& a, const Diagnostic& b) {
  return a.line == b.line && a.column == b.column;
}

// What a finding says beside a graver one at its place: a short line without the place.
Diagnostic Folded(Finding finding, const AneTarget& target) {
  Diagnostic& full = finding.diagnostic;
  Diagnostic line{
      .severity = Severity::kNote,
      .code = std::move(full.code),
      .message = absl::StrCat("also ", std::string(NameOf(finding.rule->kind)), ": ", finding.what,
                              " (", KnownFor(*finding.rule, target) ? "" : "known only for ",
                              finding.rule->known.ToString(), ")"),
      .file = std::move(full.file),
      .properties = std::move(full.properties)};
  line.properties["instead"] = std::move(full.help);
  return line;
}

// Turns places into findings.
class Writer {
 public:
  Writer(const ProgramSource& source, const SourceText& text, const AneTarget& target)
      : source_(source), text_(text), target_(target) {}

  void Add(const AneRule& rule, AneReport& report) {
    std::vector<AneReport::Place>& places = report.places();
    const size_t count = report.count();
    std::ranges::stable_sort(places, [](const auto& a, const auto& b) {
      return std::pair(a.where.line, a.where.column) < std::pair(b.where.line, b.where.column);
    });
    const size_t shown = std::min(places.size(), kAneFindingsPerRule);
    for (size_t i = 0; i < shown; ++i)
      found_.push_back({&rule, places[i].what, FindingAt(rule, places[i])});
    if (shown < count) {
      AneReport::Place rest = places[std::min(shown, places.size() - 1)];
      rest.what = absl::StrCat("and ", count - shown, " more of this kind from here on");
      found_.push_back({&rule, rest.what, FindingAt(rule, rest)});
      found_.back().diagnostic.severity = Severity::kNote;
    }
  }

  std::vector<Diagnostic> Take() {
    std::ranges::stable_sort(found_, ComesFirst);
    std::vector<Diagnostic> findings;
    for (Finding& next : found_) {
      if (!findings.empty() && SamePlace(findings.back(), next.diagnostic)) {
        findings.back().notes.push_back(Folded(std::move(next), target_));
      } else {
        findings.push_back(std::move(next.diagnostic));
      }
    }
    return findings;
  }

 private:
  Severity SeverityOf(const AneRule& rule) const {
    const bool grave = rule.kind == AneClass::kRefused || rule.kind == AneClass::kWrongAnswer;
    return grave && KnownFor(rule, target_) ? Severity::kWarning : Severity::kNote;
  }

  std::string Standing(const AneRule& rule) const {
    if (KnownFor(rule, target_)) return rule.Standing();
    return absl::StrCat("not known for ", std::string(NameOf(*target_.chip)), ", ",
                        rule.Standing());
  }

  Diagnostic FindingAt(const AneRule& rule, const AneReport::Place& place) const {
    Diagnostic finding{.severity = SeverityOf(rule),
                       .code = std::string(rule.id),
                       .message = absl::StrCat(std::string(NameOf(rule.kind)), " on the ANE: ",
                                               place.what, " (", Standing(rule), ")"),
                       .file = source_.name,
                       .line = static_cast<int>(place.where.line),
                       .column = static_cast<int>(place.where.column),
                       .length = static_cast<int>(std::max(place.where.length, 1u)),
                       .help = std::string(rule.rewrite),
                       .properties = Properties(rule)};
    finding.source_line = LineOf(place.where);
    if (finding.source_line.empty()) finding.length = 1;
    return finding;
  }

  std::map<std::string, std::string> Properties(const AneRule& rule) const {
    std::map<std::string, std::string> properties{
        {"class", std::string(NameOf(rule.kind))},
        {"certainty", std::string(NameOf(rule.Surest()))},
        {"chips", rule.known.ToString()},
        {"target", target_.ToString()},
    };
    if (target_.chip.has_value()) {
      properties["known_for_target"] = KnownFor(rule, target_) ? "yes" : "no";
    }
    if (!rule.clear.empty()) properties["clear_chips"] = rule.clear.ToString();
    if (!rule.os.empty()) properties["os"] = std::string(rule.os);
    for (const Evidence& e : rule.Sources()) {
      std::string& list = properties[e.against ? "evidence_against" : "evidence"];
      absl::StrAppend(&list, list.empty() ? "" : "; ", std::string(NameOf(e.certainty)), ": ",
                      std::string(e.source), ": ", std::string(e.says));
    }
    return properties;
  }

  std::string LineOf(const SourceRange& where) const {
    if (where.line == 0) return "";
    if (lines_.empty()) {
      lines_.push_back(0);
      for (size_t at = text_.text().find('\n'); at != std::string_view::npos;
           at = text_.text().find('\n', at + 1)) {
        lines_.push_back(static_cast<uint32_t>(at + 1));
      }
    }
    if (where.line > lines_.size()) return "";
    const uint32_t start = lines_[where.line - 1];
    const std::string_view line = text_.LineAt(start + where.column - 1, kSourceLineBytes);
    return where.column - 1 <= line.size() ? std::string(line) : "";
  }

  const ProgramSource& source_;
  const SourceText& text_;
  const AneTarget& target_;
  mutable std::vector<uint32_t> lines_;  // where each line starts; made when first needed
  std::vector<Finding> found_;
};

// Runs rules over a program and keeps what each reports.
class Checker {
 public:
  Checker(const ProgramFacts& facts, const AneTarget& target) : facts_(facts) {
    for (const AneRule* rule : AneRules()) {
      if (!Applies(*rule, target)) continue;
      for (std::string_view op : rule->Ops()) by_op_[op].push_back(rule);
      if (rule->on_function != nullptr) by_function_.push_back(rule);
      if (rule->on_program != nullptr) rule->on_program(facts, reports_[rule]);
    }
  }

  void Check(const Function& function) {
    const FunctionFacts facts(function, facts_);
    for (const AneRule* rule : by_function_) rule->on_function(facts, reports_[rule]);
    // Apple's compiler is given the text: what the front end works out is still in it.
    for (const Operation* op : function.Written()) {
      const auto rules = by_op_.find(op->op);
      if (rules == by_op_.end()) continue;
      for (const AneRule* rule : rules->second) rule->on_op({facts, *op}, reports_[rule]);
    }
  }

  void WriteTo(Writer& writer) {
    for (const AneRule* rule : AneRules()) {
      const auto report = reports_.find(rule);
      if (report != reports_.end()) writer.Add(*rule, report->second);
    }
  }

 private:
  const ProgramFacts& facts_;
  std::unordered_map<std::string_view, Rules> by_op_;
  Rules by_function_;
  std::unordered_map<const AneRule*, AneReport> reports_;
};

}  // namespace

std::vector<Diagnostic> CheckAneRules(const ProgramSource& source, const Program& program,
                                      const AneTarget& target) {
  const SourceText text(source.name, source.text);
  const TextFacts text_facts = TextFacts::Of(text);
  const ProgramFacts facts{program, text, text_facts, target};
  Checker checker(facts, target);
  for (const Function& function : program.functions) checker.Check(function);
  Writer writer(source, text, target);
  checker.WriteTo(writer);
  return writer.Take();
}

absl::Status AddAneFindings(std::string_view device, const ProgramSource& source,
                            const Program* program, std::vector<Diagnostic>& all) {
  if (!AneTarget::Names(device)) return absl::OkStatus();
  const absl::StatusOr<AneTarget> target = AneTarget::Parse(device);
  if (!target.ok() || program == nullptr) return target.status();
  std::vector<Diagnostic> findings = CheckAneRules(source, *program, *target);
  const auto middle = static_cast<std::ptrdiff_t>(all.size());
  std::ranges::move(findings, std::back_inserter(all));
  std::inplace_merge(all.begin(), all.begin() + middle, all.end(), Earlier);
  return absl::OkStatus();
}

std::span<const AneRule* const> AneRules() {
  static const Rules* const rules = [] {
    auto* all = new Rules;
    for (std::span<const AneRule> family :
         {AnePortRules(), AneShapeRules(), AneTypeRules(), AneOperationRules(), AneConvRules(),
          AneMatmulRules(), AneAttentionRules(), AneMovementRules(), AneNumberRules(),
          AneProgramRules()}) {
      for (const AneRule& rule : family) all->push_back(&rule);
    }
    return all;
  }();
  return *rules;
}

std::span<const RuleInfo> AneRuleInfos() {
  struct Texts {
    std::string explanation, example, mend;
  };
  static const std::vector<RuleInfo>* const infos = [] {
    static auto* const texts = new std::vector<Texts>;
    auto* all = new std::vector<RuleInfo>;
    for (const AneRule* rule : AneRules()) {
      texts->push_back({rule->Explanation(), rule->example.Text(), rule->mend.Text()});
    }
    for (size_t i = 0; i < texts->size(); ++i) {
      const AneRule& rule = *AneRules()[i];
      const Texts& text = (*texts)[i];
      all->push_back({rule.id, rule.title, text.explanation, text.example, text.mend});
    }
    return all;
  }();
  return *infos;
}

}  // namespace anex::mil
