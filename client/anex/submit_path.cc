#include "client/anex/submit_path.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace anex {
namespace {

std::string Note(std::string_view what, const absl::Status& why) {
  return absl::StrCat("no ", std::string(what), ": ", std::string(why.message()));
}

// The whole session is gone, not just this way: there is nothing to fall back to.
bool SessionOver(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsUnauthenticated(status);
}

absl::StatusOr<std::unique_ptr<SubmissionStream>> OpenRing(Transport& transport, LaneId lane,
                                                           uint32_t credits) {
  if (lane) return transport.OpenRing(lane, credits);
  return absl::InvalidArgumentError(
      "a ring is of one lane: open the queue from the lane that it is for");
}

}  // namespace

std::string_view SubmitModeName(SubmitMode mode) {
  switch (mode) {
    case SubmitMode::kUnary:
      return "unary";
    case SubmitMode::kStream:
      return "stream";
    case SubmitMode::kRing:
      return "ring";
    case SubmitMode::kBest:
      return "best";
  }
  return "?";
}

namespace internal {

absl::StatusOr<SubmitPath> OpenPath(Transport& transport, LaneId lane, SubmitMode mode,
                                    uint32_t credits) {
  const bool best = mode == SubmitMode::kBest;
  SubmitPath path;
  if (mode == SubmitMode::kRing || best) {
    absl::StatusOr<std::unique_ptr<SubmissionStream>> ring = OpenRing(transport, lane, credits);
    if (ring.ok()) return SubmitPath{SubmitMode::kRing, *std::move(ring), ""};
    if (!best || SessionOver(ring.status())) return ring.status();
    path.note = Note("ring", ring.status());
  }
  if (mode == SubmitMode::kStream || best) {
    absl::StatusOr<std::unique_ptr<SubmissionStream>> stream = transport.OpenStream(credits);
    if (stream.ok()) {
      return SubmitPath{SubmitMode::kStream, *std::move(stream), std::move(path.note)};
    }
    if (!best || SessionOver(stream.status())) return stream.status();
    absl::StrAppend(&path.note, "; ", Note("stream", stream.status()));
  }
  return path;
}

}  // namespace internal
}  // namespace anex
