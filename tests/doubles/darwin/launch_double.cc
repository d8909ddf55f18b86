// launchd as who has started this process: $LAUNCH_DOUBLE_SOCKETS holds the descriptors of each
// entry of the property list, as Owner=3,4;Observer=5. Without it launchd did not start the
// process.
#include <errno.h>
#include <launch.h>

#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

int launch_activate_socket(const char* name, int** fds, size_t* cnt) {
  static auto* given = new std::set<std::string>;  // each entry is given once
  const char* entries = std::getenv("LAUNCH_DOUBLE_SOCKETS");
  if (entries == nullptr) {
    given->clear();
    return ESRCH;
  }
  for (const std::string& entry : std::vector<std::string>(absl::StrSplit(entries, ';'))) {
    const std::vector<std::string> halves = absl::StrSplit(entry, '=');
    if (halves.size() != 2 || halves[0] != name) continue;
    if (!given->insert(entry).second) return EALREADY;
    const std::vector<std::string> numbers = absl::StrSplit(halves[1], ',');
    *fds = static_cast<int*>(std::calloc(numbers.size(), sizeof(int)));  // the caller frees it
    *cnt = numbers.size();
    for (size_t i = 0; i < numbers.size(); ++i) {
      if (!absl::SimpleAtoi(numbers[i], &(*fds)[i])) return EINVAL;
    }
    return 0;
  }
  return ENOENT;
}
