#include "client/transport/grpc_program_stream.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "proto/convert/kernel_convert.h"
#include "proto/convert/utf8.h"
#include "proto/values/sha256.h"

namespace anex {
namespace {

using Write = std::function<bool(const v1::ProgramPart&)>;

v1::ProgramPart Header(const ProgramSource& source, const CompileOptions& options,
                       CheckPurpose purpose) {
  v1::ProgramPart part;
  v1::ProgramPart::Header& header = *part.mutable_header();
  header.set_name(convert::ToUtf8(source.name));  // shown only
  convert::ToProto(options, header.mutable_options());
  header.set_text_bytes(source.text.size());
  header.set_for_compile(purpose == CheckPurpose::kCompile);
  for (const auto& [path, content] : source.weights) {
    v1::ProgramPart::WeightFile& file = *header.add_weights();
    file.set_path(path);
    file.set_bytes(content->size());
  }
  return part;
}

bool SendText(const std::string& text, const Write& write) {
  for (size_t at = 0; at < text.size(); at += kProgramPiece) {
    v1::ProgramPart part;
    part.set_text(text.substr(at, kProgramPiece));
    if (!write(part)) return false;
  }
  return true;
}

bool SendFile(uint32_t index, const std::string& content, const Write& write) {
  for (size_t at = 0; at < content.size(); at += kProgramPiece) {
    v1::ProgramPart part;
    v1::ProgramPart::WeightPiece& piece = *part.mutable_weights();
    piece.set_file(index);
    piece.set_offset(at);
    piece.set_data(content.substr(at, kProgramPiece));
    if (!write(part)) return false;
  }
  return true;
}

}  // namespace

std::string ProgramKey(const std::string& content_sha256, const ProgramSource& source,
                       const CompileOptions& options) {
  std::string key = absl::StrCat(content_sha256, source.text.size(), "\n");
  for (const auto& [path, content] : source.weights) {
    absl::StrAppend(&key, path.size(), ":", path, "=", content->size(), "\n");
  }
  absl::StrAppend(&key, options.device);
  for (const auto& [name, value] : options.options) absl::StrAppend(&key, "\n", name, "=", value);
  return key;
}

absl::Status CheckSendable(const ProgramSource& source) {
  for (const auto& [path, content] : source.weights) {
    if (convert::ToUtf8(path) != path) {
      return absl::InvalidArgumentError(absl::StrCat("the weight path \"", absl::CHexEscape(path),
                                                     "\" is not UTF-8: rename the file"));
    }
  }
  return absl::OkStatus();
}

std::string ContentSha256(const ProgramSource& source) {
  Sha256 hash;
  hash.Update(source.text);
  for (const auto& [path, content] : source.weights) hash.Update(*content);
  return hash.Finish();
}

uint64_t WeightBytes(const ProgramSource& source) {
  uint64_t bytes = 0;
  for (const auto& [path, content] : source.weights) bytes += content->size();
  return bytes;
}

void SendProgram(const ProgramSource& source, const CompileOptions& options,
                 const std::string& content_sha256, const Write& write, CheckPurpose purpose) {
  if (!write(Header(source, options, purpose)) || !SendText(source.text, write)) return;
  uint32_t index = 0;
  for (const auto& [path, content] : source.weights) {
    if (!SendFile(index++, *content, write)) return;
  }
  v1::ProgramPart part;
  part.mutable_trailer()->set_total_bytes(source.text.size() + WeightBytes(source));
  part.mutable_trailer()->set_content_sha256(content_sha256);
  write(part);
}

}  // namespace anex
