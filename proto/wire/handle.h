// Handles name the objects of a session: one distinct type per noun, so that mixing them up does
// not compile. A handle is 64 bits: the low 32 are a slot, the high 32 a generation that starts at
// 1, so 0 is never a valid handle and a stale handle never resolves to the slot's next owner.
// Handles mean something only inside the session that they were given to; they are names, not
// secrets.
#ifndef ANEX_PROTO_WIRE_HANDLE_H_
#define ANEX_PROTO_WIRE_HANDLE_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace anex {

template <typename Tag>
class Handle {
 public:
  constexpr Handle() = default;
  constexpr explicit Handle(uint64_t value) : value_(value) {}
  static constexpr Handle Make(uint32_t slot, uint32_t generation) {
    return Handle((uint64_t{generation} << 32) | slot);
  }

  constexpr uint64_t value() const { return value_; }
  constexpr uint32_t slot() const { return static_cast<uint32_t>(value_); }
  constexpr uint32_t generation() const { return static_cast<uint32_t>(value_ >> 32); }
  // False for the handle that names nothing. True does not mean that it resolves.
  constexpr explicit operator bool() const { return value_ != 0; }

  friend constexpr auto operator<=>(Handle, Handle) = default;
  template <typename H>
  friend H AbslHashValue(H h, Handle handle) {
    return H::combine(std::move(h), handle.value_);
  }

 private:
  uint64_t value_ = 0;
};

using SessionId = Handle<struct SessionTag>;
using SurfaceId = Handle<struct SurfaceTag>;
using KernelId = Handle<struct KernelTag>;
using ParameterSetId = Handle<struct ParameterSetTag>;
using LeaseId = Handle<struct LeaseTag>;  // a write lease on a parameter set
using InvocationId = Handle<struct InvocationTag>;
using ChainId = Handle<struct ChainTag>;
using LaneId = Handle<struct LaneTag>;
using FenceId = Handle<struct FenceTag>;

}  // namespace anex

template <typename Tag>
struct std::hash<anex::Handle<Tag>> {
  size_t operator()(anex::Handle<Tag> handle) const noexcept {
    return std::hash<uint64_t>()(handle.value());
  }
};

#endif  // ANEX_PROTO_WIRE_HANDLE_H_
