// Weight files: the official layout and the hand-made ones, and everything that can be wrong with
// them. Files are put together byte by byte here, not with the writer under test.
#include "server/mil/blob_file.h"

#include <cstring>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/mil/blob_references.h"
#include "tests/mil/reading.h"

namespace anex::mil {
namespace {

using ::testing::HasSubstr;

template <typename T>
void Put(std::string& file, size_t at, T value) {
  if (file.size() < at + sizeof value) file.resize(at + sizeof value, '\0');
  std::memcpy(file.data() + at, &value, sizeof value);
}

void PutRecord(std::string& file, size_t at, uint32_t type, uint64_t bytes, uint64_t data) {
  Put<uint32_t>(file, at, 0xDEADBEEF);
  Put<uint32_t>(file, at + 4, type);
  Put<uint64_t>(file, at + 8, bytes);
  Put<uint64_t>(file, at + 16, data);
  if (file.size() < at + 64) file.resize(at + 64, '\0');
}

std::string Counting(size_t bytes) {
  std::string data(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) data[i] = static_cast<char>(i + 1);
  return data;
}

std::span<const std::byte> View(const std::string& file) {
  return std::as_bytes(std::span(file.data(), file.size()));
}

std::string Found(const std::string& file, uint64_t offset, std::string_view type,
                  uint64_t elements, std::string* remark = nullptr) {
  const auto data = FindBlob(View(file), offset, *FindScalarType(type), elements);
  if (!data.ok()) return std::string(data.status().message());
  if (remark != nullptr) *remark = data->remark;
  return std::string(reinterpret_cast<const char*>(data->bytes.data()), data->bytes.size());
}

TEST(BlobFile, ReadsTheOfficialLayout) {
  std::string file(64, '\0');
  Put<uint32_t>(file, 0, 1);
  Put<uint32_t>(file, 4, 2);
  PutRecord(file, 64, 1, 6, 128);
  file += Counting(6);
  std::string remark = "x";
  EXPECT_EQ(Found(file, 64, "fp16", 3, &remark), Counting(6));
  EXPECT_EQ(remark, "");
}

TEST(BlobFile, FindsUnalignedRecordsWhateverTheCountSays) {
  std::string file(64, '\0');
  Put<uint32_t>(file, 0, 1);  // one, though there are two
  PutRecord(file, 64, 4, 3, 128);
  file += "abc";
  PutRecord(file, 131, 4, 5, 195);
  file += "defgh";
  EXPECT_EQ(Found(file, 64, "int8", 3), "abc");
  EXPECT_EQ(Found(file, 131, "int8", 5), "defgh");
}

TEST(BlobFile, BenchmarkRecordsWithoutDataOffsetAreFollowedByTheirData) {
  std::string file(64, '\0');
  PutRecord(file, 64, 1, 0x80000, 0);
  file += Counting(8);
  std::string remark;
  EXPECT_EQ(Found(file, 64, "int8", 8, &remark), Counting(8));
  EXPECT_THAT(remark, HasSubstr("no data offset"));
  EXPECT_THAT(Found(file, 64, "int8", 9), HasSubstr("the file ends at byte 136"));
}

TEST(BlobFile, AFileWithoutHeaderHasItsDataAt64) {
  std::string file;
  PutRecord(file, 0, 1, 0x80000, 0);
  file += Counting(4);
  std::string remark;
  EXPECT_EQ(Found(file, 64, "int8", 4, &remark), Counting(4));
  EXPECT_THAT(remark, HasSubstr("no header"));
  EXPECT_EQ(Found(file, 0, "int8", 4), Counting(4));
}

// The declared type says how many there are, as where such files are run.
TEST(BlobFile, AnotherSizeIsRemarkedOnAsLongAsThereIsEnough) {
  std::string file(64, '\0');
  PutRecord(file, 64, 1, 6, 128);
  file += Counting(8);
  std::string remark;
  EXPECT_EQ(Found(file, 64, "fp16", 2, &remark), Counting(8).substr(0, 4));
  EXPECT_THAT(remark, HasSubstr("holds 6 bytes, but the declared type needs 4"));
  EXPECT_EQ(Found(file, 64, "fp16", 4, &remark), Counting(8));
  EXPECT_THAT(remark, HasSubstr("holds 6 bytes, but the declared type needs 8"));
  EXPECT_THAT(Found(file, 64, "fp16", 5), HasSubstr("the file ends at byte 136"));
}

TEST(BlobFile, WhereTheDataOffsetOverrunsTheDataIsBehindTheRecord) {
  std::string file(64, '\0');
  PutRecord(file, 64, 1, 6, 132);
  file += Counting(6);
  std::string remark;
  EXPECT_EQ(Found(file, 64, "fp16", 3, &remark), Counting(6));
  EXPECT_THAT(remark, HasSubstr("if it began at byte 132; it was taken from behind the record"));
  EXPECT_EQ(Found(file, 64, "fp16", 1, &remark), Counting(6).substr(4, 2));
  EXPECT_THAT(remark, HasSubstr("holds 6 bytes"));
}

TEST(BlobFile, WrongSizesAndTruncationAreToldApart) {
  std::string file(64, '\0');
  PutRecord(file, 64, 1, 6, 128);
  file += Counting(5);
  EXPECT_THAT(Found(file, 64, "fp16", 3), HasSubstr("ends at byte 133"));
  for (size_t size = 0; size < 128; ++size) {
    EXPECT_THAT(Found(file.substr(0, size), 64, "fp16", 3), HasSubstr("no weight record"));
  }
}

TEST(BlobFile, OffsetsThatOverflowAreNeverFollowed) {
  std::string file(64, '\0');
  PutRecord(file, 64, 1, 6, 128);
  file += Counting(6);
  for (uint64_t offset : {~uint64_t{0}, ~uint64_t{0} - 63, uint64_t{1} << 63, uint64_t{71}}) {
    EXPECT_THAT(Found(file, offset, "fp16", 3), HasSubstr("no weight record")) << offset;
  }
  for (uint64_t data : {~uint64_t{0}, ~uint64_t{0} - 5, uint64_t{1} << 63, uint64_t{130}}) {
    Put<uint64_t>(file, 64 + 16, data);
    EXPECT_EQ(Found(file, 64, "fp16", 3), Counting(6)) << data;
    EXPECT_THAT(Found(file, 64, "fp16", 4), HasSubstr("the file ends at byte 134")) << data;
  }
}

TEST(BlobFile, AnotherTypeCodeIsRemarkedOn) {
  std::string file(64, '\0');
  PutRecord(file, 64, 3, 4, 128);
  file += Counting(4);
  std::string remark;
  EXPECT_EQ(Found(file, 64, "fp16", 2, &remark), Counting(4));
  EXPECT_THAT(remark, HasSubstr("code is 3, not that of fp16"));
}

TEST(BlobFile, SubByteElementsAreUnpackedLowestBitsFirst) {
  const auto unpack = [](std::string packed, std::string_view type, size_t count) {
    std::vector<std::byte> out(count);
    Unpack(View(packed), *FindScalarType(type), out);
    std::vector<int> values;
    for (std::byte b : out) values.push_back(static_cast<int8_t>(b));
    return values;
  };
  EXPECT_EQ(unpack("\x21\x03", "uint4", 3), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(unpack("\xf7", "int4", 2), (std::vector<int>{7, -1}));
  EXPECT_EQ(unpack("\x05", "uint1", 4), (std::vector<int>{1, 0, 1, 0}));
  // 3 bits each: 1, 2, 3, 4, 5, 6 = 001 010 011 100 101 110 from the low end.
  EXPECT_EQ(unpack("\xd1\x58\x03", "uint3", 6), (std::vector<int>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(PackedBytes(*FindScalarType("uint3"), 6), 3u);
  EXPECT_EQ(PackedBytes(*FindScalarType("uint6"), 1), 1u);
}

TEST(BlobFile, PackIsTheInverseOfUnpack) {
  for (const ScalarType& type : kScalarTypes) {
    if (type.bits >= 8 || type.is_string()) continue;
    std::vector<std::byte> packed(13);
    for (size_t i = 0; i < packed.size(); ++i) packed[i] = static_cast<std::byte>(37 * i + 11);
    // The last element may end inside the last byte, whose other bits are zeros.
    const size_t elements = 13 * 8 / static_cast<size_t>(type.bits) - 1;
    packed.resize(PackedBytes(type, elements));
    const size_t used = elements * static_cast<size_t>(type.bits) % 8;
    if (used != 0) packed.back() &= static_cast<std::byte>((1u << used) - 1);
    std::vector<std::byte> out(elements);
    Unpack(packed, type, out);
    EXPECT_EQ(Pack(out, type), packed) << type.name;
  }
}

TEST(BlobFile, WhatTheWriterWritesIsRead) {
  BlobFileWriter writer;
  const std::string a = Counting(6), b = Counting(5);
  const uint64_t first = writer.Add(*FindScalarType("fp16"), View(a));
  const uint64_t second = writer.Add(*FindScalarType("int8"), View(b));
  const std::string file = writer.Take();
  EXPECT_EQ(first, 64u);
  EXPECT_EQ(second, 192u);
  EXPECT_EQ(file.size() % 64, 0u);
  std::string remark;
  EXPECT_EQ(Found(file, first, "fp16", 3, &remark), a);
  EXPECT_EQ(remark, "");
  EXPECT_EQ(Found(file, second, "int8", 5), b);
}

std::string WithBlob(std::string_view path, std::string_view offset, std::string_view type) {
  const std::string t(type);
  return Around("",
                t + " w = const()[val = " + t + "(BLOBFILE(path = string(\"" + std::string(path) +
                    "\"), offset = uint64(" + std::string(offset) + ")))];",
                "w");
}

TEST(BlobReference, PathsThatLeaveTheFolderAreRefused) {
  for (const char* path : {"../w.bin", "@model_path/../w.bin", "/etc/passwd", "a/../../b", "",
                           "@model_path//etc/passwd", "@model_path/", "a/./b", "a\\\\..\\\\b"}) {
    EXPECT_EQ(OnlyError(WithBlob(path, "64", "tensor<fp16, [3]>")).code, "MIL0502") << path;
  }
}

TEST(BlobReference, AMissingFileIsAnErrorOnlyWhenCompiling) {
  const ProgramSource source{.name = "t.mil",
                             .text = WithBlob("@model_path/w.bin", "64", "tensor<fp16, [3]>")};
  const FrontEndResult compiled = Read(source, MissingWeights::kError);
  ASSERT_EQ(compiled.diagnostics.size(), 1u);
  EXPECT_EQ(compiled.diagnostics[0].code, "MIL0501");
  const FrontEndResult checked = Read(source, MissingWeights::kNote);
  ASSERT_NE(checked.program, nullptr);
  EXPECT_EQ(checked.diagnostics[0].severity, Severity::kNote);
  EXPECT_EQ(*checked.program->functions[0].value(0).constant->AsDoubles(),
            (std::vector<double>{0, 0, 0}));
}

TEST(BlobReference, TheKeyMayCarryThePrefixAndTheBytesAreNotCopied) {
  std::string bytes(64, '\0');
  PutRecord(bytes, 64, 1, 6, 128);
  bytes += std::string("\x00\x3c\x00\x40\x00\x44", 6);
  const auto file = std::make_shared<const std::string>(bytes);
  for (const char* key : {"w.bin", "@model_path/w.bin"}) {
    ProgramSource source{.text = WithBlob("@model_path/w.bin", "64", "tensor<fp16, [3]>")};
    source.weights[key] = file;
    const FrontEndResult result = Read(source);
    ASSERT_NE(result.program, nullptr) << RenderText(result.diagnostics);
    source.weights.clear();  // the constant keeps the file
    const Constant& constant = *result.program->functions[0].value(0).constant;
    EXPECT_EQ(*constant.AsDoubles(), (std::vector<double>{1, 2, 4}));
    EXPECT_EQ(reinterpret_cast<const char*>(constant.bytes().data()), file->data() + 128);
  }
}

TEST(BlobReference, UnalignedDataIsCopiedToWhereItIsAligned) {
  std::string bytes(64, '\0');
  PutRecord(bytes, 64, 2, 4, 129);
  bytes += std::string("\xff\x00\x00\x80\x3f", 5);
  ProgramSource source{.text = WithBlob("w.bin", "64", "tensor<fp32, [1]>")};
  source.weights["w.bin"] = std::make_shared<const std::string>(bytes);
  const FrontEndResult result = Read(source);
  ASSERT_NE(result.program, nullptr) << RenderText(result.diagnostics);
  const Constant& constant = *result.program->functions[0].value(0).constant;
  EXPECT_EQ(*constant.AsDoubles(), std::vector<double>{1.0});
  EXPECT_EQ(reinterpret_cast<uintptr_t>(constant.bytes().data()) % 4, 0u);
}

TEST(BlobReference, BadOffsetsAreFindingsNotCrashes) {
  ProgramSource source;
  source.weights["w.bin"] = std::make_shared<const std::string>(std::string(200, '\0'));
  for (const char* offset : {"0", "64", "199", "18446744073709551615"}) {
    source.text = WithBlob("w.bin", offset, "tensor<fp16, [3]>");
    const FrontEndResult result = Read(source);
    ASSERT_EQ(result.diagnostics.size(), 1u);
    EXPECT_EQ(result.diagnostics[0].code, "MIL0503") << offset;
  }
  EXPECT_EQ(OnlyError(WithBlob("w.bin", "18446744073709551616", "tensor<fp16, [3]>")).code,
            "MIL0206");
  EXPECT_EQ(OnlyError(WithBlob("w.bin", "-1", "tensor<fp16, [3]>")).code, "MIL0206");
}

TEST(BlobReference, ListsAndMakesUpWhatAProgramNeeds) {
  const std::string text = WithBlob("@model_path/a/w.bin", "192", "tensor<uint4, [5]>");
  const std::vector<BlobReference> references = ListBlobReferences(text);
  ASSERT_EQ(references.size(), 1u);
  EXPECT_EQ(references[0].path, "a/w.bin");
  EXPECT_EQ(references[0].offset, 192u);
  EXPECT_EQ(references[0].bytes, 3u);
  EXPECT_EQ(references[0].type.ToString(), "tensor<uint8, [5]>");
  ProgramSource source{.text = text};
  source.weights = MakeUpWeights(references, [](const BlobReference&, std::span<std::byte> data) {
    data[0] = std::byte{0x21};
    data[2] = std::byte{0x0f};
  });
  const FrontEndResult result = Read(source);
  ASSERT_NE(result.program, nullptr) << RenderText(result.diagnostics);
  EXPECT_TRUE(result.diagnostics.empty()) << RenderText(result.diagnostics);
  EXPECT_EQ(*result.program->functions[0].value(0).constant->AsInts(),
            (std::vector<int64_t>{1, 2, 0, 0, 15}));
}

TEST(BlobReference, HostileOffsetsMakeUpNoHugeFiles) {
  const auto references =
      ListBlobReferences(WithBlob("w.bin", "18446744073709551600", "tensor<fp16, [3]>"));
  ASSERT_EQ(references.size(), 1u);
  const auto weights =
      MakeUpWeights(references, [](const BlobReference&, std::span<std::byte>) { FAIL(); });
  EXPECT_EQ(weights.at("w.bin")->size(), 0u);
}

}  // namespace
}  // namespace anex::mil
