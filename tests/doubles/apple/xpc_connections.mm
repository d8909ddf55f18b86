// XPC's connections: a model of what is documented of them.
//
// A message waits in its sender's process until the receiver's port has room (kPortRoom, the
// kernel's usual bound), and in the port until the receiver's handler is free. A connection does
// one thing at a time: while its handler or a barrier of its runs, it neither sends nor receives.
// Suspended, it does neither. What lies in the port when the other side goes is still delivered,
// then the error.
#include <Block.h>
#import <Foundation/Foundation.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "tests/doubles/apple/xpc_double.h"
#include "tests/doubles/apple/xpc_objects.h"
#include "tests/doubles/apple/xpc_pool.h"

namespace anex::xpc_double {
namespace {

constexpr size_t kPortRoom = 5;

struct Step {  // one of the two
  xpc_object_t message = nullptr;
  dispatch_block_t barrier = nullptr;
};

}  // namespace
}  // namespace anex::xpc_double

using anex::xpc_double::Identity;
using anex::xpc_double::Step;

@interface XpcConnection : XpcObject {
 @public
  std::string name;  // of a listener, and of a client's end
  bool listener, client;
  Identity self_is, peer_is;
  std::string requirement;
  xpc_handler_t handler;
  XpcConnection* peer;  // null: not connected, or gone. Both ends are kept by World::kept.
  std::deque<Step> outgoing;
  std::deque<xpc_object_t> port;  // messages, and a listener's new peers; each retained
  xpc_object_t error;             // to be delivered after them
  int suspended;
  bool active, busy, cancelled, deaf, interrupted, over;
}
@end

namespace anex::xpc_double {
namespace {

// All of it, under one lock. A connection is kept from its activation (a new peer: from its making)
// until its handler has heard that it is invalid.
struct World {
  std::mutex mutex;
  std::set<std::string> names;
  std::map<std::string, XpcConnection*> listeners;
  std::set<XpcConnection*> kept;
  Identity client = ThisProcess(), service = ThisProcess();
  size_t reconnects = 0, delivered = 0;
};
World& TheWorld() {
  static World& world = *new World;
  return world;
}

// What is written identifier "X" asks for a signature X. Other texts are no requirement here.
std::optional<std::string> SignatureOf(const std::string& requirement) {
  constexpr char kBefore[] = "identifier \"";
  if (requirement.rfind(kBefore, 0) != 0 || requirement.size() < sizeof(kBefore) + 1 ||
      requirement.back() != '"') {
    return std::nullopt;
  }
  return requirement.substr(sizeof(kBefore) - 1, requirement.size() - sizeof(kBefore));
}
bool Satisfies(const Identity& who, const std::string& requirement) {
  return requirement.empty() || SignatureOf(requirement) == who.signature;
}

XpcConnection* NewConnection(const std::string& name) {
  XpcConnection* made = [XpcConnection new];
  made->type = XPC_TYPE_CONNECTION;
  made->name = name;
  return made;
}

void Settle(World& world, XpcConnection* connection);
void Cancel(World& world, XpcConnection* connection);

void DropMessages(std::deque<Step>& steps) {
  for (Step& step : steps) {
    if (step.message) xpc_release(step.message);
    step.message = nullptr;
  }
  std::erase_if(steps, [](const Step& step) { return !step.barrier; });
}

void Fail(World& world, XpcConnection* connection, xpc_object_t error) {
  if (!connection->error) connection->error = error;
  DropMessages(connection->outgoing);
  Settle(world, connection);
}

// The other end of `connection` goes: it hears of it.
void Part(World& world, XpcConnection* connection) {
  XpcConnection* peer = std::exchange(connection->peer, nullptr);
  if (!peer) return;
  peer->peer = nullptr;
  peer->interrupted = peer->client;
  Fail(world, peer, peer->client ? XPC_ERROR_CONNECTION_INTERRUPTED : XPC_ERROR_CONNECTION_INVALID);
}

void Connect(World& world, XpcConnection* connection) {
  if (!world.names.count(connection->name)) {
    return Fail(world, connection, XPC_ERROR_CONNECTION_INVALID);
  }
  const auto found = world.listeners.find(connection->name);
  if (found == world.listeners.end()) return;  // launchd keeps the port until somebody listens
  XpcConnection* listener = found->second;
  if (!Satisfies(connection->self_is, listener->requirement)) {
    return Fail(world, connection, XPC_ERROR_CONNECTION_INTERRUPTED);
  }
  if (std::exchange(connection->interrupted, false)) ++world.reconnects;
  XpcConnection* peer = NewConnection("");
  world.kept.insert(peer);  // by this reference
  peer->peer = connection;
  connection->peer = peer;
  peer->self_is = connection->peer_is = listener->self_is;
  peer->peer_is = connection->self_is;
  listener->port.push_back([peer retain]);
  Settle(world, listener);
}

// Ends what one thing was: the next may be done.
void Done(XpcConnection* connection) {
  World& world = TheWorld();
  {
    const std::lock_guard<std::mutex> lock(world.mutex);
    connection->busy = false;
    Settle(world, connection);
  }
  [connection release];
}

void RunBarrier(XpcConnection* connection, dispatch_block_t barrier) {
  connection->busy = true;
  [connection retain];
  RunLater([connection, barrier] {
    @autoreleasepool {
      barrier();
      Block_release(barrier);
      Done(connection);
    }
  });
}

void RunAtOnce(dispatch_block_t barrier) {
  RunLater([barrier] {
    barrier();
    Block_release(barrier);
  });
}

// Takes `event`.
void Deliver(XpcConnection* connection, xpc_object_t event) {
  connection->busy = true;
  [connection retain];
  xpc_handler_t handler = connection->handler;
  if (handler) handler = Block_copy(handler);
  RunLater([connection, event, handler] {
    @autoreleasepool {
      if (handler) {
        handler(event);
        Block_release(handler);
      }
      xpc_release(event);
      Done(connection);
    }
  });
}

// The handler has heard that it is invalid, or has been told to and has none.
void Finish(World& world, XpcConnection* connection) {
  connection->over = true;
  if (connection->listener) world.listeners.erase(connection->name);
  for (Step& step : std::exchange(connection->outgoing, {})) {
    if (step.message) xpc_release(step.message);
    if (step.barrier) RunAtOnce(step.barrier);
  }
  xpc_handler_t handler = std::exchange(connection->handler, nullptr);
  const bool kept = world.kept.erase(connection) > 0;
  // The block may hold the last reference of whoever calls in here; the connection is busy or done.
  RunLater([connection, handler, kept] {
    if (handler) Block_release(handler);
    if (kept) [connection release];
  });
}

void DeliverError(World& world, XpcConnection* connection) {
  if (!connection->error || !connection->port.empty()) return;
  if (!connection->active && !connection->cancelled) return;
  xpc_object_t error = std::exchange(connection->error, nullptr);
  const bool last = error == XPC_ERROR_CONNECTION_INVALID;
  if (connection->active) Deliver(connection, error);
  if (last) Finish(world, connection);
}

// Sends what goes out. True: something was done that takes the connection's time.
bool SendSome(World& world, XpcConnection* connection) {
  while (!connection->outgoing.empty() && !connection->busy) {
    Step step = connection->outgoing.front();
    if (step.message) {
      XpcConnection* peer = connection->peer;
      if (!peer && connection->client && !connection->error) Connect(world, connection);
      if (connection->outgoing.empty() || !(peer = connection->peer)) return false;
      if (peer->port.size() >= kPortRoom) return false;
      connection->outgoing.pop_front();
      peer->port.push_back(step.message);
      Settle(world, peer);
      continue;
    }
    connection->outgoing.pop_front();
    RunBarrier(connection, step.barrier);
    return true;
  }
  return connection->busy;
}

// Does what can be done now.
void Settle(World& world, XpcConnection* connection) {
  if (connection->busy || connection->over) return;
  if (connection->cancelled) {
    DropMessages(connection->outgoing);
    for (xpc_object_t waiting : std::exchange(connection->port, {})) {
      if (xpc_get_type(waiting) == XPC_TYPE_CONNECTION) Cancel(world, (XpcConnection*)waiting);
      xpc_release(waiting);
    }
  }
  if (connection->active && connection->suspended > 0) return;
  if (connection->active || connection->cancelled) {
    if (SendSome(world, connection)) return;
  }
  if (connection->active && !connection->port.empty() && !connection->deaf) {
    xpc_object_t event = connection->port.front();
    connection->port.pop_front();
    ++world.delivered;
    Deliver(connection, event);
    if (connection->peer) Settle(world, connection->peer);  // there is room again
    return;
  }
  DeliverError(world, connection);
}

void Cancel(World& world, XpcConnection* connection) {
  if (std::exchange(connection->cancelled, true) || connection->over) return;
  Part(world, connection);
  connection->error = XPC_ERROR_CONNECTION_INVALID;
  Settle(world, connection);
}

XpcConnection* Of(xpc_connection_t connection) {
  if (xpc_get_type(connection) != XPC_TYPE_CONNECTION) Misuse("this is no connection");
  return (XpcConnection*)connection;
}

template <typename Which>
void CancelAll(Which which) {
  World& world = TheWorld();
  const std::lock_guard<std::mutex> lock(world.mutex);
  const std::set<XpcConnection*> kept = world.kept;
  for (XpcConnection* connection : kept) {
    if (world.kept.count(connection) && which(connection)) Cancel(world, connection);
  }
}

}  // namespace

Identity ThisProcess() {
  return {.uid = ::geteuid(), .gid = ::getegid(), .pid = ::getpid(), .signature = ""};
}

void Advertise(const std::string& name) {
  const std::lock_guard<std::mutex> lock(TheWorld().mutex);
  TheWorld().names.insert(name);
}
void Withdraw(const std::string& name) {
  const std::lock_guard<std::mutex> lock(TheWorld().mutex);
  TheWorld().names.erase(name);
}
void ConnectAs(const Identity& client) {
  const std::lock_guard<std::mutex> lock(TheWorld().mutex);
  TheWorld().client = client;
}
void ListenAs(const Identity& service) {
  const std::lock_guard<std::mutex> lock(TheWorld().mutex);
  TheWorld().service = service;
}
size_t Delivered() {
  const std::lock_guard<std::mutex> lock(TheWorld().mutex);
  return TheWorld().delivered;
}
size_t Reconnects() {
  const std::lock_guard<std::mutex> lock(TheWorld().mutex);
  return TheWorld().reconnects;
}

void StopReading(void* connection) {
  const std::lock_guard<std::mutex> lock(TheWorld().mutex);
  ((XpcConnection*)connection)->deaf = true;
}
void KillClients() {
  CancelAll([](XpcConnection* connection) { return connection->client; });
}
void CrashService(const std::string& name) {
  CancelAll([&](XpcConnection* connection) {
    return !connection->client && !connection->listener && connection->peer &&
           connection->peer->name == name;
  });
}
void AnnounceTermination() {
  World& world = TheWorld();
  const std::lock_guard<std::mutex> lock(world.mutex);
  for (XpcConnection* connection : std::set<XpcConnection*>(world.kept)) {
    if (connection->client || connection->listener || !connection->active) continue;
    if (!connection->error) connection->error = XPC_ERROR_TERMINATION_IMMINENT;
    Settle(world, connection);
  }
}

}  // namespace anex::xpc_double

@implementation XpcConnection
- (void)dealloc {
  if (!active && !cancelled) anex::xpc_double::Misuse("an inactive connection is released");
  if (suspended > 0) anex::xpc_double::Misuse("a suspended connection is released");
  if (handler) Block_release(handler);
  for (Step& step : outgoing) {
    if (step.message) xpc_release(step.message);
    if (step.barrier) Block_release(step.barrier);
  }
  [super dealloc];
}
@end

extern "C" {

using namespace anex::xpc_double;

xpc_connection_t xpc_connection_create_mach_service(const char* name, dispatch_queue_t,
                                                    uint64_t flags) {
  XpcConnection* made = NewConnection(name);
  World& world = TheWorld();
  const std::lock_guard<std::mutex> lock(world.mutex);
  made->listener = (flags & XPC_CONNECTION_MACH_SERVICE_LISTENER) != 0;
  made->client = !made->listener;
  made->self_is = made->listener ? world.service : world.client;
  return made;
}

void xpc_connection_set_event_handler(xpc_connection_t connection, xpc_handler_t handler) {
  World& world = TheWorld();
  xpc_handler_t before = nullptr;
  {
    const std::lock_guard<std::mutex> lock(world.mutex);
    if (!Of(connection)->over) before = std::exchange(Of(connection)->handler, Block_copy(handler));
  }
  if (before) Block_release(before);
}

void xpc_connection_activate(xpc_connection_t given) {
  XpcConnection* connection = Of(given);
  World& world = TheWorld();
  const std::lock_guard<std::mutex> lock(world.mutex);
  if (!connection->handler && !connection->over) Misuse("a connection without a handler");
  if (std::exchange(connection->active, true) || connection->over) return;
  if (world.kept.insert(connection).second) [connection retain];
  if (connection->listener) {
    if (!world.names.count(connection->name) || world.listeners.count(connection->name)) {
      return Fail(world, connection, XPC_ERROR_CONNECTION_INVALID);
    }
    world.listeners[connection->name] = connection;
    for (XpcConnection* waiting : std::set<XpcConnection*>(world.kept)) {
      if (!waiting->client || waiting->name != connection->name) continue;
      if (!waiting->peer && !waiting->error && !waiting->interrupted) Connect(world, waiting);
      Settle(world, waiting);
    }
  } else if (connection->client && !connection->peer) {
    Connect(world, connection);
  }
  Settle(world, connection);
}

void xpc_connection_suspend(xpc_connection_t connection) {
  const std::lock_guard<std::mutex> lock(TheWorld().mutex);
  ++Of(connection)->suspended;
}
void xpc_connection_resume(xpc_connection_t given) {
  XpcConnection* connection = Of(given);
  const std::lock_guard<std::mutex> lock(TheWorld().mutex);
  if (connection->suspended == 0) Misuse("a connection is resumed that was not suspended");
  --connection->suspended;
  Settle(TheWorld(), connection);
}

void xpc_connection_send_message(xpc_connection_t given, xpc_object_t message) {
  if (xpc_get_type(message) != XPC_TYPE_DICTIONARY) Misuse("a message is no dictionary");
  XpcConnection* connection = Of(given);
  xpc_object_t copy = CopyOf(message);
  const std::lock_guard<std::mutex> lock(TheWorld().mutex);
  const bool dead =
      connection->cancelled || connection->over || (!connection->client && !connection->peer);
  if (dead) return xpc_release(copy);
  connection->outgoing.push_back({.message = copy});
  Settle(TheWorld(), connection);
}
void xpc_connection_send_barrier(xpc_connection_t given, dispatch_block_t barrier) {
  XpcConnection* connection = Of(given);
  bool at_once = false;
  {
    const std::lock_guard<std::mutex> lock(TheWorld().mutex);
    at_once = connection->over || connection->cancelled;
    if (!at_once) {
      connection->outgoing.push_back({.barrier = Block_copy(barrier)});
      Settle(TheWorld(), connection);
    }
  }
  if (at_once) barrier();
}
void xpc_connection_cancel(xpc_connection_t connection) {
  World& world = TheWorld();
  const std::lock_guard<std::mutex> lock(world.mutex);
  Cancel(world, Of(connection));
}

uid_t xpc_connection_get_euid(xpc_connection_t connection) { return Of(connection)->peer_is.uid; }
gid_t xpc_connection_get_egid(xpc_connection_t connection) { return Of(connection)->peer_is.gid; }
pid_t xpc_connection_get_pid(xpc_connection_t connection) { return Of(connection)->peer_is.pid; }

int xpc_connection_set_peer_code_signing_requirement(xpc_connection_t connection,
                                                     const char* requirement) {
  const std::lock_guard<std::mutex> lock(TheWorld().mutex);
  if (!Of(connection)->requirement.empty()) Misuse("a second requirement for one connection");
  if (!SignatureOf(requirement)) return 22;  // EINVAL
  Of(connection)->requirement = requirement;
  return 0;
}

dispatch_time_t dispatch_time(dispatch_time_t when, int64_t delta_ns) {
  return when + static_cast<dispatch_time_t>(delta_ns);  // from now on, whatever `when`
}
dispatch_queue_t dispatch_get_global_queue(intptr_t, uintptr_t) { return nullptr; }
void dispatch_after(dispatch_time_t when, dispatch_queue_t, dispatch_block_t block) {
  dispatch_block_t copy = Block_copy(block);
  RunLater(
      [copy] {
        copy();
        Block_release(copy);
      },
      std::chrono::steady_clock::now() + std::chrono::nanoseconds(when));
}

}  // extern "C"
