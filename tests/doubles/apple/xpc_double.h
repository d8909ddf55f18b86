// What tests tell the double of XPC, and what it tells them. The double is one process with all the
// services and clients in it, each connection served by threads of its own as on a Mac; this header
// plays launchd, the kernel and the code signatures.
//
// Threads: any.
#ifndef ANEX_TESTS_DOUBLES_APPLE_XPC_DOUBLE_H_
#define ANEX_TESTS_DOUBLES_APPLE_XPC_DOUBLE_H_

#include <sys/types.h>

#include <cstddef>
#include <string>

namespace anex::xpc_double {

// A name that stands in some property list. Until somebody listens on it, clients wait.
void Advertise(const std::string& name);
void Withdraw(const std::string& name);

// Who is behind an end. `signature` is what a requirement must say to be satisfied by it:
// identifier "SIGNATURE".
struct Identity {
  uid_t uid;
  gid_t gid;
  pid_t pid;
  std::string signature;
};
Identity ThisProcess();
// Of connections and listeners that are made from now on.
void ConnectAs(const Identity& client);
void ListenAs(const Identity& service);

// The process of all clients is killed: what the kernel has of their messages still arrives, what
// waits in the process is lost.
void KillClients();
// The service's process crashes: its clients are interrupted, its peers vanish.
void CrashService(const std::string& name);
// The system tells services that it ends them.
void AnnounceTermination();

// `connection` (an xpc_connection_t) sends, and takes nothing out of its port any more. XPC's own
// clients cannot do that, which is no reason why a peer should not.
void StopReading(void* connection);

// The next descriptor that somebody takes out of a message finds no room in his process.
void FailNextDescriptor();

// Messages that handlers were called for.
size_t Delivered();
// XPC objects that are alive, connections among them; and messages that clients sent on a
// connection that had been interrupted, each of which starts a service again.
size_t LiveObjects();
size_t Reconnects();
// True once the count is `objects`, or false after 20 s: objects die on other threads.
bool WaitForLiveObjects(size_t objects);

}  // namespace anex::xpc_double

#endif  // ANEX_TESTS_DOUBLES_APPLE_XPC_DOUBLE_H_
