#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "client/examples/train/demo/private_folder.h"

namespace anex::train {

absl::StatusOr<std::unique_ptr<PrivateFolder>> PrivateFolder::Make() {
  std::string name = "/tmp/anex-demo.XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {  // mode 0700 by POSIX
    return absl::ErrnoToStatus(errno, "cannot make a private folder under /tmp");
  }
  return std::unique_ptr<PrivateFolder>(new PrivateFolder(name));
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;  // nothing can be done about it here, and nothing depends on it
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace anex::train
