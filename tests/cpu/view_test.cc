#include "server/device/cpu/view.h"

#include <gtest/gtest.h>

namespace anex::device::cpu {
namespace {

View Transposed(int64_t rows, int64_t columns) {  // [columns, rows] of a packed [rows, columns]
  View view{DType::kFp16, Shape{columns, rows}, {}, 0};
  view.strides = {1, columns};
  return view;
}

TEST(ViewTest, DimensionsOfSizeOneDoNotMatterToContiguity) {
  View view = PackedView(DType::kFp16, {2, 1, 3});
  view.strides[1] = 777;
  EXPECT_TRUE(IsContiguous(view));
  view.strides[0] = 4;
  EXPECT_FALSE(IsContiguous(view));
}

TEST(ViewTest, BroadcastingRepeatsWithoutMoving) {
  const View view = BroadcastTo(PackedView(DType::kFp16, {3, 1}), {2, 3, 5});
  EXPECT_EQ(view.strides[0], 0);
  EXPECT_EQ(view.strides[1], 1);
  EXPECT_EQ(view.strides[2], 0);
}

TEST(ViewTest, ATransposedViewSplitsButDoesNotMerge) {
  const std::optional<View> split = Reshaped(Transposed(6, 4), {2, 2, 3, 2});
  ASSERT_TRUE(split.has_value());
  EXPECT_EQ(split->strides[0], 2);
  EXPECT_EQ(split->strides[1], 1);
  EXPECT_EQ(split->strides[2], 8);
  EXPECT_EQ(split->strides[3], 4);
  EXPECT_FALSE(Reshaped(Transposed(6, 4), {24}).has_value());
  EXPECT_FALSE(Reshaped(Transposed(6, 4), {8, 3}).has_value());
}

TEST(ViewTest, ScalarsAndOnesReshapeFreely) {
  EXPECT_TRUE(Reshaped(PackedView(DType::kFp16, {1, 1}), Shape()).has_value());
  EXPECT_TRUE(Reshaped(PackedView(DType::kFp16, Shape()), {1, 1, 1}).has_value());
}

TEST(ViewTest, CoalescingMergesWhatIsWithoutGaps) {
  EXPECT_EQ(Coalesce(PackedView(DType::kFp16, {2, 1, 3, 5})).rank, 1);
  EXPECT_EQ(Coalesce(Transposed(6, 4)).rank, 2);
  EXPECT_EQ(Coalesce(PackedView(DType::kFp16, Shape())).rank, 0);
  View reversed = PackedView(DType::kFp16, {4, 6});
  reversed.strides = {-6, -1};
  EXPECT_EQ(Coalesce(reversed).rank, 1);
}

}  // namespace
}  // namespace anex::device::cpu
