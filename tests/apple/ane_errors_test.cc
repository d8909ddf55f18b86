#include "server/device/apple/ane_errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace anex::device::apple {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

TEST(AneErrors, CodesAscendAndEachSaysSomething) {
  int64_t last = 0;
  for (const AneErrorCode& code : AneErrorCodes()) {
    EXPECT_GT(code.code, last);
    EXPECT_FALSE(code.meaning.empty());
    EXPECT_NE(code.status, absl::StatusCode::kOk);
    last = code.code;
  }
  EXPECT_EQ(last, 29);
}

TEST(AneErrors, WhatApplesCodesBecome) {
  const auto code = [](int64_t given) {
    return ExplainError("load", kAneDomain, given, "").code();
  };
  EXPECT_EQ(code(1), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(code(3), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(code(6), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(code(7), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(code(15), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(code(23), absl::StatusCode::kNotFound);
  EXPECT_EQ(code(29), absl::StatusCode::kUnavailable);
}

TEST(AneErrors, SaysWhatWasTriedAndBothSidesWords) {
  const std::string text =
      Message(ExplainError("evaluate", kAneDomain, 8, "Inference failed: status=0x1D"));
  EXPECT_THAT(text, HasSubstr("evaluate: com.apple.appleneuralengine/8: "));
  EXPECT_THAT(text, HasSubstr("another size than the port wants"));
  EXPECT_THAT(text, HasSubstr("(Apple says: Inference failed: status=0x1D)"));
}

TEST(AneErrors, ALongerNumberIsAnotherNumber) {
  EXPECT_THAT(Message(ExplainError("evaluate", kAneDomain, 8, "status=0x1d4")),
              Not(HasSubstr("another size")));
  EXPECT_THAT(Message(ExplainError("evaluate", kAneDomain, 8, "status=0x2")),
              HasSubstr("symbols of another function"));
  EXPECT_THAT(Message(ExplainError("evaluate", kAneDomain, 8, "status=0x22")),
              Not(HasSubstr("symbols of another function")));
}

TEST(AneErrors, TheCompilersRefusalIsTheProgramsFault) {
  const absl::Status status =
      ExplainError("compile", kAneCompilerDomain, 1, "ANECCompile() FAILED");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(status), HasSubstr("anectl check --device ane"));
}

TEST(AneErrors, WhatNobodyKnowsIsSaidToBeUnknown) {
  for (const auto& status : {ExplainError("load", kAneDomain, 28, "?"),
                             ExplainError("load", "NSCocoaErrorDomain", 1, "?")}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
    EXPECT_THAT(Message(status), HasSubstr("not known to anexd"));
  }
}

}  // namespace
}  // namespace anex::device::apple
