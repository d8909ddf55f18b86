#include "server/mil/blob_file.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace anex::mil {
namespace {

struct Record {
  uint32_t sentinel = 0;
  uint32_t type = 0;
  uint64_t bytes = 0;
  uint64_t data_offset = 0;
  uint64_t padding_bits = 0;
};
static_assert(sizeof(Record) == 32);

struct TypeCode {
  std::string_view name;
  uint32_t code;
};
constexpr TypeCode kTypeCodes[] = {
    {"fp16", 1},   {"fp32", 2},   {"uint8", 3},  {"int8", 4},   {"bf16", 5},
    {"int16", 6},  {"uint16", 7}, {"int4", 8},   {"uint1", 9},  {"uint2", 10},
    {"uint4", 11}, {"uint3", 12}, {"uint6", 13}, {"int32", 14}, {"uint32", 15},
};

// 0 for types that the layout has no code for.
uint32_t CodeOf(const ScalarType& type) {
  for (const TypeCode& row : kTypeCodes) {
    if (row.name == type.name) return row.code;
  }
  return type.dtype == DType::kBool ? 3 : 0;
}

bool Fits(std::span<const std::byte> file, uint64_t offset, uint64_t bytes) {
  return offset <= file.size() && bytes <= file.size() - offset;
}

bool HasSentinel(std::span<const std::byte> file, uint64_t offset) {
  if (!Fits(file, offset, kBlobRecordBytes)) return false;
  uint32_t word;
  std::memcpy(&word, file.data() + offset, sizeof word);
  return word == kBlobSentinel;
}

absl::Status TooShort(std::span<const std::byte> file, uint64_t offset, uint64_t needed) {
  return absl::OutOfRangeError(absl::StrCat("the file ends at byte ", file.size(),
                                            ", but the data needs ", needed, " bytes from byte ",
                                            offset, " on"));
}

absl::StatusOr<BlobData> DataAt(std::span<const std::byte> file, uint64_t at, uint64_t needed,
                                std::string remark) {
  if (!Fits(file, at, needed)) return TooShort(file, at, needed);
  return BlobData{file.subspan(at, needed), std::move(remark)};
}

// What the program says counts, as it does where ANE projects run such files: records of theirs
// give made-up sizes and types.
std::string RemarkOn(const Record& record, const ScalarType& type, uint64_t needed) {
  if (record.bytes != needed) {
    return absl::StrCat("the record holds ", record.bytes, " bytes, but the declared type needs ",
                        needed, "; that many were taken");
  }
  if (record.type == CodeOf(type)) return "";
  return absl::StrCat("the record's data type code is ", record.type, ", not that of ",
                      std::string(type.name), "; the declared type was used");
}

// The data of the record at `at`: where the record says, or right behind it if it says nothing or
// what cannot be.
absl::StatusOr<BlobData> DataOfRecord(std::span<const std::byte> file, uint64_t at,
                                      const ScalarType& type, uint64_t needed) {
  Record record;
  std::memcpy(&record, file.data() + at, sizeof record);
  const uint64_t behind = at + kBlobRecordBytes;
  if (record.data_offset == 0) {
    return DataAt(file, behind, needed,
                  "the record names no data offset; the data was taken from behind it");
  }
  if (Fits(file, record.data_offset, needed)) {
    return DataAt(file, record.data_offset, needed, RemarkOn(record, type, needed));
  }
  if (!Fits(file, behind, needed)) return TooShort(file, record.data_offset, needed);
  return DataAt(file, behind, needed,
                absl::StrCat("the data would end past the file's last byte if it began at byte ",
                             record.data_offset, "; it was taken from behind the record"));
}

}  // namespace

uint64_t PackedBytes(const ScalarType& type, uint64_t elements) {
  const uint64_t bits = static_cast<uint64_t>(type.bits);
  return bits >= 8 ? elements * (bits / 8) : (elements * bits + 7) / 8;
}

absl::StatusOr<BlobData> FindBlob(std::span<const std::byte> file_untrusted,
                                  uint64_t offset_untrusted, const ScalarType& type,
                                  uint64_t elements) {
  const std::span<const std::byte> file = file_untrusted;
  const uint64_t needed = PackedBytes(type, elements);
  if (!HasSentinel(file, offset_untrusted)) {
    // A file without a header: its only record is at 0 and offset 64 is the data already.
    if (offset_untrusted == kBlobRecordBytes && HasSentinel(file, 0)) {
      return DataAt(file, kBlobRecordBytes, needed,
                    "the file has no header; the data was taken from byte 64");
    }
    return absl::NotFoundError(absl::StrCat("there is no weight record at byte ", offset_untrusted,
                                            " of ", file.size(),
                                            " (it would begin with EF BE AD DE)"));
  }
  return DataOfRecord(file, offset_untrusted, type, needed);
}

void Unpack(std::span<const std::byte> packed, const ScalarType& type, std::span<std::byte> out) {
  const unsigned bits = static_cast<unsigned>(type.bits);
  const unsigned mask = (1u << bits) - 1;
  const unsigned sign = type.dtype == DType::kInt8 ? 1u << (bits - 1) : 0;
  for (size_t i = 0; i < out.size(); ++i) {
    const size_t first = i * bits;
    unsigned pair = static_cast<unsigned>(packed[first / 8]);
    if (first / 8 + 1 < packed.size()) pair |= static_cast<unsigned>(packed[first / 8 + 1]) << 8;
    const unsigned value = (pair >> (first % 8)) & mask;
    out[i] = static_cast<std::byte>((value ^ sign) - sign);
  }
}

std::vector<std::byte> Pack(std::span<const std::byte> elements, const ScalarType& type) {
  const unsigned bits = static_cast<unsigned>(type.bits);
  std::vector<std::byte> packed(PackedBytes(type, elements.size()));
  for (size_t i = 0; i < elements.size(); ++i) {
    const size_t first = i * bits;
    const unsigned element = static_cast<unsigned>(elements[i]) & ((1u << bits) - 1);
    const unsigned pair = element << (first % 8);
    packed[first / 8] |= static_cast<std::byte>(pair);
    if (pair > 0xff) packed[first / 8 + 1] |= static_cast<std::byte>(pair >> 8);
  }
  return packed;
}

void WriteBlobRecord(const ScalarType& type, uint64_t bytes, uint64_t data_offset, char* out) {
  const Record record{
      .sentinel = kBlobSentinel, .type = CodeOf(type), .bytes = bytes, .data_offset = data_offset};
  std::memset(out, 0, kBlobRecordBytes);
  std::memcpy(out, &record, sizeof record);
}

BlobFileWriter::BlobFileWriter() : file_(kBlobRecordBytes, '\0') {}

uint64_t BlobFileWriter::Add(const ScalarType& type, std::span<const std::byte> data) {
  const uint64_t offset = file_.size();
  file_.resize(offset + kBlobRecordBytes);
  WriteBlobRecord(type, data.size(), offset + kBlobRecordBytes, file_.data() + offset);
  file_.append(reinterpret_cast<const char*>(data.data()), data.size());
  file_.resize((file_.size() + 63) / 64 * 64, '\0');
  ++count_;
  return offset;
}

std::string BlobFileWriter::Take() {
  const uint32_t head[2] = {count_, 2};
  std::memcpy(file_.data(), head, sizeof head);
  count_ = 0;
  return std::exchange(file_, std::string(kBlobRecordBytes, '\0'));
}

}  // namespace anex::mil
