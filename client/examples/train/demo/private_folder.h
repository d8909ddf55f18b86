// A folder under /tmp that only this user may enter (0700), removed with all it holds at the end.
// Threads: one owner.
#ifndef ANEX_CLIENT_EXAMPLES_TRAIN_DEMO_PRIVATE_FOLDER_H_
#define ANEX_CLIENT_EXAMPLES_TRAIN_DEMO_PRIVATE_FOLDER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace anex::train {

class PrivateFolder {
 public:
  // Below /tmp and not $TMPDIR: the path of a socket in it must stay under 104 bytes.
  static absl::StatusOr<std::unique_ptr<PrivateFolder>> Make();
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string Join(const std::string& name) const { return path_ + "/" + name; }

 private:
  explicit PrivateFolder(std::string path) : path_(std::move(path)) {}

  const std::string path_;
};

}  // namespace anex::train

#endif  // ANEX_CLIENT_EXAMPLES_TRAIN_DEMO_PRIVATE_FOLDER_H_
