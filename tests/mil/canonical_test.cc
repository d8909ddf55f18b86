// The canonical spelling: whatever the spelling of a program, one text and one key; whatever its
// meaning, another key.
#include "server/mil/canonical.h"

#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "server/mil/lexer.h"
#include "tests/mil/corpus.h"
#include "tests/mil/reading.h"
#include "tests/mil/same_program.h"

namespace anex::mil {
namespace {

using ::testing::HasSubstr;

std::string Formatted(std::string_view text, Dialect dialect = Dialect::kCompact) {
  const struct Formatted formatted = Format(text, "t.mil", dialect);
  EXPECT_TRUE(formatted.text.has_value()) << RenderText(formatted.diagnostics) << text;
  return formatted.text.value_or("");
}

std::string Key(std::string_view text) {
  const std::optional<std::string> key = CanonicalKey(text);
  EXPECT_TRUE(key.has_value()) << text;
  return key.value_or("");
}

constexpr char kHandwritten[] = R"(// what it does
# and why
program(1.0) [buildInfo = dict<tensor<string, []>, tensor<string, []>>({{"tag", "a"}})] { // open
  # one function
  func main<ios16>(tensor<fp16,[1,4,1,6]> x, // the input
                   tensor<fp16, [3, 4, 1, 1]> w) [] {
    // constants
    tensor<string, []> pt = const()[name = tensor<string, []>("pt"), val = tensor<string, []>("valid")];  # trailing
    fp16 half = const()[val = fp16(0.5), name = string("one half")];
    tensor<fp16, [3, 4]> lut = constexpr_lut_to_dense(shape = tensor<uint32, [2]>([3, 4]),
       indices = tensor<uint8, [2]>([27, 228]))[name = string("lut"), lut = tensor<fp16, [2]>([1, -1])];
    tensor<fp16, [1, 3, 1, 6]> c = conv(weight = w, // in between
       x = x, pad_type = pt)[name = string("c")];
    tensor<fp16, [1, 3, 1, 6]> y = mul(y=half,x=c)  ;
    tensor<fp16, [2, 2]> k = const()[val = tensor<fp16, [2, 2]>([1, 2.0, +3, 0x1p2])];
    tensor<fp16, [1, 1, 1, 6]> a, tensor<fp16, [1, 2, 1, 6]> b = split<ios17>(x = y, axis = -3,
        split_sizes = tensor<int32, [2]>([1, 2]));
    // done
  } -> (y, a) ;  // outputs
  // no more
}
// the end
)";

TEST(Format, WritesOneSpellingAndKeepsComments) {
  EXPECT_EQ(Formatted(kHandwritten), R"(// what it does
// and why
program(1.3)
[buildInfo = dict<string, string>({{"tag", "a"}})]
{
    // open
    // one function
    // the input
    func main<ios16>(tensor<fp16, [1, 4, 1, 6]> x, tensor<fp16, [3, 4, 1, 1]> w) {
        // constants
        string pt = const()[val = string("valid")];  // trailing
        fp16 half = const()[val = fp16(0x1p-1), name = string("one half")];
        tensor<fp16, [3, 4]> lut = constexpr_lut_to_dense()[indices = tensor<uint8, [2]>([27, 228]), lut = tensor<fp16, [2]>([0x1p+0, -0x1p+0]), shape = tensor<uint32, [2]>([3, 4])];
        // in between
        tensor<fp16, [1, 3, 1, 6]> c = conv(x = x, weight = w, pad_type = pt);
        tensor<fp16, [1, 3, 1, 6]> y = mul(x = c, y = half);
        tensor<fp16, [2, 2]> k = const()[val = tensor<fp16, [2, 2]>([[0x1p+0, 0x1p+1], [0x1.8p+1, 0x1p+2]])];
        tensor<fp16, [1, 1, 1, 6]> a, tensor<fp16, [1, 2, 1, 6]> b = split(x = y, split_sizes = tensor<int32, [2]>([1, 2]), axis = -3);
        // done
    } -> (y, a);  // outputs
    // no more
}
// the end
)");
}

TEST(Format, WritesTheVerboseDialectToo) {
  const std::string verbose = Formatted(kHandwritten, Dialect::kVerbose);
  EXPECT_THAT(verbose, HasSubstr("program(1.0)\n[buildInfo = dict<tensor<string, []>, "
                                 "tensor<string, []>>({{\"tag\", \"a\"}})]"));
  EXPECT_THAT(verbose, HasSubstr("tensor<fp16, []> half = const()[val = tensor<fp16, []>(0x1p-1)"));
  EXPECT_EQ(Formatted(verbose), Formatted(kHandwritten));
  EXPECT_EQ(Formatted(verbose, Dialect::kVerbose), verbose);
  EXPECT_EQ(Key(verbose), Key(kHandwritten));
}

TEST(Format, ATextThatCannotBeParsedIsRefusedWithItsFindings) {
  const struct Formatted formatted = Format("program(1.0) { func", "t.mil");
  EXPECT_FALSE(formatted.text.has_value());
  ASSERT_FALSE(formatted.diagnostics.empty());
  EXPECT_EQ(formatted.diagnostics[0].file, "t.mil");
  EXPECT_FALSE(CanonicalKey("program(1.0) { func").has_value());
  EXPECT_FALSE(CanonicalKey("program(1.0) {}", {.text_bytes = 3}).has_value());
}

TEST(Format, WhatIsWrongStaysWrong) {
  // Not one of these literals is what its type says; the canonical text must not mend them.
  for (const char* literal :
       {"tensor<fp16, [2, 3]>([[1, 2], [3, 4], [5, 6]])", "tensor<fp16, [2]>([[1, 2]])",
        "tensor<fp16, [2, 2]>([[1, 2], 3, 4])", "tensor<fp16, [2]>([1, 2, 3])",
        "tensor<int8, [1]>([300])", "tensor<int8, [1]>([1.5])", "fp16([[1]])", "fp16(1.2.3)",
        "fp17(1)", "tensor<fp16, [0]>([])", "fp16(\"1\")", "string(1)",
        "tensor<fp16, [1, 1, 1]>([[1]])", "tensor<fp16, [?]>([1])", "fp16()"}) {
    const std::string text =
        Around("fp16 x", absl::StrCat("fp16 c = const()[val = ", literal, "];"), "x");
    const FrontEndResult before = ReadText(text);
    const FrontEndResult after = ReadText(Formatted(text));
    ASSERT_EQ(before.program, nullptr) << literal;
    ASSERT_EQ(before.diagnostics.size(), after.diagnostics.size()) << literal;
    EXPECT_EQ(before.diagnostics[0].code, after.diagnostics[0].code) << literal;
    EXPECT_EQ(Formatted(Formatted(text)), Formatted(text)) << literal;
  }
}

TEST(Format, OddTextsComeOutTheSameTheSecondTime) {
  for (const char* body :
       {"string s = const()[val = string(\"a\\\\\\\"\\n\\q\\t\")];",
        "fp16 c = const()[val = 1];",
        "fp16 c = const()[val = fp16(65536)];",
        "fp16 c = const()[val = fp16(-nan)];",
        "fp64 c = const()[val = fp64(4.9e-324)];",
        "bf16 c = const()[val = bf16(1e-40)];",
        "int64 c = const()[val = int64(-9223372036854775808)];",
        "uint4 c = const()[val = uint4(7)];",
        "bool c = const()[val = bool(1)];",
        "fp16 c = const(val = fp16(1))[name = string(\"q\")];",
        "fp16 c = exp(x = x)[name = \"c\"];",
        "fp16 c = exp(x = (x));",
        "fp16 c = exp(x = ((1, 2)));",
        "fp16 c = const(val = (fp16(1)));",
        "fp16 c = exp(x = ())[name = string(\"a\")][axis = x];",
        "fp16 c = exp()[x = (1, 2)];",
        "tensor<fp16, [2]> c = mystery(b = x, a = (x, x))[z = 1, q = [1, [2, 3]]];",
        "tensor<fp16, [2]> c = concat(values = (x, x))[axis = 0, interleave = false];",
        "list<fp16, ?> c = mystery(x = x)[d = dict<string, list<int32, 2>>({{\"a\", [1, 2]}})];",
        "fp16 c = const()[val = fp16(BLOBFILE(path = \"w\", offset = 0064))];",
        "tensor_buffer<fp16, shape=[16, 1], strides=[64, 1]> c = mystery(x = x);"}) {
    const std::string text = Around("fp16 x", absl::StrCat("//c\n", body, "#d"), "x");
    const std::string once = Formatted(text);
    EXPECT_EQ(Formatted(once), once) << body;
    EXPECT_EQ(Key(once), Key(text)) << body;
    const FrontEndResult before = ReadText(text), after = ReadText(once);
    ASSERT_EQ(before.program == nullptr, after.program == nullptr) << once;
    if (before.program != nullptr) {
      EXPECT_EQ(DifferenceOf(*before.program, *after.program), "") << once;
    }
    EXPECT_THAT(once, HasSubstr("//c\n"));
    EXPECT_THAT(once, HasSubstr(";  //d\n"));
  }
}

TEST(Key, LeavesOutWhatHasNoMeaning) {
  const std::string plain =
      "program(1.3) { func f<ios18>(tensor<fp16, [2]> x) { tensor<fp16, [2]> y = mul(x = x, y = "
      "fp16(0.5)); } -> (y); }";
  for (const char* same :
       {"program(1.0)\n[buildInfo = dict<string, string>({{\"run\", \"17\"}})]\n{ // c\nfunc "
        "f<ios18>(tensor<fp16,[2]>x){tensor<fp16,[2]>y=mul(y=tensor<fp16,[]>(0x1p-1),x=x)[name="
        "string(\"label\")];}->(y)}",
        "#!\nprogram(1.3) { func f<ios18>(tensor<fp16, [2]> x) { tensor<fp16, [2]> y = "
        "mul<ios17>()[y = fp16(5e-1), x = x]; } -> (y); }"}) {
    EXPECT_EQ(Key(same), Key(plain)) << same;
  }
}

// --- Properties, over real programs and over made-up ones ---

void ExpectCanonical(const std::string& text) {
  const std::string once = Formatted(text);
  EXPECT_EQ(Formatted(once), once);
  const std::string verbose = Formatted(text, Dialect::kVerbose);
  EXPECT_EQ(Formatted(verbose), once);
  EXPECT_EQ(Formatted(once, Dialect::kVerbose), verbose);
  const std::string key = Key(text);
  EXPECT_EQ(Key(once), key);
  EXPECT_EQ(Key(verbose), key);
  EXPECT_EQ(Key(key), key);
  const FrontEndResult as_written = ReadText(text);
  ASSERT_NE(as_written.program, nullptr) << RenderText(as_written.diagnostics);
  for (const std::string& spelling : {once, verbose, key}) {
    const FrontEndResult read = ReadText(spelling);
    ASSERT_NE(read.program, nullptr) << RenderText(read.diagnostics);
    EXPECT_EQ(DifferenceOf(*as_written.program, *read.program), "");
  }
}

TEST(Canonical, HoldsForEveryProgramOfTheCorpus) {
  for (const auto& path : AllPrograms()) {
    SCOPED_TRACE(path.string());
    ExpectCanonical(ReadWhole(path));
  }
}

// Programs of one meaning in as many spellings as its random numbers choose.
class Speller {
 public:
  explicit Speller(uint32_t seed) : random_(seed) {}

  std::string Program(uint32_t meaning) {
    std::mt19937 plan(meaning);
    const auto choose = [&](uint32_t n) { return static_cast<int>(plan() % n); };
    std::string body;
    std::vector<std::string> values = {"x"};
    const int operations = 1 + choose(12);
    for (int i = 0; i < operations; ++i) {
      const std::string name = absl::StrCat("v", i);
      const std::string a =
          values[static_cast<size_t>(choose(static_cast<uint32_t>(values.size())))];
      const std::string b =
          values[static_cast<size_t>(choose(static_cast<uint32_t>(values.size())))];
      body += Statement(choose(6), choose(100), name, a, b);
      values.push_back(name);
    }
    return absl::StrCat(Blank(), Pick({"program(1.0)", "program(1.3)", "program ( 1.3 )"}), Info(),
                        "{", Blank(), "func main<ios18>(", Tensor("2, 3"), " x)", Blank(), "{",
                        body, "}", Blank(), "->", Blank(), "(", values.back(), ")", Pick({";", ""}),
                        Blank(), "}", Blank());
  }

 private:
  std::string Pick(std::vector<std::string> of) { return of[random_() % of.size()]; }
  std::string Blank() { return Pick({" ", "\n", "\t", "  // a comment\n", "\n# another\n\n"}); }
  std::string Info() {
    return Pick({"", "[buildInfo = dict<string, string>({{\"a\", \"b\"}})]", "[]"});
  }
  std::string Scalar(const std::string& type) {
    return Pick({type, "tensor<" + type + ", []>", "tensor< " + type + " ,[ ] >"});
  }
  std::string Tensor(const std::string& dims) {
    return Pick({"tensor<fp16, [" + dims + "]>",
                 "tensor<fp16,[" + absl::StrReplaceAll(dims, {{" ", ""}}) + "]>",
                 "tensor <\nfp16, [ " + dims + "]>"});
  }
  std::string Half(int n) {  // n / 8
    return Scalar("fp16") + "(" +
           Pick({absl::StrFormat("%.3f", n / 8.0), absl::StrFormat("%a", n / 8.0),
                 absl::StrFormat("%.9e", n / 8.0)}) +
           ")";
  }
  std::string Arguments(std::vector<std::string> arguments) {
    std::ranges::shuffle(arguments, random_);
    std::string in, out;
    for (const std::string& argument : arguments) {
      std::string& to = random_() % 4 == 0 && argument[0] != '*' ? in : out;
      to += (to.empty() ? "" : ",") + Blank() + argument;
    }
    if (random_() % 2)
      in += (in.empty() ? "" : ",") + std::string("name = ") + Scalar("string") + "(\"l\")";
    return "(" + out + ")" + (in.empty() ? "" : "[" + in + "]") + Blank() + ";" + Blank();
  }
  std::string Equals() { return Pick({" = ", "=", "=\n"}); }

  std::string Statement(int kind, int n, const std::string& name, const std::string& a,
                        const std::string& b) {
    const std::string result = Tensor("2, 3") + " " + name + Equals();
    const std::string x = "x" + Equals() + a, y = "y" + Equals() + b;
    switch (kind) {
      case 0:
        return result + Pick({"add", "add<ios17>"}) + Arguments({x, y});
      case 1:
        return result + "mul" + Arguments({x, "y" + Equals() + Half(n)});
      case 2:
        return result + "softmax" +
               Arguments(
                   {x, "axis" + Equals() + Scalar("int32") + "(" + absl::StrCat(n % 2) + ")"});
      case 3:
        return result + "const()[val" + Equals() + Tensor("2, 3") + "(" +
               Pick({absl::StrCat("[1, 2, 3, 4, 5, ", n, "]"),
                     absl::StrCat("[[1, 2.0, 3], [0x1p2, 5e0, ", n, "]]")}) +
               ")];" + Blank();
      case 4:
        return result + "clip" +
               Arguments({x, "alpha" + Equals() + Half(n), "beta" + Equals() + Half(n + 1)});
      default:
        return result + "leaky_relu" + Arguments({x, "alpha" + Equals() + Half(n)});
    }
  }

  std::mt19937 random_;
};

TEST(Canonical, HoldsForGeneratedProgramsInAnySpelling) {
  std::set<std::string> keys;
  for (uint32_t meaning = 0; meaning < 60; ++meaning) {
    const std::string first = Speller(1).Program(meaning);
    SCOPED_TRACE(first);
    ExpectCanonical(first);
    const std::string key = Key(first);
    keys.insert(key);
    for (uint32_t spelling = 2; spelling < 8; ++spelling) {
      const std::string text = Speller(spelling).Program(meaning);
      ASSERT_EQ(Key(text), key) << text;
      EXPECT_EQ(Formatted(Formatted(text)), Formatted(text));
    }
  }
  EXPECT_GT(keys.size(), 50u);
}

// --- A change of meaning is a change of the key ---

struct Piece {
  TokenKind kind;
  Span span;
};

std::vector<Piece> TokensOf(const std::string& text) {
  const SourceText source("t.mil", text);
  DiagnosticSink sink(source, 1);
  Lexer lexer(source, sink);
  std::vector<Piece> pieces;
  for (Token token = lexer.Next(); token.kind != TokenKind::kEnd; token = lexer.Next()) {
    pieces.push_back({token.kind, token.span});
  }
  return pieces;
}

// `text` with one token replaced, taken out, or written twice.
std::vector<std::string> Mutations(const std::string& text, const Piece& piece) {
  std::vector<std::string> replacements = {"",
                                           text.substr(piece.span.offset, piece.span.length) + " " +
                                               text.substr(piece.span.offset, piece.span.length)};
  switch (piece.kind) {
    case TokenKind::kNumber:
      for (const char* number : {"0", "1", "2", "-1", "7", "0x1p-3", "0.25", "inf"}) {
        replacements.push_back(number);
      }
      break;
    case TokenKind::kIdentifier:
      for (const char* word : {"x", "y", "a", "c", "fp32", "fp16", "int32", "sub", "max", "exp",
                               "true", "false", "ios17", "w", "half"}) {
        replacements.push_back(word);
      }
      break;
    case TokenKind::kString:
      for (const char* string : {"\"same\"", "\"valid\"", "\"fp32\"", "\"\""}) {
        replacements.push_back(string);
      }
      break;
    default:
      for (const char* mark : {",", ")", "]", ";", "?"}) replacements.push_back(mark);
  }
  std::vector<std::string> mutations;
  for (const std::string& replacement : replacements) {
    std::string mutated = text;
    mutated.replace(piece.span.offset, piece.span.length, replacement);
    mutations.push_back(std::move(mutated));
  }
  return mutations;
}

struct Tally {
  int read = 0, same_key = 0, other_key = 0;
};

// Every mutation of `text` that still is a program has another key or the same meaning.
Tally ExpectKeysTellMeaningsApart(const std::string& text, size_t one_in = 1) {
  Tally tally;
  size_t count = 0;
  const auto program = Good(text);
  const std::string key = Key(text);
  for (const Piece& piece : TokensOf(text)) {
    for (const std::string& mutated : Mutations(text, piece)) {
      if (++count % one_in != 0) continue;
      const FrontEndResult read = ReadText(mutated);
      if (read.program == nullptr) continue;
      ++tally.read;
      if (Key(mutated) != key) {
        ++tally.other_key;
        continue;
      }
      ++tally.same_key;
      EXPECT_EQ(DifferenceOf(*program, *read.program), "") << mutated;
    }
  }
  return tally;
}

// Which of the two counts is nobody's to decide: no spelling, no key.
TEST(Format, WhatIsGivenTwiceHasNoCanonicalForm) {
  for (const std::string_view part : {
           "fp16 c = const(val = fp16(1))[val = fp16(2)]; fp16 y = add(x = x, y = c);",
           "fp16 c = const()[val = fp16(1), val = fp16(2)]; fp16 y = add(x = x, y = c);",
           "fp16 y = relu(x = x)[name = string(\"a\"), name = string(\"b\")];",
           "fp16 y = add(x = x, y = x)[x = x];",
       }) {
    const std::string text = absl::StrCat("program(1.3)\n{ func main<ios18>(fp16 x) { ",
                                          std::string(part), " } -> (y); }");
    const struct Formatted formatted = Format(text, "t.mil");
    EXPECT_FALSE(formatted.text.has_value()) << part;
    ASSERT_EQ(formatted.diagnostics.size(), 1u) << part;
    EXPECT_EQ(formatted.diagnostics[0].code, "MIL0306");
    EXPECT_EQ(CanonicalKey(text), std::nullopt);
  }
  for (const std::string_view text : {
           "program(1.3)[buildInfo = string(\"a\"), buildInfo = string(\"b\")]\n"
           "{ func main<ios18>(fp16 x) { fp16 y = relu(x = x); } -> (y); }",
           "program(1.3)\n{ func main<ios18>(fp16 x)[note = string(\"a\"), note = string(\"b\")] "
           "{ fp16 y = relu(x = x); } -> (y); }",
       }) {
    EXPECT_FALSE(Format(text, "t.mil").text.has_value()) << text;
    EXPECT_EQ(ReadText(std::string(text)).program, nullptr) << text;
  }
}

constexpr char kMutated[] = R"(program(1.3)
[buildInfo = dict<string, string>({{"a", "b"}})]
{
  func main<ios18>(tensor<fp16, [1, 2, 4, 4]> x, tensor<fp16, [2, 2, 1, 1]> w, state<tensor<fp16, [2]>> s) {
    fp16 half = const()[val = fp16(0.5), name = string("h")];
    string pad = const()[val = string("valid")];
    tensor<fp16, [1, 2, 4, 4]> c = conv(x = x, weight = w, pad_type = pad, groups = int32(1));
    tensor<fp16, [1, 2, 4, 4]> a = mul(x = c, y = half);
    tensor<fp16, [2]> old = read_state(input = s);
    write_state(data = old, input = s);
    tensor<fp16, [1, 2, 4, 4]> y = concat(values = (a, c), axis = int32(2))[interleave = bool(false)];
  } -> (a, y);
  func other<ios16>(tensor<fp16, [2]> x) [FlexibleShapeInformation = tuple<tuple<string, dict<string, tensor<int32, [?]>>>>((("DefaultShapes", {{"x", [2]}})))] {
    tensor<fp16, [2]> y = add(x = x, y = tensor<fp16, [2]>([1, 2]));
  } -> (y);
}
)";

TEST(Key, AnyChangeOfMeaningIsAnotherKey) {
  std::string text = kMutated;
  text =
      absl::StrReplaceAll(text, {{"tensor<fp16, [1, 2, 4, 4]> y", "tensor<fp16, [1, 2, 8, 4]> y"}});
  const Tally tally = ExpectKeysTellMeaningsApart(text);
  EXPECT_GT(tally.other_key, 40);
  EXPECT_GT(tally.same_key, 10);
}

TEST(Key, AnyChangeOfMeaningOfRealProgramsIsAnotherKey) {
  for (const auto& path : AllPrograms()) {
    const std::string text = ReadWhole(path);
    if (text.size() > 2000) continue;
    SCOPED_TRACE(path.string());
    // 17 is coprime to the numbers of mutations of one token: in the end all kinds have their turn.
    EXPECT_GT(ExpectKeysTellMeaningsApart(text, 17).other_key, 0);
  }
}

}  // namespace
}  // namespace anex::mil
