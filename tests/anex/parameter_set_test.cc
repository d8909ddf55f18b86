// Write guards: what they write where, and that nothing is left leased.
#include "client/anex/parameter_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "client/anex/session.h"
#include "tests/anex/recording_transport.h"

namespace anex {
namespace {

class ParameterSetTest : public ::testing::Test {
 protected:
  ParameterSetTest() { session_ = *Session::Open(transport_, {}); }
  ParameterSet Make(ParameterMode mode = ParameterMode::kDouble) {
    return *session_.CreateParameterSet(
        {.mode = mode,
         .parameters = {{.name = "w", .dtype = DType::kFp16, .shape = {2, 3}},
                        {.name = "b", .dtype = DType::kFp32, .shape = {5}}}});
  }

  std::shared_ptr<test::RecordingTransport> transport_ =
      std::make_shared<test::RecordingTransport>();
  Session session_;
};

TEST_F(ParameterSetTest, PublishedValuesAreReadAndTheBackBufferIsNot) {
  const ParameterSet set = Make();
  WriteGuard write = *set.BeginWrite();
  ASSERT_TRUE(write.CopyFrom("w", std::vector<float>{1, 2, 3, 4, 5, 6}).ok());
  std::vector<float> seen(6);
  ASSERT_TRUE(set.CopyTo("w", seen).ok());
  EXPECT_EQ(seen, std::vector<float>(6, 0)) << "not published yet";
  EXPECT_EQ(*write.Publish(1), 1u);
  EXPECT_FALSE(write);
  ASSERT_TRUE(set.CopyTo("w", seen).ok());
  EXPECT_EQ(seen, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(float(set.ReadView<Half>("w")->at(1, 0)), 4);
}

TEST_F(ParameterSetTest, GuardAbortsWhenItGoes) {
  const ParameterSet set = Make();
  { const WriteGuard write = *set.BeginWrite(); }
  EXPECT_EQ(transport_->CountOf("Abort"), 1);
  EXPECT_TRUE(set.BeginWrite().ok()) << "the lease was given back";
}

TEST_F(ParameterSetTest, MovedFromAndPublishedGuardsAbortNothing) {
  const ParameterSet set = Make();
  {
    WriteGuard first = *set.BeginWrite();
    WriteGuard second = std::move(first);
    ASSERT_TRUE(second.Publish().ok());
  }
  EXPECT_EQ(transport_->CountOf("Abort"), 0);
}

TEST_F(ParameterSetTest, AssignmentAbortsTheOldLease) {
  const ParameterSet one = Make();
  WriteGuard guard = *one.BeginWrite();
  guard = WriteGuard();
  EXPECT_EQ(transport_->CountOf("Abort"), 1);
}

TEST_F(ParameterSetTest, FailedPublishKeepsTheLease) {
  const ParameterSet set = Make();
  WriteGuard write = *set.BeginWrite();
  EXPECT_EQ(write.Publish(9).status().code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(write);
  EXPECT_TRUE(write.Publish(1).ok());
}

TEST_F(ParameterSetTest, FencedSetHasOneBuffer) {
  const ParameterSet set = Make(ParameterMode::kFenced);
  const WriteGuard write = *set.BeginWrite();
  write.View<float>("b")->at(4) = 7;
  EXPECT_EQ(set.ReadView<float>("b")->at(4), 7);
}

TEST_F(ParameterSetTest, UnknownParameterNamesThoseThereAre) {
  const ParameterSet set = Make();
  const WriteGuard write = *set.BeginWrite();
  const absl::Status status = write.CopyFrom("v", std::vector<float>(1));
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(status.message(), ::testing::HasSubstr("w, b"));
}

TEST_F(ParameterSetTest, StreamCutsIntoCheckedChunksInOrder) {
  const ParameterSet set = *session_.CreateParameterSet(
      {.parameters = {{.name = "big", .dtype = DType::kFp16, .shape = {7, 5001}}}});
  WriteGuard write = *set.BeginWrite();
  std::vector<float> values(7 * 5001);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) * 0.5f;
  const std::span<const float> all(values);
  ASSERT_TRUE(write.Stream("big", all.first(20000)).ok());
  ASSERT_TRUE(write.Stream("big", all.subspan(20000)).ok());
  std::vector<float> joined;
  for (const WeightChunk& chunk : transport_->chunks) {
    EXPECT_EQ(chunk.element_offset, joined.size()) << "no gap, no overlap";
    EXPECT_EQ(chunk.crc32, Crc32Of(chunk.data));
    EXPECT_EQ(chunk.dtype, DType::kFp32);
    std::vector<float> part(chunk.data.size() / 4);
    std::memcpy(part.data(), chunk.data.data(), chunk.data.size());
    joined.insert(joined.end(), part.begin(), part.end());
  }
  EXPECT_GT(transport_->chunks.size(), 2u);
  EXPECT_EQ(joined, values);
}

TEST_F(ParameterSetTest, CrcIsZlibs) {
  EXPECT_EQ(Crc32Of("123456789"), 0xcbf43926u);  // the check value of CRC-32/ISO-HDLC
  EXPECT_EQ(Crc32Of(""), 0u);
}

TEST_F(ParameterSetTest, GuardOutlivesTheSetAndTheSession) {
  WriteGuard write;
  {
    const ParameterSet set = Make();
    write = *set.BeginWrite();
  }
  EXPECT_TRUE(write.CopyFrom("b", std::vector<float>(5, 1)).ok());
  ASSERT_TRUE(session_.Close().ok());
  EXPECT_TRUE(write.Abort().ok());
  EXPECT_EQ(transport_->CountOf("Abort"), 0);
}

}  // namespace
}  // namespace anex
