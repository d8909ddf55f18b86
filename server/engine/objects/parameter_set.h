// A group of surfaces that are updated together, with one generation number for the whole set.
//
//   double: two buffers. Submissions pin the front one; a lease writes the back one; Publish flips.
//           BeginWrite waits until the back buffer (the former front) has no pins left.
//   fenced: one buffer. BeginWrite waits until it has no pins and holds off new ones; Publish or
//           Abort lets them in again. A lease that ends without Publish may leave half-written
//           bytes: the set is then *torn* and refuses pins until the next Publish.
//
// Threads: any; one lock, never held while bytes are copied or a device runs.
// Invariants: whoever holds a pin sees one generation of every parameter, unchanged, until he lets
// go (as far as writers keep to their lease: a client could always scribble on memory that it has
// mapped). At most one lease at a time; it ends by Publish, Abort or at its deadline, whoever looks
// first.
//
// A new lease's back buffer holds what was in it before (in double mode: of the generation before
// the last), so a writer writes every parameter.
#ifndef ANEX_SERVER_ENGINE_OBJECTS_PARAMETER_SET_H_
#define ANEX_SERVER_ENGINE_OBJECTS_PARAMETER_SET_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "proto/values/parameter_values.h"
#include "server/engine/objects/surface.h"
#include "server/engine/objects/wait.h"
#include "server/engine/objects/waiter.h"
#include "server/engine/objects/write_lease.h"

namespace anex::engine {

class ParameterSet;

// Holds one buffer of a set at one generation. Move-only; letting go may wake a waiting writer.
class SetPin {
 public:
  SetPin() = default;
  SetPin(SetPin&& other) noexcept = default;
  SetPin& operator=(SetPin&& other) noexcept;
  ~SetPin() { Reset(); }
  void Reset();

  uint32_t buffer() const { return buffer_; }
  uint64_t generation() const { return generation_; }
  const std::shared_ptr<ParameterSet>& set() const { return set_; }

 private:
  friend class ParameterSet;
  SetPin(std::shared_ptr<ParameterSet> set, uint32_t buffer, uint64_t generation)
      : set_(std::move(set)), buffer_(buffer), generation_(generation) {}
  std::shared_ptr<ParameterSet> set_;
  uint32_t buffer_ = 0;
  uint64_t generation_ = 0;
};

class ParameterSet : public std::enable_shared_from_this<ParameterSet> {
 public:
  struct Parameter {
    std::string name;
    TensorLayout layout;
    // Fenced: both are the same surface.
    std::array<std::shared_ptr<Surface>, 2> buffers;
  };

  // INVALID_ARGUMENT for no parameters, or a name that is empty or there twice. `clock` outlives
  // the set.
  static absl::StatusOr<std::shared_ptr<ParameterSet>> Make(ParameterMode mode,
                                                            std::vector<Parameter> parameters,
                                                            std::string label, const Clock& clock);

  ParameterMode mode() const { return mode_; }
  const std::string& label() const { return label_; }
  std::span<const Parameter> parameters() const { return parameters_; }
  // INVALID_ARGUMENT with the nearest name.
  absl::StatusOr<size_t> IndexOf(std::string_view parameter) const;

  // For dispatchers. nullopt: a fenced set is being written or waited for; `waiter` is told when to
  // look again. FAILED_PRECONDITION: torn, or Close was called.
  absl::StatusOr<std::optional<SetPin>> TryPin(Waiter* waiter = nullptr);

  // Waits for readers (see above). FAILED_PRECONDITION if the set is leased or another writer
  // waits.
  absl::StatusOr<LeaseTerms> BeginWrite(int64_t duration_ns, const WaitLimit& limit);
  // One chunk into the leased buffer; converts outside the lock. Errors as in Engine::Update.
  absl::Status Update(LeaseNumber lease, const WeightChunk& chunk);
  // Errors as in Engine::Publish. Returns the new generation.
  absl::StatusOr<uint64_t> Publish(LeaseNumber lease, uint64_t expected_generation);
  // Publishes whatever lease is open: publish steps and submissions name the set, not the lease.
  absl::StatusOr<uint64_t> PublishOpen(uint64_t expected_generation);
  absl::Status Abort(LeaseNumber lease);
  // Ends a lease past its deadline; called by the engine's sweeper so that blocked readers go on.
  void Sweep(int64_t now_ns);
  // Its session ended: the lease ends, later pins and writers are refused. (A set whose handle was
  // merely released goes on for the invocations that hold it.)
  void Close();

  // `id` and the surfaces' handles are the session's to fill in.
  ParameterSetInfo Info() const;
  uint64_t generation() const;

 private:
  friend class SetPin;
  ParameterSet(ParameterMode mode, std::vector<Parameter> parameters, std::string label,
               const Clock& clock);

  void Unpin(uint32_t buffer);
  uint32_t BackLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool WritableLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool NotUpdatingLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !updating_; }
  // The open lease if it is `number` and has not expired; FAILED_PRECONDITION otherwise.
  absl::StatusOr<Lease*> OpenLocked(LeaseNumber number) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<uint64_t> PublishLocked(Lease& lease, uint64_t expected_generation)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndLeaseLocked(bool published) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ExpireLocked(int64_t now_ns) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ParameterMode mode_;
  const std::vector<Parameter> parameters_;
  const std::vector<SurfacePin> surface_pins_;
  std::vector<std::string> names_;                 // of parameters_, constant
  std::vector<uint64_t> element_counts_;           // of parameters_, constant
  std::unordered_map<std::string, size_t> index_;  // constant
  const std::string label_;
  const Clock& clock_;

  mutable absl::Mutex mutex_;
  uint64_t generation_ ABSL_GUARDED_BY(mutex_) = 0;
  uint32_t front_ ABSL_GUARDED_BY(mutex_) = 0;
  std::array<uint32_t, 2> pins_ ABSL_GUARDED_BY(mutex_){};
  std::optional<Lease> lease_ ABSL_GUARDED_BY(mutex_);
  LeaseNumber last_lease_ ABSL_GUARDED_BY(mutex_) = 0;
  bool writer_waits_ ABSL_GUARDED_BY(mutex_) = false;
  bool updating_ ABSL_GUARDED_BY(mutex_) = false;  // a chunk is being stored, maybe by a dead lease
  bool torn_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  WaitList waiting_ ABSL_GUARDED_BY(mutex_);  // for pins
};

// Pins all of `sets` or none: appends to `pins` and returns true, or false if one is blocked now
// (what was pinned has been let go, so two blocked jobs never hold what the other's writer waits
// for); `waiter` is told when to look again.
absl::StatusOr<bool> PinAll(std::span<const std::shared_ptr<ParameterSet>> sets,
                            std::vector<SetPin>& pins, Waiter* waiter = nullptr);

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_OBJECTS_PARAMETER_SET_H_
