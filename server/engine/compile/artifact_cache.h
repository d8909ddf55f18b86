// Compiled programs on disk, by digest.
//
//   <folder>/                      0700, ours
//     <digest>/                    0700, one entry; complete from the moment it has this name
//       manifest.jsonl   0600      what the entry is and the size and SHA-256 of every file in it
//       text.mil         0600      the program's text
//       weight.0 ...     0600      its weight files in the manifest's order; none, none needed
//       artifact.0 ...   0600      what the device's compiler made; none for devices that lower on
//       load
//     tmp.<unique>/                an entry being written; locked (flock) by its writer
//     bad.<unique>/                an entry on its way out: replaced, evicted or corrupt
//
// Names on disk never come from a client: paths of weight files stand in the manifest only.
//
// Trust. Every read verifies every byte of every file against the manifest, the manifest against
// its own hash, the set of files against the manifest, and the whole against the digest that it is
// named by (program_digest.h). Symbolic links and foreign owners are refused. An entry that fails
// is taken away, counted and reported; the caller compiles again. An entry of another format is a
// miss.
//
// Writing is all or nothing: files and folder are synced, then one rename. Leftovers of writers
// that died are removed at start. Several daemons may use one folder.
//
// Threads and processes: any. A folder that cannot be written, or a full disk, is reported once and
// costs only the caching.
#ifndef ANEX_SERVER_ENGINE_COMPILE_ARTIFACT_CACHE_H_
#define ANEX_SERVER_ENGINE_COMPILE_ARTIFACT_CACHE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "proto/values/kernel_values.h"
#include "proto/values/status_values.h"
#include "server/engine/compile/cache_folder.h"
#include "server/engine/compile/cache_manifest.h"
#include "server/engine/compile/eviction_policy.h"
#include "server/engine/compile/program_digest.h"

namespace anex::engine {

struct ArtifactCacheOptions {
  std::string folder;
  uint64_t quota_bytes = 2ull << 30;
  // One sentence for people: a corrupt entry, a folder that cannot be used. Any thread.
  std::function<void(std::string_view)> report;
  // Tests stop the process here: called before each step of writing an entry, with the step's name.
  std::function<void(std::string_view)> before_write_step;
};

// What an entry gives back, or is made of.
struct CachedProgram {
  ProgramSource source;
  CompileTarget target;
  std::map<std::string, std::shared_ptr<const std::string>> files;  // the device's, by name
};

class ArtifactCache {
 public:
  // Never fails: a cache that cannot work reports why, and misses and drops everything until it
  // can. A folder that somebody took away is made again.
  explicit ArtifactCache(ArtifactCacheOptions options);

  // NOT_FOUND if there is no such entry, DATA_LOSS if there was one and it was corrupt (it is gone
  // now). Marks the entry as used.
  absl::StatusOr<CachedProgram> Load(std::string_view digest);

  // Writes the entry unless it is there. `digest` must be that of `program` (INTERNAL otherwise).
  // RESOURCE_EXHAUSTED if it alone is over the quota. Evicts others to stay within the quota.
  absl::Status Store(std::string_view digest, const CachedProgram& program);

  // The entry is whole but of no use (its device refused it): away with it.
  void Discard(std::string_view digest, std::string_view why);

  // Sorted by digest. `verify` reads everything, says in `problem` what is wrong, and removes
  // nothing. UNAVAILABLE, with the reason, if the folder cannot be used.
  absl::StatusOr<std::vector<CacheEntryInfo>> List(bool verify);

  // Empty: down to the quota. {"*"}: everything. Else these; unknown ones are ignored.
  // INVALID_ARGUMENT for something that cannot be a digest. Returns the bytes freed, or why one of
  // them could not be removed (the others are).
  absl::StatusOr<uint64_t> Purge(std::span<const std::string> digests);

  void SetQuota(uint64_t bytes) { quota_bytes_.store(bytes); }
  bool usable() { return Ready().ok(); }
  struct Counters {
    uint64_t hits = 0, misses = 0, stored = 0, corrupt = 0, evicted = 0, failed_writes = 0;
  };
  Counters counters() const;

 private:
  using Folder = cache_folder::Folder;

  using Root = std::shared_ptr<const Folder>;

  // The folder as it is now, made (again) if it is not there. UNAVAILABLE with the reason, which is
  // reported when it is new.
  absl::StatusOr<Root> Ready();
  void RemoveLeftovers(const Folder& root) const;
  absl::Status Write(const Folder& root, std::string_view digest, const CachedProgram& program,
                     const SourceDigests& digests);
  absl::Status FillEntry(const Folder& entry, const CacheManifest& manifest,
                         const CachedProgram& program);
  absl::Status Install(const Folder& root, const std::string& temporary, std::string_view digest);
  // Reads all of an entry and believes nothing. NOT_FOUND for another format.
  static absl::StatusOr<CachedProgram> ReadVerified(const Folder& entry, std::string_view digest);
  // Moves the entry aside and deletes it; NOT_FOUND if it was not there (any more).
  static absl::Status Remove(const Folder& root, std::string_view name);
  absl::StatusOr<uint64_t> Evict(const Folder& root, uint64_t quota_bytes, std::string_view keep);
  static std::vector<EvictionCandidate> Snapshot(const Folder& root);
  static CacheEntryInfo Describe(const Folder& root, const EvictionCandidate& entry, bool verify);
  void Step(std::string_view name) const;
  void Report(std::string_view sentence) const;
  void CountWriteFailure(const absl::Status& status);

  const ArtifactCacheOptions options_;
  std::atomic<uint64_t> quota_bytes_;
  absl::Mutex mutex_;
  Root root_ ABSL_GUARDED_BY(mutex_);  // null = cannot be used
  std::string reported_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> write_failure_reported_{false};
  std::atomic<uint64_t> hits_{0}, misses_{0}, stored_{0}, corrupt_{0}, evicted_{0},
      failed_writes_{0};
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_COMPILE_ARTIFACT_CACHE_H_
