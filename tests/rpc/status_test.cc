#include "server/rpc/status.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "anex/v1/common.pb.h"

namespace anex::rpc {
namespace {

v1::Status Details(const grpc::Status& status) {
  v1::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

// What HTTP/2 carries for a status: the message percent-encoded, the details as base64.
size_t BytesInTrailer(const grpc::Status& status) {
  size_t bytes = 0;
  for (unsigned char c : status.error_message()) bytes += c < 0x20 || c > 0x7E || c == '%' ? 3 : 1;
  return bytes + (status.error_details().size() + 2) / 3 * 4;
}

Diagnostic Finding(int line) {
  Diagnostic diagnostic;
  diagnostic.code = "MIL0103";
  diagnostic.message = "nothing is called `weights`";
  diagnostic.file = "model.mil";
  diagnostic.line = line;
  diagnostic.column = 7;
  diagnostic.source_line = "    tensor<fp16, [2, 3]> y = add(x = x, y = weights);";
  return diagnostic;
}

TEST(Status, EveryCanonicalCodeKeepsItsNumberAndMessage) {
  EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok());
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "lane_depth=256");
    const grpc::Status sent = ToGrpc(status);
    EXPECT_EQ(sent.error_code(), code);
    EXPECT_EQ(sent.error_message(), "lane_depth=256");
    EXPECT_EQ(Details(sent).code(), code);
    EXPECT_EQ(Details(sent).message(), "lane_depth=256");
  }
}

TEST(Status, FindingsTravelInTheDetails) {
  const grpc::Status sent =
      ToGrpc(absl::InvalidArgumentError("model.mil:3:7: ..."), {Finding(3), Finding(5)});
  EXPECT_EQ(sent.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const v1::Status details = Details(sent);
  ASSERT_EQ(details.details_size(), 1);
  v1::DiagnosticList list;
  ASSERT_TRUE(details.details(0).UnpackTo(&list));
  ASSERT_EQ(list.diagnostics_size(), 2);
  EXPECT_EQ(list.diagnostics(1).line(), 5);
  EXPECT_EQ(list.omitted(), 0u);
}

TEST(Status, TooManyFindingsAreCounted) {
  std::vector<Diagnostic> many;
  for (int line = 1; line <= 500; ++line) many.push_back(Finding(line));
  const grpc::Status sent = ToGrpc(absl::InvalidArgumentError("bad"), many);
  v1::DiagnosticList list;
  ASSERT_TRUE(Details(sent).details(0).UnpackTo(&list));
  EXPECT_GE(list.diagnostics_size(), 5);
  EXPECT_EQ(list.diagnostics_size() + static_cast<int>(list.omitted()), 500);
  EXPECT_EQ(list.diagnostics(0).line(), 1) << "the first ones are kept";
  EXPECT_LT(BytesInTrailer(sent), 7500u);
}

// gRPC's default bound for the metadata of a call is 8 KiB: over it, the client would learn
// RESOURCE_EXHAUSTED instead of what was wrong.
TEST(Status, AnyMessageFitsIntoATrailer) {
  const std::vector<Diagnostic> many(100, Finding(9));
  for (const std::string& piece :
       {std::string("x"), std::string("%"), std::string("\n"), std::string("\xC3\xA9"),
        std::string("\xFF"), std::string(1, '\0')}) {
    std::string text;
    while (text.size() < 100'000) text += piece;
    const absl::Status status = absl::InvalidArgumentError(text);
    EXPECT_LT(BytesInTrailer(ToGrpc(status)), 7500u) << "plain";
    EXPECT_LT(BytesInTrailer(ToGrpc(status, many)), 7500u) << "with findings";
    EXPECT_NE(ToGrpc(status).error_message().find("cut"), std::string::npos);
    EXPECT_EQ(Details(ToGrpc(status)).message(), ToGrpc(status).error_message());
  }
}

}  // namespace
}  // namespace anex::rpc
