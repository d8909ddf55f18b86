#include "server/rpc/compile_stream.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/convert/kernel_convert.h"
#include "proto/values/sha256.h"
#include "server/engine/limits.h"

namespace anex::rpc {
namespace {

constexpr int kMaxFiles = 4096;
constexpr size_t kMaxName = 256, kMaxPath = 1024;
constexpr uint64_t kMaxReserve = uint64_t{64} << 20;  // memory taken on a header's word alone

absl::Status Invalid(const std::string& what) { return absl::InvalidArgumentError(what); }

// Lengths go first, so that no two programs are spelled alike.
std::string Fingerprint(const ShippedProgram& program) {
  std::string print = absl::StrCat(program.source.name.size(), ":", program.source.name,
                                   program.options.device.size(), ":", program.options.device);
  for (const auto& [key, value] : program.options.options) {
    absl::StrAppend(&print, key.size(), ":", key, value.size(), ":", value);
  }
  for (const auto& [path, bytes] : program.source.weights) {
    absl::StrAppend(&print, path.size(), ":", path, bytes->size(), ";");
  }
  return absl::StrCat(print, program.content_sha256);
}

}  // namespace

absl::Status CompileStream::Add(v1::ProgramPart&& part) {
  if (state_ == State::kWhole) return Invalid("nothing follows a program's trailer");
  if ((state_ == State::kWantsHeader) != (part.part_case() == v1::ProgramPart::kHeader)) {
    return Invalid("a program comes as one header, then text, weights and a trailer");
  }
  switch (part.part_case()) {
    case v1::ProgramPart::kHeader:
      return AddHeader(part.header());
    case v1::ProgramPart::kText:
      return AddText(part.text());
    case v1::ProgramPart::kWeights:
      return AddWeights(part.weights());
    case v1::ProgramPart::kTrailer:
      return AddTrailer(part.trailer());
    case v1::ProgramPart::PART_NOT_SET:
      break;
  }
  return Invalid("a part of a program that says nothing");
}

absl::Status CompileStream::AddHeader(const v1::ProgramPart::Header& header) {
  if (header.name().size() > kMaxName)
    return Invalid(absl::StrCat("a name of ", header.name().size(), " bytes; at most ", kMaxName));
  if (header.text_bytes() > max_text_bytes_) {
    return engine::Bound("compile_text_bytes", max_text_bytes_)
        .Exceeded(absl::StrCat("the program's text has ", header.text_bytes()));
  }
  if (header.weights_size() > kMaxFiles) {
    return Invalid(absl::StrCat(header.weights_size(), " weight files; at most ", kMaxFiles));
  }
  std::set<std::string> paths;
  uint64_t weight_bytes = 0;
  for (const auto& file : header.weights()) {
    if (file.path().size() > kMaxPath || !paths.insert(file.path()).second) {
      return Invalid("a weight file's path is there twice or too long");
    }
    if (file.bytes() > max_weight_bytes_ - weight_bytes) {
      return engine::Bound("compile_weight_bytes", max_weight_bytes_)
          .Exceeded("the weight files have more");
    }
    weight_bytes += file.bytes();
    files_.push_back({file.path(), "", file.bytes()});
  }
  auto options = convert::FromProto(header.options());
  if (!options.ok()) return options.status();
  if (admit_) {
    if (absl::Status room = admit_(header.text_bytes() + weight_bytes); !room.ok()) return room;
  }
  program_.options = *std::move(options);
  program_.source.name = header.name().empty() ? "program.mil" : header.name();
  program_.idempotency_key = header.idempotency_key();
  program_.for_compile = header.for_compile();
  text_bytes_ = header.text_bytes();
  total_bytes_ = text_bytes_ + weight_bytes;
  state_ = State::kWantsContent;
  return absl::OkStatus();
}

absl::Status CompileStream::AddText(const std::string& text) {
  if (text.size() > text_bytes_ - program_.source.text.size()) {
    return absl::OutOfRangeError(
        absl::StrCat("more text than the ", text_bytes_, " bytes of the header"));
  }
  program_.source.text += text;
  return absl::OkStatus();
}

absl::Status CompileStream::AddWeights(const v1::ProgramPart::WeightPiece& piece) {
  if (!TextIsWhole()) return Invalid("weights came before the whole text");
  while (file_ < files_.size() && files_[file_].bytes.size() == files_[file_].size) ++file_;
  if (file_ >= files_.size() || piece.file() != file_) {
    return absl::OutOfRangeError(
        absl::StrCat("a piece of weight file ", piece.file(), " came out of the header's order"));
  }
  File& file = files_[file_];
  if (piece.offset() != file.bytes.size() || piece.data().size() > file.size - file.bytes.size()) {
    return absl::OutOfRangeError(absl::StrCat("weight file ", file_, ": ", piece.data().size(),
                                              " bytes at ", piece.offset(), ", expected at ",
                                              file.bytes.size(), " of ", file.size,
                                              "; pieces come without gap or overlap"));
  }
  if (file.bytes.empty()) file.bytes.reserve(std::min(file.size, kMaxReserve));
  file.bytes += piece.data();
  return absl::OkStatus();
}

absl::Status CompileStream::AddTrailer(const v1::ProgramPart::Trailer& trailer) {
  if (trailer.total_bytes() != total_bytes_) {
    return Invalid(absl::StrCat("the trailer counts ", trailer.total_bytes(), " bytes, the header ",
                                total_bytes_));
  }
  if (!trailer.content_sha256().empty() && trailer.content_sha256().size() != 32) {
    return Invalid("content_sha256 is 32 bytes or empty");
  }
  announced_sha256_ = trailer.content_sha256();
  state_ = State::kWhole;
  return absl::OkStatus();
}

absl::StatusOr<ShippedProgram> CompileStream::Finish() {
  if (state_ != State::kWhole)
    return Invalid("the stream ended before the program's trailer; nothing was compiled");
  if (!TextIsWhole())
    return Invalid(absl::StrCat("the text ended after ", program_.source.text.size(), " of ",
                                text_bytes_, " bytes"));
  Sha256 content;
  content.Update(program_.source.text);
  for (const File& file : files_) {
    if (file.bytes.size() != file.size) {
      return Invalid(absl::StrCat("a weight file ended after ", file.bytes.size(), " of ",
                                  file.size, " bytes"));
    }
    content.Update(file.bytes);
  }
  program_.content_sha256 = content.Finish();
  if (!announced_sha256_.empty() && announced_sha256_ != program_.content_sha256) {
    return absl::DataLossError("the program's SHA-256 does not match its trailer; send it again");
  }
  for (File& file : files_) {
    program_.source.weights[file.path] = std::make_shared<const std::string>(std::move(file.bytes));
  }
  program_.fingerprint = Fingerprint(program_);
  return std::move(program_);
}

}  // namespace anex::rpc
