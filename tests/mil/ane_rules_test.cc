// Holds every rule of the table to its word, and the checker to what it promises about findings.
#include "server/mil/ane/ane_rules.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/mil/op_catalog.h"
#include "tests/mil/corpus.h"
#include "tests/mil/reading.h"

namespace anex::mil {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

AneTarget Target(std::string_view device) {
  const absl::StatusOr<AneTarget> target = AneTarget::Parse(device);
  EXPECT_TRUE(target.ok()) << target.status();
  return target.ok() ? *target : AneTarget{};
}

std::vector<Diagnostic> Check(const std::string& text, std::string_view device = "ane") {
  const ProgramSource source{.name = "t.mil", .text = text};
  const FrontEndResult read = Read(source, MissingWeights::kNote);
  EXPECT_NE(read.program, nullptr) << RenderText(read.diagnostics) << text;
  if (read.program == nullptr) return {};
  return CheckAneRules(source, *read.program, Target(device));
}

// A function around statements, with the header that the ANE wants.
std::string Wrapped(std::string_view inputs, std::string_view body, std::string_view outputs) {
  return AneExample{inputs, body, outputs}.Text();
}

std::set<std::string> Codes(const std::vector<Diagnostic>& findings) {
  std::set<std::string> codes;
  for (const Diagnostic& finding : findings) {
    codes.insert(finding.code);
    for (const Diagnostic& folded : finding.notes) codes.insert(folded.code);
  }
  return codes;
}

std::string Rendered(const std::vector<Diagnostic>& findings) { return RenderText(findings); }

// Operations of the table that the front end does not know yet have examples that cannot be read.
bool Readable(const AneRule& rule) {
  const auto ops = rule.Ops();
  return ops.empty() || std::ranges::any_of(ops, [](auto op) { return FindOp(op) != nullptr; });
}

// Without the line breaks of wrapping.
std::string Flat(std::string_view wrapped) {
  std::string text(wrapped);
  for (size_t at; (at = text.find("\n  ")) != std::string::npos;) text.replace(at, 3, " ");
  return text;
}

TEST(EveryAneRule, FiresOnItsExampleAndNoOtherDoes) {
  for (const AneRule* rule : AneRules()) {
    if (!Readable(*rule)) continue;
    SCOPED_TRACE(rule->id);
    const auto findings = Check(rule->example.Text(), rule->target);
    EXPECT_THAT(Codes(findings), ElementsAre(std::string(rule->id))) << Rendered(findings);
  }
}

TEST(EveryAneRule, IsSilentOnItsMendAndSoAreAllOthers) {
  for (const AneRule* rule : AneRules()) {
    SCOPED_TRACE(rule->id);
    const auto target = rule->mend_target.empty() ? rule->target : rule->mend_target;
    const auto findings = Check(rule->mend.Text(), target);
    EXPECT_THAT(findings, IsEmpty()) << Rendered(findings);
  }
}

TEST(EveryAneRule, CanBeShownUnlessTheFrontEndHasNoneOfItsOperations) {
  std::vector<std::string> unreadable;
  for (const AneRule* rule : AneRules()) {
    if (!Readable(*rule)) unreadable.emplace_back(rule->id);
  }
  EXPECT_LE(unreadable.size(), 3u) << ::testing::PrintToString(unreadable);
}

TEST(EveryAneRule, HasASourceForItAChipAndAWayOut) {
  for (const AneRule* rule : AneRules()) {
    SCOPED_TRACE(rule->id);
    const auto sources = rule->Sources();
    EXPECT_TRUE(std::ranges::any_of(sources, [](const Evidence& e) { return !e.against; }));
    for (const Evidence& e : sources) EXPECT_FALSE(e.says.empty()) << e.source;
    EXPECT_FALSE(rule->known.empty());
    EXPECT_FALSE(rule->known.Overlaps(rule->clear)) << "known and cleared for one chip";
    EXPECT_GT(rule->rewrite.size(), 20u);
    EXPECT_GT(rule->explanation.size(), 40u);
    EXPECT_FALSE(rule->title.empty() || rule->title.back() == '.');
    EXPECT_LE(rule->title.size(), 80u);
  }
}

TEST(EveryAneRule, HasExactlyOneCheck) {
  for (const AneRule* rule : AneRules()) {
    SCOPED_TRACE(rule->id);
    EXPECT_EQ(
        (rule->on_op != nullptr) + (rule->on_function != nullptr) + (rule->on_program != nullptr),
        1);
    EXPECT_EQ(rule->on_op != nullptr, !rule->Ops().empty());
  }
}

TEST(EveryAneRule, ExplainsItselfWithEverySourceAndTheRewrite) {
  for (const AneRule* rule : AneRules()) {
    SCOPED_TRACE(rule->id);
    const RuleInfo* info = FindRule(rule->id);
    ASSERT_NE(info, nullptr);
    const std::string flat = Flat(info->explanation);
    for (const Evidence& e : rule->Sources()) {
      EXPECT_THAT(flat, HasSubstr(std::string(e.source)));
      EXPECT_THAT(flat, HasSubstr(std::string(e.says)));
    }
    EXPECT_THAT(flat, HasSubstr(std::string(rule->rewrite)));
    EXPECT_THAT(flat, HasSubstr(absl::StrCat("On the ANE: ", std::string(NameOf(rule->kind)),
                                             "; known for ")));
    EXPECT_EQ(info->example, rule->example.Text());
    EXPECT_EQ(info->mend, rule->mend.Text());
  }
}

// One row of the list in README.md.
std::string Row(const AneRule& rule) {
  return absl::StrCat("| ", std::string(rule.id), " | ", std::string(rule.title), " | ",
                      std::string(NameOf(rule.kind)), " | ", rule.known.ToString(), " | ",
                      rule.clear.ToString(), " | ", std::string(NameOf(rule.Surest())),
                      rule.Disputed() ? ", disputed" : "", " |\n");
}

TEST(AneRules, AreAllListedInTheReadme) {
  const std::string readme =
      ReadWhole(std::filesystem::path(ANEX_SOURCE_DIR) / "server/mil/ane/README.md");
  std::string rows;
  for (const AneRule* rule : AneRules()) rows += Row(*rule);
  EXPECT_THAT(readme, HasSubstr(rows)) << "the list in README.md should be:\n" << rows;
}

TEST(AneRules, HaveUniqueSortedIds) {
  std::vector<std::string> ids;
  for (const AneRule* rule : AneRules()) {
    ids.emplace_back(rule->id);
    EXPECT_TRUE(rule->id.starts_with("ANE") && rule->id.size() == 7) << rule->id;
  }
  EXPECT_TRUE(std::ranges::is_sorted(ids));
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size());
  EXPECT_GE(ids.size(), 70u);
}

// --- Chips and versions -----------------------------------------------------------------------

std::string OffsetSlice() { return FindRule("ANE0803")->example.data(); }

TEST(AneTargets, ReadWhatTheyPrint) {
  for (const char* device : {"ane", "ane:m1", "ane:m3-ultra", "ane:m4-pro@26", "ane@15"}) {
    EXPECT_EQ(Target(device).ToString(), device);
  }
  EXPECT_EQ(Target("ane:m2@14.6.1").macos, 14);
  EXPECT_EQ(Target("ANE:M3-Ultra@26").ToString(), "ane:m3-ultra@26");
}

TEST(AneTargets, AnUnknownChipIsRefusedWithTheListOfChips) {
  const absl::Status status = AneTarget::Parse("ane:m9").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("\"m9\""), HasSubstr("m1, m1-pro"),
                                                   HasSubstr("m3-ultra"), HasSubstr("m6")));
  EXPECT_FALSE(AneTarget::Parse("ane:").ok());
  EXPECT_THAT(std::string(AneTarget::Parse("ane:m4pro").status().message()),
              HasSubstr("\"m4pro\" is known; did you mean `m4-pro`? there are"));
  EXPECT_FALSE(AneTarget::Parse("ane:m4@").ok());
  EXPECT_FALSE(AneTarget::Parse("ane:m4@9").ok());
  EXPECT_FALSE(AneTarget::Parse("ane@x").ok());
  EXPECT_FALSE(AneTarget::Parse("cpu").ok());
}

TEST(AneTargets, OthersAreNotTakenForOne) {
  EXPECT_TRUE(AneTarget::Names("ane"));
  EXPECT_TRUE(AneTarget::Names("ane:whatever"));
  EXPECT_TRUE(AneTarget::Names("Ane@15"));
  for (const char* device : {"", "cpu", "anemone", "an", "ANEMONE"}) {
    EXPECT_FALSE(AneTarget::Names(device)) << device;
  }
}

TEST(AneTargets, ASetNamesWholeFamiliesAndSingleChips) {
  EXPECT_EQ((kM1s | AneChip::kM3Ultra | kM6s).ToString(), "M1, M3 Ultra, M6");
  EXPECT_EQ(ChipSet().ToString(), "");
}

TEST(AneRules, WarnForAChipTheyAreKnownForAndOnlyNoteForOneTheyAreNot) {
  const auto known = Check(OffsetSlice(), "ane:m2");
  ASSERT_THAT(Codes(known), Contains("ANE0803"));
  const auto slice = [](const std::vector<Diagnostic>& findings) {
    return *std::ranges::find(findings, "ANE0803", &Diagnostic::code);
  };
  EXPECT_EQ(slice(known).severity, Severity::kWarning);
  EXPECT_THAT(slice(known).message, Not(HasSubstr("not known for")));
  const auto unknown = Check(OffsetSlice(), "ane:m3");
  ASSERT_THAT(Codes(unknown), Contains("ANE0803"));
  EXPECT_EQ(slice(unknown).severity, Severity::kNote);
  EXPECT_THAT(slice(unknown).message, HasSubstr("not known for M3, known for M1, M2"));
}

TEST(AneRules, AreSilentForAChipTheyDoNotHoldFor) {
  EXPECT_THAT(Codes(Check(OffsetSlice(), "ane:m5")), Not(Contains("ANE0803")));
}

TEST(AneRules, ThatNeedAChipAreSilentWithoutOneAndForOthers) {
  const std::string text(FindRule("ANE1002")->example);
  EXPECT_THAT(Check(text, "ane"), IsEmpty());
  EXPECT_THAT(Codes(Check(text, "ane:m4")), Not(Contains("ANE1002")));
  EXPECT_THAT(Codes(Check(text, "ane:m2")), Contains("ANE1002"));
}

// --- What a finding carries ---------------------------------------------------------------------

TEST(AneFindings, CarryPlaceLineHelpEvidenceAndProperties) {
  const auto findings = Check(OffsetSlice(), "ane:m1-max");
  const auto found = std::ranges::find(findings, "ANE0803", &Diagnostic::code);
  ASSERT_NE(found, findings.end());
  EXPECT_EQ(found->file, "t.mil");
  EXPECT_EQ(found->line, 5);
  EXPECT_THAT(found->source_line.substr(found->column - 1, found->length),
              HasSubstr("slice_by_size"));
  EXPECT_THAT(found->message,
              AllOf(HasSubstr("wrong answer on the ANE"), HasSubstr("begins at 512"),
                    HasSubstr("known for M1, M2"), HasSubstr("measured")));
  EXPECT_THAT(found->help, HasSubstr("slice along another axis"));
  EXPECT_THAT(found->properties.at("evidence"), HasSubstr("sbryngelson/ane-guide ch. 19"));
  EXPECT_THAT(
      found->properties,
      AllOf(Contains(Pair("class", "wrong answer")), Contains(Pair("chips", "M1, M2")),
            Contains(Pair("clear_chips", "M4, M5, M6")), Contains(Pair("certainty", "measured")),
            Contains(Pair("target", "ane:m1-max")), Contains(Pair("known_for_target", "yes")),
            Contains(Pair("evidence", HasSubstr("ANEForge docs/numeric-cliffs.md")))));
}

TEST(AneFindings, ShowSourcesThatDisagreeSideBySide) {
  const auto findings = Check(std::string(FindRule("ANE0801")->example));
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_THAT(Rendered(findings), HasSubstr("sources disagree"));
  EXPECT_THAT(findings[0].properties,
              AllOf(Contains(Pair("evidence", HasSubstr("mechramc/Orion"))),
                    Contains(Pair("evidence_against", AllOf(HasSubstr("measured: maderix/ANE"),
                                                            HasSubstr("ANEForge"))))));
}

TEST(AneFindings, OfOnePlaceAreOneTheGravestWithTheOthersInALineEach) {
  const auto findings = Check(Wrapped("tensor<int32, [1, 3]> x",
                                      "tensor<int32, [1, 3]> t = mul(x = x, y = int32(2));\n"
                                      "tensor<int32, [1, 3]> y = add(x = t, y = x);",
                                      "y"));
  const auto port = std::ranges::find(findings, 4, &Diagnostic::line);
  ASSERT_NE(port, findings.end());
  EXPECT_EQ(port->severity, Severity::kWarning);
  ASSERT_GE(port->notes.size(), 2u) << Rendered(findings);
  // Of two that are refused, what was measured goes before what was claimed.
  EXPECT_EQ(port->code, "ANE0302") << Rendered(findings);
  EXPECT_EQ(port->notes[0].code, "ANE0110");
  EXPECT_EQ(port->notes[0].message,
            "also refused: port `x` holds 12 bytes, no multiple of 128 (M5)");
  // In the order of their weight; those of one class as they stand in the table.
  std::vector<std::string> classes = {port->properties.at("class")};
  for (const Diagnostic& folded : port->notes) {
    EXPECT_EQ(folded.line, 0);
    EXPECT_EQ(folded.severity, Severity::kNote);
    EXPECT_THAT(folded.message, ::testing::StartsWith("also "));
    EXPECT_TRUE(folded.help.empty());
    EXPECT_THAT(folded.properties, AllOf(Contains(::testing::Key("evidence")),
                                         Contains(Pair("instead", Not(IsEmpty())))));
    classes.push_back(folded.properties.at("class"));
  }
  const std::vector<std::string> order = {"refused", "wrong answer", "slow", "unsure"};
  EXPECT_TRUE(std::ranges::is_sorted(classes, [&](const auto& a, const auto& b) {
    return std::ranges::find(order, a) < std::ranges::find(order, b);
  })) << ::testing::PrintToString(classes);
  // No two findings stand at one place, and no evidence stands among the lines.
  std::set<std::pair<int, int>> places;
  for (const Diagnostic& finding : findings) {
    EXPECT_TRUE(places.emplace(finding.line, finding.column).second) << Rendered({finding});
  }
  EXPECT_THAT(Rendered(findings), Not(HasSubstr("measured: ")));
  EXPECT_LE(findings.size(), 4u) << Rendered(findings);
}

TEST(AneFindings, OfOneRuleAreBounded) {
  std::string body;
  for (int i = 0; i < 50; ++i) {
    absl::StrAppend(&body, "tensor<fp16, [1, 64, 1, 512]> t", i,
                    " = gelu(x = x, mode = ", "string(\"EXACT\"));\n");
  }
  const auto findings = Check(Wrapped("tensor<fp16, [1, 64, 1, 512]> x", body, "t49"));
  ASSERT_EQ(findings.size(), kAneFindingsPerRule + 1);
  EXPECT_THAT(findings.back().message, HasSubstr("and 30 more of this kind"));
}

TEST(AneFindings, StandInSourceOrder) {
  const auto findings = Check(Wrapped("tensor<fp32, [1, 4, 1, 7]> x",
                                      "tensor<fp16, [1, 4, 1, 7]> h = cast(x = x, dtype = "
                                      "string(\"fp16\"));\n"
                                      "tensor<fp16, [1, 4, 1, 7]> g = gelu(x = h, mode = "
                                      "string(\"EXACT\"));\n"
                                      "tensor<fp16, [1, 4, 1, 7]> y = silu(x = g);",
                                      "y"));
  EXPECT_GE(findings.size(), 4u);
  EXPECT_TRUE(std::ranges::is_sorted(findings,
                                     [](const auto& a, const auto& b) { return a.line < b.line; }));
}

// --- What the predicates must not confuse ------------------------------------------------------

TEST(AneOverflow, IsJudgedPerOutputOverBothEndsOfTheInput) {
  // |w| * |x| stays under 32768 for each output only because the signs differ.
  const auto text = [](std::string_view weights) {
    return Wrapped("tensor<fp16, [1, 2, 64, 512]> x",
                   "tensor<fp16, [1, 2, 64, 512]> c = clip(x = x, alpha = fp16(100), beta = "
                   "fp16(110));\n"
                   "tensor<fp16, [1, 2, 1, 1]> w = const()[val = tensor<fp16, [1, 2, 1, 1]>(" +
                       std::string(weights) +
                       ")];\n"
                       "tensor<fp16, [1, 1, 64, 512]> y = conv(x = c, weight = w);",
                   "c");
  };
  EXPECT_THAT(Codes(Check(text("[[[[300]], [[-300]]]]"))), IsEmpty());
  EXPECT_THAT(Codes(Check(text("[[[[-300]], [[-300]]]]"))), ElementsAre("ANE0901"));
  EXPECT_THAT(Codes(Check(text("[[[[150]], [[150]]]]"))), ElementsAre("ANE0902"));
}

TEST(AneOverflow, ReadsMatmulWeightsAlongTheRightAxis) {
  // Rows sum to 40000, columns to 40000 / 2 and less: only one of the two spellings overflows.
  const auto text = [](std::string_view transposed) {
    return Wrapped("tensor<fp16, [1, 512, 2]> x0, tensor<fp16, [1, 64, 512]> z",
                   "tensor<fp16, [1, 512, 2]> c = clip(x = x0, alpha = fp16(1), beta = fp16(2));\n"
                   "tensor<fp16, [2, 2]> w = const()[val = tensor<fp16, [2, 2]>([[20000, 20000], "
                   "[1, 2]])];\n"
                   "tensor<fp16, [1, 512, 2]> y = matmul(x = c, y = w, transpose_y = bool(" +
                       std::string(transposed) + "));",
                   "z");
  };
  EXPECT_THAT(Codes(Check(text("true"), "ane:m4")), Contains("ANE0901"));
  EXPECT_THAT(Codes(Check(text("false"), "ane:m4")), Not(Contains("ANE0901")));
}

TEST(AneOverflow, SaysNothingOfWeightsThatWereNotSent) {
  const std::string body =
      "tensor<fp16, [1, 64, 1, 512]> c = sigmoid(x = x);\n"
      "tensor<fp16, [64, 64, 1, 1]> w = const()[val = tensor<fp16, [64, 64, 1, 1]>(BLOBFILE(path = "
      "string(\"@model_path/w.bin\"), offset = uint64(64)))];\n"
      "tensor<fp16, [1, 64, 1, 512]> p = conv(x = c, weight = w);\n"
      "tensor<fp16, [1, 64, 1, 512]> y = log(x = p);";
  // As zeros the weights would make every p 0, and log meet it.
  EXPECT_THAT(Check(Wrapped("tensor<fp16, [1, 64, 1, 512]> x", body, "y")), IsEmpty());
}

TEST(AneRules, MindOnlyTheLastAxisOfASliceAndOnlyABeginThatCounts) {
  const auto by_index = [](std::string_view begin, std::string_view begin_mask) {
    return Wrapped("tensor<fp16, [1, 64, 1, 1024]> x",
                   "tensor<fp16, [1, 64, 1, 1024]> z = relu(x = x);\n"
                   "tensor<fp16, [1, 32, 1, 512]> y = slice_by_index(x = z, begin = tensor<int32, "
                   "[4]>(" +
                       std::string(begin) +
                       "), end = tensor<int32, [4]>([1, 64, 1, 512]), end_mask = tensor<bool, "
                       "[4]>([false, false, false, false]), begin_mask = tensor<bool, [4]>(" +
                       std::string(begin_mask) + "));",
                   "z");
  };
  const std::string none = "[false, false, false, false]";
  EXPECT_THAT(Codes(Check(by_index("[0, 32, 0, 0]", none), "ane:m2")), Not(Contains("ANE0803")));
  // Masked, the begin is not looked at.
  EXPECT_THAT(Codes(Check(by_index("[0, 32, 0, 7]", "[false, false, false, true]"), "ane:m2")),
              Not(Contains("ANE0803")));
}

TEST(AneRules, HoldOverTheCorpusWithoutAFindingOnTheHead) {
  size_t programs = 0;
  for (const auto& path : AllPrograms()) {
    const ProgramSource source{.name = path.filename().string(), .text = ReadWhole(path)};
    const FrontEndResult read = Read(source, MissingWeights::kNote);
    if (read.program == nullptr) continue;
    ++programs;
    for (const char* device : {"ane", "ane:m1", "ane:m4", "ane:m5-max@26"}) {
      for (const Diagnostic& finding : CheckAneRules(source, *read.program, Target(device))) {
        EXPECT_GT(finding.line, 0) << Rendered({finding});
        EXPECT_FALSE(finding.source_line.empty()) << Rendered({finding});
        EXPECT_LE(finding.column - 1 + finding.length, static_cast<int>(finding.source_line.size()))
            << Rendered({finding});
      }
    }
  }
  EXPECT_EQ(programs, AllPrograms().size());
}

}  // namespace
}  // namespace anex::mil
