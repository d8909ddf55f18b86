// One thing that is publicly known of what the Apple Neural Engine refuses, computes wrongly or
// does slowly. Rules are data: a row says what is known, for which chips, how surely and from
// where, how to avoid it, and shows a program that runs into it and one that does not. To add one:
// a row in the table of its family (ane_families.h); tests/mil/ane_rules_test.cc holds it to its
// word.
//
// Nothing here was measured by this project. Claims are restated with their source; sources that
// contradict a claim stand beside it as `against`. Constant data, any thread.
#ifndef ANEX_SERVER_MIL_ANE_ANE_RULE_H_
#define ANEX_SERVER_MIL_ANE_ANE_RULE_H_

#include <span>
#include <string>
#include <string_view>

#include "server/mil/ane/ane_target.h"

namespace anex::mil {

class AneReport;
struct FunctionFacts;
struct OpSite;
struct ProgramFacts;

// What happens to a program that runs into a rule.
enum class AneClass : uint8_t {
  kRefused,      // it does not compile, load or evaluate
  kWrongAnswer,  // it runs and its numbers are wrong, without a word
  kSlow,         // it is right, and costs time or memory that a rewrite would save
  kUnsure,       // one of the above by one source, contradicted by others for the same chips
};
std::string_view NameOf(AneClass c);  // "wrong answer"

// How a source knows. From the surest to the least sure.
enum class Certainty : uint8_t {
  kMeasured,    // run on hardware, with the result shown
  kDecompiled,  // read in Apple's binaries
  kClaimed,     // said without visible evidence
  kInferred,    // follows from other claims
};
std::string_view NameOf(Certainty c);

struct Evidence {
  std::string_view source;  // repository and document, machine where it is told
  std::string_view says;
  Certainty certainty = Certainty::kClaimed;
  bool against = false;  // contradicts the rule
};

// A program in short: inputs, statements (one a line) and outputs of its only function. The usual
// header is put around them; `whole` replaces everything, `make` writes a long one.
struct AneExample {
  std::string_view inputs, body, outputs;
  std::string_view whole = {};
  std::string (*make)() = nullptr;
  std::string Text() const;
};

struct AneRule {
  std::string_view id;     // "ANE0801": stable, never reused; the first two digits are the family
  std::string_view title;  // one line, without a full stop
  AneClass kind = AneClass::kUnsure;
  ChipSet known;  // where it was seen
  ChipSet clear;  // where it was looked for and not seen: the rule is silent there
  // True for what concerns nearly every program, or holds for one chip where the opposite holds for
  // another: the rule speaks only if a chip that it is known for was named.
  bool needs_chip = false;
  std::string_view os;  // as the sources tell it; "" if they do not
  // The rule is silent for a named macOS outside; 0 is open. A rule that has a bound speaks only if
  // a version was named.
  int first_macos = 0, last_macos = 0;
  std::string_view explanation;       // paragraphs
  std::string_view rewrite;           // what to do instead
  Evidence evidence[6] = {};          // until the first without a source
  std::string_view target = "ane";    // what the examples are checked for
  AneExample example;                 // has this finding and no other
  AneExample mend;                    // has none
  std::string_view mend_target = {};  // if it is the target that has to change
  // One of three. `on_op` is asked for every operation of `ops`.
  std::string_view ops[24] = {};
  void (*on_op)(const OpSite& site, AneReport& report) = nullptr;
  void (*on_function)(const FunctionFacts& facts, AneReport& report) = nullptr;
  void (*on_program)(const ProgramFacts& facts, AneReport& report) = nullptr;

  std::span<const Evidence> Sources() const;
  std::span<const std::string_view> Ops() const;
  bool Disputed() const;     // a source is against it
  Certainty Surest() const;  // of the sources that are for it
  // "known for M1, M2; not seen on M5; measured, but sources disagree"
  std::string Standing() const;
  std::string Explanation() const;  // everything, as `--explain` shows it
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_ANE_ANE_RULE_H_
