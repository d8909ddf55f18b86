#include "server/engine/compile/program_digest.h"

#include <optional>
#include <utility>

#include "server/mil/canonical.h"

namespace anex::engine {
namespace {

void AddFile(Sha256& hash, const FileDigest& file) {
  hash.UpdateNumber(file.size);
  hash.UpdateFramed(file.sha256);
}

}  // namespace

bool IsDigest(std::string_view text) {
  if (text.size() != 64) return false;
  for (char c : text) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

FileDigest DigestOf(std::string_view bytes) { return {bytes.size(), Sha256Hex(bytes)}; }

std::string DigestedText(std::string_view text) {
  std::optional<std::string> canonical = mil::CanonicalKey(text);
  return canonical.has_value() ? *std::move(canonical) : std::string(text);
}

std::map<std::string, FileDigest> DigestWeights(const ProgramSource& source) {
  std::map<std::string, FileDigest> weights;
  for (const auto& [path, bytes] : source.weights) {
    weights.emplace(path, DigestOf(bytes ? std::string_view(*bytes) : std::string_view()));
  }
  return weights;
}

SourceDigests DigestSource(const ProgramSource& source) {
  return {.text = DigestOf(DigestedText(source.text)), .weights = DigestWeights(source)};
}

std::string ProgramDigest(const SourceDigests& source, const CompileTarget& target) {
  Sha256 hash;
  hash.UpdateFramed("anexd program v2");
  hash.UpdateFramed(target.engine_version);
  hash.UpdateFramed(target.device);
  hash.UpdateFramed(target.compiler_version);
  hash.UpdateNumber(target.options.size());
  for (const auto& [key, value] : target.options) {
    hash.UpdateFramed(key);
    hash.UpdateFramed(value);
  }
  AddFile(hash, source.text);
  hash.UpdateNumber(source.weights.size());
  for (const auto& [path, file] : source.weights) {
    hash.UpdateFramed(path);
    AddFile(hash, file);
  }
  return hash.FinishHex();
}

}  // namespace anex::engine
