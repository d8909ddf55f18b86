// A session: a client's lease on the daemon. Everything made through it belongs to it and goes when
// it goes; other sessions see only what was granted to them.
//
// Threads: const methods from any thread; moving and Close by one owner.
// RAII: the destructor closes. Objects made here may be destroyed later than the session: they
// notice and do nothing; memory that they mapped stays readable until they go.
#ifndef ANEX_CLIENT_ANEX_SESSION_H_
#define ANEX_CLIENT_ANEX_SESSION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/anex/chain.h"
#include "client/anex/kernel.h"
#include "client/anex/lane.h"
#include "client/anex/parameter_set.h"
#include "client/anex/session_core.h"
#include "client/anex/submission_queue.h"
#include "client/anex/surface.h"
#include "client/transport/transport.h"

namespace anex {

// Row-major values of tensors, by name.
using FloatMap = std::map<std::string, std::vector<float>, std::less<>>;

class Session {
 public:
  Session() = default;  // empty
  Session(Session&&) noexcept = default;
  Session& operator=(Session&& other) noexcept;
  ~Session();

  // Opens a session over any transport, e.g. one in this process. Connect (connect.h) makes one
  // over a daemon's socket. One transport carries at most one session at a time.
  static absl::StatusOr<Session> Open(std::shared_ptr<Transport> transport, const OpenSpec& spec);

  explicit operator bool() const { return core_ != nullptr; }
  SessionId id() const;
  const DaemonInfo& daemon() const;  // REQUIRES: not empty
  // What is below, for verbs that the SDK has no object for (status, limits). FAILED_PRECONDITION
  // once closed. The pointer stays good while the session lives.
  absl::StatusOr<Transport*> transport() const { return internal::LiveTransport(core_); }

  // A tensor of dtype and shape, in the device's layout for them; zeros.
  absl::StatusOr<Surface> CreateSurface(DType dtype, const Shape& shape,
                                        std::string_view label = "") const;
  // What several ports must share, and so on; see SurfaceSpec.
  absl::StatusOr<Surface> CreateSurface(const SurfaceSpec& spec) const;
  // Takes a surface that another session granted (Surface::Grant).
  absl::StatusOr<Surface> Claim(std::string_view ticket) const;
  // Makes memory of this process a surface; it must be sealed (shm::CreateRegion makes such).
  absl::StatusOr<Surface> Import(std::shared_ptr<shm::SharedRegion> region,
                                 const TensorLayout& layout, std::string_view label = "") const;
  // Makes an IOSurface that its maker made global a surface, by its number. For what cannot be
  // handed over (Import); PERMISSION_DENIED unless the daemon allows it, which it does not by
  // itself.
  absl::StatusOr<Surface> ImportGlobalIosurface(uint32_t number, const TensorLayout& layout,
                                                std::string_view label = "") const;

  // Compiles a program, or finds that it is loaded or cached already. INVALID_ARGUMENT carries the
  // diagnostics: file:line:column, the line and a caret.
  absl::StatusOr<Kernel> Compile(const ProgramSource& source,
                                 const CompileOptions& options = {}) const;
  absl::StatusOr<Kernel> Compile(std::string_view mil_text, std::string_view name = "program.mil",
                                 const CompileOptions& options = {}) const;
  // FAILED_PRECONDITION if the daemon does not have it: Compile the program then.
  absl::StatusOr<Kernel> CompileByDigest(std::string_view digest,
                                         const CompileOptions& options = {},
                                         std::string_view name = "") const;
  // Diagnostics only; OK also for a program with errors.
  absl::StatusOr<CheckResult> Check(const ProgramSource& source,
                                    const CompileOptions& options = {}) const;

  // One run with floats in and floats out by the ports' names, everything for it made and given
  // back: for a first try and for tests. What runs often prepares an invocation once instead (see
  // kernel.h), and what must not be copied binds surfaces. INVALID_ARGUMENT for an input that is
  // missing, of another number of elements, or of a port without floats.
  // clang-format off
  //   absl::StatusOr<anex::FloatMap> out = session.Run(kernel, {{"x", {1, 2, 3}}});
  //   std::vector<float> y = out->at("y");
  // clang-format on
  absl::StatusOr<FloatMap> Run(const Kernel& kernel, const FloatMap& inputs,
                               std::string_view function = "") const;

  absl::StatusOr<ParameterSet> CreateParameterSet(const ParameterSetSpec& spec) const;
  ChainBuilder NewChain(std::string_view label = "") const;
  absl::StatusOr<Lane> CreateLane(const LaneSpec& spec = {}) const;
  absl::StatusOr<Fence> CreateFence(uint64_t initial_value = 0) const;
  // For any lanes: no ring. Lane::OpenQueue has one.
  absl::StatusOr<SubmissionQueue> OpenQueue(SubmitMode mode, uint32_t credits = 64) const;

  // Ends the session and says how that went. Everything made in it is gone afterwards.
  absl::Status Close();

 private:
  explicit Session(internal::CorePtr core) : core_(std::move(core)) {}

  internal::CorePtr core_;
};

}  // namespace anex

#endif  // ANEX_CLIENT_ANEX_SESSION_H_
