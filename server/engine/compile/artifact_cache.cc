#include "server/engine/compile/artifact_cache.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/engine/objects/secrets.h"

namespace anex::engine {
namespace {

constexpr std::string_view kTemporary = "tmp.", kOutgoing = "bad.";

int64_t UnixSeconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string UniqueName(std::string_view prefix) {
  return absl::StrCat(std::string(prefix), RandomSecret().substr(0, 16));
}

absl::Status Corrupt(const std::string& why) { return absl::DataLossError(why); }

CacheManifest MakeManifest(std::string_view digest, const CachedProgram& program,
                           const SourceDigests& digests) {
  CacheManifest manifest{.digest = std::string(digest),
                         .name = program.source.name,
                         .target = program.target,
                         .created_unix_s = UnixSeconds()};
  manifest.files.push_back({CachedFile::Kind::kText, "", digests.text});
  for (const auto& [path, digest_of_file] : digests.weights) {
    manifest.files.push_back({CachedFile::Kind::kWeight, path, digest_of_file});
  }
  for (const auto& [path, bytes] : program.files) {
    manifest.files.push_back(
        {CachedFile::Kind::kArtifact, path, {bytes->size(), Sha256Hex(*bytes)}});
  }
  return manifest;
}

std::string_view Content(const CachedProgram& program, const CachedFile& file) {
  if (file.kind == CachedFile::Kind::kText) return program.source.text;
  const auto& from =
      file.kind == CachedFile::Kind::kWeight ? program.source.weights : program.files;
  const auto& bytes = from.find(file.path)->second;
  return bytes == nullptr ? std::string_view() : std::string_view(*bytes);
}

uint64_t TotalBytes(const CacheManifest& manifest) {
  uint64_t total = 0;
  for (const CachedFile& file : manifest.files) total += file.digest.size;
  return total;
}

// Whether the folder holds what the manifest names and nothing else.
absl::Status CheckNames(const cache_folder::Folder& entry, const CacheManifest& manifest) {
  absl::StatusOr<std::vector<std::string>> found = cache_folder::ListNames(entry);
  if (!found.ok()) return found.status();
  const std::vector<std::string> names = manifest.DiskNames();
  std::set<std::string> expected(names.begin(), names.end());
  expected.emplace(kManifestFile);
  for (const std::string& name : *found) {
    if (!expected.contains(name)) return Corrupt(absl::StrCat("a file too many: ", name));
  }
  if (found->size() != expected.size()) return Corrupt("a file is missing");
  return absl::OkStatus();
}

// Whether the entry may stand under the name `digest`.
absl::Status CheckBelongs(const CacheManifest& manifest, std::string_view digest) {
  SourceDigests digests;
  for (const CachedFile& file : manifest.files) {
    if (file.kind == CachedFile::Kind::kText) digests.text = file.digest;
    if (file.kind == CachedFile::Kind::kWeight) digests.weights[file.path] = file.digest;
  }
  if (manifest.digest != digest || ProgramDigest(digests, manifest.target) != digest) {
    return Corrupt("it is another program's");
  }
  return absl::OkStatus();
}

absl::StatusOr<CacheManifest> ReadManifest(const cache_folder::Folder& entry) {
  absl::StatusOr<cache_folder::FileInfo> info = cache_folder::Stat(entry, kManifestFile);
  if (!info.ok()) return Corrupt(std::string(info.status().message()));
  if (info->bytes > kMostManifestBytes) return Corrupt("manifest: too large");
  absl::StatusOr<std::string> bytes = cache_folder::Read(entry, kManifestFile, info->bytes);
  if (!bytes.ok()) return Corrupt(std::string(bytes.status().message()));
  return DecodeManifestUntrusted(*bytes);
}

}  // namespace

ArtifactCache::ArtifactCache(ArtifactCacheOptions options)
    : options_(std::move(options)), quota_bytes_(options_.quota_bytes) {
  static_cast<void>(Ready());
}

absl::StatusOr<ArtifactCache::Root> ArtifactCache::Ready() {
  absl::MutexLock lock(&mutex_);
  if (root_ != nullptr && cache_folder::IsAt(options_.folder, *root_)) return root_;
  root_ = nullptr;
  absl::StatusOr<Folder> opened = cache_folder::OpenRoot(options_.folder);
  if (!opened.ok()) {
    const std::string why = absl::StrCat("no disk cache: ", opened.status().message());
    if (std::exchange(reported_, why) != why) Report(why);
    return absl::UnavailableError(why);
  }
  reported_.clear();
  root_ = std::make_shared<const Folder>(*std::move(opened));
  RemoveLeftovers(*root_);
  return root_;
}

void ArtifactCache::RemoveLeftovers(const Folder& root) const {
  absl::StatusOr<std::vector<std::string>> names = cache_folder::ListNames(root);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    if (name.starts_with(kOutgoing)) {
      cache_folder::RemoveTree(root, name);
    } else if (name.starts_with(kTemporary)) {
      absl::StatusOr<Folder> folder = cache_folder::Open(root, name);
      // A locked one is being written by another daemon right now.
      if (!folder.ok() || cache_folder::Unlocked(*folder)) cache_folder::RemoveTree(root, name);
    }
  }
}

// --- Reading ---

absl::StatusOr<CachedProgram> ArtifactCache::ReadVerified(const Folder& entry,
                                                          std::string_view digest) {
  absl::StatusOr<CacheManifest> manifest = ReadManifest(entry);
  if (!manifest.ok()) return manifest.status();
  if (absl::Status names = CheckNames(entry, *manifest); !names.ok()) return names;
  if (absl::Status belongs = CheckBelongs(*manifest, digest); !belongs.ok()) return belongs;
  CachedProgram program;
  program.source.name = manifest->name;
  program.target = manifest->target;
  const std::vector<std::string> disk_names = manifest->DiskNames();
  for (size_t i = 0; i < disk_names.size(); ++i) {
    const CachedFile& file = manifest->files[i];
    absl::StatusOr<std::string> bytes = cache_folder::Read(entry, disk_names[i], file.digest.size);
    if (!bytes.ok()) return Corrupt(std::string(bytes.status().message()));
    if (Sha256Hex(*bytes) != file.digest.sha256) {
      return Corrupt(absl::StrCat(disk_names[i], ": its hash does not fit"));
    }
    if (file.kind == CachedFile::Kind::kText) {
      program.source.text = *std::move(bytes);
      continue;
    }
    auto& into = file.kind == CachedFile::Kind::kWeight ? program.source.weights : program.files;
    if (!into.emplace(file.path, std::make_shared<const std::string>(*std::move(bytes))).second) {
      return Corrupt("a file is named twice");
    }
  }
  return program;
}

absl::StatusOr<CachedProgram> ArtifactCache::Load(std::string_view digest) {
  const absl::Status miss = absl::NotFoundError("not cached");
  const absl::StatusOr<Root> ready = Ready();
  if (!ready.ok() || !IsDigest(digest)) return miss;
  const Folder& root = **ready;
  absl::StatusOr<Folder> entry = cache_folder::Open(root, digest);
  if (absl::IsNotFound(entry.status())) {
    misses_.fetch_add(1);
    return miss;
  }
  absl::StatusOr<CachedProgram> program =
      entry.ok() ? ReadVerified(*entry, digest)
                 : absl::StatusOr<CachedProgram>(Corrupt(std::string(entry.status().message())));
  if (program.ok()) {
    hits_.fetch_add(1);
    cache_folder::Touch(*entry, kManifestFile);
    return program;
  }
  // Gone or replaced while it was read (evicted by another daemon), or of another format: a miss.
  if (absl::IsNotFound(program.status()) ||
      (entry.ok() && !cache_folder::IsStill(root, digest, *entry))) {
    misses_.fetch_add(1);
    return miss;
  }
  corrupt_.fetch_add(1);
  Remove(root, digest).IgnoreError();
  Report(absl::StrCat("cache entry ", std::string(digest),
                      " was corrupt and is removed: ", program.status().message()));
  return Corrupt(std::string(program.status().message()));
}

// --- Writing ---

void ArtifactCache::Step(std::string_view name) const {
  if (options_.before_write_step) options_.before_write_step(name);
}

absl::Status ArtifactCache::Store(std::string_view digest, const CachedProgram& program) {
  const absl::StatusOr<Root> ready = Ready();
  if (!ready.ok()) return ready.status();
  const SourceDigests digests = DigestSource(program.source);
  if (ProgramDigest(digests, program.target) != digest) {
    return absl::InternalError("a program was to be stored under another's digest");
  }
  absl::Status status = Write(**ready, digest, program, digests);
  if (status.ok()) {
    stored_.fetch_add(1);
    write_failure_reported_.store(false);
    Evict(**ready, quota_bytes_.load(), digest).IgnoreError();
  } else {
    CountWriteFailure(status);
  }
  return status;
}

absl::Status ArtifactCache::Write(const Folder& root, std::string_view digest,
                                  const CachedProgram& program, const SourceDigests& digests) {
  const CacheManifest manifest = MakeManifest(digest, program, digests);
  if (const uint64_t bytes = TotalBytes(manifest); bytes > quota_bytes_.load()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cache_bytes=", quota_bytes_.load(), ": one program has ", bytes));
  }
  const std::string temporary = UniqueName(kTemporary);
  Step("make folder");
  absl::Status status;
  {
    absl::StatusOr<Folder> entry = cache_folder::CreateLocked(root, temporary);
    status = entry.ok() ? FillEntry(*entry, manifest, program) : entry.status();
    // Renamed while it is locked: no other daemon takes it for a leftover before.
    if (status.ok()) status = Install(root, temporary, digest);
  }
  if (!status.ok()) cache_folder::RemoveTree(root, temporary);
  return status;
}

absl::Status ArtifactCache::FillEntry(const Folder& entry, const CacheManifest& manifest,
                                      const CachedProgram& program) {
  const std::vector<std::string> names = manifest.DiskNames();
  for (size_t i = 0; i < names.size(); ++i) {
    Step(names[i]);
    if (absl::Status status =
            cache_folder::Write(entry, names[i], Content(program, manifest.files[i]));
        !status.ok()) {
      return status;
    }
  }
  Step(kManifestFile);
  if (absl::Status status = cache_folder::Write(entry, kManifestFile, EncodeManifest(manifest));
      !status.ok()) {
    return status;
  }
  Step("sync folder");
  return cache_folder::Sync(entry);
}

absl::Status ArtifactCache::Install(const Folder& root, const std::string& temporary,
                                    std::string_view digest) {
  Step("rename");
  absl::Status renamed = cache_folder::Rename(root, temporary, digest);
  if (absl::IsAlreadyExists(renamed) || absl::IsFailedPrecondition(renamed)) {
    // Another daemon was faster: its entry is as good. One that cannot be read at all (another
    // format, no manifest, a file or link by that name) makes way.
    absl::StatusOr<Folder> there = cache_folder::Open(root, digest);
    if (there.ok() && ReadManifest(*there).ok()) {
      cache_folder::RemoveTree(root, temporary);
      return absl::OkStatus();
    }
    Remove(root, digest).IgnoreError();
    renamed = cache_folder::Rename(root, temporary, digest);
  }
  if (!renamed.ok()) return renamed;
  Step("sync cache");
  return cache_folder::Sync(root);
}

void ArtifactCache::CountWriteFailure(const absl::Status& status) {
  failed_writes_.fetch_add(1);
  if (!write_failure_reported_.exchange(true)) {
    Report(absl::StrCat("a compiled program could not be cached: ", status.message(),
                        " (said once until it works again)"));
  }
}

// --- Removing ---

absl::Status ArtifactCache::Remove(const Folder& root, std::string_view name) {
  const std::string aside = UniqueName(kOutgoing);
  const absl::Status moved = cache_folder::Rename(root, name, aside);
  if (moved.ok()) cache_folder::RemoveTree(root, aside);
  return moved;
}

void ArtifactCache::Discard(std::string_view digest, std::string_view why) {
  const absl::StatusOr<Root> ready = Ready();
  if (!ready.ok() || !IsDigest(digest)) return;
  corrupt_.fetch_add(1);
  if (Remove(**ready, digest).ok()) {
    Report(absl::StrCat("cache entry ", std::string(digest),
                        " is of no use and is removed: ", std::string(why)));
  }
}

std::vector<EvictionCandidate> ArtifactCache::Snapshot(const Folder& root) {
  std::vector<EvictionCandidate> entries;
  absl::StatusOr<std::vector<std::string>> names = cache_folder::ListNames(root);
  if (!names.ok()) return entries;
  for (const std::string& name : *names) {
    if (!IsDigest(name)) continue;
    EvictionCandidate candidate{.digest = name};
    absl::StatusOr<Folder> entry = cache_folder::Open(root, name);
    absl::StatusOr<std::vector<std::string>> files =
        entry.ok() ? cache_folder::ListNames(*entry) : entry.status();
    if (absl::IsNotFound(files.status())) continue;  // just removed by another daemon
    for (const std::string& file : files.ok() ? *files : std::vector<std::string>()) {
      absl::StatusOr<cache_folder::FileInfo> info = cache_folder::Stat(*entry, file);
      if (!info.ok()) continue;
      candidate.bytes += info->bytes;
      if (file == kManifestFile) candidate.last_used_ns = info->modified_ns;
    }
    entries.push_back(std::move(candidate));
  }
  return entries;
}

absl::StatusOr<uint64_t> ArtifactCache::Evict(const Folder& root, uint64_t quota_bytes,
                                              std::string_view keep) {
  const std::vector<EvictionCandidate> entries = Snapshot(root);
  uint64_t freed = 0;
  absl::Status failed;
  for (const std::string& digest : ChooseEvictions(entries, quota_bytes, keep)) {
    const absl::Status removed = Remove(root, digest);
    if (!removed.ok() && !absl::IsNotFound(removed)) failed = removed;
    if (!removed.ok()) continue;
    evicted_.fetch_add(1);
    freed += std::find_if(entries.begin(), entries.end(), [&](const auto& entry) {
               return entry.digest == digest;
             })->bytes;
  }
  if (!failed.ok()) return failed;
  return freed;
}

absl::StatusOr<uint64_t> ArtifactCache::Purge(std::span<const std::string> digests) {
  const bool all = digests.size() == 1 && digests.front() == "*";
  for (const std::string& digest : digests) {
    if (!all && !IsDigest(digest)) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", digest, "\" is not a digest: 64 lower-case hexadecimal digits"));
    }
  }
  const absl::StatusOr<Root> ready = Ready();
  if (!ready.ok()) return ready.status();
  if (digests.empty()) return Evict(**ready, quota_bytes_.load(), "");
  uint64_t freed = 0;
  absl::Status failed;
  for (const EvictionCandidate& entry : Snapshot(**ready)) {
    const bool named = std::find(digests.begin(), digests.end(), entry.digest) != digests.end();
    if (!all && !named) continue;
    const absl::Status removed = Remove(**ready, entry.digest);
    if (removed.ok()) freed += entry.bytes;
    if (!removed.ok() && !absl::IsNotFound(removed)) failed = removed;
  }
  if (!failed.ok()) return failed;
  return freed;
}

// --- Looking ---

CacheEntryInfo ArtifactCache::Describe(const Folder& root, const EvictionCandidate& entry,
                                       bool verify) {
  CacheEntryInfo info{.digest = entry.digest, .bytes = entry.bytes};
  info.last_used_unix_s = entry.last_used_ns / 1'000'000'000;
  absl::StatusOr<Folder> folder = cache_folder::Open(root, entry.digest);
  absl::StatusOr<CacheManifest> manifest =
      folder.ok() ? ReadManifest(*folder) : absl::StatusOr<CacheManifest>(folder.status());
  if (manifest.ok()) {
    info.name = manifest->name;
    info.device = manifest->target.device;
    info.created_unix_s = manifest->created_unix_s;
  }
  absl::Status problem = manifest.status();
  if (verify && manifest.ok()) problem = ReadVerified(*folder, entry.digest).status();
  info.verified = verify && problem.ok();
  if (!problem.ok()) info.problem = std::string(problem.message());
  return info;
}

absl::StatusOr<std::vector<CacheEntryInfo>> ArtifactCache::List(bool verify) {
  const absl::StatusOr<Root> ready = Ready();
  if (!ready.ok()) return ready.status();
  std::vector<CacheEntryInfo> list;
  for (const EvictionCandidate& entry : Snapshot(**ready)) {
    list.push_back(Describe(**ready, entry, verify));
  }
  return list;
}

ArtifactCache::Counters ArtifactCache::counters() const {
  return {hits_, misses_, stored_, corrupt_, evicted_, failed_writes_};
}

void ArtifactCache::Report(std::string_view sentence) const {
  if (options_.report) options_.report(sentence);
}

}  // namespace anex::engine
