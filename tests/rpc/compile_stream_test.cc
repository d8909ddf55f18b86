#include "server/rpc/compile_stream.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace anex::rpc {
namespace {

using Part = v1::ProgramPart;
using Code = absl::StatusCode;

constexpr uint64_t kMaxText = 100, kMaxWeights = 1000;

// text "abcdefg", files a.bin = "12345" and b.bin = "" and c.bin = "xyz".
Part Header() {
  Part part;
  part.mutable_header()->set_name("m.mil");
  part.mutable_header()->set_text_bytes(7);
  part.mutable_header()->set_idempotency_key("key");
  part.mutable_header()->mutable_options()->set_device("cpu");
  for (const auto& [path, size] :
       {std::pair("a.bin", 5), std::pair("b.bin", 0), std::pair("c.bin", 3)}) {
    auto* file = part.mutable_header()->add_weights();
    file->set_path(path);
    file->set_bytes(size);
  }
  return part;
}
Part Text(const std::string& text) {
  Part part;
  part.set_text(text);
  return part;
}
Part Weights(uint32_t file, uint64_t offset, const std::string& data) {
  Part part;
  part.mutable_weights()->set_file(file);
  part.mutable_weights()->set_offset(offset);
  part.mutable_weights()->set_data(data);
  return part;
}
Part Trailer(uint64_t total, const std::string& sha = "") {
  Part part;
  part.mutable_trailer()->set_total_bytes(total);
  part.mutable_trailer()->set_content_sha256(sha);
  return part;
}
std::vector<Part> Good() {
  return {Header(),
          Text("abc"),
          Text("defg"),
          Weights(0, 0, "12"),
          Weights(0, 2, "345"),
          Weights(2, 0, "xyz"),
          Trailer(15)};
}

absl::StatusOr<ShippedProgram> Ship(const std::vector<Part>& parts) {
  CompileStream stream(kMaxText, kMaxWeights);
  for (Part part : parts) {
    if (absl::Status added = stream.Add(std::move(part)); !added.ok()) return added;
  }
  return stream.Finish();
}

TEST(CompileStream, PutsAProgramTogether) {
  const auto program = Ship(Good());
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_EQ(program->source.name, "m.mil");
  EXPECT_EQ(program->source.text, "abcdefg");
  ASSERT_EQ(program->source.weights.size(), 3u);
  EXPECT_EQ(*program->source.weights.at("a.bin"), "12345");
  EXPECT_EQ(*program->source.weights.at("b.bin"), "");
  EXPECT_EQ(*program->source.weights.at("c.bin"), "xyz");
  EXPECT_EQ(program->options.device, "cpu");
  EXPECT_EQ(program->idempotency_key, "key");
}

// printf abcdefg12345xyz | sha256sum
constexpr char kSha[] =
    "\xa2\x2e\xf9\xe7\x41\x2c\x43\xa6\xa5\xed\x4d\xdd\x39\x28\xd5\xd7"
    "\x25\xf8\x52\xc0\xfc\x2b\x74\x79\x8d\x56\xbb\x0d\xc4\x31\x13\x12";

TEST(CompileStream, ChecksTheContentAgainstItsDigest) {
  auto parts = Good();
  parts.back() = Trailer(15, std::string(kSha, 32));
  EXPECT_TRUE(Ship(parts).ok()) << Ship(parts).status();
  parts[4] = Weights(0, 2, "346");
  EXPECT_EQ(Ship(parts).status().code(), Code::kDataLoss);
  parts.back() = Trailer(15, "short");
  EXPECT_EQ(Ship(parts).status().code(), Code::kInvalidArgument);
}

TEST(CompileStream, EveryTruncationIsRefused) {
  const auto parts = Good();
  for (size_t kept = 0; kept < parts.size(); ++kept) {
    const auto result = Ship({parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(kept)});
    EXPECT_EQ(result.status().code(), Code::kInvalidArgument) << "after " << kept << " parts";
  }
}

TEST(CompileStream, EveryPartMissingIsRefused) {
  for (size_t missing = 0; missing < Good().size(); ++missing) {
    auto parts = Good();
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(missing));
    EXPECT_FALSE(Ship(parts).ok()) << "without part " << missing;
  }
}

TEST(CompileStream, EverySwapAndRepeatIsRefused) {
  for (size_t i = 0; i + 1 < Good().size(); ++i) {
    auto repeated = Good();
    repeated.insert(repeated.begin() + static_cast<std::ptrdiff_t>(i), repeated[i]);
    EXPECT_FALSE(Ship(repeated).ok()) << "part " << i << " twice";
    if (i == 1) continue;  // two pieces of text: the swap is another text of the same size
    auto swapped = Good();
    std::swap(swapped[i], swapped[i + 1]);
    EXPECT_FALSE(Ship(swapped).ok()) << "parts " << i << " and " << i + 1;
  }
}

struct Case {
  const char* what;
  std::function<void(std::vector<Part>&)> spoil;
  Code code;
};

TEST(CompileStream, SizesThatDoNotAddUpAreRefused) {
  const std::vector<Case> cases = {
      {"a gap", [](auto& p) { p[4] = Weights(0, 3, "45"); }, Code::kOutOfRange},
      {"an overlap", [](auto& p) { p[4] = Weights(0, 1, "2345"); }, Code::kOutOfRange},
      {"an overrun", [](auto& p) { p[4] = Weights(0, 2, "3456"); }, Code::kOutOfRange},
      {"an offset that wraps", [](auto& p) { p[4] = Weights(0, UINT64_MAX - 1, "345"); },
       Code::kOutOfRange},
      {"an unknown file", [](auto& p) { p[5] = Weights(7, 0, "xyz"); }, Code::kOutOfRange},
      {"the empty file", [](auto& p) { p[5] = Weights(1, 0, "xyz"); }, Code::kOutOfRange},
      {"too much text", [](auto& p) { p[2] = Text("defgh"); }, Code::kOutOfRange},
      {"a wrong total", [](auto& p) { p.back() = Trailer(14); }, Code::kInvalidArgument},
      {"an empty part", [](auto& p) { p[3] = Part(); }, Code::kInvalidArgument},
  };
  for (const Case& c : cases) {
    auto parts = Good();
    c.spoil(parts);
    EXPECT_EQ(Ship(parts).status().code(), c.code) << c.what << ": " << Ship(parts).status();
  }
}

TEST(CompileStream, HeadersAreCheckedBeforeAByteIsKept) {
  const std::vector<Case> cases = {
      {"text over its bound", [](auto& p) { p[0].mutable_header()->set_text_bytes(101); },
       Code::kResourceExhausted},
      {"weights over their bound",
       [](auto& p) { p[0].mutable_header()->mutable_weights(1)->set_bytes(993); },
       Code::kResourceExhausted},
      {"weights whose sum wraps",
       [](auto& p) { p[0].mutable_header()->mutable_weights(1)->set_bytes(UINT64_MAX - 2); },
       Code::kResourceExhausted},
      {"one path twice",
       [](auto& p) { p[0].mutable_header()->mutable_weights(2)->set_path("a.bin"); },
       Code::kInvalidArgument},
      {"a path too long",
       [](auto& p) { p[0].mutable_header()->mutable_weights(2)->set_path(std::string(2000, 'p')); },
       Code::kInvalidArgument},
      {"a name too long", [](auto& p) { p[0].mutable_header()->set_name(std::string(257, 'n')); },
       Code::kInvalidArgument},
      {"too many files",
       [](auto& p) {
         for (int i = 0; i < 4097; ++i) {
           p[0].mutable_header()->add_weights()->set_path("f" + std::to_string(i));
         }
       },
       Code::kInvalidArgument},
  };
  for (const Case& c : cases) {
    auto parts = Good();
    c.spoil(parts);
    CompileStream stream(kMaxText, kMaxWeights);
    EXPECT_EQ(stream.Add(std::move(parts[0])).code(), c.code) << c.what;
  }
}

}  // namespace
}  // namespace anex::rpc
