// Where modes run: one place and one workload, its sessions opened when they are wanted.
//
// Threads: one at a time.
#ifndef ANEX_CLIENT_CLI_BENCH_SITE_H_
#define ANEX_CLIENT_CLI_BENCH_SITE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/bench/rig.h"

namespace anex::bench {

class Site {
 public:
  Site(Connect connect, std::shared_ptr<const Workload> workload, std::string device,
       bool in_process);

  bool in_process() const { return in_process_; }
  // The session that all modes of one client share.
  absl::StatusOr<Rig*> Main();
  // Sessions for modes of several clients, each with a connection of its own.
  absl::StatusOr<Rig*> Client(int i);

 private:
  const Connect connect_;
  const std::shared_ptr<const Workload> workload_;
  const std::string device_;
  const bool in_process_;
  std::unique_ptr<Rig> main_;
  std::vector<std::unique_ptr<Rig>> clients_;
};

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_SITE_H_
