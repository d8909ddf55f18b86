// Weight files: where the data of one record lies. The official layout (storage version 2) and the
// hand-made ones that ANE projects write; GRAMMAR.md draws them all.
//
//     0   header       count u32, version u32 = 2, zeros to 64      (neither is relied on)
//     n   record       sentinel 0xDEADBEEF, type u32, bytes u64, data offset u64, padding bits u64,
//                      reserved to 64                               BLOBFILE's offset points here
//     m   data
//
// Everything read is untrusted: every offset is checked against the file without overflow. Pure
// functions and values, any thread.
#ifndef ANEX_SERVER_MIL_BLOB_FILE_H_
#define ANEX_SERVER_MIL_BLOB_FILE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/mil/scalar_type.h"

namespace anex::mil {

inline constexpr uint64_t kBlobRecordBytes = 64;
inline constexpr uint32_t kBlobSentinel = 0xDEADBEEF;

struct BlobData {
  std::span<const std::byte> bytes;  // exactly the bytes asked for; views the file
  std::string remark;                // what is odd about the record, or ""
};

// The data of the record at `offset_untrusted`, which must hold `elements` of `type`.
// NOT_FOUND: no record there. OUT_OF_RANGE: the file ends too early. Another size than the record's
// is remarked on only.
absl::StatusOr<BlobData> FindBlob(std::span<const std::byte> file_untrusted,
                                  uint64_t offset_untrusted, const ScalarType& type,
                                  uint64_t elements);

// Bytes that `elements` of `type` take in a file; sub-byte elements are packed without gaps.
uint64_t PackedBytes(const ScalarType& type, uint64_t elements);

// Sub-byte elements, lowest bits first, to one byte each, signed ones sign-extended.
// REQUIRES: packed.size() == PackedBytes(type, out.size()), type.bits < 8.
void Unpack(std::span<const std::byte> packed, const ScalarType& type, std::span<std::byte> out);

// The inverse. REQUIRES: type.bits < 8; every element fits.
std::vector<std::byte> Pack(std::span<const std::byte> elements, const ScalarType& type);

// Writes the 64 bytes of a record in the official layout to `out`.
void WriteBlobRecord(const ScalarType& type, uint64_t bytes, uint64_t data_offset, char* out);

// Writes a file in the official layout, record by record.
class BlobFileWriter {
 public:
  BlobFileWriter();
  // Appends one record and its data; returns the offset for BLOBFILE.
  uint64_t Add(const ScalarType& type, std::span<const std::byte> data);
  // The whole file. The writer is empty afterwards.
  std::string Take();
  bool empty() const { return count_ == 0; }

 private:
  std::string file_;
  uint32_t count_ = 0;
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_BLOB_FILE_H_
