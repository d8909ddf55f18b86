#include "server/engine/objects/parameter_set.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/engine/objects/name_hint.h"

namespace anex::engine {
namespace {

absl::Status NoSuchLease() {
  return absl::FailedPreconditionError(
      "the write lease has ended (published, aborted or past its deadline); begin a new write");
}

std::vector<SurfacePin> PinsOf(const std::vector<ParameterSet::Parameter>& parameters) {
  std::vector<SurfacePin> pins;
  for (const ParameterSet::Parameter& parameter : parameters) {
    pins.emplace_back(parameter.buffers[0]);
    if (parameter.buffers[1] != parameter.buffers[0]) pins.emplace_back(parameter.buffers[1]);
  }
  return pins;
}

}  // namespace

SetPin& SetPin::operator=(SetPin&& other) noexcept {
  if (this != &other) {
    Reset();
    set_ = std::move(other.set_);
    buffer_ = other.buffer_;
    generation_ = other.generation_;
  }
  return *this;
}

void SetPin::Reset() {
  if (set_) set_->Unpin(buffer_);
  set_.reset();
}

absl::StatusOr<std::shared_ptr<ParameterSet>> ParameterSet::Make(ParameterMode mode,
                                                                 std::vector<Parameter> parameters,
                                                                 std::string label,
                                                                 const Clock& clock) {
  if (parameters.empty()) {
    return absl::InvalidArgumentError("a parameter set needs at least one parameter");
  }
  std::shared_ptr<ParameterSet> set(
      new ParameterSet(mode, std::move(parameters), std::move(label), clock));
  for (size_t i = 0; i < set->names_.size(); ++i) {
    const std::string& name = set->names_[i];
    if (name.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("parameter ", i, " has no name"));
    }
    if (!set->index_.emplace(name, i).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("parameter ", Quoted(name), " is there twice; names are unique in a set"));
    }
  }
  return set;
}

ParameterSet::ParameterSet(ParameterMode mode, std::vector<Parameter> parameters, std::string label,
                           const Clock& clock)
    : mode_(mode),
      parameters_(std::move(parameters)),
      surface_pins_(PinsOf(parameters_)),
      label_(std::move(label)),
      clock_(clock) {
  for (const Parameter& parameter : parameters_) {
    names_.push_back(parameter.name);
    element_counts_.push_back(static_cast<uint64_t>(parameter.layout.shape.ElementCount()));
  }
}

absl::StatusOr<size_t> ParameterSet::IndexOf(std::string_view parameter) const {
  const auto found = index_.find(std::string(parameter));
  if (found != index_.end()) return found->second;
  return absl::InvalidArgumentError(
      absl::StrCat("the set has no parameter ", Quoted(parameter), NameHint(parameter, names_)));
}

absl::StatusOr<std::optional<SetPin>> ParameterSet::TryPin(Waiter* waiter) {
  absl::MutexLock lock(&mutex_);
  if (lease_) ExpireLocked(clock_.Now());
  if (closed_) return absl::FailedPreconditionError("the parameter set's session has ended");
  if (mode_ == ParameterMode::kFenced) {
    if (lease_ || writer_waits_) {
      waiting_.Add(waiter);
      return std::optional<SetPin>();
    }
    if (torn_) {
      return absl::FailedPreconditionError(
          absl::StrCat("parameter set ", Quoted(label_),
                       " was abandoned in the middle of a write; begin a new write and publish"));
    }
  }
  ++pins_[front_];
  return std::optional<SetPin>(SetPin(shared_from_this(), front_, generation_));
}

void ParameterSet::Unpin(uint32_t buffer) {
  absl::MutexLock lock(&mutex_);
  --pins_[buffer];
}

uint32_t ParameterSet::BackLocked() const {
  return mode_ == ParameterMode::kDouble ? 1 - front_ : 0;
}

// A chunk of a lease that has ended may still be on its way into the buffer.
bool ParameterSet::WritableLocked() const {
  return closed_ || (pins_[BackLocked()] == 0 && !updating_);
}

absl::StatusOr<LeaseTerms> ParameterSet::BeginWrite(int64_t duration_ns, const WaitLimit& limit) {
  absl::MutexLock lock(&mutex_);
  ExpireLocked(clock_.Now());
  if (closed_) return absl::FailedPreconditionError("the parameter set's session has ended");
  if (lease_)
    return absl::FailedPreconditionError("the set is being written; publish or abort first");
  if (writer_waits_) {
    return absl::FailedPreconditionError("another write of this set is waiting to begin");
  }
  writer_waits_ = true;
  absl::Status waited = AwaitUntil(mutex_, absl::Condition(this, &ParameterSet::WritableLocked),
                                   limit, "the set's running readers");
  writer_waits_ = false;
  if (waited.ok() && closed_) {
    waited = absl::CancelledError("the parameter set's session has ended");
  }
  if (!waited.ok()) {
    waiting_.Tell();  // readers that were held off may go on
    return waited;
  }
  const int64_t now = clock_.Now();
  const int64_t expires = duration_ns > INT64_MAX - now ? INT64_MAX : now + duration_ns;
  lease_.emplace(LeaseTerms{++last_lease_, BackLocked(), generation_ + 1, expires},
                 parameters_.size());
  return lease_->terms();
}

absl::StatusOr<Lease*> ParameterSet::OpenLocked(LeaseNumber number) {
  ExpireLocked(clock_.Now());
  if (!lease_ || lease_->terms().number != number) return NoSuchLease();
  return &*lease_;
}

absl::Status ParameterSet::Update(LeaseNumber lease, const WeightChunk& chunk) {
  uint64_t elements = 0;
  size_t index = 0;
  std::shared_ptr<Surface> target;
  const uint32_t found_crc32 = Crc32(chunk.data);
  {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &ParameterSet::NotUpdatingLocked));  // for one chunk
    absl::StatusOr<Lease*> open = OpenLocked(lease);
    if (!open.ok()) return open.status();
    absl::StatusOr<size_t> found = IndexOf(chunk.parameter);
    if (!found.ok()) {
      (*open)->Spoil(found.status());
      return found.status();
    }
    index = *found;
    const Parameter& parameter = parameters_[index];
    absl::StatusOr<uint64_t> accepted =
        (*open)->Accept(index, parameter.name, parameter.layout, chunk, found_crc32);
    if (!accepted.ok()) return accepted.status();
    elements = *accepted;
    target = parameter.buffers[(*open)->terms().buffer];
    updating_ = true;
  }
  StoreElements(chunk, elements, parameters_[index].layout, target->region()->data());
  absl::MutexLock lock(&mutex_);
  updating_ = false;
  absl::StatusOr<Lease*> open = OpenLocked(lease);  // it may have ended meanwhile
  if (!open.ok()) return open.status();
  (*open)->Wrote(index, elements);
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> ParameterSet::Publish(LeaseNumber lease, uint64_t expected_generation) {
  absl::MutexLock lock(&mutex_);
  absl::StatusOr<Lease*> open = OpenLocked(lease);
  if (!open.ok()) return open.status();
  return PublishLocked(**open, expected_generation);
}

absl::StatusOr<uint64_t> ParameterSet::PublishOpen(uint64_t expected_generation) {
  absl::MutexLock lock(&mutex_);
  ExpireLocked(clock_.Now());
  if (!lease_) {
    return absl::FailedPreconditionError("nothing to publish: the set has no open write lease");
  }
  return PublishLocked(*lease_, expected_generation);
}

absl::StatusOr<uint64_t> ParameterSet::PublishLocked(Lease& lease, uint64_t expected_generation) {
  if (updating_) {
    return absl::FailedPreconditionError("a chunk is still being written; publish after it");
  }
  if (expected_generation != 0 && expected_generation - 1 != generation_) {
    return absl::AbortedError(absl::StrCat("expected to publish generation ", expected_generation,
                                           ", but the set is at ", generation_));
  }
  absl::Status complete = lease.CheckComplete(names_, element_counts_);
  if (!complete.ok()) return complete;
  if (mode_ == ParameterMode::kDouble) front_ = BackLocked();
  ++generation_;
  EndLeaseLocked(/*published=*/true);
  return generation_;
}

void ParameterSet::EndLeaseLocked(bool published) {
  lease_.reset();
  if (mode_ == ParameterMode::kFenced) torn_ = !published;
  waiting_.Tell();
}

absl::Status ParameterSet::Abort(LeaseNumber lease) {
  absl::MutexLock lock(&mutex_);
  absl::StatusOr<Lease*> open = OpenLocked(lease);
  if (!open.ok()) return open.status();
  EndLeaseLocked(/*published=*/false);
  return absl::OkStatus();
}

void ParameterSet::ExpireLocked(int64_t now_ns) {
  if (!lease_ || !lease_->ExpiredAt(now_ns)) return;
  EndLeaseLocked(/*published=*/false);
}

void ParameterSet::Sweep(int64_t now_ns) {
  absl::MutexLock lock(&mutex_);
  ExpireLocked(now_ns);
}

void ParameterSet::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
  if (lease_) EndLeaseLocked(/*published=*/false);
  waiting_.Tell();
}

ParameterSetInfo ParameterSet::Info() const {
  ParameterSetInfo info;
  info.mode = mode_;
  info.label = label_;
  for (const Parameter& parameter : parameters_) {
    info.parameters.push_back({parameter.name, parameter.layout, {}});
  }
  absl::MutexLock lock(&mutex_);
  info.generation = generation_;
  info.front_buffer = front_;
  info.leased = lease_ && !lease_->ExpiredAt(clock_.Now());
  return info;
}

uint64_t ParameterSet::generation() const {
  absl::MutexLock lock(&mutex_);
  return generation_;
}

absl::StatusOr<bool> PinAll(std::span<const std::shared_ptr<ParameterSet>> sets,
                            std::vector<SetPin>& pins, Waiter* waiter) {
  const size_t before = pins.size();
  for (const std::shared_ptr<ParameterSet>& set : sets) {
    absl::StatusOr<std::optional<SetPin>> pin = set->TryPin(waiter);
    if (pin.ok() && pin->has_value()) {
      pins.push_back(**std::move(pin));
      continue;
    }
    pins.resize(before);
    if (!pin.ok()) return pin.status();
    return false;
  }
  return true;
}

}  // namespace anex::engine
