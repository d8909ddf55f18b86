// Ordered steps, run by the daemon in one submission: run, copy, publish, fence; repeated, with
// loopbacks between iterations. Checked once, immutable, any thread.
//
// A chain pins its sets() once per iteration, so every step of an iteration sees one generation.
//
//   for iteration in [0, repeat()):            parity = iteration % 2
//     pin sets()
//     for step in steps():                     run: invocation(parity) with MaskFor(pins)
//                                              copy: Copy(parity); publish; fence
//     unless it was the last: for copy in between(): copy.Run()
//   for copy in final_copies(): copy.Run()     the last values end in the surfaces named as results
//
// Swap loopbacks exchange the roles of `from` and `to` every iteration without moving a byte: there
// is one set of prepared requests for even and one for odd iterations. After the last iteration the
// value is in `from` if repeat is odd and in `to` if it is even; a final copy follows if the chain
// names the other one as its result.
#ifndef ANEX_SERVER_ENGINE_OBJECTS_CHAIN_H_
#define ANEX_SERVER_ENGINE_OBJECTS_CHAIN_H_

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/values/execution_values.h"
#include "server/engine/limits.h"
#include "server/engine/objects/fence.h"
#include "server/engine/objects/invocation.h"
#include "server/engine/objects/parameter_set.h"
#include "server/engine/objects/region_copy.h"
#include "server/engine/objects/surface.h"

namespace anex::engine {

// A copy between two surfaces, ready to run on the dispatcher's thread.
class SurfaceCopy {
 public:
  SurfaceCopy(SurfacePin from, SurfacePin to, RegionCopy copy)
      : from_(std::move(from)), to_(std::move(to)), copy_(copy) {}
  // Copies on from byte `done` on, at most `most` bytes, and moves `done` on: all has been copied
  // once it is bytes(). INTERNAL if a region cannot be locked (IOSurface).
  absl::Status Run(uint64_t& done, uint64_t most) const;
  absl::Status Run() const {
    uint64_t done = 0;
    return Run(done, bytes());
  }
  uint64_t bytes() const { return copy_.bytes(); }
  uint64_t run_bytes() const { return copy_.run_bytes(); }
  const Surface& from() const { return *from_.surface(); }
  const Surface& to() const { return *to_.surface(); }

 private:
  SurfacePin from_, to_;
  RegionCopy copy_;
};

struct RunStep {
  std::array<std::shared_ptr<const Invocation>, 2> by_parity;
  std::vector<uint16_t> set_index;  // the invocation's set i is the chain's set set_index[i]

  const Invocation& invocation(uint64_t iteration) const { return *by_parity[iteration % 2]; }
  // `pins` are of the chain's sets(), in order.
  uint32_t MaskFor(std::span<const SetPin> pins) const;
};
struct CopyStep {
  std::array<SurfaceCopy, 2> by_parity;
  const SurfaceCopy& copy(uint64_t iteration) const { return by_parity[iteration % 2]; }
};
struct PublishStep {
  std::shared_ptr<ParameterSet> set;  // PublishOpen(0)
};
struct FenceStep {
  std::shared_ptr<Fence> fence;
  uint64_t value = 0;
  bool signal = false;
};
using Step = std::variant<RunStep, CopyStep, PublishStep, FenceStep>;

// A chain's description with its handles resolved in the caller's session.
struct ResolvedCopy {
  BoundSurface from, to;
  Region from_region, to_region;
};
using ResolvedStep =
    std::variant<std::shared_ptr<const Invocation>, ResolvedCopy, PublishStep, FenceStep>;
struct ResolvedLoopback {
  BoundSurface from, to;
  LoopbackMode mode = LoopbackMode::kSwap;
  bool result_in_to = false;  // where the last value must end
};
struct ResolvedChain {
  std::vector<ResolvedStep> steps;
  std::vector<ResolvedLoopback> loopbacks;
  uint32_t repeat = 1;
  std::string label;
};

class Chain {
 public:
  // INVALID_ARGUMENT, naming the step or loopback, for: no steps or repeat 0; steps on several
  // devices; a copy whose regions overlap; a loopback whose `from` no step writes or whose `to` no
  // step reads, of different layouts, or of surfaces that other loopbacks use; an output that an
  // earlier step of the same iteration reads, without a loopback that says so (repeat > 1); a
  // publish of a fenced set that the chain also reads. PERMISSION_DENIED for writing to a read-only
  // surface. OUT_OF_RANGE for a region outside of its tensor. RESOURCE_EXHAUSTED "chain_steps",
  // "chain_repeat".
  static absl::StatusOr<std::shared_ptr<const Chain>> Make(ResolvedChain spec,
                                                           const Limits& limits);

  std::span<const Step> steps() const { return steps_; }
  uint32_t repeat() const { return repeat_; }
  std::span<const std::shared_ptr<ParameterSet>> sets() const { return sets_; }
  std::span<const SurfaceCopy> between() const { return between_; }
  std::span<const SurfaceCopy> final_copies() const { return final_copies_; }
  // Of its run steps; "" if it has none.
  const std::string& device_name() const { return device_name_; }
  const std::string& label() const { return label_; }

 private:
  friend class ChainBuilder;
  Chain() = default;

  std::vector<Step> steps_;
  uint32_t repeat_ = 1;
  std::vector<std::shared_ptr<ParameterSet>> sets_;
  std::vector<SurfaceCopy> between_, final_copies_;
  std::string device_name_, label_;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_OBJECTS_CHAIN_H_
