// tensor<int32, [0]>([]): the shape of a scalar, no axes.
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "server/mil/canonical.h"
#include "server/mil/op_catalog.h"
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

TEST(EmptyList, IsSpelledInBracketsOrNotAtAll) {
  const auto reshaped = [](std::string_view none) {
    return Around("tensor<fp16, [1, 1]> x",
                  absl::StrCat("fp16 y = reshape(x = x, shape = ", std::string(none), ");"), "y");
  };
  for (const char* none : {"tensor<int32,[0]>( [ ] )", "tensor<int32, [0]>()"}) {
    const auto program = Good(reshaped(none));
    ASSERT_NE(program, nullptr) << none;
    EXPECT_TRUE(program->functions[0].Ints(program->functions[0].operations[0], "shape").empty());
  }
  EXPECT_EQ(OnlyError(reshaped("tensor<int32, [0]>([[]])")).code, "MIL0205");
  EXPECT_THAT(OnlyError(reshaped("tensor<int32, [0]>(BLOBFILE(path = string(\"@model_path/w\"), "
                                 "offset = uint64(64)))"))
                  .message,
              HasSubstr("in no weight file"));
}

// An operand of every kind, for calls that need not be right.
std::string Operand(const Parameter& parameter) {
  if (parameter.types & kStrings) return "string(\"valid\")";
  if (parameter.types & kStates) return "s";
  if (parameter.types == kBools)
    return parameter.max_rank == 0 ? "true" : "tensor<bool, [2]>([true, false])";
  if (parameter.types == kIntegers) {
    return parameter.max_rank == 0 ? "int32(1)" : "tensor<int32, [2]>([1, 1])";
  }
  if (parameter.constant) return "tensor<fp16, [1]>([1])";
  return "x";
}

// Every list of every operation, empty: whatever comes of it, nothing reads behind its end.
TEST(EmptyList, IsSafeInEveryOperation) {
  int calls = 0;
  for (const std::string_view op : SupportedOps()) {
    const OpSignature* signature = FindOp(op);
    for (const Parameter& empty : signature->parameters) {
      if (empty.types != kIntegers && empty.types != kBools) continue;
      std::string call = absl::StrCat(std::string(op), "(");
      for (const Parameter& parameter : signature->parameters) {
        const char* none =
            parameter.types == kBools ? "tensor<bool, [0]>([])" : "tensor<int32, [0]>([])";
        absl::StrAppend(&call, call.back() == '(' ? "" : ", ", std::string(parameter.name), " = ",
                        &parameter == &empty ? none : Operand(parameter));
      }
      for (const char* x : {"fp16 x", "tensor<fp16, [2]> x", "tensor<fp16, [1, 4, 2, 2]> x"}) {
        const FrontEndResult result = ReadText(Around(
            absl::StrCat(x, ", state<tensor<fp16, [2]>> s"), "fp16 y = " + call + ");", "x"));
        EXPECT_FALSE(result.program == nullptr && result.diagnostics.empty()) << call;
        ++calls;
      }
    }
  }
  EXPECT_GT(calls, 300);
}

TEST(EmptyList, WithoutATypeIsOneOfWhatTheParameterTakes) {
  for (const char* body : {"tensor<fp16, [1, 1]> y = squeeze(x = x, axes = []);",
                           "fp16 y = reshape(x = x, shape = []);",
                           "tensor<fp16, [1, 1]> y = expand_dims(x = x, axes = []);"}) {
    const FrontEndResult result = ReadText(Around("tensor<fp16, [1, 1]> x", body, "y"));
    EXPECT_NE(result.program, nullptr) << RenderText(result.diagnostics) << body;
    EXPECT_THAT(RenderText(result.diagnostics), HasSubstr("taken as tensor<int32, [0]>"));
  }
  const FrontEndResult bools = ReadText(Around(
      "tensor<fp16, [4]> x",
      "tensor<fp16, [4]> y = slice_by_index(x = x, begin = [0], end = [4], end_mask = []);", "y"));
  EXPECT_THAT(RenderText(bools.diagnostics), HasSubstr("taken as tensor<bool, [0]>"));
}

TEST(EmptyList, IsNothingToNormalise) {
  EXPECT_THAT(OnlyError(Around("tensor<fp16, [2, 3]> x",
                               kNone + std::string("tensor<fp16, [2, 3]> y = layer_norm(x = x, "
                                                   "axes = none);"),
                               "y"))
                  .message,
              HasSubstr("no axes to normalise"));
}

}  // namespace
}  // namespace anex::mil
