#include "proto/wire/tensor_layout.h"

#include <limits>
#include <set>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace anex {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();

// Oracle: the byte offset of every element, by counting through all indices.
std::vector<int64_t> Offsets(const TensorLayout& layout) {
  std::vector<int64_t> offsets{0};
  for (int axis = 0; axis < layout.shape.rank(); ++axis) {
    std::vector<int64_t> next;
    for (int64_t base : offsets) {
      for (int64_t i = 0; i < layout.shape[axis]; ++i)
        next.push_back(base + i * layout.strides[axis]);
    }
    offsets = next;
  }
  return offsets;
}

std::string ErrorOf(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return std::string(status.message());
}

TEST(DType, NamesAndSizesGoBothWays) {
  for (int i = 1; i <= 13; ++i) {
    const DType dtype = static_cast<DType>(i);
    EXPECT_EQ(DTypeFromName(DTypeName(dtype)), dtype);
    EXPECT_EQ(int{IsFloat(dtype)} + int{IsInteger(dtype)} + int{dtype == DType::kBool}, 1);
  }
  EXPECT_EQ(DTypeName(DType::kBf16), "bf16");
  EXPECT_EQ(ElementSize(DType::kFp64), 8u);
  EXPECT_EQ(ElementSize(DType::kBool), 1u);
}

TEST(DType, WhatIsNoTypeIsRefusedAndNeverIndexesPastTheTable) {
  EXPECT_EQ(DTypeFromName("invalid"), std::nullopt);
  EXPECT_EQ(DTypeFromName("float16"), std::nullopt);
  EXPECT_EQ(ElementSize(static_cast<DType>(200)), 0u);
  EXPECT_EQ(DTypeName(static_cast<DType>(200)), "invalid");
  EXPECT_FALSE(IsInteger(static_cast<DType>(200)));
  EXPECT_FALSE(IsInteger(DType::kInvalid));
}

TEST(ShapeTest, MakeRefusesWhatCannotBeCounted) {
  EXPECT_THAT(ErrorOf(Shape::Make(std::vector<int64_t>(9, 1)).status()), HasSubstr("9 dimensions"));
  EXPECT_THAT(ErrorOf(Shape::Make(std::vector<int64_t>{3, 0}).status()), HasSubstr("below 1"));
  EXPECT_THAT(ErrorOf(Shape::Make(std::vector<int64_t>{3, -7}).status()), HasSubstr("[3, -7]"));
  EXPECT_THAT(ErrorOf(Shape::Make(std::vector<int64_t>{kHuge, kHuge}).status()), HasSubstr("2^47"));
  EXPECT_THAT(ErrorOf(Shape::Make(std::vector<int64_t>{1 << 24, 1 << 23, 2}).status()),
              HasSubstr("2^47"));
  EXPECT_TRUE(Shape::Make(std::vector<int64_t>{1 << 24, 1 << 23}).ok());
}

TEST(ShapeTest, ScalarsCountOneElement) {
  const Shape scalar = *Shape::Make({});
  EXPECT_EQ(scalar.rank(), 0);
  EXPECT_EQ(scalar.ElementCount(), 1);
  EXPECT_EQ(scalar.ToString(), "[]");
  EXPECT_EQ(Shape({2, 3, 5}).ElementCount(), 30);
  EXPECT_EQ(Shape({1, 64, 1, 32}).ToString(), "[1, 64, 1, 32]");
  EXPECT_FALSE(Shape({2, 3}) == Shape({3, 2}));
  EXPECT_FALSE(Shape({2}) == Shape({2, 1}));
}

TEST(PackedLayout, CountsThroughMemoryWithoutGaps) {
  const TensorLayout layout = *MakePackedLayout(DType::kFp32, {2, 3, 5});
  const std::vector<int64_t> offsets = Offsets(layout);
  for (size_t i = 0; i < offsets.size(); ++i) EXPECT_EQ(offsets[i], static_cast<int64_t>(4 * i));
  EXPECT_EQ(layout.allocation_bytes, 120u);
  EXPECT_TRUE(IsPacked(layout));
  EXPECT_EQ(layout.ToString(), "fp32 [2, 3, 5] strides [60, 20, 4] 120 B");
  EXPECT_TRUE(CheckLayout(layout).ok());
}

TEST(PackedLayout, OfAScalarIsOneElement) {
  const TensorLayout layout = *MakePackedLayout(DType::kFp16, {});
  EXPECT_EQ(layout.allocation_bytes, 2u);
  EXPECT_EQ(SpanBytes(layout), 2u);
  EXPECT_TRUE(CheckLayout(layout).ok());
}

TEST(PaddedLayout, RowsStartAtTheirAlignmentAndTheAllocationIsRoundedUp) {
  const TensorLayout layout = *MakePaddedLayout(DType::kFp16, {2, 3, 5}, 64, 4096, 0);
  EXPECT_EQ(layout.strides[0], 192);
  EXPECT_EQ(layout.strides[1], 64);
  EXPECT_EQ(layout.strides[2], 2);
  EXPECT_EQ(layout.allocation_bytes, 4096u);
  EXPECT_FALSE(IsPacked(layout));
  EXPECT_EQ(PayloadBytes(layout), 60u);
  EXPECT_EQ(SpanBytes(layout), 5 * 64u + 10);
  EXPECT_TRUE(CheckLayout(layout).ok());
  EXPECT_EQ(MakePaddedLayout(DType::kFp16, {7}, 64, 64, 49152)->allocation_bytes, 49152u);
  EXPECT_EQ(MakePaddedLayout(DType::kFp16, {7}, 1, 64, 100)->allocation_bytes, 128u);
}

TEST(PaddedLayout, NeverOverlapsAndAlwaysFitsWhateverTheShape) {
  for (const Shape& shape : {Shape({3, 1, 7}), Shape({1, 1}), Shape({4}), Shape({2, 5, 3, 2})}) {
    for (uint64_t row : {1, 16, 64}) {
      const TensorLayout layout = *MakePaddedLayout(DType::kInt32, shape, row, 32, 0);
      ASSERT_TRUE(CheckLayout(layout).ok()) << CheckLayout(layout);
      const std::vector<int64_t> offsets = Offsets(layout);
      const std::set<int64_t> distinct(offsets.begin(), offsets.end());
      EXPECT_EQ(distinct.size(), offsets.size());
      EXPECT_EQ(static_cast<uint64_t>(*distinct.rbegin()) + 4, SpanBytes(layout));
      EXPECT_LE(SpanBytes(layout), layout.allocation_bytes);
    }
  }
}

TEST(PaddedLayout, RefusesWhatWouldOverflow) {
  const Shape wide = *Shape::Make(std::vector<int64_t>{int64_t{1} << 47});
  const Shape deep = *Shape::Make(std::vector<int64_t>{int64_t{1} << 46, 1});
  EXPECT_THAT(ErrorOf(MakePackedLayout(DType::kInt8, wide).status()), HasSubstr("more than the"));
  EXPECT_THAT(ErrorOf(MakePackedLayout(DType::kInt8, deep).status()), HasSubstr("more than the"));
  const Shape rows = *Shape::Make(std::vector<int64_t>{int64_t{1} << 34, 1});
  EXPECT_TRUE(MakePackedLayout(DType::kInt32, rows).ok());
  EXPECT_FALSE(MakePaddedLayout(DType::kInt32, rows, 64, 1, 0).ok());
  EXPECT_FALSE(MakePaddedLayout(DType::kInt8, {1}, 1, 1, ~uint64_t{0}).ok());
  EXPECT_FALSE(MakePaddedLayout(DType::kInt8, {1}, uint64_t{1} << 63, 1, 0).ok());
  EXPECT_THAT(ErrorOf(MakePaddedLayout(DType::kInt8, {1}, 48, 1, 0).status()),
              HasSubstr("powers of two"));
  EXPECT_FALSE(MakePaddedLayout(DType::kInt8, {1}, 0, 1, 0).ok());
  EXPECT_FALSE(MakePackedLayout(DType::kInvalid, {1}).ok());
}

TEST(CheckLayout, NamesWhatIsWrong) {
  const TensorLayout good = *MakePackedLayout(DType::kFp16, {3, 5});
  const auto broken = [&](auto change) {
    TensorLayout layout = good;
    change(layout);
    return ErrorOf(CheckLayout(layout));
  };
  EXPECT_THAT(broken([](auto& l) { l.dtype = static_cast<DType>(77); }), HasSubstr("dtype 77"));
  EXPECT_THAT(broken([](auto& l) { l.strides[1] = 0; }), HasSubstr("stride 0 of axis 1"));
  EXPECT_THAT(broken([](auto& l) { l.strides[0] = -10; }), HasSubstr("stride -10 of axis 0"));
  EXPECT_THAT(broken([](auto& l) { l.strides[0] = 11; }), HasSubstr("multiple"));
  EXPECT_THAT(broken([](auto& l) { l.strides[0] = 8; }), HasSubstr("overlap"));
  EXPECT_THAT(broken([](auto& l) { l.strides[1] = kHuge - 1; }), HasSubstr("more than"));
  EXPECT_THAT(broken([](auto& l) { l.allocation_bytes = 29; }), HasSubstr("byte 30"));
  EXPECT_THAT(broken([](auto& l) { l.allocation_bytes = ~uint64_t{0}; }), HasSubstr("allocation"));
  EXPECT_THAT(broken([](auto& l) { l.shape = Shape({0, 5}); }), HasSubstr("below 1"));
}

TEST(CheckLayout, TakesTransposedAndGappedMemory) {
  TensorLayout transposed = *MakePackedLayout(DType::kFp16, {3, 5});
  transposed.strides = {2, 6};
  EXPECT_TRUE(CheckLayout(transposed).ok());
  EXPECT_FALSE(IsPacked(transposed));
  TensorLayout gapped = *MakePackedLayout(DType::kFp16, {3, 5});
  gapped.strides = {40, 8};
  gapped.allocation_bytes = 2 * 40 + 4 * 8 + 2;
  EXPECT_TRUE(CheckLayout(gapped).ok());
  gapped.allocation_bytes -= 1;
  EXPECT_FALSE(CheckLayout(gapped).ok());
}

TEST(SameElements, IgnoresDimensionsOfOne) {
  const TensorLayout a = *MakePackedLayout(DType::kFp16, {1, 3, 5});
  EXPECT_TRUE(SameElements(a, *MakePackedLayout(DType::kFp16, {1, 3, 1, 5})));
  EXPECT_TRUE(SameElements(a, *MakePackedLayout(DType::kFp16, {3, 5})));
  EXPECT_FALSE(SameElements(a, *MakePackedLayout(DType::kFp16, {5, 3})));
  EXPECT_FALSE(SameElements(a, *MakePackedLayout(DType::kFp16, {3, 5, 2})));
  EXPECT_FALSE(SameElements(a, *MakePackedLayout(DType::kFp16, {15})));
  EXPECT_FALSE(SameElements(a, *MakePackedLayout(DType::kBf16, {3, 5})));
  EXPECT_FALSE(SameElements(a, *MakePaddedLayout(DType::kFp16, {3, 5}, 64, 1, 0)));
  EXPECT_TRUE(
      SameElements(*MakePackedLayout(DType::kInt8, {}), *MakePackedLayout(DType::kInt8, {1, 1})));
}

}  // namespace
}  // namespace anex
