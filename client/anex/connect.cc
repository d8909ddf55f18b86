#include "client/anex/connect.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/transport/grpc_transport.h"

namespace anex {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Of an installed agent; "" if there is none.
std::string AgentSocket() {
  const std::string home = Environment("HOME");
  if (home.empty()) return "";
  std::string path = absl::StrCat(home, "/", kAgentRuntimeFolder, "/anexd.sock");
  struct stat file {};
  return ::stat(path.c_str(), &file) == 0 && S_ISSOCK(file.st_mode) ? path : "";
}

}  // namespace

std::string DefaultSocket() {
  const std::string named = Environment("ANEXD_SOCKET");
  if (!named.empty()) return named;
  if (const std::string agent = AgentSocket(); !agent.empty()) return agent;
  const std::string runtime = Environment("XDG_RUNTIME_DIR");
  if (!runtime.empty()) return runtime + "/anexd/anexd.sock";
  std::string temporary = Environment("TMPDIR");
  if (temporary.empty()) temporary = "/tmp";
  while (temporary.size() > 1 && temporary.back() == '/') temporary.pop_back();
  return absl::StrCat(temporary, "/anexd-", ::getuid(), "/anexd.sock");
}

absl::StatusOr<std::shared_ptr<Transport>> ConnectTransport(const ConnectOptions& options) {
  return ConnectGrpc(
      GrpcTransportOptions{.socket = options.endpoint.empty() ? DefaultSocket() : options.endpoint,
                           .call_deadline = options.call_deadline,
                           .wait_for_daemon = options.wait_for_daemon});
}

absl::StatusOr<Session> Connect(const ConnectOptions& options) {
  absl::StatusOr<std::shared_ptr<Transport>> transport = ConnectTransport(options);
  if (!transport.ok()) return transport.status();
  return Session::Open(
      *std::move(transport),
      {.client_name = options.client_name, .features = options.features, .weight = options.weight});
}

}  // namespace anex
