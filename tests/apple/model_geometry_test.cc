#include "server/device/apple/model_geometry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace anex::device::apple {
namespace {

using ::testing::HasSubstr;

LiveTensor Live(std::array<int64_t, kLiveRank> dims, std::array<int64_t, kLiveRank> strides = {}) {
  return {.name = "x", .type = "Float16", .dims = dims, .strides = strides};
}

TEST(ModelGeometry, StridesAreTheEnginesOwn) {
  // [1, 3, 1, 20]: rows of 40 bytes that start at multiples of 64.
  const auto layout =
      LayoutOf(Live({1, 3, 1, 1, 20}, {192, 64, 64, 64, 0}), DType::kFp16, {1, 3, 1, 20});
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_EQ(layout->strides[1], 64);
  EXPECT_EQ(layout->strides[3], 2);
  EXPECT_EQ(layout->allocation_bytes, 192u);
  EXPECT_TRUE(CheckLayout(*layout).ok());
}

TEST(ModelGeometry, DimensionsMatchOnceOnesAreDropped) {
  // MIL's [5, 7] may be height and width, or channel and width.
  for (const auto& dims :
       {std::array<int64_t, 5>{1, 1, 1, 5, 7}, {1, 5, 1, 1, 7}, {5, 7, 1, 1, 1}}) {
    const auto layout = LayoutOf(Live(dims), DType::kFp16, {5, 7});
    ASSERT_TRUE(layout.ok()) << layout.status();
    EXPECT_EQ(layout->strides[0], 14);
    EXPECT_EQ(layout->strides[1], 2);
  }
}

TEST(ModelGeometry, AWidthThatIsNotTheLastDimensionKeepsItsStride) {
  // [5, 7] as batch and channel, each in a padded row of its own.
  const auto layout = LayoutOf(Live({5, 7, 1, 1, 1}, {448, 64, 64, 64, 0}), DType::kFp16, {5, 7});
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_EQ(layout->strides[0], 448);
  EXPECT_EQ(layout->strides[1], 64);
  EXPECT_GE(layout->allocation_bytes, 5u * 448);
}

TEST(ModelGeometry, AnOrderThatIsNotTheProgramsIsRefused) {
  for (const Shape& shape : {Shape{7, 5}, Shape{35}, Shape{5}, Shape{5, 7, 2}}) {
    const auto layout = LayoutOf(Live({1, 5, 1, 1, 7}), DType::kFp16, shape);
    EXPECT_EQ(layout.status().code(), absl::StatusCode::kFailedPrecondition) << shape.ToString();
    EXPECT_THAT(std::string(layout.status().message()), HasSubstr("'x' as [1, 5, 1, 1, 7]"));
  }
}

TEST(ModelGeometry, AnotherElementTypeIsRefused) {
  EXPECT_EQ(LayoutOf(Live({1, 1, 1, 1, 4}), DType::kFp32, {4}).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(ModelGeometry, StridesThatWouldOverlapAreRefused) {
  EXPECT_FALSE(LayoutOf(Live({1, 3, 1, 1, 20}, {24, 8, 8, 8, 0}), DType::kFp16, {3, 20}).ok());
}

TEST(ModelGeometry, ScalarsAndHugeDimensions) {
  EXPECT_TRUE(LayoutOf(Live({1, 1, 1, 1, 1}), DType::kFp16, {}).ok());
  EXPECT_FALSE(LayoutOf(Live({1, 1, 1, 1 << 30, 1 << 30}), DType::kFp16, {1 << 30, 1 << 30}).ok());
}

TEST(ModelGeometry, FunctionsAreFoundByTheirNameHoweverItIsDressed) {
  ModelGeometry two;
  two.functions = {{.name = "0@twice", .procedure = 0}, {.name = "same", .procedure = 1}};
  EXPECT_EQ((*FindFunction(two, "twice", 1, 2))->procedure, 0u);
  EXPECT_EQ((*FindFunction(two, "same", 0, 2))->procedure, 1u);
  EXPECT_TRUE(absl::IsNotFound(FindFunction(two, "third", 0, 2).status()));
  ModelGeometry nameless;
  nameless.functions = {{.procedure = 4}, {.procedure = 5}};
  EXPECT_EQ((*FindFunction(nameless, "b", 1, 2))->procedure, 5u);
  ModelGeometry one;
  one.functions = {{.name = "net", .procedure = 3}};
  EXPECT_EQ((*FindFunction(one, "main", 0, 1))->procedure, 3u);
}

}  // namespace
}  // namespace anex::device::apple
