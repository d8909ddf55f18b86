// Asks devices what they can do: one at a time, each on an instance and a thread of its own, so
// that what clients run goes on and a device that hangs keeps nothing but that thread.
//
//   Probe -> [thread] make the device -> Device::Probe -> the device goes -> report
//
// A caller who leaves stops his probe; its thread ends at the next point where the device looks. A
// device that shows no progress for three times `device_hang_ns` is taken for hung: its caller gets
// what it has answered and which question it hangs at, and the thread is left behind until the
// device lets it go, if ever. After a few of those nothing is probed any more.
//
// Threads: any caller.
#ifndef ANEX_SERVER_ENGINE_DEVICE_PROBER_H_
#define ANEX_SERVER_ENGINE_DEVICE_PROBER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "proto/values/probe_values.h"
#include "server/device/device.h"
#include "server/engine/clock.h"
#include "server/engine/limits.h"
#include "server/engine/objects/wait.h"

namespace anex::engine {

class DeviceProber {
 public:
  // `clock` outlives it.
  DeviceProber(const Clock& clock, Bound device_hang_ns);
  // Callers must have left. Waits a short while for a probe that runs, then leaves it behind.
  ~DeviceProber();
  DeviceProber(const DeviceProber&) = delete;
  DeviceProber& operator=(const DeviceProber&) = delete;

  // A device that cannot be made is a report too: of one finding, "available". RESOURCE_EXHAUSTED
  // while another probe runs, when too many hang, or for want of memory; CANCELLED and
  // DEADLINE_EXCEEDED as `limit` says; UNIMPLEMENTED for a device that has nothing to tell.
  absl::StatusOr<ProbeReport> Probe(const device::DeviceFactory& factory, bool thorough,
                                    const WaitLimit& limit);

 private:
  struct Flight;
  struct State;  // co-owned by the threads, so that a stuck one can be left behind
  std::shared_ptr<State> state_;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_DEVICE_PROBER_H_
