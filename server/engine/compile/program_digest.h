// The name of a compiled program: SHA-256 over everything that could make the compiled result
// differ. The text goes in by its meaning: in the canonical spelling of mil/canonical.h, so white
// space, comments, dialect, labels and the order of arguments make no difference; a text that
// cannot be parsed goes in as it is. Types are not checked and weights not read for it.
//
// Framing. Every field goes into the hash as its length (8 bytes, little endian) and then its
// bytes, every list as its count first, so no two different inputs give the same byte stream:
//
//   "anexd program v2" | engine version | device name | compiler version
//   | #options  { key | value }            in key order
//   | text size | SHA-256 of the canonical text
//   | #weights  { path | size | SHA-256 }  in path order
//
// Text and weight files go in by their own digests: the cache keeps these per file, so verifying a
// cached entry and proving that it belongs under its name is one pass over the bytes.
// ProgramSource::name is not part of it: it is what a client calls the program, not what it is.
//
// Threads: pure functions and values.
#ifndef ANEX_SERVER_ENGINE_COMPILE_PROGRAM_DIGEST_H_
#define ANEX_SERVER_ENGINE_COMPILE_PROGRAM_DIGEST_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "proto/values/kernel_values.h"
#include "proto/values/sha256.h"

namespace anex::engine {

// True for 64 lower-case hexadecimal digits: the only thing that may name a cache entry.
bool IsDigest(std::string_view text);

// Size and hash of one file of a program.
struct FileDigest {
  uint64_t size = 0;
  std::string sha256;
  friend bool operator==(const FileDigest&, const FileDigest&) = default;
};

struct SourceDigests {
  FileDigest text;
  std::map<std::string, FileDigest> weights;  // by path
};

// What a program is compiled for.
struct CompileTarget {
  std::string engine_version;
  std::string device;
  std::string compiler_version;
  std::map<std::string, std::string> options;
};

FileDigest DigestOf(std::string_view bytes);

// The text that stands for `text` in a digest: its canonical spelling, or itself if it has none.
std::string DigestedText(std::string_view text);

// Read every byte of `source`. A null weight file counts as an empty one.
std::map<std::string, FileDigest> DigestWeights(const ProgramSource& source);
SourceDigests DigestSource(const ProgramSource& source);
std::string ProgramDigest(const SourceDigests& source, const CompileTarget& target);

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_COMPILE_PROGRAM_DIGEST_H_
