#include "proto/wire/ring_layout.h"

#include <bit>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

namespace anex {
namespace {

absl::Status CheckEntries(const char* what, uint32_t entries) {
  if (std::has_single_bit(entries) && entries <= kMostRingEntries) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(what, " must be a power of two from 1 to ",
                                                 kMostRingEntries, ", found ", entries));
}

}  // namespace

absl::StatusOr<RingGeometry> RingGeometry::Make(uint32_t submission_entries,
                                                uint32_t completion_entries) {
  absl::Status good = CheckEntries("submission_entries", submission_entries);
  if (good.ok()) good = CheckEntries("completion_entries", completion_entries);
  if (!good.ok()) return good;
  if (completion_entries < submission_entries) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a ring needs a place for the completion of each submission: completion_entries is ",
        completion_entries, ", submission_entries ", submission_entries));
  }
  return RingGeometry{submission_entries, completion_entries};
}

RingHeader RingGeometry::Header() const {
  return {kRingMagic,       kRingLayoutVersion, submission_entries, completion_entries,
          submissions_at(), completions_at(),   texts_at(),         bytes()};
}

absl::StatusOr<RingGeometry> RingGeometry::FromHeader(const RingHeader& header_untrusted,
                                                      uint64_t region_bytes) {
  const RingHeader& header = header_untrusted;
  if (header.magic != kRingMagic) return absl::InvalidArgumentError("this memory holds no ring");
  if (header.version != kRingLayoutVersion) {
    return absl::FailedPreconditionError(absl::StrCat("the ring has layout version ",
                                                      header.version, "; this program knows ",
                                                      kRingLayoutVersion));
  }
  absl::StatusOr<RingGeometry> geometry =
      Make(header.submission_entries, header.completion_entries);
  if (!geometry.ok()) return geometry;
  const RingHeader expected = geometry->Header();
  if (std::memcmp(&expected, &header, sizeof(header)) != 0) {
    return absl::InvalidArgumentError("the ring's header contradicts itself");
  }
  if (region_bytes < geometry->bytes()) {
    return absl::InvalidArgumentError(absl::StrCat("the ring needs ", geometry->bytes(),
                                                   " bytes, its memory has ", region_bytes));
  }
  return geometry;
}

}  // namespace anex
