// The modes of the throughput-ceiling experiment: what each is, and how to make it.
//
// Threads: a constant table and functions.
#ifndef ANEX_CLIENT_CLI_BENCH_MODE_LIST_H_
#define ANEX_CLIENT_CLI_BENCH_MODE_LIST_H_

#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/cli/bench/mode.h"
#include "client/cli/bench/site.h"

namespace anex::bench {

struct ModeInfo {
  std::string_view id;       // "ring-12"
  std::string_view what;     // one line about it
  int runs = 0;              // of kernels in a pass
  int copies = 0;            // by the client in a pass; the unit if there are no runs
  bool in_process = false;   // also without a daemon, which is what it is then compared with
  bool null_kernel = false;  // also of the kernel that does the least
  std::string_view over;     // the mode in process with the same work
  std::function<absl::StatusOr<std::unique_ptr<Mode>>(Site&)> make;

  int units() const { return runs > 0 ? runs : copies; }
};

// In the order of tables.
std::span<const ModeInfo> AllModes();
const ModeInfo* FindMode(std::string_view id);  // nullptr: there is none

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_MODE_LIST_H_
