#include "proto/values/sha256.h"

#include <gtest/gtest.h>

namespace anex {
namespace {

TEST(Sha256Test, HashesAsPublished) {
  // FIPS 180-2, appendix B.1 and B.2.
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Sha256Of("abc").size(), 32u);
  EXPECT_EQ(Sha256Of("abc").substr(0, 3), "\xba\x78\x16");
}

TEST(Sha256Test, AStreamIsItsBytes) {
  Sha256 streamed;
  streamed.Update("a");
  streamed.Update("");
  streamed.Update("bc");
  EXPECT_EQ(streamed.FinishHex(), Sha256Hex("abc"));
}

TEST(Sha256Test, FramedFieldsAreTheirLengthAndTheirBytes) {
  Sha256 framed, spelled_out, other;
  framed.UpdateFramed("ab");
  framed.UpdateFramed("c");
  spelled_out.Update(std::string_view("\2\0\0\0\0\0\0\0ab\1\0\0\0\0\0\0\0c", 19));
  other.UpdateFramed("a");
  other.UpdateFramed("bc");
  const std::string digest = framed.FinishHex();
  EXPECT_EQ(digest, spelled_out.FinishHex());
  EXPECT_NE(digest, other.FinishHex());
}

TEST(Sha256Test, NumbersAreLittleEndian) {
  Sha256 number, spelled_out;
  number.UpdateNumber(0x0102030405060708);
  spelled_out.Update("\x08\x07\x06\x05\x04\x03\x02\x01");
  EXPECT_EQ(number.FinishHex(), spelled_out.FinishHex());
}

}  // namespace
}  // namespace anex
