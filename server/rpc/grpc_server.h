// gRPC on connections that the front door accepted: two servers, one for the owner's socket, one
// for the observer's, which also serves grpc.health.v1 and reflection. Neither listens on its own.
//
// Threads: Adopt, SetServing and Shutdown from any thread, Shutdown once.
// Bounds: message size, metadata size, concurrent streams per connection, threads per server, calls
// per process (the engine's calls_per_process).
#ifndef ANEX_SERVER_RPC_GRPC_SERVER_H_
#define ANEX_SERVER_RPC_GRPC_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/shm/owned_descriptor.h"
#include "proto/wire/handle.h"
#include "server/door/connection_registry.h"
#include "server/engine/engine.h"
#include "server/ring/ring_door.h"

namespace anex::rpc {

// The first bytes of every client (RFC 9113 section 3.4).
inline constexpr std::string_view kClientPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct GrpcServerOptions {
  engine::Engine* engine = nullptr;                       // outlives the server
  const door::ConnectionRegistry* connections = nullptr;  // outlives the server
  ring::RingDoor* rings = nullptr;                        // outlives the server; null = no rings
  uint64_t max_message_bytes = 8 << 20;
  int max_threads = 512;  // per server; a call that finds none is RESOURCE_EXHAUSTED
  // A session was closed or evicted by a call: tell its side channel. May be empty; must not block.
  std::function<void(SessionId, std::string_view reason)> on_session_ended;
};

class GrpcServer {
 public:
  // INTERNAL if a method of the contract does not state its rules.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(const GrpcServerOptions& options);
  ~GrpcServer();

  // Serves one accepted connection; `role` is kOwner or kObserver.
  void Adopt(shm::OwnedDescriptor descriptor, door::ListenerRole role);
  // What grpc.health.v1 says: SERVING if `serving` and the engine can run something and is not
  // draining.
  void SetServing(bool serving);
  // Takes no new calls, lets running ones end for `grace`, then cancels them and waits.
  void Shutdown(absl::Duration grace);

 private:
  struct Impl;
  explicit GrpcServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace anex::rpc

#endif  // ANEX_SERVER_RPC_GRPC_SERVER_H_
