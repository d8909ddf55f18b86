#include "server/mil/printer.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "server/mil/blob_references.h"
#include "tests/mil/corpus.h"
#include "tests/mil/reading.h"
#include "tests/mil/same_program.h"

namespace anex::mil {
namespace {

using ::testing::HasSubstr;

void ExpectRoundTrip(const Program& program) {
  const ProgramSource printed = Print(program);
  const FrontEndResult again = Read(printed);
  ASSERT_NE(again.program, nullptr) << RenderText(again.diagnostics);
  EXPECT_EQ(DifferenceOf(program, *again.program), "");
  const ProgramSource twice = Print(*again.program);
  EXPECT_EQ(twice.text, printed.text);
  ASSERT_EQ(twice.weights.size(), printed.weights.size());
  for (const auto& [path, file] : printed.weights) EXPECT_EQ(*twice.weights.at(path), *file);
}

TEST(Printer, WritesOneCanonicalSpelling) {
  const auto program = Good(
      "program(1.0) [buildInfo = dict<tensor<string, []>, tensor<string, []>>({{\"a\", \"b\"}})] "
      "{\n"
      "func f<ios16>(tensor<fp16,[2,3]> x) {\n"
      "  tensor<int32, [2]> p = const()[name = tensor<string, []>(\"p\"), val = tensor<int32, "
      "[2]>([1,0])];\n"
      "  tensor<fp16, [3, 2]> t = transpose(x=x, perm=p)[name=tensor<string, []>(\"t\")];\n"
      "  tensor<fp16, [3, 2]> y = mul(y = tensor<fp16, []>(0.1), x = t);\n"
      "} -> (y);\n}");
  ASSERT_NE(program, nullptr);
  EXPECT_EQ(Print(*program).text,
            "program(1.3)\n"
            "{\n"
            "    func f<ios16>(tensor<fp16, [2, 3]> x) {\n"
            "        tensor<int32, [2]> p = const()[val = tensor<int32, [2]>([1, 0])];\n"
            "        tensor<fp16, [3, 2]> t = transpose(x = x, perm = p);\n"
            "        tensor<fp16, [3, 2]> y = mul(x = t, y = fp16(0x1.998p-4));\n"
            "    } -> (y);\n"
            "}\n");
}

// What the checker works out stays as it was written: a line does not become 64 numbers.
TEST(Printer, KeepsFoldedOperationsInTheirPlaces) {
  const std::string body =
      "        tensor<int32, [2]> s = shape(x = x, output_dtype = string(\"int32\"));\n"
      "        tensor<fp16, [2, 3]> e = exp(x = x);\n"
      "        tensor<fp16, [2, 3]> f = fill(shape = s, value = fp16(0x1p+1));\n"
      "        tensor<fp16, [2, 3]> y = add(x = e, y = f);\n";
  const auto program = Good(Around("tensor<fp16, [2, 3]> x", body, "y, s"));
  ASSERT_NE(program, nullptr);
  EXPECT_EQ(program->functions[0].operations.size(), 2u);
  EXPECT_EQ(program->functions[0].folded.size(), 2u);
  EXPECT_EQ(Print(*program).text,
            "program(1.3)\n{\n    func main<ios18>(tensor<fp16, [2, 3]> x) {\n" + body +
                "    } -> (y, s);\n}\n");
  ExpectRoundTrip(*program);
}

TEST(Printer, KeepsOddConstantsAndGivesRedeclaredOnesNames) {
  const auto program = Good(Around(
      "tensor<fp32, [2, 2]> x",
      "fp32 c = const()[val = fp32(-inf)];\n tensor<fp32, [2, 2]> a = maximum(x = x, y = c);\n"
      "fp32 c = const()[val = fp32(0x1.fffffep+127)];\n"
      "tensor<fp32, [2, 2]> b = minimum(x = a, y = c);\n"
      "tensor<uint64, [1, 2]> u = const()[val = tensor<uint64, [1, 2]>([[18446744073709551615, "
      "0]])];\n string s = const()[val = string(\"a\\\"b\\\\\")];",
      "b, a"));
  ASSERT_NE(program, nullptr);
  ExpectRoundTrip(*program);
}

TEST(Printer, PutsLargeConstantsIntoOneWeightFile) {
  const std::string text = Around(
      "tensor<fp16, [3, 40]> x",
      "tensor<fp16, [50, 40]> w = const()[val = tensor<fp16, [50, 40]>(BLOBFILE(path = "
      "string(\"@model_path/w.bin\"), offset = uint64(64)))];\n"
      "tensor<fp16, [3, 50]> y = linear(x = x, weight = w, bias = tensor<fp16, [50]>(BLOBFILE(path "
      "= string(\"@model_path/w.bin\"), offset = uint64(128))));",
      "y");
  ProgramSource source{.name = "w.mil", .text = text};
  source.weights = MakeUpWeights(
      ListBlobReferences(text), [](const BlobReference& reference, std::span<std::byte> data) {
        for (size_t i = 0; i < data.size(); ++i) {
          data[i] = static_cast<std::byte>((i * 7 + reference.offset) % 60);
        }
      });
  const FrontEndResult result = Read(source);
  ASSERT_NE(result.program, nullptr) << RenderText(result.diagnostics);
  EXPECT_EQ(Print(*result.program).weights.size(), 1u);
  ExpectRoundTrip(*result.program);
}

// What operations make of indices depends on how many bits they were written with.
TEST(Printer, KeepsElementsOfLessThanAByteAsTheyWereWritten) {
  std::string indices;
  for (int i = 0; i < 7 * 40; ++i) absl::StrAppend(&indices, i ? ", " : "", i % 7);
  const auto program = Good(Around(
      "fp16 x",
      absl::StrCat("tensor<uint3, [7, 40]> i = const()[val = tensor<uint3, [7, 40]>([", indices,
                   "])];\ntensor<fp16, [7, 40]> w = constexpr_lut_to_dense(indices = i, lut = "
                   "tensor<fp16, [1, 1, 8, 1]>([8, 7, 6, 5, 4, 3, 2, 1]));\n"
                   "tensor<int4, [3]> s = const()[val = tensor<int4, [3]>([-8, 0, 7])];"),
      "w"));
  ASSERT_NE(program, nullptr);
  const ProgramSource printed = Print(*program);
  EXPECT_THAT(printed.text,
              HasSubstr("tensor<int4, [3]> s = const()[val = tensor<int4, [3]>([-8, 0, 7])]"));
  EXPECT_THAT(printed.text, HasSubstr("tensor<uint3, [7, 40]>(BLOBFILE("));
  const FrontEndResult again = Read(printed);
  ASSERT_NE(again.program, nullptr) << RenderText(again.diagnostics);
  EXPECT_EQ(Print(*again.program).text, printed.text);
  const auto find = [](const Program& read) {
    for (const Value& value : read.functions[0].values) {
      if (value.name == "i") return *value.constant->AsInts();
    }
    return std::vector<int64_t>();
  };
  EXPECT_EQ(find(*program).size(), 280u);
  EXPECT_EQ(find(*again.program), find(*program));
}

TEST(Printer, EveryCorpusProgramComesBackTheSame) {
  for (const auto& path : AllPrograms()) {
    const FrontEndResult result =
        Read({.name = path.filename().string(), .text = ReadWhole(path)}, MissingWeights::kNote);
    if (result.program == nullptr) continue;  // corpus_test says which and why
    SCOPED_TRACE(path.string());
    ExpectRoundTrip(*result.program);
  }
}

// What is written is found again under its name, first of all by those who bind the ports.
TEST(Printer, MadeUpNamesAreNobodys) {
  const std::string inputs = "tensor<fp16, [2]> x";
  const auto program = Good(Around(inputs,
                                   "tensor<fp16, [2]> a = add(x = x, y = fp16(2));\n"
                                   "tensor<fp16, [2]> const_1 = add(x = a, y = fp16(3));\n"
                                   "tensor<fp16, [2]> const_2 = add(x = a, y = fp16(4));",
                                   "const_1, const_2"));
  ASSERT_NE(program, nullptr);
  const Function& function = program->functions[0];
  // Else this shows nothing.
  ASSERT_TRUE(function.values[1].name.empty() || function.values[2].name.empty());
  const ProgramSource spelled = Print(*program, {.spell_out = true});
  EXPECT_THAT(spelled.text, HasSubstr("} -> (const_1, const_2);"));
  EXPECT_NE(Read(spelled).program, nullptr) << spelled.text;
}

TEST(Printer, OutputsKeepTheirNamesBeforeConstantsDo) {
  const auto program = Good(Around("fp16 x",
                                   "fp16 c = const()[val = fp16(2)];\n"
                                   "fp16 y = add(x = x, y = c);\n"
                                   "fp16 c = const()[val = fp16(3)];",
                                   "y, c"));
  ASSERT_NE(program, nullptr);
  EXPECT_THAT(Print(*program).text, HasSubstr("} -> (y, c);"));
  ExpectRoundTrip(*program);
}

TEST(Printer, WeightsAreUnpackedInBracketsBeforeIos18ByEitherTag) {
  const auto spelled = [](const std::string& tag) {
    const auto program =
        Good("program(1.3)\n{ func main<" + tag +
             ">(fp16 x) {\n tensor<fp32, [2]> w = constexpr_cast(source_val = tensor<fp16, "
             "[2]>([1, 2]), output_dtype = string(\"fp32\"));\n} -> (w); }");
    return program == nullptr ? "" : Print(*program, {.spell_out = true}).text;
  };
  for (const char* old : {"ios16", "ios17", "CoreML6", "CoreML7"}) {
    EXPECT_THAT(spelled(old), HasSubstr("constexpr_cast()[")) << old;
  }
  for (const char* later : {"ios18", "CoreML8", "CoreML9"}) {
    EXPECT_THAT(spelled(later), HasSubstr("constexpr_cast(source_val")) << later;
  }
}

}  // namespace
}  // namespace anex::mil
