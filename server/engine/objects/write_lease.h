// Who may write a parameter set's back buffer, until when, and how far a streamed update has come.
//
// Threads: none of its own; the parameter set that it belongs to serialises all calls.
// Invariants: per parameter, accepted chunks follow one another without gap or overlap from element
// 0; after the first refused chunk the lease is spoiled and can only be aborted.
#ifndef ANEX_SERVER_ENGINE_OBJECTS_WRITE_LEASE_H_
#define ANEX_SERVER_ENGINE_OBJECTS_WRITE_LEASE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/values/parameter_values.h"

namespace anex::engine {

// Names a lease within its set; never reused, 0 is none.
using LeaseNumber = uint64_t;

// What BeginWrite grants.
struct LeaseTerms {
  LeaseNumber number = 0;
  uint32_t buffer = 0;
  uint64_t generation = 0;  // Publish makes it this one
  int64_t expires_ns = 0;   // monotonic
};

class Lease {
 public:
  Lease(const LeaseTerms& terms, size_t parameters) : terms_(terms), written_(parameters, 0) {}

  const LeaseTerms& terms() const { return terms_; }
  bool ExpiredAt(int64_t now_ns) const { return now_ns >= terms_.expires_ns; }

  // Checks a chunk for parameter `index` of `layout`: DATA_LOSS for a wrong checksum, OUT_OF_RANGE
  // for gap, overlap, overrun; INVALID_ARGUMENT for a dtype that is not the parameter's (fp32 is
  // taken for fp16 too) or bytes that are no whole elements. Spoils the lease on failure. Returns
  // the number of elements.
  // `found_crc32` is that of chunk.data, computed by the caller: it takes milliseconds, and this is
  // called with the set locked.
  absl::StatusOr<uint64_t> Accept(size_t index, const std::string& name, const TensorLayout& layout,
                                  const WeightChunk& chunk, uint32_t found_crc32);
  void Wrote(size_t index, uint64_t elements) { written_[index] += elements; }
  void Spoil(const absl::Status& why) { spoiled_.Update(why); }

  // FAILED_PRECONDITION if spoiled, or if a parameter was begun and not finished.
  absl::Status CheckComplete(const std::vector<std::string>& names,
                             const std::vector<uint64_t>& element_counts) const;

 private:
  absl::StatusOr<uint64_t> CheckChunk(size_t index, const TensorLayout& layout,
                                      const WeightChunk& chunk, uint32_t found_crc32) const;

  const LeaseTerms terms_;
  std::vector<uint64_t> written_;  // elements so far, per parameter
  absl::Status spoiled_;
};

// CRC-32 of zlib, as WeightChunk::crc32 has it.
uint32_t Crc32(const std::string& data);

// Stores `elements` of chunk.data into a tensor of `layout` at `tensor`, row-major from
// chunk.element_offset; fp32 is rounded once, to nearest even, where the tensor is fp16.
// REQUIRES: Lease::Accept took the chunk.
void StoreElements(const WeightChunk& chunk, uint64_t elements, const TensorLayout& layout,
                   std::byte* tensor);

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_OBJECTS_WRITE_LEASE_H_
