// What the artifact cache needs of the file system, and no more. Everything is relative to an open
// folder and never follows a symbolic link, so a name that changes under us cannot lead elsewhere.
//
// Threads: any; no state.
#ifndef ANEX_SERVER_ENGINE_COMPILE_CACHE_FOLDER_H_
#define ANEX_SERVER_ENGINE_COMPILE_CACHE_FOLDER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace anex::engine::cache_folder {

// An open folder. Closes on destruction; `locked` folders are unlocked by that.
class Folder {
 public:
  Folder() = default;
  explicit Folder(int fd) : fd_(fd) {}
  Folder(Folder&& other) noexcept;
  Folder& operator=(Folder&& other) noexcept;
  ~Folder();
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

struct FileInfo {
  uint64_t bytes = 0;
  int64_t modified_ns = 0;  // wall clock
};

// Makes `path` and what is missing above it (0700). FAILED_PRECONDITION if it is somebody else's or
// others may write to it.
absl::StatusOr<Folder> OpenRoot(const std::string& path);
// True if `path` is still this very folder.
bool IsAt(const std::string& path, const Folder& folder);
// NOT_FOUND if there is none; FAILED_PRECONDITION for anything but a folder of ours.
absl::StatusOr<Folder> Open(const Folder& parent, std::string_view name);
// A new folder, 0700, locked for as long as the result lives. ALREADY_EXISTS.
absl::StatusOr<Folder> CreateLocked(const Folder& parent, std::string_view name);
// True if nobody holds the lock of a folder.
bool Unlocked(const Folder& folder);
// True if `name` in `parent` is still this very folder.
bool IsStill(const Folder& parent, std::string_view name, const Folder& folder);

// Sorted, without "." and "..".
absl::StatusOr<std::vector<std::string>> ListNames(const Folder& folder);
// NOT_FOUND; FAILED_PRECONDITION for what is not a regular file of ours.
absl::StatusOr<FileInfo> Stat(const Folder& folder, std::string_view name);
// DATA_LOSS if it is not exactly `bytes` long.
absl::StatusOr<std::string> Read(const Folder& folder, std::string_view name, uint64_t bytes);
// A new file, 0600, on disk when this returns. RESOURCE_EXHAUSTED when the disk is full.
absl::Status Write(const Folder& folder, std::string_view name, std::string_view bytes);
absl::Status Sync(const Folder& folder);
// Marks a file as used now.
void Touch(const Folder& folder, std::string_view name);
// ALREADY_EXISTS if `to` is there and not empty.
absl::Status Rename(const Folder& parent, std::string_view from, std::string_view to);
// The folder `name` with all in it, or a single file or link.
void RemoveTree(const Folder& parent, std::string_view name);

}  // namespace anex::engine::cache_folder

#endif  // ANEX_SERVER_ENGINE_COMPILE_CACHE_FOLDER_H_
