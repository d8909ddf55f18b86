// What an installed service consists of on disk: folders and files with their content, for one
// user. Pure functions, any thread.
#ifndef ANEX_CLIENT_CLI_SERVICE_LAYOUT_H_
#define ANEX_CLIENT_CLI_SERVICE_LAYOUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/service/service_wish.h"

namespace anex::cli {

struct LayoutFolder {
  std::string path;
  uint32_t mode = 0;
  bool ours = false;  // its mode is for us to say also if it is there already
};
struct LayoutFile {
  std::string path;
  std::string content;
  uint32_t mode = 0644;
};

struct Layout {
  std::vector<LayoutFolder> folders;  // what leads to a folder stands before it
  std::vector<LayoutFile> files;
  std::string runtime_dir;             // of the sockets; "" = not known
  std::vector<std::string> left_over;  // in runtime_dir, when nothing runs any more
  std::vector<std::string> logs;       // files; none if the manager keeps them
  std::vector<std::string> kept;       // folders that an uninstall leaves alone
};

// INVALID_ARGUMENT for paths that the manager's files could not say, or that are too long for
// sockets.
absl::StatusOr<Layout> LayoutOf(const ServiceWish& wish);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_SERVICE_LAYOUT_H_
