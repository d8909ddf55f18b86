// Real programs, with weights made up to fit their BLOBFILE references.
#include "tests/mil/corpus.h"

#include <cstring>
#include <iostream>

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

// 12 groups do not divide its 256 outputs. Core ML's type check lets that pass, so it is doubted
// here and no more.
constexpr std::string_view kUnevenGroups = "maderix_test_conv_attn3__grouped.mil";

TEST(Corpus, EveryProgramIsCleanWithWeightsOfTheRightSize) {
  for (const auto& path : AllPrograms()) {
    const FrontEndResult result = Read(SourceOf(path));
    EXPECT_NE(result.program, nullptr) << path << "\n" << RenderText(result.diagnostics);
    for (const Diagnostic& diagnostic : result.diagnostics) {
      if (path.filename() == kUnevenGroups && diagnostic.code == "MIL0906") continue;
      EXPECT_EQ(diagnostic.severity, Severity::kNote) << path << "\n" << RenderText(diagnostic);
    }
  }
}

}  // namespace
}  // namespace anex::mil
