#include "server/engine/compile/cache_manifest.h"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/str_cat.h"

namespace anex::engine {
namespace {

using Json = nlohmann::json;

constexpr std::array<const char*, 3> kKindNames = {"text", "weight", "artifact"};

std::string SealLine(std::string_view body) {
  return absl::StrCat("{\"sha256\":\"", Sha256Hex(body), "\"}\n");
}

absl::Status Corrupt(std::string_view why) {
  return absl::DataLossError(absl::StrCat("manifest: ", std::string(why)));
}

// The first line, if the second one seals it and nothing follows.
std::optional<std::string_view> Unseal(std::string_view bytes) {
  const size_t end = bytes.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view body = bytes.substr(0, end);
  if (bytes.substr(end + 1) != SealLine(body)) return std::nullopt;
  return body;
}

std::optional<std::string> Text(const Json& object, const char* key) {
  auto it = object.find(key);
  if (it == object.end() || !it->is_string()) return std::nullopt;
  return it->get<std::string>();
}

std::optional<uint64_t> Number(const Json& object, const char* key) {
  auto it = object.find(key);
  if (it == object.end() || !it->is_number_unsigned()) return std::nullopt;
  return it->get<uint64_t>();
}

std::optional<CachedFile> ReadFileEntry(const Json& entry) {
  if (!entry.is_object()) return std::nullopt;
  const auto kind = Text(entry, "kind"), path = Text(entry, "path"), sha = Text(entry, "sha256");
  const auto size = Number(entry, "size");
  if (!kind || !path || !sha || !size || !IsDigest(*sha)) return std::nullopt;
  for (size_t i = 0; i < kKindNames.size(); ++i) {
    if (*kind == kKindNames[i]) {
      return CachedFile{static_cast<CachedFile::Kind>(i), *path, {*size, *sha}};
    }
  }
  return std::nullopt;
}

absl::Status ReadFiles(const Json& body, CacheManifest& manifest) {
  auto files = body.find("files");
  if (files == body.end() || !files->is_array()) return Corrupt("no list of files");
  size_t texts = 0;
  for (const Json& entry : *files) {
    std::optional<CachedFile> file = ReadFileEntry(entry);
    if (!file) return Corrupt("a file's entry cannot be read");
    texts += file->kind == CachedFile::Kind::kText ? 1 : 0;
    manifest.files.push_back(*std::move(file));
  }
  return texts == 1 ? absl::OkStatus() : Corrupt("not exactly one text");
}

absl::Status ReadOptions(const Json& body, CacheManifest& manifest) {
  auto options = body.find("options");
  if (options == body.end() || !options->is_object()) return Corrupt("no options");
  for (const auto& [key, value] : options->items()) {
    if (!value.is_string()) return Corrupt("an option is not text");
    manifest.target.options[key] = value.get<std::string>();
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<std::string> CacheManifest::DiskNames() const {
  std::array<int, 3> count{};
  std::vector<std::string> names;
  for (const CachedFile& file : files) {
    const size_t kind = static_cast<size_t>(file.kind);
    names.push_back(file.kind == CachedFile::Kind::kText
                        ? std::string("text.mil")
                        : absl::StrCat(kKindNames[kind], ".", count[kind]++));
  }
  return names;
}

std::string EncodeManifest(const CacheManifest& manifest) {
  Json body = {{"format", kCacheFormat},
               {"digest", manifest.digest},
               {"name", manifest.name},
               {"device", manifest.target.device},
               {"compiler_version", manifest.target.compiler_version},
               {"engine_version", manifest.target.engine_version},
               {"options", manifest.target.options},
               {"created_unix_s", static_cast<uint64_t>(manifest.created_unix_s)},
               {"files", Json::array()}};
  for (const CachedFile& file : manifest.files) {
    body["files"].push_back({{"kind", kKindNames[static_cast<size_t>(file.kind)]},
                             {"path", file.path},
                             {"size", file.digest.size},
                             {"sha256", file.digest.sha256}});
  }
  // Names and paths may be any bytes; what is not UTF-8 is replaced here and so fails to verify
  // later rather than throwing now.
  const std::string line = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  return absl::StrCat(line, "\n", SealLine(line));
}

absl::StatusOr<CacheManifest> DecodeManifestUntrusted(std::string_view bytes_untrusted) {
  const std::optional<std::string_view> line = Unseal(bytes_untrusted);
  if (!line) return Corrupt("its hash does not fit");
  const Json body = Json::parse(*line, nullptr, /*allow_exceptions=*/false);
  if (!body.is_object()) return Corrupt("not an object");
  const auto format = Number(body, "format");
  if (!format) return Corrupt("no format");
  if (*format != kCacheFormat) {
    return absl::NotFoundError(absl::StrCat("of cache format ", *format));
  }
  CacheManifest manifest;
  const auto digest = Text(body, "digest"), name = Text(body, "name"),
             device = Text(body, "device"), compiler = Text(body, "compiler_version"),
             engine = Text(body, "engine_version");
  const auto created = Number(body, "created_unix_s");
  if (!digest || !IsDigest(*digest) || !name || !device || !compiler || !engine || !created) {
    return Corrupt("a field is missing");
  }
  manifest.digest = *digest;
  manifest.name = *name;
  manifest.target.device = *device;
  manifest.target.compiler_version = *compiler;
  manifest.target.engine_version = *engine;
  manifest.created_unix_s = static_cast<int64_t>(*created);
  if (absl::Status read = ReadOptions(body, manifest); !read.ok()) return read;
  if (absl::Status read = ReadFiles(body, manifest); !read.ok()) return read;
  return manifest;
}

}  // namespace anex::engine
