#include "server/device/apple/ane_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/device/harness.h"

namespace anex::device::apple {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// A product with a weight that is large enough for a file, and operations with defaults.
std::shared_ptr<const mil::Program> Layer(double first) {
  std::string values = std::to_string(first);
  for (int i = 1; i < 80; ++i) values += ", " + std::to_string(i * 0.5);
  return ReadProgram(MainText("tensor<fp16, [1, 4, 1, 20]> x",
                              "tensor<fp16, [1, 4, 1, 20]> w = const()[val = tensor<fp16, [1, 4, "
                              "1, 20]>([" +
                                  values +
                                  "])]; tensor<fp16, [1, 4, 1, 20]> p = mul(x = x, y = w); "
                                  "tensor<fp16, [1, 4, 1, 20]> y = relu(x = p);",
                              "y"));
}

TEST(AneSource, EverythingIsSpelledOutForApplesCompiler) {
  const AneSource made = MakeAneSource(*Layer(0.25), "h16g");
  const std::string& text = made.source->text;
  EXPECT_THAT(text,
              StartsWith("program(1.3)\n[buildInfo = dict<string, string>({{\"anexd-content\""));
  EXPECT_THAT(text, HasSubstr("{\"coremltools-version\", \"9.0\"}"));
  EXPECT_THAT(text, HasSubstr("= relu(x = p)[name = string(\"y\")];"));
  EXPECT_THAT(text, HasSubstr("w = const()[name = string(\"w\"), val = "));
  EXPECT_EQ(made.source->weights.size(), 1u);
  EXPECT_TRUE(made.source->weights.contains("weights/weight.bin"));
}

TEST(AneSource, OlderChipsGetTheVerboseDialectAndAFileForEachWeight) {
  for (const std::string chip : {"h13g", "h14c"}) {
    const AneSource made = MakeAneSource(*Layer(0.25), chip);
    EXPECT_THAT(made.source->text, StartsWith("program(1.0)\n"));
    EXPECT_THAT(made.source->text, HasSubstr("[name = tensor<string, []>(\"y\")]"));
    EXPECT_THAT(made.source->text, HasSubstr("@model_path/weights/0.bin"));
    EXPECT_TRUE(made.source->weights.contains("weights/0.bin"));
  }
  for (const std::string chip : {"h15g", "h17s", "", "unheard-of"}) {
    EXPECT_THAT(MakeAneSource(*Layer(0.25), chip).source->text, StartsWith("program(1.3)\n"));
  }
}

TEST(AneSource, AnotherWeightIsAnotherText) {
  const AneSource one = MakeAneSource(*Layer(0.25), "h16g"),
                  two = MakeAneSource(*Layer(0.75), "h16g"),
                  again = MakeAneSource(*Layer(0.25), "h16g");
  EXPECT_NE(one.digest, two.digest);
  EXPECT_NE(one.source->text, two.source->text);
  EXPECT_EQ(one.digest, again.digest);
  EXPECT_EQ(one.source->text, again.source->text);
}

TEST(AneSource, ReadsBackAsTheSameProgram) {
  for (const std::string chip : {"h13g", "h16g"}) {
    const AneSource made = MakeAneSource(*Layer(0.25), chip);
    const auto program = ReadProgram(made.source->text, made.source->weights);
    ASSERT_NE(program, nullptr);
    // Whoever spells it out again says the same.
    EXPECT_EQ(MakeAneSource(*program, chip).source->text, made.source->text);
    EXPECT_EQ(program->functions[0].operations.size(), 2u);
  }
}

}  // namespace
}  // namespace anex::device::apple
