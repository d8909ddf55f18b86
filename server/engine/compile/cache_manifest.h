// What an entry of the cache says about itself: pure text to values and back, fuzzed as it stands.
//
// Two lines of JSON. The first is the manifest, the second its SHA-256, so that no bit of the file
// can change unseen:
//
//   {"format":1,"digest":"..","name":"model.mil","device":"cpu",...,"files":[{"file":"text.mil",...}]}
//   {"sha256":"<of the first line, without its line break>"}
//
// Threads: pure functions and values.
#ifndef ANEX_SERVER_ENGINE_COMPILE_CACHE_MANIFEST_H_
#define ANEX_SERVER_ENGINE_COMPILE_CACHE_MANIFEST_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/engine/compile/program_digest.h"

namespace anex::engine {

inline constexpr int kCacheFormat = 1;
inline constexpr std::string_view kManifestFile = "manifest.jsonl";
// Bounds a reader's memory: 64 MiB is a hundred thousand weight files.
inline constexpr uint64_t kMostManifestBytes = 64ull << 20;

struct CachedFile {
  enum class Kind : uint8_t { kText = 0, kWeight = 1, kArtifact = 2 };
  Kind kind = Kind::kText;
  std::string path;  // of a weight: what BLOBFILE names; of an artifact: its name; of the text: ""
  FileDigest digest;
};

struct CacheManifest {
  std::string digest;
  std::string name;  // ProgramSource::name of who compiled it first
  CompileTarget target;
  int64_t created_unix_s = 0;
  std::vector<CachedFile> files;  // exactly one text

  // The name on disk of files[i]: "text.mil", "weight.0", "artifact.0", numbered by kind.
  std::vector<std::string> DiskNames() const;
};

std::string EncodeManifest(const CacheManifest& manifest);
// NOT_FOUND for one that is whole but of another format. DATA_LOSS for anything else that is not
// exactly what EncodeManifest writes.
absl::StatusOr<CacheManifest> DecodeManifestUntrusted(std::string_view bytes_untrusted);

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_COMPILE_CACHE_MANIFEST_H_
