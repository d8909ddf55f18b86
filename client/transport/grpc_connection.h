// One channel to a daemon, and what every call over it has in common: the deadline, the session's
// secret, the epoch check, and errors that say what to do.
//
// Threads: any. Invariant: once `lost` is set it stays; no call of the session is made after it.
#ifndef ANEX_CLIENT_TRANSPORT_GRPC_CONNECTION_H_
#define ANEX_CLIENT_TRANSPORT_GRPC_CONNECTION_H_

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "anex/v1/admin.grpc.pb.h"
#include "anex/v1/chains.grpc.pb.h"
#include "anex/v1/daemon.grpc.pb.h"
#include "anex/v1/execution.grpc.pb.h"
#include "anex/v1/invocations.grpc.pb.h"
#include "anex/v1/kernels.grpc.pb.h"
#include "anex/v1/parameters.grpc.pb.h"
#include "anex/v1/rings.grpc.pb.h"
#include "anex/v1/sessions.grpc.pb.h"
#include "anex/v1/surfaces.grpc.pb.h"

namespace anex {

class GrpcConnection {
 public:
  GrpcConnection(const std::string& socket, absl::Duration call_deadline);

  const std::string& endpoint() const { return endpoint_; }
  absl::Duration call_deadline() const { return absl::Nanoseconds(deadline_ns_.load()); }
  void set_call_deadline(absl::Duration deadline) {
    deadline_ns_.store(absl::ToInt64Nanoseconds(deadline));
  }

  // The session that calls carry from now on; an empty secret = none.
  void SetSession(const std::string& secret, uint64_t epoch) ABSL_LOCKS_EXCLUDED(mutex_);
  // From now on every call of the session fails with `why`.
  void Lose(const absl::Status& why) ABSL_LOCKS_EXCLUDED(mutex_);
  // OK if the session can be used.
  absl::Status SessionReady() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Puts the secret and a deadline `timeout` from now (infinite: none) on a call.
  void Prepare(grpc::ClientContext& context, absl::Duration timeout) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  // What came of a call: checks the epoch, and turns a failure to reach anybody into advice.
  absl::Status Outcome(const grpc::ClientContext& context, const grpc::Status& status)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // One unary call. Session calls fail early once the session is lost.
  template <typename Stub, typename Request, typename Response>
  absl::Status Call(const std::unique_ptr<Stub>& stub,
                    grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response,
                    absl::Duration extra_time = absl::ZeroDuration()) {
    const absl::Status ready = SessionReady();
    if (!ready.ok()) return ready;
    grpc::ClientContext context;
    Prepare(context, call_deadline() + extra_time);
    return Outcome(context, (stub.get()->*method)(&context, request, response));
  }

  std::unique_ptr<v1::Admin::Stub> admin;
  std::unique_ptr<v1::Chains::Stub> chains;
  std::unique_ptr<v1::Daemon::Stub> daemon;
  std::unique_ptr<v1::Execution::Stub> execution;
  std::unique_ptr<v1::Invocations::Stub> invocations;
  std::unique_ptr<v1::Kernels::Stub> kernels;
  std::unique_ptr<v1::Parameters::Stub> parameters;
  std::unique_ptr<v1::Rings::Stub> rings;
  std::unique_ptr<v1::Sessions::Stub> sessions;
  std::unique_ptr<v1::Surfaces::Stub> surfaces;

 private:
  // Nobody answered: what to do depends on whether there was a session,
  // or has `spoke` before it fell silent.
  absl::Status Unreachable(const std::string& raw, bool spoke) const ABSL_LOCKS_EXCLUDED(mutex_);

  const std::string endpoint_;  // "unix:/path"
  std::atomic<int64_t> deadline_ns_;
  mutable absl::Mutex mutex_;
  std::string secret_ ABSL_GUARDED_BY(mutex_);
  uint64_t epoch_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status lost_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace anex

#endif  // ANEX_CLIENT_TRANSPORT_GRPC_CONNECTION_H_
