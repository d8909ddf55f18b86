#include "server/door/surface_service_xpc.h"

#import <Foundation/Foundation.h>
#include <xpc/xpc.h>

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "proto/shm/side_channel_xpc.h"
#include "proto/shm/xpc_ptr.h"

namespace anex::door {
namespace {

// What the listener's handler holds; it outlives the service until XPC has let go of the handler.
class Reception {
 public:
  Reception(const SurfaceService::Options& options, SurfaceServiceEvents& events)
      : options_(options), events_(&events) {}

  void Handle(xpc_object_t event) {
    const xpc_type_t type = xpc_get_type(event);
    absl::MutexLock lock(&mutex_);
    if (type == XPC_TYPE_CONNECTION) return HandlePeer(event);
    if (event != XPC_ERROR_CONNECTION_INVALID || events_ == nullptr) return;
    events_->OnServiceLost(absl::FailedPreconditionError(absl::StrCat(
        "launchd does not give the service ", options_.name,
        " to this process: it must stand in the property list of the agent that runs it, and no "
        "other process may have it (anectl install)")));
  }
  void Close() {
    absl::MutexLock lock(&mutex_);
    events_ = nullptr;
  }

 private:
  void HandlePeer(xpc_connection_t connection) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (events_ == nullptr) return xpc_connection_cancel(connection);
    const Peer peer{.uid = xpc_connection_get_euid(connection),
                    .gid = xpc_connection_get_egid(connection),
                    .pid = xpc_connection_get_pid(connection)};
    if (peer.uid != options_.allowed_uid) {
      xpc_connection_cancel(connection);
      return events_->OnPeerRefused(absl::PermissionDeniedError(absl::StrCat(
          "user ", peer.uid, " is not the one whom this daemon serves, ", options_.allowed_uid)));
    }
    absl::StatusOr<std::unique_ptr<shm::SideChannel>> channel =
        shm::AdoptXpcPeer((__bridge void*)connection);
    if (!channel.ok()) return events_->OnPeerRefused(channel.status());
    events_->OnPeer(*std::move(channel), peer);
  }

  const SurfaceService::Options options_;
  absl::Mutex mutex_;
  SurfaceServiceEvents* events_ ABSL_GUARDED_BY(mutex_);  // null once nobody is to be told
};

class XpcSurfaceService final : public SurfaceService {
 public:
  XpcSurfaceService(shm::XpcPtr listener, std::shared_ptr<Reception> reception)
      : listener_(std::move(listener)), reception_(std::move(reception)) {}
  ~XpcSurfaceService() override { Stop(); }

  void Stop() override {
    if (!listener_) return;
    reception_->Close();
    xpc_connection_cancel(listener_.get());
    listener_ = shm::XpcPtr();
  }

 private:
  shm::XpcPtr listener_;
  const std::shared_ptr<Reception> reception_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SurfaceService>> StartXpcSurfaceService(
    const SurfaceService::Options& options, SurfaceServiceEvents& events) {
  shm::XpcPtr listener = shm::XpcPtr::Adopt(xpc_connection_create_mach_service(
      options.name.c_str(), nullptr, XPC_CONNECTION_MACH_SERVICE_LISTENER));
  const bool good = options.client_requirement.empty() ||
                    xpc_connection_set_peer_code_signing_requirement(
                        listener.get(), options.client_requirement.c_str()) == 0;
  auto reception = std::make_shared<Reception>(options, events);
  if (!good) reception->Close();
  // A connection may be let go of only after it was active.
  xpc_connection_set_event_handler(listener.get(), ^(xpc_object_t event) {
    reception->Handle(event);
  });
  xpc_connection_activate(listener.get());
  auto service = std::make_unique<XpcSurfaceService>(std::move(listener), std::move(reception));
  if (good) return service;
  return absl::InvalidArgumentError(absl::StrCat(
      "client_requirement is no code signing requirement: ", options.client_requirement,
      " (csreq -r= checks one; `codesign --display --requirements - PROGRAM` shows a program's)"));
}

}  // namespace anex::door
