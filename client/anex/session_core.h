// What the SDK's objects share below the surface: the session's transport and whether it still
// lives; and OwnedHandle, the RAII of one handle. Users of the SDK need nothing of this file.
//
// Threads: SessionCore from any thread. An OwnedHandle has one owner at a time.
// Invariant: after the session has closed no object calls the transport any more: the daemon has
// freed everything, so an object that outlives its session releases nothing and breaks nothing.
#ifndef ANEX_CLIENT_ANEX_SESSION_CORE_H_
#define ANEX_CLIENT_ANEX_SESSION_CORE_H_

#include <atomic>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/transport/transport.h"

namespace anex::internal {

// One of the rings that a session may open for single runs; gives its place back when it dies.
class RunRingPlace {
 public:
  RunRingPlace() = default;
  explicit RunRingPlace(std::shared_ptr<std::atomic<int>> taken) : taken_(std::move(taken)) {}
  RunRingPlace(RunRingPlace&& other) noexcept : taken_(std::move(other.taken_)) {}
  RunRingPlace& operator=(RunRingPlace&& other) noexcept {
    std::swap(taken_, other.taken_);
    return *this;
  }
  ~RunRingPlace() {
    if (taken_ != nullptr) taken_->fetch_sub(1, std::memory_order_relaxed);
  }
  explicit operator bool() const { return taken_ != nullptr; }

 private:
  std::shared_ptr<std::atomic<int>> taken_;
};

class SessionCore {
 public:
  // A ring is one of the session's streams, of which a daemon allows some dozens.
  static constexpr int kMostRunRings = 16;

  SessionCore(std::shared_ptr<Transport> transport, SessionGrant grant)
      : transport_(std::move(transport)), grant_(std::move(grant)) {}

  const SessionGrant& grant() const { return grant_; }
  bool closed() const { return closed_.load(std::memory_order_acquire); }
  // The transport, or FAILED_PRECONDITION once the session has closed.
  absl::StatusOr<Transport*> Live() const {
    if (!closed()) return transport_.get();
    return absl::FailedPreconditionError(
        "the session is closed, and everything made in it is gone: open a new one");
  }
  // Empty if there are enough.
  RunRingPlace TakeRunRing() {
    if (run_rings_->fetch_add(1, std::memory_order_relaxed) < kMostRunRings) {
      return RunRingPlace(run_rings_);
    }
    run_rings_->fetch_sub(1, std::memory_order_relaxed);
    return RunRingPlace();
  }
  // Closes once; later calls are OK.
  absl::Status Close() {
    if (closed_.exchange(true)) return absl::OkStatus();
    return transport_->Close();
  }

 private:
  std::shared_ptr<Transport> transport_;
  SessionGrant grant_;
  std::atomic<bool> closed_{false};
  const std::shared_ptr<std::atomic<int>> run_rings_ = std::make_shared<std::atomic<int>>(0);
};

using CorePtr = std::shared_ptr<SessionCore>;

// What an empty or moved-from object answers.
inline absl::Status EmptyObject() {
  return absl::FailedPreconditionError(
      "the object is empty: it was moved from, released, or never filled");
}
inline absl::StatusOr<Transport*> LiveTransport(const CorePtr& core) {
  if (core == nullptr) return EmptyObject();
  return core->Live();
}

template <typename Id, absl::Status (Transport::*kRelease)(Id)>
class OwnedHandle {
 public:
  OwnedHandle() = default;
  OwnedHandle(CorePtr core, Id id) : core_(std::move(core)), id_(id) {}
  OwnedHandle(OwnedHandle&& other) noexcept
      : core_(std::move(other.core_)), id_(std::exchange(other.id_, Id())) {}
  OwnedHandle& operator=(OwnedHandle&& other) noexcept {
    if (this != &other) {
      Release().IgnoreError();
      core_ = std::move(other.core_);
      id_ = std::exchange(other.id_, Id());
    }
    return *this;
  }
  ~OwnedHandle() { Release().IgnoreError(); }

  Id id() const { return id_; }
  const CorePtr& core() const { return core_; }
  absl::StatusOr<Transport*> Live() const { return LiveTransport(core_); }
  // Gives the handle back now and says how that went. OK when empty or when the session has closed.
  absl::Status Release() {
    const CorePtr core = std::move(core_);
    core_ = nullptr;
    const Id id = std::exchange(id_, Id());
    if (core == nullptr || !id || core->closed()) return absl::OkStatus();
    const absl::StatusOr<Transport*> transport = core->Live();
    return transport.ok() ? ((*transport)->*kRelease)(id) : absl::OkStatus();
  }

 private:
  CorePtr core_;
  Id id_;
};

}  // namespace anex::internal

#endif  // ANEX_CLIENT_ANEX_SESSION_CORE_H_
