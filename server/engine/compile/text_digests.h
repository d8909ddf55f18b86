// Which canonical text a text stands for, by hash: a program that comes again need not be parsed
// for its digest. Bounded; a few hundred programs are more than one machine works on at a time.
//
// Threads: any.
#ifndef ANEX_SERVER_ENGINE_COMPILE_TEXT_DIGESTS_H_
#define ANEX_SERVER_ENGINE_COMPILE_TEXT_DIGESTS_H_

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "proto/values/hash_map.h"
#include "server/engine/compile/program_digest.h"

namespace anex::engine {

struct IdentifiedSource {
  std::string text_sha256;  // of the text as it was sent
  SourceDigests digests;    // of what it stands for
};

class TextDigests {
 public:
  IdentifiedSource Identify(const ProgramSource& source);

 private:
  static constexpr size_t kMostKept = 512;

  absl::Mutex mutex_;
  HashMap<std::string, FileDigest> canonical_ ABSL_GUARDED_BY(mutex_);  // by SHA-256
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_COMPILE_TEXT_DIGESTS_H_
