// The examples in the headers of the SDK: compiled as they stand, so that none is cut or old.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "client/anex/anex.h"

namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;

// Each function is what its example takes for granted. Nothing calls them.
[[maybe_unused]] void OfConnect() {
#include "header_examples/connect.inc"
  (void)session;
}

[[maybe_unused]] void OfTensorView(anex::Surface& surface, const std::vector<float>& values) {
#include "header_examples/tensor_view.inc"
  (void)copied;
}

[[maybe_unused]] void OfKernel(anex::Kernel& kernel, anex::Surface& x, anex::Surface& y,
                               anex::ParameterSet& set) {
#include "header_examples/kernel.inc"
  (void)step;
}

[[maybe_unused]] void OfSession(anex::Session& session, anex::Kernel& kernel) {
#include "header_examples/session.inc"
  (void)y;
}

[[maybe_unused]] void OfParameterSet(anex::ParameterSet& set, const std::vector<float>& values) {
#include "header_examples/parameter_set.inc"
  (void)written, (void)generation;
}

[[maybe_unused]] void OfSubmissionQueue(anex::Lane& lane, anex::Invocation& step) {
#include "header_examples/submission_queue.inc"
  (void)sent, (void)first;
}

[[maybe_unused]] void OfChain(anex::Session& session, anex::Invocation& forward,
                              anex::Invocation& backward, anex::Surface& state_out,
                              anex::Surface& state_in) {
#include "header_examples/chain.inc"
  (void)steps;
}

// Code in a comment that the formatter may reflow was how examples were broken before.
TEST(HeaderExamplesTest, EveryExampleIsGuardedAgainstTheFormatter) {
  std::vector<std::string> unguarded;
  int examples = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(ANEX_SDK_FOLDER)) {
    if (entry.path().extension() != ".h") continue;
    bool guarded = false;
    std::ifstream header(entry.path());
    for (std::string line; std::getline(header, line);) {
      const size_t at = line.find_first_not_of(' ');
      const std::string text = at == std::string::npos ? "" : line.substr(at);
      if (text == "// clang-format off") guarded = true, ++examples;
      if (text == "// clang-format on") guarded = false;
      const bool code = text.starts_with("//   ");
      if (code && !guarded) unguarded.push_back(entry.path().filename().string() + ": " + text);
    }
    EXPECT_FALSE(guarded) << entry.path() << " does not end its example";
  }
  EXPECT_THAT(unguarded, IsEmpty());
  EXPECT_EQ(examples, 7) << "compile the new one above";
}

}  // namespace
