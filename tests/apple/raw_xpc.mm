#include "tests/apple/raw_xpc.h"

#import <Foundation/Foundation.h>
#import <IOSurface/IOSurface.h>
#include <xpc/xpc.h>

#include <algorithm>
#include <cstring>
#include <deque>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "proto/shm/iosurface_region.h"
#include "proto/shm/xpc_ptr.h"
#include "tests/doubles/apple/xpc_double.h"

namespace anex::shm {

struct RawState {
  XpcPtr own;  // the connection or listener that was made here
  absl::Mutex mutex;
  XpcPtr peer ABSL_GUARDED_BY(mutex);
  std::deque<SideChannelFrame> received ABSL_GUARDED_BY(mutex);
  bool ended ABSL_GUARDED_BY(mutex) = false;

  void Handle(xpc_object_t event) {
    absl::MutexLock lock(&mutex);
    if (xpc_get_type(event) == XPC_TYPE_ERROR) {
      ended = true;
      if (event == XPC_ERROR_CONNECTION_INVALID) peer = XpcPtr();
      return;
    }
    size_t size = 0;
    SideChannelBytes bytes;
    const void* data = xpc_dictionary_get_data(event, "frame", &size);
    if (data == nullptr || size != bytes.size()) return;
    std::memcpy(bytes.data(), data, size);
    const auto frame = DecodeUntrusted(bytes);
    if (frame.ok()) received.push_back(*frame);
  }
};

namespace {

void Listen(const std::shared_ptr<RawState>& state, xpc_connection_t connection) {
  const std::shared_ptr<RawState> kept = state;
  xpc_connection_set_event_handler(connection, ^(xpc_object_t event) {
    kept->Handle(event);
  });
  xpc_connection_activate(connection);
}

XpcPtr Build(const RawMessage& message) {
  XpcPtr made = XpcPtr::Adopt(xpc_dictionary_create_empty());
  const auto set = [&](const char* key, XpcPtr value) {
    xpc_dictionary_set_value(made.get(), key, value.get());
  };
  if (message.frame) {
    xpc_dictionary_set_data(made.get(), "frame", message.frame->data(), message.frame->size());
  }
  if (message.frame_text) {
    set("frame", XpcPtr::Adopt(xpc_string_create(message.frame_text->c_str())));
  }
  if (message.descriptor >= 0) {
    set(message.descriptor_as_surface ? "surface" : "descriptor",
        XpcPtr::Adopt(xpc_fd_create(message.descriptor)));
  }
  if (message.number_as_descriptor) set("descriptor", XpcPtr::Adopt(xpc_uint64_create(3)));
  if (message.surface != nullptr) {
    auto* region = static_cast<const IosurfaceRegion*>(message.surface);
    set("surface", XpcPtr::Adopt(IOSurfaceCreateXPCObject(region->surface())));
  }
  if (message.text_as_surface) set("surface", XpcPtr::Adopt(xpc_string_create("surface")));
  if (!message.extra_key.empty()) {
    set(message.extra_key.c_str(), XpcPtr::Adopt(xpc_uint64_create(1)));
  }
  return made;
}

}  // namespace

RawMessage RawMessage::Of(const SideChannelFrame& frame) {
  const SideChannelBytes bytes = Encode(frame);
  return {.frame = std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())};
}

RawXpc RawXpc::Connect(const std::string& service) {
  auto state = std::make_shared<RawState>();
  state->own = XpcPtr::Adopt(xpc_connection_create_mach_service(service.c_str(), nullptr, 0));
  {
    absl::MutexLock lock(&state->mutex);
    state->peer = XpcPtr::Retain(state->own.get());
  }
  Listen(state, state->own.get());
  return RawXpc(state);
}

RawXpc RawXpc::Serve(const std::string& service) {
  auto state = std::make_shared<RawState>();
  state->own = XpcPtr::Adopt(xpc_connection_create_mach_service(
      service.c_str(), nullptr, XPC_CONNECTION_MACH_SERVICE_LISTENER));
  xpc_connection_set_event_handler(state->own.get(), ^(xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_CONNECTION) return;
    {
      absl::MutexLock lock(&state->mutex);
      state->peer = XpcPtr::Retain(event);
    }
    Listen(state, event);
  });
  xpc_connection_activate(state->own.get());
  return RawXpc(state);
}

RawXpc::~RawXpc() {
  if (!state_) return;
  XpcPtr peer;
  {
    absl::MutexLock lock(&state_->mutex);
    std::swap(peer, state_->peer);
  }
  if (peer) xpc_connection_cancel(peer.get());
  xpc_connection_cancel(state_->own.get());
}

void RawXpc::Send(const RawMessage& message) {
  const XpcPtr built = Build(message);
  const auto has_peer = [this] {
    state_->mutex.AssertHeld();
    return static_cast<bool>(state_->peer) || state_->ended;
  };
  XpcPtr peer;
  {
    absl::MutexLock lock(&state_->mutex);
    state_->mutex.AwaitWithTimeout(absl::Condition(&has_peer), absl::Seconds(20));
    peer = XpcPtr::Retain(state_->peer.get());
  }
  if (peer) xpc_connection_send_message(peer.get(), built.get());
}

void RawXpc::StopReading() {
  absl::MutexLock lock(&state_->mutex);
  if (state_->peer) xpc_double::StopReading((__bridge void*)state_->peer.get());
}

std::optional<SideChannelFrame> RawXpc::Receive() {
  const auto ready = [this] {
    state_->mutex.AssertHeld();
    return !state_->received.empty() || state_->ended;
  };
  absl::MutexLock lock(&state_->mutex);
  state_->mutex.AwaitWithTimeout(absl::Condition(&ready), absl::Seconds(20));
  if (state_->received.empty()) return std::nullopt;
  const SideChannelFrame oldest = state_->received.front();
  state_->received.pop_front();
  return oldest;
}

bool RawXpc::WaitForEnd() {
  const auto ready = [this] {
    state_->mutex.AssertHeld();
    return state_->ended;
  };
  absl::MutexLock lock(&state_->mutex);
  return state_->mutex.AwaitWithTimeout(absl::Condition(&ready), absl::Seconds(20));
}

}  // namespace anex::shm
