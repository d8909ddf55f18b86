// tensor<int32, [0]>([]): the shape of a scalar, no axes.
#include "gmock/gmock.h"
#include "server/mil/canonical.h"
#include "server/mil/printer.h"
#include "tests/mil/reading.h"

namespace anex::mil {
namespace {

using ::testing::HasSubstr;

constexpr char kNone[] = "tensor<int32, [0]> none = const()[val = tensor<int32, [0]>([])];\n";

TEST(EmptyList, IsAShapeAndNoAxes) {
  for (const std::string& body : {
           std::string("fp16 y = reshape(x = x, shape = none);"),
           std::string("fp16 y = reshape(x = x, shape = tensor<int32, [0]>([]));"),
           std::string("tensor<fp16, [1, 1]> y = squeeze(x = x, axes = none);"),
           std::string("tensor<fp16, [1, 1]> y = expand_dims(x = x, axes = none);"),
           std::string("tensor<fp16, [1, 1]> y = reverse(x = x, axes = none);"),
           std::string("fp16 y = fill(shape = none, value = fp16(2));"),
           std::string("fp16 s = reshape(x = x, shape = none);\n"
                       "fp16 y = transpose(x = s, perm = none);"),
       }) {
    const std::string text = Around("tensor<fp16, [1, 1]> x", kNone + body, "y");
    const FrontEndResult result = ReadText(text);
    ASSERT_NE(result.program, nullptr) << RenderText(result.diagnostics) << body;
    // It is printed and spelled as what it is.
    const ProgramSource printed = Print(*result.program);
    EXPECT_NE(Read(printed).program, nullptr) << printed.text;
    const Formatted once = Format(text, "t.mil");
    ASSERT_TRUE(once.text.has_value());
    EXPECT_EQ(Format(*once.text, "t.mil").text, once.text);
    EXPECT_THAT(*once.text, HasSubstr("none = const()[val = tensor<int32, [0]>([])];"));
  }
}

TEST(EmptyList, IsNothingElse) {
  const auto message = [](const std::string& inputs, const std::string& body,
                          const std::string& output = "y") {
    return OnlyError(Around(inputs, body, output)).message;
  };
  const std::string x = "tensor<fp16, [2, 3]> x";
  EXPECT_THAT(message("tensor<fp16, [0]> x", "", "x"), HasSubstr("dimension below 1"));
  EXPECT_THAT(message(x, "tensor<fp16, [0]> y = relu(x = x);"), HasSubstr("dimension below 1"));
  EXPECT_THAT(message(x,
                      "tensor<fp16, [0]> e = const()[val = tensor<fp16, [0]>([])];\n"
                      "tensor<fp16, [2, 3]> y = add(x = x, y = e);"),
              HasSubstr("`y` of `add` has no elements"));
  EXPECT_THAT(message(x, kNone, "none"), HasSubstr("an output without elements"));
  EXPECT_THAT(message(x, kNone + std::string("fp16 y = reshape(x = x, shape = none);")),
              HasSubstr("6 elements, which do not fill []"));
  EXPECT_THAT(
      message(x, kNone + std::string("tensor<fp16, [2, 3]> y = reduce_sum(x = x, axes = none);")),
      HasSubstr("no axes to reduce"));
  EXPECT_THAT(message(x,
                      "tensor<int32, [0]> e = const()[val = tensor<int32, [0]>([1])];\n"
                      "tensor<fp16, [2, 3]> y = relu(x = x);"),
              HasSubstr("has 0 elements, found 1"));
  EXPECT_THAT(message(x,
                      "tensor<int32, [0, 2]> e = const()[val = tensor<int32, [0, 2]>([])];\n"
                      "tensor<fp16, [2, 3]> y = relu(x = x);"),
              HasSubstr("dimension below 1"));
}

}  // namespace
}  // namespace anex::mil
