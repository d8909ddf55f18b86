// Who asks, and until when. Made by a front (rpc, ring, in-process) from what the kernel or TLS
// says about the peer, never from what the peer says about itself. Value, any thread.
#ifndef ANEX_SERVER_ENGINE_CALLER_H_
#define ANEX_SERVER_ENGINE_CALLER_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/time/time.h"
#include "proto/values/status_values.h"
#include "proto/wire/handle.h"

namespace anex::engine {

struct Identity {
  enum class Kind : uint8_t { kLocalUser = 0, kTlsSubject = 1, kInProcess = 2 };
  Kind kind = Kind::kInProcess;
  uint32_t uid = 0;     // of kLocalUser and kInProcess
  int64_t pid = 0;      // of kLocalUser and kInProcess
  std::string subject;  // of kTlsSubject
};

struct Caller {
  Identity identity;
  Role role = Role::kOwner;
  SessionId session;  // resolved from the secret by Engine::Authenticate; empty outside a session
  // Waits inside the engine end at this monotonic instant (Clock::Now), or when `cancelled` is
  // true.
  int64_t deadline_ns = INT64_MAX;
  std::function<bool()> cancelled;  // may be empty; polled at least every 50 ms while waiting
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_CALLER_H_
