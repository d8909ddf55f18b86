// A service manager in small: makes a daemon's listening sockets, starts the daemon with them as
// systemd does, and holds them while it is not there.
//
//   socket_holder FOLDER COMMAND...
//
// Says "started PID" and "ended CODE", a line each; after the end it starts the command again at
// SIGUSR1. SIGTERM is passed on, and then it ends too.
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "tests/system/descriptors.h"

namespace {

constexpr int kFirst = 3;

int Listen(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  const int socket = anex::test::NewSocket();
  const mode_t mask = ::umask(077);
  const bool bound =
      ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::umask(mask);
  if (!bound || ::listen(socket, 64) != 0) {
    std::perror(path.c_str());
    std::exit(1);
  }
  return socket;
}

[[noreturn]] void Become(const std::vector<int>& sockets, char** command) {
  // Out of the way first: the numbers from 3 on may be taken by sockets that come later.
  std::vector<int> high;
  for (const int socket : sockets) high.push_back(::fcntl(socket, F_DUPFD, 64));
  for (size_t i = 0; i < high.size(); ++i) {
    ::dup2(high[i], kFirst + static_cast<int>(i));  // without close-on-exec
    ::close(high[i]);
  }
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", std::to_string(sockets.size()).c_str(), 1);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execv(command[0], command);
  std::perror(command[0]);
  ::_exit(127);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::string folder = argv[1];
  std::vector<int> sockets;
  for (const char* name : {"/anexd.sock", "/observer.sock", "/side.sock"}) {
    sockets.push_back(Listen(folder + name));
  }
  sigset_t waited;
  ::sigemptyset(&waited);
  for (const int signal : {SIGTERM, SIGUSR1, SIGCHLD}) ::sigaddset(&waited, signal);
  ::sigprocmask(SIG_BLOCK, &waited, nullptr);
  bool ending = false;
  for (pid_t child = -1;;) {
    if (child < 0) {
      child = ::fork();
      if (child == 0) Become(sockets, argv + 2);
      std::printf("started %d\n", child);
      std::fflush(stdout);
    }
    int signal = 0;
    ::sigwait(&waited, &signal);
    if (signal == SIGTERM) {
      ending = true;
      if (child == 0) return 0;
      ::kill(child, SIGTERM);
    }
    int status = 0;
    if (child > 0 && ::waitpid(child, &status, WNOHANG) == child) {
      std::printf("ended %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
      std::fflush(stdout);
      if (ending) return 0;
      child = 0;
    }
    if (signal == SIGUSR1 && child == 0) child = -1;
  }
}
