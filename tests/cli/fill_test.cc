// What --input puts into ports, and what the summary says of it.
#include "client/cli/fill.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>

#include "client/cli/npy.h"
#include "client/cli/program_run.h"
#include "client/cli/tensor_summary.h"

namespace anex::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

PortInfo Port(DType dtype, const Shape& shape, const std::string& name = "x") {
  return {name, PortDirection::kInput, *MakePackedLayout(dtype, shape)};
}

TEST(FillTest, KnowsItsWords) {
  EXPECT_EQ(ParseFillSpec("random:42")->seed, 42u);
  EXPECT_EQ(ParseFillSpec("random:42")->ToString(), "random:42");
  EXPECT_EQ(ParseFillSpec("zeros")->kind, FillSpec::Kind::kZeros);
  EXPECT_EQ(ParseFillSpec("randomly.npy")->kind, FillSpec::Kind::kFile);
  for (const char* bad :
       {"", "random:", "random:x", "random:1x", "random:-1", "random:18446744073709551616"}) {
    EXPECT_EQ(ParseFillSpec(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

TEST(FillTest, RandomIsTheSameForOneSeedAndOtherForOtherPorts) {
  const FillSpec seven{.kind = FillSpec::Kind::kRandom, .seed = 7};
  const FillSpec eight{.kind = FillSpec::Kind::kRandom, .seed = 8};
  const std::string x = *FillPort(seven, Port(DType::kFp32, {3, 5}, "x"));
  EXPECT_EQ(x, *FillPort(seven, Port(DType::kFp32, {3, 5}, "x")));
  EXPECT_NE(x, *FillPort(seven, Port(DType::kFp32, {3, 5}, "y")));
  EXPECT_NE(x, *FillPort(eight, Port(DType::kFp32, {3, 5}, "x")));
}

TEST(FillTest, RandomStaysInItsRangeForEveryType) {
  struct Range {
    DType dtype;
    double low, high;
  };
  for (const Range& range : {Range{DType::kFp16, -1, 1},
                             {DType::kBf16, -1, 1},
                             {DType::kFp64, -1, 1},
                             {DType::kInt8, -8, 7},
                             {DType::kInt64, -8, 7},
                             {DType::kUint16, 0, 15},
                             {DType::kBool, 0, 1}}) {
    const std::string bytes = *FillPort({}, Port(range.dtype, {7, 300}));
    const TensorSummary summary = Summarize(range.dtype, bytes);
    EXPECT_EQ(summary.elements, 2100u);
    EXPECT_GE(summary.min, range.low) << DTypeName(range.dtype);
    EXPECT_LE(summary.max, range.high) << DTypeName(range.dtype);
    EXPECT_NEAR(summary.mean, (range.low + range.high) / 2, (range.high - range.low) * 0.05);
    EXPECT_GT(summary.max - summary.min, (range.high - range.low) * 0.9);
  }
}

TEST(FillTest, OnesAreOnesInEveryType) {
  for (int code = 1; code <= 13; ++code) {
    const DType dtype = static_cast<DType>(code);
    const std::string bytes = *FillPort({.kind = FillSpec::Kind::kOnes}, Port(dtype, {5}));
    EXPECT_THAT(Summarize(dtype, bytes).first, ElementsAre(1, 1, 1, 1, 1)) << DTypeName(dtype);
  }
}

TEST(FillTest, FileMustMatchThePortAndTheErrorSaysBoth) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("anex_fill_" + std::to_string(::getpid())))
          .string();
  ASSERT_TRUE(WriteNpyFile(path, {DType::kFp32, {2, 3}, std::string(24, '\0')}).ok());
  const FillSpec file{.kind = FillSpec::Kind::kFile, .path = path};
  EXPECT_TRUE(FillPort(file, Port(DType::kFp32, {2, 3})).ok());
  const absl::Status other_type = FillPort(file, Port(DType::kFp16, {2, 3})).status();
  EXPECT_EQ(other_type.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(other_type.message(), HasSubstr("float32 (2, 3)"));
  EXPECT_THAT(other_type.message(), HasSubstr("float16 (2, 3)"));
  EXPECT_THAT(FillPort(file, Port(DType::kFp32, {3, 2})).status().message(), HasSubstr("(3, 2)"));
  std::filesystem::remove(path);
}

TEST(TensorSummaryTest, CountsWhatIsNotFiniteAndLeavesItOut) {
  const float values[] = {1, NAN, -3, INFINITY, -INFINITY, 5};
  const TensorSummary summary =
      Summarize(DType::kFp32, {reinterpret_cast<const char*>(values), sizeof(values)}, 2);
  EXPECT_EQ(summary.nan, 1u);
  EXPECT_EQ(summary.inf, 2u);
  EXPECT_EQ(summary.min, -3);
  EXPECT_EQ(summary.max, 5);
  EXPECT_EQ(summary.mean, 1);
  EXPECT_EQ(summary.first.size(), 2u);
}

TEST(TensorSummaryTest, NothingFiniteHasNoLeast) {
  const float values[] = {NAN};
  EXPECT_TRUE(std::isnan(Summarize(DType::kFp32, {reinterpret_cast<const char*>(values), 4}).min));
}

TEST(MedianTest, IsTheMiddle) {
  EXPECT_EQ(Median({}), 0);
  EXPECT_EQ(Median({9, 1, 5}), 5);
  EXPECT_EQ(Median({8, 1, 5, 2}), 3);
}

}  // namespace
}  // namespace anex::cli
