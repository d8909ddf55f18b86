// Real programs, with weights made up to fit their BLOBFILE references.
#include "tests/mil/corpus.h"

#include <cstring>
#include <iostream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/mil/blob_references.h"
#include "server/mil/front_end.h"
#include "server/mil/render_text.h"

namespace anex::mil {
namespace {

ProgramSource SourceOf(const std::filesystem::path& path) {
  ProgramSource source{.name = path.filename().string(), .text = ReadWhole(path)};
  source.weights = MakeUpWeights(ListBlobReferences(source.text),
                                 [](const BlobReference&, std::span<std::byte> data) {
                                   std::memset(data.data(), 0x11, data.size());
                                 });
  return source;
}

// 12 groups do not divide its 256 outputs: an experiment that no convolution can satisfy.
constexpr std::string_view kUnevenGroups = "maderix_test_conv_attn3__grouped.mil";

TEST(Corpus, TheOneImpossibleProgramIsRefusedForItsGroups) {
  for (const auto& path : CorpusFiles()) {
    if (path.filename() != kUnevenGroups) continue;
    const FrontEndResult result = Read(SourceOf(path));
    ASSERT_EQ(result.diagnostics.size(), 1u) << RenderText(result.diagnostics);
    EXPECT_EQ(result.diagnostics[0].code, "MIL0401");
    EXPECT_THAT(result.diagnostics[0].message, ::testing::HasSubstr("12 groups"));
    return;
  }
  GTEST_SKIP() << "no corpus beside the source tree";
}

TEST(Corpus, EveryOtherProgramIsCleanWithWeightsOfTheRightSize) {
  const auto files = CorpusFiles();
  if (files.empty()) GTEST_SKIP() << "no corpus beside the source tree";
  for (const auto& path : files) {
    if (path.filename() == kUnevenGroups) continue;
    const FrontEndResult result = Read(SourceOf(path));
    EXPECT_NE(result.program, nullptr) << path << "\n" << RenderText(result.diagnostics);
    for (const Diagnostic& diagnostic : result.diagnostics) {
      EXPECT_EQ(diagnostic.severity, Severity::kNote) << path << "\n" << RenderText(diagnostic);
    }
  }
}

}  // namespace
}  // namespace anex::mil
