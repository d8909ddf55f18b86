#include "client/examples/train/corpus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "client/examples/train/baselines.h"

namespace anex::train {
namespace {

using ::testing::HasSubstr;

std::string Repeat(std::string_view part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

class ReadTextTest : public ::testing::Test {
 protected:
  ReadTextTest() {
    std::string name = (std::filesystem::temp_directory_path() / "anex_corpus_XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~ReadTextTest() override { std::filesystem::remove_all(folder_); }
  void Put(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path) << text;
  }
  std::filesystem::path folder_;
};

TEST_F(ReadTextTest, GathersSourcesInTheOrderOfTheirPaths) {
  Put("b.md", "B");
  Put("a/z.cc", "Z");
  Put("a/b.proto", "P");
  Put("c.h", "H");
  Put("d.txt", "no");
  Put("build-x/e.cc", "no");
  Put(".git/f.md", "no");
  std::filesystem::create_symlink(folder_ / "b.md", folder_ / "aa.md");
  EXPECT_EQ(*ReadText(folder_.string()), "PZBH");
}

TEST_F(ReadTextTest, ShortensTheLongestFilesFirst) {
  Put("a.md", std::string(100, 'a'));
  Put("b.md", std::string(10, 'b'));
  Put("c.md", std::string(50, 'c'));
  EXPECT_EQ(*ReadText(folder_.string(), 70),
            std::string(30, 'a') + std::string(10, 'b') + std::string(30, 'c'));
  EXPECT_EQ(ReadText((folder_ / "a.md").string(), 7)->size(), 7u);
}

TEST_F(ReadTextTest, SaysWhatIsMissing) {
  EXPECT_EQ(ReadText((folder_ / "none").string()).status().code(), absl::StatusCode::kNotFound);
  Put("x.txt", "text");
  EXPECT_EQ(ReadText(folder_.string()).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(VocabularyTest, HasTheBytesThatOccurInTheirOrderAndOneForTheRest) {
  const Vocabulary vocabulary("banana");
  EXPECT_EQ(vocabulary.size(), 4);
  EXPECT_EQ(vocabulary.Encode("nab!"), (std::vector<int>{3, 1, 2, 0}));
  EXPECT_EQ(vocabulary.ByteOf(3), 'n');
  EXPECT_EQ(vocabulary.ByteOf(0), '?');
}

TEST(VocabularyTest, KeepsTheMostFrequentBytesWhenThereAreTooMany) {
  std::string text;
  for (int byte = 0; byte < 200; ++byte) text.append(byte < 73 ? 1 : 2, static_cast<char>(byte));
  const Vocabulary vocabulary(text);
  EXPECT_EQ(vocabulary.size(), kMaxVocab);
  EXPECT_EQ(vocabulary.SymbolOf(72), 0);
  EXPECT_EQ(vocabulary.SymbolOf(73), 1);
  EXPECT_EQ(vocabulary.SymbolOf(static_cast<char>(199)), 127);
}

TEST(CorpusTest, EveryTenthBlockJudgesAndNoByteIsInBothParts) {
  std::string text;
  for (int block = 0; block < 40; ++block) text.append(8, static_cast<char>('A' + block));
  const auto corpus = MakeCorpus(text, 5);
  ASSERT_TRUE(corpus.ok()) << corpus.status();
  EXPECT_EQ(corpus->training.size(), 36u * 8);
  EXPECT_EQ(corpus->validation.size(), 4u * 8);
  // Bytes of the validation part do not occur in this training text: all unknown.
  for (const int symbol : corpus->validation) EXPECT_EQ(symbol, 0);
  for (const int symbol : corpus->training) EXPECT_NE(symbol, 0);
}

TEST(CorpusTest, LongTextsAreCutInBlocksOfFourKibibytes) {
  const auto corpus = MakeCorpus(Repeat("0123456789abcdef", 40 * 256 + 1), 64);
  ASSERT_TRUE(corpus.ok());
  EXPECT_EQ(corpus->training.size(), 36u * 4096 + 16);
  EXPECT_EQ(corpus->validation.size(), 4u * 4096);
}

TEST(CorpusTest, RefusesATextTooShortForItsWindows) {
  const auto corpus = MakeCorpus("too short", 64);
  EXPECT_EQ(corpus.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(corpus.status().message()), HasSubstr("9 bytes"));
}

TEST(BatchTest, TargetsAreTheNextSymbols) {
  std::vector<int> tokens(50);
  for (int i = 0; i < 50; ++i) tokens[i] = i;
  Random random(9);
  const Batch batch = RandomBatch(tokens, 3, 7, random);
  ASSERT_EQ(batch.inputs.size(), 21u);
  for (size_t i = 0; i < batch.inputs.size(); ++i) EXPECT_EQ(batch.targets[i], batch.inputs[i] + 1);
  const std::vector<Batch> fixed = FixedBatches(tokens, 2, 3, 7);
  ASSERT_EQ(fixed.size(), 2u);
  EXPECT_EQ(fixed[0].inputs.front(), 0);
  EXPECT_EQ(fixed[1].inputs.front(), 3 * 43 / 6);
  for (const Batch& each : fixed) EXPECT_EQ(each.inputs.size(), 21u);
}

TEST(BatchTest, ReachesTheFirstAndTheLastWindow) {
  const std::vector<int> tokens{0, 1, 2, 3};
  Random random(2);
  std::array<bool, 2> seen{};
  for (int i = 0; i < 64; ++i) seen[RandomBatch(tokens, 1, 2, random).inputs[0]] = true;
  EXPECT_TRUE(seen[0] && seen[1]);
}

// "aab" for ever, 3 symbols: unknown, a, b.
TEST(BaselinesTest, AreTheEntropiesOfAKnownText) {
  std::vector<int> tokens;
  for (int i = 0; i < 30000; ++i) tokens.push_back(i % 3 == 2 ? 2 : 1);
  const std::vector<Batch> judged = FixedBatches(tokens, 10, 3, 300);
  const Baselines found = MeasureBaselines(tokens, judged, 3);
  EXPECT_NEAR(found.unigram, -(2.0 / 3 * std::log(2.0 / 3) + 1.0 / 3 * std::log(1.0 / 3)), 1e-3);
  // After b comes a; after a comes either, half of the time: two thirds of the places.
  EXPECT_NEAR(found.bigram, 2.0 / 3 * std::log(2.0), 1e-3);
}

TEST(BaselinesTest, AddHalfACountToEverySymbol) {
  const std::vector<int> training{1, 1};
  const std::vector<Batch> judged{{{1}, {0}}};
  const Baselines found = MeasureBaselines(training, judged, 2);
  EXPECT_NEAR(found.unigram, -std::log(0.5 / 3.0), 1e-12);
  EXPECT_NEAR(found.bigram, -std::log(0.5 / 2.0), 1e-12);
}

}  // namespace
}  // namespace anex::train
