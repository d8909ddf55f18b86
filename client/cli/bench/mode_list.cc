#include "client/cli/bench/mode_list.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/bench/mode_makers.h"

namespace anex::bench {
namespace {

auto Queue(SubmitMode path, uint32_t depth) {
  return [path, depth](Site& site) { return MakeQueued(site, path, depth); };
}

// In process as well, and compared with that.
ModeInfo Both(std::string_view id, std::string_view what,
              std::function<absl::StatusOr<std::unique_ptr<Mode>>(Site&)> make) {
  return {.id = id,
          .what = what,
          .runs = kKernels,
          .in_process = true,
          .over = id,
          .make = std::move(make)};
}
// A way of submitting that there is none of in process: compared with plain runs there.
ModeInfo Way(std::string_view id, std::string_view what,
             std::function<absl::StatusOr<std::unique_ptr<Mode>>(Site&)> make) {
  return {.id = id, .what = what, .runs = kKernels, .over = "run-only", .make = std::move(make)};
}
ModeInfo Several(std::string_view id, std::string_view what, int clients) {
  return {.id = id,
          .what = what,
          .runs = clients * kKernels,
          .over = "chain-copies",
          .make = [clients](Site& site) { return MakeClients(site, clients); }};
}
ModeInfo AlsoNull(ModeInfo info) {
  info.null_kernel = true;
  return info;
}

std::vector<ModeInfo> MakeList() {
  ModeInfo copy_only = Both("copy-only", "11 copies by the client, through mapped memory",
                            [](Site& site) { return MakeCopyOnly(site); });
  copy_only.runs = 0;
  copy_only.copies = kKernels - 1;
  ModeInfo sequential = Both("sequential", "12 runs one by one, 11 copies by the client between",
                             [](Site& site) { return MakeSequential(site, true); });
  sequential.copies = kKernels - 1;
  return {
      std::move(sequential),
      AlsoNull(Both("run-only", "12 runs one by one",
                    [](Site& site) { return MakeSequential(site, false); })),
      std::move(copy_only),
      AlsoNull(Both("serial-queue", "12 jobs for one thread of the client, and waiting for all",
                    [](Site& site) { return MakeSerialQueue(site); })),
      AlsoNull(Way("unary", "12 calls", Queue(SubmitMode::kUnary, 1))),
      Way("unary-inline", "12 times: input in a message, call, output in a message",
          [](Site& site) { return MakeInline(site); }),
      AlsoNull(Way("stream-1", "one stream, one in flight", Queue(SubmitMode::kStream, 1))),
      AlsoNull(Way("stream-4", "one stream, 4 in flight", Queue(SubmitMode::kStream, 4))),
      AlsoNull(Way("stream-12", "one stream, 12 in flight", Queue(SubmitMode::kStream, 12))),
      AlsoNull(Way("ring-1", "one ring, one in flight", Queue(SubmitMode::kRing, 1))),
      AlsoNull(Way("ring-12", "one ring, 12 in flight", Queue(SubmitMode::kRing, 12))),
      Both("chain-copies", "one chain of 12 runs and 11 copies by the engine",
           [](Site& site) { return MakeChain(site, ChainKind::kCopies); }),
      AlsoNull(Both("chain-aliased", "one chain of 12 runs, each output the next input",
                    [](Site& site) { return MakeChain(site, ChainKind::kAliased); })),
      Both("chain-loopback", "one chain, 12 iterations of a kernel that swap output and input",
           [](Site& site) { return MakeChain(site, ChainKind::kLoopback); }),
      Several("clients-1", "one client's chain with copies, on a connection of its own", 1),
      Several("clients-2", "2 clients' chains with copies at once", 2),
      Several("clients-4", "4 clients' chains with copies at once", 4),
      Several("clients-8", "8 clients' chains with copies at once", 8),
      Both("rewrite-in-place", "12 times: new weights in mapped memory, publish, run",
           [](Site& site) { return MakeRewrite(site, false); }),
      Both("rewrite-streamed", "12 times: new weights in messages, publish, run",
           [](Site& site) { return MakeRewrite(site, true); }),
  };
}

}  // namespace

std::span<const ModeInfo> AllModes() {
  static const auto* const modes = new std::vector<ModeInfo>(MakeList());
  return *modes;
}

const ModeInfo* FindMode(std::string_view id) {
  const auto modes = AllModes();
  const auto found = std::ranges::find(modes, id, &ModeInfo::id);
  return found == modes.end() ? nullptr : &*found;
}

}  // namespace anex::bench
