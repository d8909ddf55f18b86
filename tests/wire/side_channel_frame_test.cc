#include "proto/wire/side_channel_frame.h"

#include <cstring>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/wire/tensor_layout.h"
#include "proto/wire/token_hex.h"

namespace anex {
namespace {

using ::testing::HasSubstr;

SideChannelToken CountingToken() {
  SideChannelToken token;
  for (size_t i = 0; i < token.size(); ++i) token[i] = static_cast<uint8_t>(0xA0 + i);
  return token;
}

std::vector<SideChannelFrame> OneOfEach() {
  const SideChannelToken token = CountingToken();
  return {SideChannelFrame::Hello(token),
          SideChannelFrame::Welcome(),
          SideChannelFrame::Claim(7, token),
          SideChannelFrame::Deliver(7, token, 0x12000, true),
          SideChannelFrame::Deliver(8, token, 0x3000, false),
          SideChannelFrame::DeliverError(9, token, absl::StatusCode::kNotFound),
          SideChannelFrame::Offer(10, 8192, true),
          SideChannelFrame::Offer(11, 4096, false),
          SideChannelFrame::Accepted(10, token, 8192),
          SideChannelFrame::Refused(11, absl::StatusCode::kFailedPrecondition),
          SideChannelFrame::Wake(),
          SideChannelFrame::Bell(12, token),
          SideChannelFrame::Bye(ByeReason::kDraining),
          SideChannelFrame::Bye(ByeReason::kRefused, absl::StatusCode::kUnauthenticated)};
}

SideChannelBytes Hex(std::string_view text) {
  SideChannelBytes bytes{};
  size_t digits = 0;
  for (const char c : text) {
    if (c == ' ') continue;
    const int value = c <= '9' ? c - '0' : c - 'a' + 10;
    std::byte& b = bytes.at(digits / 2);
    b = static_cast<std::byte>(digits % 2 == 0 ? value << 4 : std::to_integer<int>(b) | value);
    ++digits;
  }
  EXPECT_EQ(digits, 2 * kSideChannelFrameBytes);
  return bytes;
}

TEST(SideChannelFrame, EveryKindSurvivesEncodingAndDecoding) {
  for (const SideChannelFrame& frame : OneOfEach()) {
    absl::StatusOr<SideChannelFrame> decoded = DecodeUntrusted(Encode(frame));
    ASSERT_TRUE(decoded.ok()) << FrameKindName(frame.kind) << ": " << decoded.status();
    EXPECT_EQ(*decoded, frame) << FrameKindName(frame.kind);
  }
}

// The bytes are written out by hand from FORMATS.md, so that a change of the format is noticed.
TEST(SideChannelFrame, HasTheBytesOfTheDocument) {
  EXPECT_EQ(Encode(SideChannelFrame::Deliver(7, CountingToken(), 0x12000, true)),
            Hex("414e5853 01 04 0300 07000000 00 00 0000 0020010000000000 0000000000000000"
                "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"));
  EXPECT_EQ(Encode(SideChannelFrame::Refused(11, absl::StatusCode::kFailedPrecondition)),
            Hex("414e5853 01 07 0000 0b000000 09 00 0000 0000000000000000 0000000000000000"
                "0000000000000000000000000000000000000000000000000000000000000000"));
  EXPECT_EQ(Encode(SideChannelFrame::Bye(ByeReason::kDraining)),
            Hex("414e5853 01 09 0000 00000000 00 04 0000 0000000000000000 0000000000000000"
                "0000000000000000000000000000000000000000000000000000000000000000"));
}

struct Damage {
  const char* name;
  SideChannelFrame frame;
  size_t at;
  uint8_t value;
  absl::StatusCode code;
  const char* says;
};
void PrintTo(const Damage& it, std::ostream* out) { *out << it.name; }

class DamagedFrame : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedFrame, IsRefusedWithTheFieldThatIsWrong) {
  SideChannelBytes bytes = Encode(GetParam().frame);
  ASSERT_TRUE(DecodeUntrusted(bytes).ok());
  bytes[GetParam().at] = static_cast<std::byte>(GetParam().value);
  const absl::Status status = DecodeUntrusted(bytes).status();
  EXPECT_EQ(status.code(), GetParam().code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().says));
}

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

std::vector<Damage> Damages() {
  const SideChannelToken token = CountingToken();
  const SideChannelFrame hello = SideChannelFrame::Hello(token);
  const SideChannelFrame offer = SideChannelFrame::Offer(3, 4096, true);
  const SideChannelFrame deliver = SideChannelFrame::Deliver(3, token, 4096, false);
  const SideChannelFrame failed =
      SideChannelFrame::DeliverError(3, token, absl::StatusCode::kNotFound);
  const SideChannelFrame refused = SideChannelFrame::Refused(3, absl::StatusCode::kNotFound);
  const SideChannelFrame bye = SideChannelFrame::Bye(ByeReason::kClosed);
  const SideChannelFrame bell = SideChannelFrame::Bell(3, token);
  return {
      {"Magic", hello, 0, 0x42, kInvalid, "magic"},
      {"OtherVersion", hello, 4, 2, absl::StatusCode::kFailedPrecondition, "version 2"},
      {"KindZero", hello, 5, 0, kInvalid, "kind 0"},
      {"KindTooHigh", hello, 5, 11, kInvalid, "kind 11"},
      {"BellWithoutDescriptor", bell, 6, 0, kInvalid, "descriptor"},
      {"BellWithBytes", bell, 16, 8, kInvalid, "bytes"},
      {"BellThatFailed", bell, 12, 5, kInvalid, "status"},
      {"UnknownFlag", hello, 6, 4, kInvalid, "flags"},
      {"UnknownHighFlag", hello, 7, 0x80, kInvalid, "flags"},
      {"RequestOnHello", hello, 8, 1, kInvalid, "request"},
      {"StatusNoCode", failed, 12, 17, kInvalid, "status"},
      {"StatusOnHello", hello, 12, 5, kInvalid, "status"},
      {"ReasonUnknown", bye, 13, 8, kInvalid, "reason"},
      {"ReasonMissing", bye, 13, 0, kInvalid, "reason"},
      {"ReasonOnHello", hello, 13, 1, kInvalid, "reason"},
      {"RefusalWithoutStatus", bye, 13, 2, kInvalid, "status"},
      {"ByeWithStatusButNoRefusal", bye, 12, 5, kInvalid, "status"},
      {"Pad", hello, 14, 1, kInvalid, "reserved"},
      {"PadHigh", hello, 15, 1, kInvalid, "reserved"},
      {"Reserve", hello, 24, 1, kInvalid, "reserved"},
      {"ReserveHigh", hello, 31, 0x80, kInvalid, "reserved"},
      {"BytesOnHello", hello, 16, 1, kInvalid, "bytes"},
      {"BytesNegative", offer, 23, 0x80, kInvalid, "bytes"},
      {"BytesZero", offer, 17, 0, kInvalid, "bytes"},
      {"BytesOverTheBound", offer, 21, 1, kInvalid, "bytes"},
      {"OfferWithoutDescriptor", offer, 6, 2, kInvalid, "descriptor"},
      {"DeliverWithoutDescriptor", deliver, 6, 0, kInvalid, "descriptor"},
      {"FailureWithDescriptor", failed, 6, 1, kInvalid, "descriptor"},
      {"FailureWithBytes", failed, 16, 1, kInvalid, "memory"},
      {"FailureWritable", failed, 6, 2, kInvalid, "memory"},
      {"RefusedWithoutReason", refused, 12, 0, kInvalid, "status"},
      {"HelloWithDescriptor", hello, 6, 1, kInvalid, "descriptor"},
      {"HelloWritable", hello, 6, 2, kInvalid, "writable"},
      {"TokenOnOffer", offer, 63, 1, kInvalid, "token"},
  };
}

INSTANTIATE_TEST_SUITE_P(Each, DamagedFrame, ::testing::ValuesIn(Damages()),
                         [](const auto& info) { return info.param.name; });

// There is one spelling of each frame: what is accepted encodes to the same bytes again.
TEST(SideChannelFrame, AcceptsNothingButWhatItWouldWrite) {
  std::mt19937 random(20241107);
  const std::vector<SideChannelFrame> frames = OneOfEach();
  int accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    SideChannelBytes bytes = Encode(frames[random() % frames.size()]);
    for (int flips = 1 + static_cast<int>(random() % 3); flips > 0; --flips) {
      const size_t at = random() % (random() % 4 == 0 ? bytes.size() : 32);  // rather the header
      bytes[at] ^= static_cast<std::byte>(1u << (random() % 8));
    }
    absl::StatusOr<SideChannelFrame> frame = DecodeUntrusted(bytes);
    if (!frame.ok()) continue;
    ++accepted;
    ASSERT_EQ(Encode(*frame), bytes);
    ASSERT_LE(frame->bytes, kMaxAllocation);
  }
  EXPECT_GT(accepted, 1000);  // the loop did get past the magic
}

TEST(SideChannelFrame, NoErrorTextHoldsTheToken) {
  SideChannelToken token;
  token.fill('T');
  SideChannelBytes bytes = Encode(SideChannelFrame::Hello(token));
  for (size_t at = 0; at < 32; ++at) {
    SideChannelBytes damaged = bytes;
    damaged[at] ^= std::byte{0xFF};
    const absl::Status status = DecodeUntrusted(damaged).status();
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(std::string(status.message()).find("TT"), std::string::npos) << status;
    EXPECT_EQ(std::string(status.message()).find("5454"), std::string::npos) << status;
  }
}

TEST(SideChannelToken, IsThirtyTwoBytesAndNothingElse) {
  const SideChannelToken token = CountingToken();
  EXPECT_EQ(SideChannelTokenFromBytes(SideChannelTokenToBytes(token)), token);
  EXPECT_EQ(SideChannelTokenFromBytes(std::string(31, 'x')), std::nullopt);
  EXPECT_EQ(SideChannelTokenFromBytes(std::string(33, 'x')), std::nullopt);
  EXPECT_EQ(SideChannelTokenFromBytes(""), std::nullopt);
  const std::string hex = "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf";
  const std::string HEX = "A0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBF";
  EXPECT_EQ(SideChannelTokenFromHex(hex), CountingToken());
  EXPECT_EQ(SideChannelTokenFromHex(HEX), CountingToken());
  EXPECT_EQ(SideChannelTokenFromHex(hex.substr(1)), std::nullopt);
  EXPECT_EQ(SideChannelTokenFromHex(hex + "00"), std::nullopt);
  for (const char wrong : {'g', 'G', '/', ':', '@', '`', ' ', '\0'}) {
    std::string bad = hex;
    bad[17] = wrong;
    EXPECT_EQ(SideChannelTokenFromHex(bad), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace anex
