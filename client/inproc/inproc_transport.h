// The SDK's transport on an engine in this process: no daemon, no socket, no gRPC, no copies.
// Surfaces are plain memory and MapSurface gives the very bytes that kernels use.
//
//   auto engine = anex::StartInprocEngine({});
//   auto session = anex::Session::Open(anex::MakeInprocTransport(*engine), {.client_name = "me"});
//
// Distributions build Abseil so that every lock looks for cycles of locks, which costs an evaluation
// more than all else together. A program that is no test leaves that out, as anexd does, with
//
//   absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
//
// Several transports may share one engine; each is one session, kept apart like clients of a
// daemon. Threads: as in transport.h. Lifetime: a transport keeps its engine alive, streams keep
// their transport's engine alive.
#ifndef ANEX_CLIENT_INPROC_INPROC_TRANSPORT_H_
#define ANEX_CLIENT_INPROC_INPROC_TRANSPORT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/transport/transport.h"
#include "server/engine/engine.h"
#include "server/engine/machine_memory.h"

namespace anex {

struct InprocOptions {
  int cpu_threads = 0;    // of the cpu device; 0 = as many as the machine has processors
  std::string cache_dir;  // "" = no disk cache
  engine::Limits limits = engine::Limits::ForMemory(engine::MachineMemoryBytes());
};

// An engine with the devices that need no daemon: the cpu device.
absl::StatusOr<std::shared_ptr<engine::Engine>> StartInprocEngine(const InprocOptions& options);

// A transport without a session yet; Open makes it.
std::shared_ptr<Transport> MakeInprocTransport(std::shared_ptr<engine::Engine> engine);

}  // namespace anex

#endif  // ANEX_CLIENT_INPROC_INPROC_TRANSPORT_H_
