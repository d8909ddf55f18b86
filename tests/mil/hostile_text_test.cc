// Texts that are worst in one way each: what they cost grows as their size does. Time is held to a
// ratio, eight times the text against once; memory is counted, byte by byte.
#include <time.h>

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "proto/values/source_line.h"
#include "tests/mil/allocation_meter.h"
#include "tests/mil/reading.h"

namespace anex::mil {
namespace {

using ::testing::HasSubstr;

std::string Repeated(std::string_view part, size_t count) {
  std::string text;
  text.reserve(part.size() * count);
  for (size_t i = 0; i < count; ++i) text += part;
  return text;
}

// A text of about `bytes` bytes that is worst in one way.
struct Hostile {
  const char* name;
  std::function<std::string(size_t bytes)> text;
  uint64_t memory;  // bytes held at most for each byte of the text
};

std::string Filled(size_t bytes, const std::function<std::string(size_t)>& part) {
  std::string text;
  for (size_t i = 0; text.size() < bytes; ++i) text += part(i);
  return text;
}

std::string Body(size_t bytes, const std::function<std::string(size_t)>& statement) {
  return Around("fp16 x", Filled(bytes, statement), "x");
}

std::string Id(size_t i) { return absl::StrCat("v", i); }

std::vector<Hostile> TextsWithErrors() {
  return {
      {"a statement wrong in each line",
       [](size_t n) { return Body(n, [](size_t) { return "fp16 a = = ;\n"; }); }, 40},
      {"all on one line, wrong at its end",
       [](size_t n) {
         return Body(n, [](size_t) { return "fp16 a = const()[val = fp16(1)];"; }) + "$";
       },
       200},
      {"wrong all along one line",
       [](size_t n) { return Body(n, [](size_t) { return "fp16 a = rel(x = x);"; }); }, 150},
      {"stray characters", [](size_t n) { return Body(n, [](size_t) { return "$ x "; }); }, 40},
      {"one run of stray characters", [](size_t n) { return std::string(n, '$'); }, 8},
      {"strings that do not end",
       [](size_t n) { return Body(n, [](size_t) { return "fp16 a = relu(x = \"\n"; }); }, 40},
      {"one string that does not end", [](size_t n) { return "program(\"" + std::string(n, 'x'); },
       8},
      {"one unknown name", [](size_t n) { return Around("fp16 x", "", std::string(n, 'y')); }, 8},
      {"unknown names among many",
       [](size_t n) {
         return Around("fp16 x",
                       Filled(n,
                              [](size_t i) {
                                return absl::StrCat("fp16 ", Id(i), " = const()[val = fp16(1)];\n");
                              }) +
                           Repeated("fp16 b = relu(x = vv77777);\n", 30),
                       "x");
       },
       150},
      {"an unknown operation of a long name",
       [](size_t n) {
         return Around("fp16 x", "fp16 y = " + std::string(n, 'r') + "(x = x);", "y");
       },
       10},
      {"the same function again and again",
       [](size_t n) {
         return "program(1.3){" + Filled(n, [](size_t) { return "func f<ios18>() {} -> ();\n"; }) +
                "}";
       },
       8},
      {"outputs that are listed again",
       [](size_t n) { return Around("fp16 x", "", "x" + Filled(n, [](size_t) { return ", x"; })); },
       40},
      {"inputs of one name",
       [](size_t n) {
         return Around("fp16 x" + Filled(n, [](size_t) { return ", fp16 x"; }), "", "x");
       },
       100},
      {"a number that is too long",
       [](size_t n) {
         return Around("fp16 x", "int32 a = const()[val = int32(" + std::string(n, '9') + ")];",
                       "x");
       },
       10},
  };
}

std::vector<Hostile> LongTexts() {
  return {
      {"a constant declared again",
       [](size_t n) {
         return Body(n, [](size_t) { return "fp16 a = const()[val = fp16(1)];\n"; });
       },
       60},
      {"constants",
       [](size_t n) {
         return Body(n, [](size_t i) {
           return absl::StrCat("fp16 ", Id(i), " = const()[val = fp16(1)];\n");
         });
       },
       60},
      {"a chain of operations",
       [](size_t n) {
         return Around("fp16 v0",
                       Filled(n,
                              [](size_t i) {
                                return absl::StrCat("fp16 ", Id(i + 1), " = exp(x = ", Id(i),
                                                    ");\n");
                              }),
                       "v0");
       },
       60},
      {"inline literals",
       [](size_t n) {
         return Body(n, [](size_t i) {
           return absl::StrCat("fp16 ", Id(i), " = add(x = x, y = fp16(1));\n");
         });
       },
       60},
      {"one long list",
       [](size_t n) {
         const std::string type = absl::StrCat("tensor<int8, [", n / 2, "]>");
         return Around(
             "fp16 x",
             absl::StrCat(type, " a = const()[val = ", type, "([", Repeated("1,", n / 2), "])];"),
             "x");
       },
       30},
      {"one long name",
       [](size_t n) {
         const std::string name(n / 2, 'n');
         return Around("fp16 x", absl::StrCat("fp16 ", name, " = exp(x = x);"), name);
       },
       8},
      {"one long string",
       [](size_t n) {
         return Around(
             "fp16 x",
             absl::StrCat("string a = const()[val = string(\"", std::string(n, 's'), "\")];"), "x");
       },
       8},
      {"one long number",
       [](size_t n) {
         return Around("fp16 x",
                       absl::StrCat("fp16 a = const()[val = fp16(0.", std::string(n, '1'), ")];"),
                       "x");
       },
       8},
      {"comments", [](size_t n) { return Body(n, [](size_t) { return "//\n"; }); }, 8},
      {"blanks", [](size_t n) { return Body(n, [](size_t) { return " "; }); }, 8},
      {"many operands of one operation",
       [](size_t n) {
         return Around("tensor<int8, [1]> x",
                       absl::StrCat("tensor<int8, [?]> y = concat(axis = int32(0), values = (x",
                                    Repeated(", x", n / 3), "));"),
                       "y");
       },
       90},
      {"many results of one operation",
       [](size_t n) {
         const size_t count = n / 20;
         return Around(absl::StrCat("tensor<int8, [", count, "]> x"),
                       Filled(n,
                              [](size_t i) {
                                return absl::StrCat(i ? ", " : "", "tensor<int8, [1]> ", Id(i));
                              }) +
                           " = split(x = x, axis = int32(0), num_splits = int32(1));",
                       "x");
       },
       60},
      {"many inputs",
       [](size_t n) {
         return Around(
             "fp16 x" + Filled(n, [](size_t i) { return absl::StrCat(", fp16 ", Id(i)); }), "",
             "x");
       },
       60},
      {"pairs of a dictionary",
       [](size_t n) {
         return absl::StrCat("program(1.3)[buildInfo = dict<string, string>({",
                             Filled(n, [](size_t) { return "{\"a\", \"b\"}, "; }),
                             "})]{ func f<ios18>() {} -> (); }");
       },
       20},
      {"a long list that was not sent, wanted again and again",
       [](size_t n) {
         const std::string type = absl::StrCat("tensor<int32, [", n / 32, "]>");
         return Around("fp16 x",
                       absl::StrCat(type, " n = const()[val = ", type,
                                    "(BLOBFILE(path = string(\"@model_path/w\"), offset = "
                                    "uint64(64)))];\n",
                                    Filled(n,
                                           [](size_t i) {
                                             return absl::StrCat("tensor<fp16, [1]> ", Id(i),
                                                                 " = reshape(x = x, shape = n);\n");
                                           })),
                       "x");
       },
       60},
      {"default shapes",
       [](size_t n) {
         return absl::StrCat(
             "program(1.3){ func f<ios18>(fp16 x)[FlexibleShapeInformation = tuple<string>(((",
             "\"DefaultShapes\", {",
             Filled(n, [](size_t i) { return absl::StrCat("{\"", Id(i), "\", [1, 2]}, "); }),
             "})))] {} -> (x); }");
       },
       40},
  };
}

// Of processor time: what other processes take does not count.
double SecondsToRead(const std::string& text) {
  const auto now = [] {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  const double start = now();
  ReadText(text);
  return now() - start;
}

// Time for eight times the text over time for the text: 8 if linear, 64 if quadratic. Large blocks
// come from the system anew each time, which small ones do not, so linear may look like 20. The
// shortest times of some.
constexpr double kMostGrowth = 24;

double Growth(const Hostile& hostile) {
  const std::string once = hostile.text(256 << 10), eight = hostile.text(2 << 20);
  double least_once = 1e9, least_eight = 1e9;
  for (int i = 0; i < 5; ++i) {
    least_once = std::min(least_once, SecondsToRead(once));
    least_eight = std::min(least_eight, SecondsToRead(eight));
    if (i > 0 && least_eight < kMostGrowth * least_once) break;
  }
  return least_eight / least_once;
}

void ExpectModest(const std::vector<Hostile>& texts) {
  for (const Hostile& hostile : texts) {
    EXPECT_LT(Growth(hostile), kMostGrowth) << hostile.name;
    const std::string text = hostile.text(1 << 20);
    // One copy of the text is ReadText's own; 2 MiB are for findings and for the lines they show.
    const uint64_t peak = PeakBytesOf([&] { ReadText(text); });
    EXPECT_LT(peak, (hostile.memory + 1) * text.size() + (2 << 20))
        << hostile.name << ": " << peak / text.size();
  }
}

TEST(Bounds, TextsFullOfErrorsTakeLinearTimeAndMemory) { ExpectModest(TextsWithErrors()); }

TEST(Bounds, LongTextsTakeLinearTimeAndMemory) { ExpectModest(LongTexts()); }

TEST(Bounds, AHundredThousandErrorsAreRefusedWithTheFirstOfThem) {
  const std::string text =
      Around("fp16 x", Repeated("fp16 a = rel(x = x, y = nobody);\n", 100'000), "x");
  const FrontEndResult result = ReadText(text, {.errors = 20});
  EXPECT_EQ(result.diagnostics.size(), 21u);
  EXPECT_EQ(result.diagnostics.back().code, "MIL0606");
  EXPECT_LT(result.diagnostics.back().line, 30);
}

TEST(Bounds, FindingsOnAVeryLongLineCarryWhatIsAroundThem) {
  std::string body;
  for (int i = 0; i < 12000; ++i) absl::StrAppend(&body, "fp16 v", i, " = exp(x = x); ");
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&body, "fp16 q", i, " = rel(x = x); ");
  const FrontEndResult result = ReadText(Around("fp16 x", body, "x"), {.errors = 100});
  EXPECT_EQ(result.diagnostics.size(), 101u);
  size_t lines = 0;
  for (const Diagnostic& diagnostic : result.diagnostics) lines += diagnostic.source_line.size();
  EXPECT_LT(lines, 101 * 400u);
  const std::string last = RenderText(result.diagnostics[99]);
  EXPECT_THAT(last, HasSubstr("t.mil:4:"));
  EXPECT_THAT(last, HasSubstr("help: did you mean `relu`?"));
  // The carets stand under the word.
  const std::vector<std::string> shown = absl::StrSplit(last, '\n');
  ASSERT_GE(shown.size(), 3u) << last;
  EXPECT_THAT(shown[1], HasSubstr(" | ...")) << last;
  EXPECT_THAT(shown[1], HasSubstr("fp16 q99 = rel(x = x); fp16 q100 = ")) << last;
  EXPECT_THAT(shown[1], ::testing::EndsWith("...")) << last;
  EXPECT_THAT(shown[2], ::testing::EndsWith(" ^~~")) << last;
  EXPECT_EQ(shown[1].substr(shown[2].find('^'), 5), "rel(x") << last;
  EXPECT_LT(shown[1].size(), 150u);
}

TEST(Bounds, APieceOfALineBeginsAndEndsWithWholeCharacters) {
  std::string wide;  // characters of three bytes, in front of the place and behind it
  for (int i = 0; i < 3000; ++i) wide += "\xe2\x82\xac";
  for (size_t shift = 0; shift < 4; ++shift) {
    const std::string text =
        Around("fp16 x",
               absl::StrCat("fp16 y = ", std::string(shift, ' '), "rel(x = x)[a = string(\"", wide,
                            "\")]; fp16 z = ", std::string(shift, ' '), "rel(x = x); # ", wide),
               "x");
    const FrontEndResult result = ReadText(text);
    ASSERT_EQ(result.diagnostics.size(), 2u) << RenderText(result.diagnostics);
    for (const Diagnostic& diagnostic : result.diagnostics) {
      const std::string& piece = diagnostic.source_line;
      EXPECT_LE(piece.size(), 320u);
      const size_t at = static_cast<size_t>(diagnostic.column) - 1 - SourceLineOffset(diagnostic);
      EXPECT_EQ(piece.substr(at, 3), "rel");
      EXPECT_EQ(diagnostic.length, 3);
      size_t characters = 0, bytes = 0;
      for (size_t i = 0; i < piece.size(); ++i, ++characters) {
        const size_t size = piece[i] == '\xe2' ? 3 : 1;
        if (size == 3) {
          EXPECT_EQ(piece.substr(i, 3), "\xe2\x82\xac");
        }
        i += size - 1;
        bytes += size;
      }
      EXPECT_EQ(bytes, piece.size());
      EXPECT_THAT(piece, ::testing::Not(::testing::StartsWith("\x82")));
      EXPECT_THAT(piece, ::testing::Not(::testing::StartsWith("\xac")));
    }
  }
}

// Bytes that only go on with a character have no character to begin at.
TEST(Bounds, LinesOfBytesThatBeginNoCharacterAreCutAllTheSame) {
  for (const char byte : {'\x80', '\xbf', '\xff'}) {
    for (const size_t before : {59u, 60u, 61u, 62u, 200u, 5000u}) {
      const std::string text =
          "program(1.3) " + std::string(before, byte) + " wrong " + std::string(300, byte);
      const FrontEndResult result = ReadText(text);
      EXPECT_FALSE(result.diagnostics.empty());
      for (const Diagnostic& diagnostic : result.diagnostics) {
        EXPECT_LT(RenderText(diagnostic).size(), 900u) << before;
      }
    }
  }
}

}  // namespace
}  // namespace anex::mil
