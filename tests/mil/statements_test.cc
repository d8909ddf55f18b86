// A program is made statement by statement while its text is read: what lies between two statements
// must not matter, however far they are apart, and what is written alike is one value.
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "server/mil/parser.h"
#include "tests/mil/reading.h"

namespace anex::mil {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// That many statements that nobody asks about.
std::string Fill(int count, const std::string& name = "f", const std::string& x = "x") {
  std::string body;
  for (int i = 0; i < count; ++i)
    absl::StrAppend(&body, "fp16 ", name, i, " = exp(x = ", x, ");\n");
  return body;
}

// Sees what the parser shows, and copies it while it is there.
class Witness : public StatementReader {
 public:
  explicit Witness(const SourceText& source) : source_(source) {}
  void BeginProgram(const ProgramSyntax& program) override {
    seen.push_back(absl::StrCat("program ", program.attributes.size()));
  }
  void BeginFunction(const FunctionSyntax& head) override {
    seen.push_back(
        absl::StrCat("begin ", std::string(source_.Text(head.name)), " ", head.parameters.size()));
  }
  void ReadOperations(std::span<const OperationSyntax> operations) override {
    most = std::max(most, operations.size());
    for (const OperationSyntax& operation : operations) {
      std::string text = absl::StrCat(std::string(source_.Text(operation.outputs[0].name)), " = ",
                                      std::string(source_.Text(operation.op)));
      for (const ArgumentSyntax& argument : operation.arguments) {
        absl::StrAppend(&text, " ", std::string(source_.Text(argument.name)), ":",
                        std::string(source_.Text(argument.values[0].span)));
      }
      statements.push_back(text);
    }
  }
  void EndFunction(const FunctionSyntax& function) override {
    seen.push_back(absl::StrCat("end ", std::string(source_.Text(function.name)), " ",
                                function.outputs.size()));
  }

  std::vector<std::string> seen, statements;
  size_t most = 0;

 private:
  const SourceText& source_;
};

TEST(ReadAlong, ShowsEveryStatementOnceAndInOrder) {
  const std::string text = "program(1.3)[a = string(\"b\")] { func f<ios18>(fp16 x, fp16 y) {\n" +
                           Fill(1000) + "} -> (f0, f999); func g<ios18>(fp16 x) {\n" +
                           "fp16 q = add(x = x, y = fp16(0x1p+0)); } -> (q); }";
  const SourceText source("t.mil", text);
  DiagnosticSink sink(source, 1);
  const FrontEndLimits limits;
  Witness witness(source);
  Parser(source, limits, sink).ReadAlong(witness);
  EXPECT_FALSE(sink.has_errors());
  EXPECT_THAT(witness.seen,
              ElementsAre("program 1", "begin f 2", "end f 2", "begin g 1", "end g 1"));
  ASSERT_EQ(witness.statements.size(), 1001u);
  for (size_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(witness.statements[i], absl::StrCat("f", i, " = exp x:x"));
  }
  EXPECT_EQ(witness.statements[1000], "q = add x:x y:fp16(0x1p+0)");
  EXPECT_LT(witness.most, 1000u);
}

TEST(Statements, ADefinitionIsFoundHoweverFarBehindItsUse) {
  for (const int between : {0, 1, 500}) {
    const Diagnostic error = OnlyError(Around(
        "tensor<fp16, [2]> x, fp16 z",
        absl::StrCat("tensor<fp16, [1]> a = add(x = z, y = late);\n", Fill(between, "f", "z"),
                     "tensor<fp16, [1]> split, tensor<fp16, [1]> late = split(x = x, axis = "
                     "int32(0), num_splits = "
                     "int32(2))[name = string(\"later\")];\n"),
        "a"));
    EXPECT_THAT(error.message, HasSubstr("`late` is used before it is defined"));
    ASSERT_EQ(error.notes.size(), 1u);
    EXPECT_EQ(error.notes[0].line, 5 + between);
    EXPECT_EQ(error.notes[0].column, 44);
  }
}

// Names of arguments, attributes and opset tags are none that a function defines, nor are those of
// the next function.
TEST(Statements, WhatIsNoDefinitionIsNotFound) {
  const std::string text =
      "program(1.3)\n{ func f<ios18>(fp16 x) {\n"
      "fp16 a = add(x = x, y = late);\n"
      "fp16 b = clip<late>(alpha = fp16(0), x = a, beta = fp16(1))[late = string(\"late = \")];\n"
      "} -> (a);\n func g<ios18>(fp16 x) { fp16 late = exp(x = x); } -> (late); }";
  const FrontEndResult result = ReadText(text);
  ASSERT_FALSE(result.diagnostics.empty());
  EXPECT_THAT(result.diagnostics[0].message, HasSubstr("nothing named `late` is defined above"));
}

TEST(Statements, FarApartTheyAreStillOneFunction) {
  const std::string far = Fill(300);
  EXPECT_EQ(
      OnlyError(Around("fp16 x", "fp16 a = exp(x = x);\n" + far + "fp16 a = exp(x = x);\n", "x"))
          .code,
      "MIL0102");
  // A constant may be declared again, what was computed from constants may not.
  Good(Around("fp16 x",
              "fp16 c = const()[val = fp16(1)];\n" + far + "fp16 c = const()[val = fp16(2)];\n",
              "x"));
  EXPECT_EQ(OnlyError(Around("fp16 x",
                             "int32 c = add(x = int32(1), y = int32(2));\n" + far +
                                 "int32 c = const()[val = int32(2)];\n",
                             "x"))
                .code,
            "MIL0102");
}

TEST(Statements, AnErrorInOneHidesNoneInTheNext) {
  std::string body;
  for (int i = 0; i < 300; ++i) absl::StrAppend(&body, "fp16 v", i, " = rel(x = x);\n");
  const FrontEndResult result = ReadText(Around("fp16 x", body, "x"), {.errors = 1000});
  ASSERT_EQ(result.diagnostics.size(), 300u);
  for (size_t i = 0; i < 300; ++i) {
    EXPECT_EQ(result.diagnostics[i].line, static_cast<int>(i) + 4);
    EXPECT_EQ(result.diagnostics[i].code, "MIL0301");
  }
}

TEST(Statements, BoundsHoldForAllOfThemTogether) {
  const std::string text = Around("fp16 x", Fill(400) + Fill(400, "g"), "x");
  EXPECT_EQ(OnlyError(text, {.operations = 799}).code, "MIL0603");
  EXPECT_NE(ReadText(text, {.operations = 800}).program, nullptr);
  std::string numbers;
  for (int i = 0; i < 400; ++i) {
    absl::StrAppend(&numbers, "fp16 n", i, " = add(x = x, y = fp16(", i, "));\n");
  }
  EXPECT_EQ(OnlyError(Around("fp16 x", numbers, "x"), {.literals = 399}).code, "MIL0605");
  EXPECT_NE(ReadText(Around("fp16 x", numbers, "x"), {.literals = 400}).program, nullptr);
}

// --- What is written alike ---

TEST(Statements, AConstantWrittenAgainIsTheSameValue) {
  const auto program = Good(Around("tensor<fp16, [2]> x",
                                   "tensor<fp16, [2]> a = add(x = x, y = fp16(0x1p+0));\n"
                                   "tensor<fp16, [2]> b = mul(x = a, y = fp16(0x1p+0));\n"
                                   "tensor<fp16, [2]> y = mul(x = b, y = fp16(0x1.8p+0));",
                                   "y"));
  ASSERT_NE(program, nullptr);
  const Function& function = program->functions[0];
  ASSERT_EQ(function.operations.size(), 3u);
  const auto y = [&](size_t i) { return function.operations[i].Single("y"); };
  EXPECT_EQ(y(0), y(1));
  EXPECT_NE(y(1), y(2));
  EXPECT_EQ(function.Double(function.operations[1], "y"), 1.0);
  EXPECT_EQ(function.Double(function.operations[2], "y"), 1.5);
}

// The same spelling in another function is a value of that function.
TEST(Statements, FunctionsShareNoValues) {
  const auto program = Good(
      "program(1.3)\n{ func f<ios18>(fp16 x) { fp16 a = add(x = x, y = fp16(2)); } -> (a);\n"
      "func g<ios18>(fp16 x, fp16 z) { fp16 a = add(x = x, y = z); fp16 b = mul(x = a, y = "
      "fp16(2)); "
      "} -> (b); }");
  ASSERT_NE(program, nullptr);
  const Function& g = program->functions[1];
  EXPECT_EQ(g.Double(g.operations[1], "y"), 2.0);
}

// The same type of another width, and one in other words.
TEST(Statements, SpellingsAreToldApart) {
  const auto program =
      Good(Around("tensor<fp16, [2]> x",
                  "tensor<fp16, [1]> a = const()[val = tensor<fp16, [1]>([0x1p+0])];\n"
                  "tensor<fp16, [1]> b = const()[val = tensor<fp16,[1]>([0x1p+0])];\n"
                  "tensor<fp32, [1]> c = const()[val = tensor<fp32, [1]>([0x1p+0])];\n"
                  "tensor<int8, [1]> d = const()[val = tensor<int8, [1]>([1])];\n"
                  "tensor<int4, [1]> e = const()[val = tensor<int4, [1]>([1])];\n",
                  "x"));
  ASSERT_NE(program, nullptr);
  std::vector<std::string> types;
  for (const Value& value : program->functions[0].values) {
    if (value.constant == nullptr) continue;
    types.push_back(
        absl::StrCat(value.name, " ", value.type.ToString(), " ", value.constant->bits()));
  }
  EXPECT_THAT(types, ElementsAre("a tensor<fp16, [1]> 16", "b tensor<fp16, [1]> 16",
                                 "c tensor<fp32, [1]> 32", "d tensor<int8, [1]> 8",
                                 "e tensor<int8, [1]> 4"));
  EXPECT_EQ(
      OnlyError(Around("fp16 x",
                       "int8 d = const()[val = int8(1)];\nint4 e = const()[val = int8(1)];", "x"))
          .code,
      "MIL0402");
}

// What is to be said of a constant is said at each place.
TEST(Statements, AFindingOfAConstantIsRepeated) {
  const FrontEndResult result = ReadText(Around(
      "fp16 x", "fp16 a = add(x = x, y = fp16(1e10));\nfp16 y = add(x = a, y = fp16(1e10));", "y"));
  std::vector<int> lines;
  for (const Diagnostic& diagnostic : result.diagnostics) {
    if (diagnostic.severity == Severity::kWarning) lines.push_back(diagnostic.line);
  }
  EXPECT_THAT(lines, ElementsAre(4, 5)) << RenderText(result.diagnostics);
}

// Nor is what a function gives back defined in the next.
TEST(Statements, AnOutputIsNotLookedForInTheNextFunction) {
  for (const char* semicolon : {";", ""}) {
    const Diagnostic error = OnlyError(absl::StrCat(
        "program(1.3)\n{ func f<ios18>(fp16 x) { fp16 a = exp(x = x); } -> (a, late)", semicolon,
        "\nfunc g<ios18>(fp16 x) { fp16 b = exp(x = x);\nfp16 late = exp(x = b); } -> (late); }"));
    EXPECT_THAT(error.message, HasSubstr("nothing named `late` is defined above"));
  }
}

// Whichever of the two is wrong, that is all that is said.
TEST(Statements, AConstantInErrorMayBeDeclaredAgainLikeAnyOther) {
  const std::string good = "int32 a = const()[val = int32(-1)];\n";
  for (const std::string& wrong : {std::string("int32 a = const()[val = int32(1.5)];\n"),
                                   std::string("int32 a = const();\n")}) {
    for (const std::string& both : {wrong + good, good + wrong, wrong + good + good}) {
      const Diagnostic error = OnlyError(Around(
          "tensor<fp16, [4]> x", both + "tensor<fp16, [4]> y = softmax(x = x, axis = a);", "y"));
      EXPECT_NE(error.code, "MIL0102") << both;
    }
  }
}

}  // namespace
}  // namespace anex::mil
