// The layout and the entries of a ring: sizes, spellings, and what is refused.

#include "proto/wire/ring_entry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "absl/status/status.h"

namespace anex {
namespace {

using ::testing::HasSubstr;

TEST(RingGeometryTest, TheFormatsExampleHasThesePlaces) {
  const auto geometry = RingGeometry::Make(8, 16);
  ASSERT_TRUE(geometry.ok()) << geometry.status();
  EXPECT_EQ(geometry->submissions_at(), 576u);
  EXPECT_EQ(geometry->completions_at(), 576u + 8 * 64);
  EXPECT_EQ(geometry->texts_at(), 576u + 8 * 64 + 16 * 64);
  EXPECT_EQ(geometry->bytes(), 576u + 8 * 64 + 16 * 64 + 16 * 192);
}

TEST(RingGeometryTest, RefusesSizesThatAreNoPowersOfTwoOrTooFewCompletions) {
  for (const auto& [in, out] : {std::pair(0u, 8u), {3u, 8u}, {8u, 0u}, {8u, 12u}, {8192u, 8192u}}) {
    EXPECT_EQ(RingGeometry::Make(in, out).status().code(), absl::StatusCode::kInvalidArgument)
        << in << ' ' << out;
  }
  EXPECT_THAT(std::string(RingGeometry::Make(16, 8).status().message()),
              HasSubstr("completion_entries is 8"));
  EXPECT_TRUE(RingGeometry::Make(kMostRingEntries, kMostRingEntries).ok());
}

TEST(RingGeometryTest, AHeaderIsBelievedOnlyIfEveryWordFits) {
  const RingGeometry geometry = *RingGeometry::Make(4, 8);
  const RingHeader good = geometry.Header();
  const auto read = RingGeometry::FromHeader(good, geometry.bytes());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->submission_entries, 4u);
  EXPECT_EQ(read->completion_entries, 8u);
  EXPECT_FALSE(RingGeometry::FromHeader(good, geometry.bytes() - 1).ok()) << "memory too small";
  for (uint32_t RingHeader::*word :
       {&RingHeader::magic, &RingHeader::version, &RingHeader::submission_entries,
        &RingHeader::completion_entries, &RingHeader::submissions_at, &RingHeader::completions_at,
        &RingHeader::texts_at, &RingHeader::bytes}) {
    RingHeader bad = good;
    bad.*word += 4;
    EXPECT_FALSE(RingGeometry::FromHeader(bad, 1 << 20).ok());
  }
  RingHeader other = good;
  other.version = 2;
  EXPECT_TRUE(absl::IsFailedPrecondition(RingGeometry::FromHeader(other, 1 << 20).status()));
}

TEST(RingEntryTest, SubmissionsComeOutAsTheyWentIn) {
  for (const RingSubmission& one :
       {RingSubmission{RingVerb::kInvocation, 1, 0x0000000200000003, 0, 0},
        RingSubmission{RingVerb::kChain, ~0ull, 5, 0, INT64_MAX},
        RingSubmission{RingVerb::kPublish, 7, 8, 9, 10},
        RingSubmission{RingVerb::kFenceWait, 0, 1, ~0ull, 1},
        RingSubmission{RingVerb::kFenceSignal, 3, 2, 1, 0}}) {
    RingSubmission out;
    EXPECT_EQ(DecodeUntrusted(Encode(one), out), "");
    EXPECT_EQ(out, one);
  }
}

// The worked bytes of FORMATS.md.
TEST(RingEntryTest, TheFormatsExampleHasTheseWords) {
  const RingSubmission run{RingVerb::kInvocation, 7, 0x100000003, 0, 5'000'000};
  EXPECT_EQ(Encode(run), (RingEntryWords{7, 0x100000003, 0, 0x4c4b40, 1, 0, 0, 0}));
}

TEST(RingEntryTest, CompletionsComeOutAsTheyWentIn) {
  const RingCompletion one{11, 22, 33, 44, 55, 66, 16, 192};
  RingCompletion out;
  EXPECT_EQ(DecodeUntrusted(Encode(one), out), "");
  EXPECT_EQ(out, one);
}

TEST(RingEntryTest, WhatHasNoMeaningIsRefusedAndTheUserDataKept) {
  const RingEntryWords good = Encode(RingSubmission{RingVerb::kInvocation, 77, 5, 0, 0});
  const auto refused = [&](size_t word, uint64_t value) {
    RingEntryWords bad = good;
    bad[word] = value;
    RingSubmission out;
    const std::string_view why = DecodeUntrusted(bad, out);
    EXPECT_EQ(out.user_data, 77u);
    return std::string(why);
  };
  EXPECT_THAT(refused(2, 1), HasSubstr("argument"));
  EXPECT_THAT(refused(3, 1ull << 63), HasSubstr("negative"));
  EXPECT_THAT(refused(4, 0), HasSubstr("verb"));
  EXPECT_THAT(refused(4, kLastRingVerb + 1), HasSubstr("verb"));
  for (int bit = 8; bit < 64; ++bit)
    EXPECT_THAT(refused(4, 1 | 1ull << bit), HasSubstr("reserved"));
  for (const size_t word : {5, 6, 7}) EXPECT_THAT(refused(word, 1), HasSubstr("reserved"));
}

TEST(RingEntryTest, OneSpellingEach) {
  std::mt19937_64 random(20261121);
  size_t accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    RingEntryWords words{};
    // Mostly zeros, so that some are accepted.
    for (uint64_t& word : words) word = random() % 4 == 0 ? random() >> (random() % 64) : 0;
    RingSubmission submission;
    if (DecodeUntrusted(words, submission).empty()) {
      ++accepted;
      EXPECT_EQ(Encode(submission), words);
    }
    RingCompletion completion;
    if (DecodeUntrusted(words, completion).empty()) {
      ++accepted;
      EXPECT_EQ(Encode(completion), words);
    }
  }
  EXPECT_GT(accepted, 1000u) << "the test would see nothing";
}

}  // namespace
}  // namespace anex
