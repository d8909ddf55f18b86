// The way in: a session with the anexd of this machine.
//
// clang-format off
//   absl::StatusOr<anex::Session> session = anex::Connect({.client_name = "trainer"});
// clang-format on
//
// The socket is the first of: ConnectOptions::endpoint, $ANEXD_SOCKET, that of this user's agent
// where launchd keeps one (below $HOME/Library), and anexd.sock in the default runtime folder
// ($XDG_RUNTIME_DIR/anexd, else a folder of the user's own below the system's temporary one).
// Threads: any.
#ifndef ANEX_CLIENT_ANEX_CONNECT_H_
#define ANEX_CLIENT_ANEX_CONNECT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/anex/session.h"

namespace anex {

struct ConnectOptions {
  std::string endpoint;  // path of the daemon's socket, with or without "unix:"; "" = the default
  std::string client_name;  // shown to everybody on the daemon; at most 64 bytes
  // How long to wait for a daemon that does not answer yet; zero = one try.
  absl::Duration wait_for_daemon = absl::ZeroDuration();
  absl::Duration call_deadline = absl::Seconds(60);  // of every call that waits
  std::vector<std::string> features;                 // wanted
  uint32_t weight = 1;                               // share among this user's sessions, 1..1000
};

// UNAVAILABLE, saying which socket was tried and how to start a daemon, if nobody answers.
absl::StatusOr<Session> Connect(const ConnectOptions& options = {});

// Only the transport, without a session: for looking (status, devices) and for admin verbs.
absl::StatusOr<std::shared_ptr<Transport>> ConnectTransport(const ConnectOptions& options = {});

// Where a LaunchAgent's sockets are, below the home folder. They are made at login, so their folder
// must outlast a restart of the machine, which a temporary one does not.
inline constexpr char kAgentRuntimeFolder[] = "Library/Application Support/anexd";

// The socket that an empty endpoint means.
std::string DefaultSocket();

}  // namespace anex

#endif  // ANEX_CLIENT_ANEX_CONNECT_H_
