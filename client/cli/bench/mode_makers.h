// How each family of modes is made; mode_list.cc gives them their names. Functions, any thread;
// what they make lives no longer than the site.
#ifndef ANEX_CLIENT_CLI_BENCH_MODE_MAKERS_H_
#define ANEX_CLIENT_CLI_BENCH_MODE_MAKERS_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "client/anex/submission_queue.h"
#include "client/cli/bench/mode.h"
#include "client/cli/bench/mode_list.h"

namespace anex::bench {

using MadeMode = absl::StatusOr<std::unique_ptr<Mode>>;

// One run after the other as the SDK sends single ones, with or without copies in between.
MadeMode MakeSequential(Site& site, bool copies);
// The copies alone.
MadeMode MakeCopyOnly(Site& site);
// A thread of the client takes jobs from a queue and runs one at a time.
MadeMode MakeSerialQueue(Site& site);
// At most `depth` in flight on one path.
MadeMode MakeQueued(Site& site, SubmitMode path, uint32_t depth);
// Tensors in messages: write, run, read.
MadeMode MakeInline(Site& site);

enum class ChainKind : uint8_t {
  kCopies,   // the daemon copies each output to the next input
  kAliased,  // each output is the next input
  kLoopback  // one kernel, repeated, output and input exchanging roles
};
MadeMode MakeChain(Site& site, ChainKind kind);
// That many clients at once, each a chain with copies.
MadeMode MakeClients(Site& site, int clients);

// New weights before every run.
MadeMode MakeRewrite(Site& site, bool streamed);

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_MODE_MAKERS_H_
