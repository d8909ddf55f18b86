// Surfaces, their sharing, and parameter sets over any transport.
#include <gmock/gmock.h>

#include <cstring>

#include "tests/conformance/transport_suite.h"

namespace anex::test {

TEST_P(TransportSuite, NewSurfacesAreZeroAndKeepWhatIsWritten) {
  const Surface surface = *session_.CreateSurface(DType::kFp32, {3, 5}, "numbers");
  EXPECT_EQ(Read(surface), std::vector<float>(15, 0));
  std::vector<float> values(15);
  for (int i = 0; i < 15; ++i) values[i] = static_cast<float>(i * i) - 7.5f;
  ASSERT_TRUE(surface.CopyFrom(values).ok());
  EXPECT_EQ(Read(surface), values);
  EXPECT_EQ(surface.View<float>()->at(2, 1), values[2 * 5 + 1]);
  EXPECT_EQ(surface.Describe()->label, "numbers");
}

TEST_P(TransportSuite, MessagesAndMappingShowTheSameBytes) {
  const Surface surface = *session_.CreateSurface(DType::kInt32, {3, 5});
  const TensorView<int32_t> view = *surface.View<int32_t>();
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 5; ++j) view.at(i, j) = 10 * i + j;
  }
  const absl::StatusOr<std::string> part =
      surface.ReadThroughTransport({.begin = {1, 2}, .size = {2, 3}});
  ASSERT_TRUE(part.ok()) << part.status();
  std::vector<int32_t> seen(6);
  ASSERT_EQ(part->size(), sizeof(int32_t) * seen.size());
  std::memcpy(seen.data(), part->data(), part->size());
  EXPECT_EQ(seen, (std::vector<int32_t>{12, 13, 14, 22, 23, 24}));

  const std::vector<int32_t> patch = {-1, -2};
  ASSERT_TRUE(surface
                  .WriteThroughTransport({reinterpret_cast<const char*>(patch.data()), 8},
                                         {.begin = {1, 4}, .size = {2, 1}})
                  .ok());
  EXPECT_EQ(view.at(1, 4), -1);
  EXPECT_EQ(view.at(2, 4), -2);
  EXPECT_EQ(view.at(1, 3), 13);
}

TEST_P(TransportSuite, RegionsOutsideAndWrongSizesAreRefused) {
  const Surface surface = *session_.CreateSurface(DType::kInt32, {3, 5});
  for (const Region& region : {Region{{0, 3}, {3, 3}}, Region{{-1, 0}, {1, 1}}, Region{{0}, {1}},
                               Region{{0, 0}, {3, INT64_MAX}}}) {
    EXPECT_FALSE(surface.ReadThroughTransport(region).ok());
  }
  EXPECT_FALSE(surface.WriteThroughTransport("123", {}).ok());
  EXPECT_EQ(surface.ReadThroughTransport()->size(), 60u) << "still serves";
}

TEST_P(TransportSuite, LargeTensorsTravelThroughMessagesWhole) {
  const Surface surface = *session_.CreateSurface(DType::kUint8, {3, 1500001});
  std::string bytes(3 * 1500001, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>((i * 2654435761u) >> 24);
  ASSERT_TRUE(surface.WriteThroughTransport(bytes).ok());
  EXPECT_EQ(*surface.ToBytes(), bytes);
  EXPECT_EQ(*surface.ReadThroughTransport(), bytes);
}

TEST_P(TransportSuite, PublishedWeightsAreSeenWholeAndNotBefore) {
  const Matmul m = PrepareMatmul(session_);
  for (const ParameterMode mode : {ParameterMode::kDouble, ParameterMode::kFenced}) {
    const absl::StatusOr<ParameterSet> set = session_.CreateParameterSet(
        {.mode = mode, .parameters = {{.name = "w", .fits = {m.kernel.Ref("W")}}}});
    ASSERT_TRUE(set.ok()) << set.status();
    const absl::StatusOr<Invocation> run =
        m.kernel.Prepare().Bind("x", m.x).Bind("W", *set, "w").Bind("y", m.y).Build();
    ASSERT_TRUE(run.ok()) << run.status();
    WriteGuard write = *set->BeginWrite();
    ASSERT_TRUE(write.CopyFrom("w", Ws()).ok());
    if (mode == ParameterMode::kDouble) {
      ASSERT_TRUE(m.lane.Run(*run).ok());
      EXPECT_EQ(Read(m.y), std::vector<float>(6, 0)) << "not published";
    }
    const absl::StatusOr<uint64_t> generation = write.Publish(1);
    ASSERT_TRUE(generation.ok()) << generation.status();
    EXPECT_EQ(*generation, 1u);
    const absl::StatusOr<Completion> done = m.lane.Run(*run);
    ASSERT_TRUE(done.ok()) << done.status();
    EXPECT_EQ(done->generation, 1u);
    EXPECT_EQ(Read(m.y), Product(Ws(), Xs()));
    std::vector<float> front(8);
    ASSERT_TRUE(set->CopyTo("w", front).ok());
    EXPECT_EQ(front, Ws());
  }
}

TEST_P(TransportSuite, StreamedWeightsEqualMappedOnes) {
  const absl::StatusOr<ParameterSet> set = session_.CreateParameterSet(
      {.parameters = {{.name = "w", .dtype = DType::kFp16, .shape = {7, 5001}},
                      {.name = "b", .dtype = DType::kFp32, .shape = {3}}}});
  ASSERT_TRUE(set.ok()) << set.status();
  std::vector<float> values(7 * 5001);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 2048) * 0.25f;
  WriteGuard write = *set->BeginWrite();
  ASSERT_TRUE(write.Stream("w", values).ok());
  ASSERT_TRUE(write.Stream("b", std::vector<float>{1, 2, 3}).ok());
  const absl::StatusOr<uint64_t> generation = write.Publish();
  ASSERT_TRUE(generation.ok()) << generation.status();
  std::vector<float> seen(values.size());
  ASSERT_TRUE(set->CopyTo("w", seen).ok());
  EXPECT_EQ(seen, values);
}

TEST_P(TransportSuite, TornWeightChunksSpoilTheLeaseButNotTheSet) {
  const ParameterSet set = *session_.CreateParameterSet(
      {.parameters = {{.name = "w", .dtype = DType::kFp32, .shape = {2, 3}}}});
  const float six[] = {1, 2, 3, 4, 5, 6};
  WeightChunk chunk{.parameter = "w",
                    .dtype = DType::kFp32,
                    .data = std::string(reinterpret_cast<const char*>(six), sizeof(six))};
  chunk.crc32 = Crc32Of(chunk.data) ^ 1;
  WriteGuard write = *set.BeginWrite();
  EXPECT_EQ(CodeOf(write.Update(std::span(&chunk, 1))), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(write.Publish().ok());
  ASSERT_TRUE(write.Abort().ok());

  chunk.crc32 = Crc32Of(chunk.data);
  chunk.element_offset = 1;
  write = *set.BeginWrite();
  EXPECT_EQ(CodeOf(write.Update(std::span(&chunk, 1))), absl::StatusCode::kOutOfRange);
  ASSERT_TRUE(write.Abort().ok());

  chunk.element_offset = 0;
  write = *set.BeginWrite();
  EXPECT_TRUE(write.Update(std::span(&chunk, 1)).ok());
  EXPECT_TRUE(write.Publish().ok());
}

TEST_P(TransportSuite, OneLeaseAtATimeAndOneGenerationAfterAnother) {
  const ParameterSet set = *session_.CreateParameterSet(
      {.parameters = {{.name = "w", .dtype = DType::kFp32, .shape = {2, 3}}}});
  WriteGuard write = *set.BeginWrite();
  EXPECT_EQ(CodeOf(set.BeginWrite()), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(CodeOf(write.Publish(3)), absl::StatusCode::kAborted);
  EXPECT_EQ(*write.Publish(1), 1u);
  write = *set.BeginWrite();
  EXPECT_EQ(write.lease().generation, 2u);
  EXPECT_EQ(*write.Publish(), 2u);
  EXPECT_EQ(set.Describe()->generation, 2u);
}

TEST_P(TransportSuite, PublishInALaneFallsBetweenSubmissions) {
  const Matmul m = PrepareMatmul(session_);
  const ParameterSet set =
      *session_.CreateParameterSet({.parameters = {{.name = "W", .fits = {m.kernel.Ref("W")}}}});
  const Invocation run = *m.kernel.Prepare().Bind("x", m.x).Bind("W", set).Bind("y", m.y).Build();
  WriteGuard write = *set.BeginWrite();
  ASSERT_TRUE(write.CopyFrom("W", Ws()).ok());
  SubmissionQueue queue = OpenQueue(m.lane, 4);
  ASSERT_TRUE(queue.Submit(m.lane, run, 1).ok());
  ASSERT_TRUE(queue.SubmitPublish(m.lane, write, 2).ok());
  ASSERT_TRUE(queue.Submit(m.lane, run, 3).ok());
  for (const uint64_t generation : {0u, 1u, 1u}) {
    const absl::StatusOr<Completion> done = queue.Next(absl::Seconds(20));
    ASSERT_TRUE(done.ok()) << done.status();
    EXPECT_TRUE(done->status.ok()) << done->status;
    EXPECT_EQ(done->generation, generation);
  }
  EXPECT_EQ(Read(m.y), Product(Ws(), Xs()));
}

TEST_P(TransportSuite, GrantsShareMemoryReadOnly) {
  const Session other = NewSession("reader");
  const Surface mine = *session_.CreateSurface(DType::kFp32, {2, 3});
  const absl::StatusOr<std::string> ticket = mine.Grant(Access::kReadOnly);
  ASSERT_TRUE(ticket.ok()) << ticket.status();
  const absl::StatusOr<Surface> theirs = other.Claim(*ticket);
  ASSERT_TRUE(theirs.ok()) << theirs.status();
  ASSERT_TRUE(mine.CopyFrom(std::vector<float>{1, 2, 3, 4, 5, 6}).ok());
  EXPECT_EQ(Read(*theirs), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(CodeOf(theirs->CopyFrom(std::vector<float>(6))), absl::StatusCode::kPermissionDenied);
  EXPECT_FALSE(theirs->WriteThroughTransport(std::string(24, '\0')).ok());
  EXPECT_EQ(CodeOf(other.Claim(*ticket)), absl::StatusCode::kNotFound) << "one use";
  EXPECT_EQ(CodeOf(other.Claim("00")), absl::StatusCode::kNotFound);
}

TEST_P(TransportSuite, SealedMemoryOfAClientBecomesASurface) {
  const absl::StatusOr<std::shared_ptr<shm::SharedRegion>> region = shm::CreateRegion(4096, "mine");
  ASSERT_TRUE(region.ok());
  const TensorLayout layout = *MakePackedLayout(DType::kFp16, {4, 3});
  const absl::StatusOr<Surface> x = session_.Import(*region, layout, "mine");
  ASSERT_TRUE(x.ok()) << x.status();
  Half half(2.5f);
  std::memcpy((*region)->data() + 2 * 5, &half, 2);  // x[1, 2], through our own mapping
  EXPECT_EQ(Read(*x)[5], 2.5f);
  TensorLayout large = *MakePackedLayout(DType::kFp16, {4000, 3});
  EXPECT_FALSE(session_.Import(*region, large).ok());
}

// No daemon of a test was told to allow it, and most are not even on a Mac.
TEST_P(TransportSuite, NoSurfaceIsFoundByItsGlobalNumber) {
  const TensorLayout layout = *MakePackedLayout(DType::kFp16, {4, 3});
  EXPECT_EQ(CodeOf(session_.ImportGlobalIosurface(42, layout)),
            absl::StatusCode::kPermissionDenied);
}

}  // namespace anex::test
