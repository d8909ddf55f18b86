#include "server/mil/value.h"

#include "gtest/gtest.h"

namespace anex::mil {
namespace {

TEST(Constant, WidensItsElements) {
  const std::vector<int64_t> ints = {-3, 7, 127};
  const auto small = Constant::OfInts(DType::kInt8, {3}, ints);
  EXPECT_EQ(small->bytes().size(), 3u);
  EXPECT_EQ(small->AsInts(), ints);
  EXPECT_EQ(small->AsDoubles(), (std::vector<double>{-3, 7, 127}));
  EXPECT_EQ(small->type().ToString(), "tensor<int8, [3]>");
}

TEST(Constant, RoundsDoublesOnceToItsType) {
  const std::vector<double> values = {1 + 0x1p-11 + 0x1p-40, -65520};
  const auto half = Constant::OfDoubles(DType::kFp16, {2, 1}, values);
  EXPECT_EQ(half->AsDoubles(), (std::vector<double>{1 + 0x1p-10, -INFINITY}));
  EXPECT_EQ(half->AsInts(), std::nullopt);
  const auto bf16 = Constant::OfDoubles(DType::kBf16, {}, std::vector<double>{1.00390625});
  EXPECT_EQ(bf16->AsDoubles(), std::vector<double>{1.0});
}

TEST(Constant, BoolsAreZeroAndOne) {
  const auto flags = Constant::OfInts(DType::kBool, {2}, std::vector<int64_t>{1, 0});
  EXPECT_EQ(flags->AsInts(), (std::vector<int64_t>{1, 0}));
}

TEST(Constant, StringsHaveTextAndNothingElse) {
  const auto text = Constant::OfString("same_lower");
  EXPECT_EQ(text->type().kind, TypeKind::kString);
  EXPECT_EQ(text->text(), "same_lower");
  EXPECT_EQ(text->AsInts(), std::nullopt);
  EXPECT_EQ(text->AsDoubles(), std::nullopt);
}

TEST(Constant, KeepsTheOwnerOfItsBytes) {
  auto owner = std::make_shared<std::vector<std::byte>>(4, std::byte{1});
  const std::weak_ptr<const void> watch = owner;
  auto constant = std::make_shared<const Constant>(TensorType{DType::kUint8, {4}}, *owner, owner);
  owner.reset();
  EXPECT_FALSE(watch.expired());
  constant.reset();
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace anex::mil
