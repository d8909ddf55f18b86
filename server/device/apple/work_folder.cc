#include "server/device/apple/work_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "proto/shm/owned_descriptor.h"

namespace anex::device::apple {
namespace {

namespace fs = std::filesystem;

absl::Status SystemError(int error, std::string_view what, const std::string& path) {
  const std::string text = absl::StrCat(std::string(what), " ", path, ": ", std::strerror(error));
  if (error == ENOSPC || error == EDQUOT || error == EMFILE || error == ENFILE) {
    return absl::ResourceExhaustedError(text);
  }
  return absl::FailedPreconditionError(text);
}

// Ours, a folder, and nobody else's business.
absl::Status CheckOurs(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return SystemError(errno, "cannot look at", path);
  if (!S_ISDIR(found.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is not a folder; remove it"));
  }
  if (found.st_uid != ::geteuid()) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " belongs to user ", found.st_uid, "; programs are not put there"));
  }
  if ((found.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is open to others; make it 0700 or remove it"));
  }
  return absl::OkStatus();
}

// A name that stays within its folder.
bool IsPlain(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == name.npos &&
         name.find('\0') == name.npos;
}

absl::Status MakeFolder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0) return SystemError(errno, "cannot make", path);
  return absl::OkStatus();
}

absl::Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError(errno, "cannot write", path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status WriteFile(const std::string& path, std::string_view bytes) {
  shm::OwnedDescriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) return SystemError(errno, "cannot make", path);
  return WriteAll(file.get(), bytes, path);
}

// `relative` below `folder`, with the folders on its way.
absl::Status WriteBelow(const std::string& folder, const std::string& relative,
                        std::string_view bytes) {
  std::string path = folder;
  const std::vector<std::string> parts = absl::StrSplit(relative, '/');
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!IsPlain(parts[i])) {
      return absl::InvalidArgumentError(
          absl::StrCat("the weight file \"", relative, "\" has no place below a model's folder"));
    }
    absl::StrAppend(&path, "/", parts[i]);
    if (i + 1 == parts.size()) return WriteFile(path, bytes);
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
      return SystemError(errno, "cannot make", path);
    }
  }
  return absl::OkStatus();
}

absl::Status WriteProgram(const std::string& folder, const ProgramSource& source) {
  if (absl::Status made = MakeFolder(folder); !made.ok()) return made;
  if (absl::Status put = WriteFile(folder + "/model.mil", source.text); !put.ok()) return put;
  for (const auto& [name, bytes] : source.weights) {
    if (absl::Status put = WriteBelow(folder, name, *bytes); !put.ok()) return put;
  }
  return absl::OkStatus();
}

}  // namespace

WorkFolder::~WorkFolder() {
  std::error_code ignored;  // what cannot be removed now is replaced when its name comes again
  fs::remove_all(path_, ignored);
}

absl::StatusOr<std::shared_ptr<WorkFolders>> WorkFolders::Open(std::string root) {
  while (root.size() > 1 && root.back() == '/') root.pop_back();
  if (::mkdir(root.c_str(), 0700) != 0 && errno != EEXIST) {
    return SystemError(errno, "cannot make", root);
  }
  if (absl::Status ours = CheckOurs(root); !ours.ok()) return ours;
  return std::shared_ptr<WorkFolders>(new WorkFolders(std::move(root)));
}

absl::StatusOr<std::shared_ptr<WorkFolder>> WorkFolders::Put(const std::string& name,
                                                             const ProgramSource& source) {
  if (!IsPlain(name)) {
    return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" is no name for a folder"));
  }
  absl::MutexLock lock(&mutex_);
  if (auto shared = folders_[name].lock()) return shared;
  // Removes what there is of it if it cannot be finished.
  auto folder = std::make_shared<WorkFolder>(absl::StrCat(root_, "/", name));
  std::error_code ignored;
  fs::remove_all(folder->path(), ignored);
  if (absl::Status put = WriteProgram(folder->path(), source); !put.ok()) return put;
  std::erase_if(folders_, [](const auto& entry) { return entry.second.expired(); });
  folders_[name] = folder;
  return folder;
}

}  // namespace anex::device::apple
