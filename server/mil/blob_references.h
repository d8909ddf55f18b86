// The BLOBFILE references of a program, found without its weights: for tools and tests that want to
// know what to send, or to make weights up.
#ifndef ANEX_SERVER_MIL_BLOB_REFERENCES_H_
#define ANEX_SERVER_MIL_BLOB_REFERENCES_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/mil/scalar_type.h"
#include "server/mil/types.h"

namespace anex::mil {

struct BlobReference {
  std::string path;     // without "@model_path/": the key of ProgramSource::weights
  uint64_t offset = 0;  // of the record
  ScalarType scalar;    // the element type as stored
  TensorType type;      // as a program has it (sub-byte elements unpacked)
  uint64_t bytes = 0;   // of the data in the file
};

// In source order, repetitions included. Statements that cannot be read are passed over.
std::vector<BlobReference> ListBlobReferences(std::string_view text);

// Writes `bytes` bytes of data for one reference.
using FillBlob = std::function<void(const BlobReference&, std::span<std::byte>)>;

// Weight files in which every reference is met: records at the offsets named, the data behind the
// last record. Where references of one place differ in type, the first one counts, and records that
// would overlap are left out; reading the program tells. The sum of all data may be at most
// `byte_limit`; beyond it files come out empty.
std::map<std::string, std::shared_ptr<const std::string>> MakeUpWeights(
    std::span<const BlobReference> references, const FillBlob& fill,
    uint64_t byte_limit = uint64_t{1} << 32);

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_BLOB_REFERENCES_H_
