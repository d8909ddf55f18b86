// Folders that a program's text and weights lie in while Apple's compiler and loader read them: for
// this user alone (0700), and removed when the last who uses one lets go, in whatever process.
//
//   <root>/                 0700, of this user, not a link; refused otherwise
//     <name>/               one program; name is its content hash or the framework's identifier
//       model.mil
//       weights/weight.bin
//     <name>.lock           held shared by every process that uses the folder, exclusively by who
//                           makes or removes it: what a process leaves that dies is nobody's
//
// The path of a program is the same in every run and process: the system's cache of compiled models
// goes by it. Folders of one name have the same content.
//
// Threads: any. Within a process, folders of one name are shared while anybody has one.
#ifndef ANEX_SERVER_DEVICE_APPLE_WORK_FOLDER_H_
#define ANEX_SERVER_DEVICE_APPLE_WORK_FOLDER_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "proto/shm/owned_descriptor.h"
#include "proto/values/kernel_values.h"

namespace anex::device::apple {

class WorkFolder {
 public:
  // `lock` is held shared.
  WorkFolder(std::string path, shm::OwnedDescriptor lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}
  ~WorkFolder();  // removes it and all in it, if nobody else uses it
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  const shm::OwnedDescriptor lock_;
};

class WorkFolders {
 public:
  // `root` is made if it is missing; its parent must be there. FAILED_PRECONDITION if it is a link,
  // somebody else's or open to others.
  static absl::StatusOr<std::shared_ptr<WorkFolders>> Open(std::string root);

  // The folder `name` with the program's files in it: another process's, or made now instead of
  // what a process left that died. INVALID_ARGUMENT for a name or a file path that would lead
  // elsewhere, RESOURCE_EXHAUSTED when the disk is full.
  absl::StatusOr<std::shared_ptr<WorkFolder>> Put(const std::string& name,
                                                  const ProgramSource& source);
  const std::string& root() const { return root_; }

 private:
  explicit WorkFolders(std::string root) : root_(std::move(root)) {}

  const std::string root_;
  absl::Mutex mutex_;  // held while files are written: two of one name must not mix
  std::map<std::string, std::weak_ptr<WorkFolder>> folders_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_WORK_FOLDER_H_
