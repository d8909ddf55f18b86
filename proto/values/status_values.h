// Values of the contract about the daemon itself: who is on it, how busy it is, what it holds.
// A figure that a device cannot measure is absent (nullopt), never 0. Values only, any thread.
#ifndef ANEX_PROTO_VALUES_STATUS_VALUES_H_
#define ANEX_PROTO_VALUES_STATUS_VALUES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proto/values/execution_values.h"
#include "proto/wire/handle.h"

namespace anex {

enum class Role : uint8_t {
  kObserver = 1,
  kOperator = 2,
  kOwner = 3
};  // each may do all of the former

enum class Health : uint8_t { kServing = 0, kDegraded = 1, kDraining = 2, kUnavailable = 3 };

struct DaemonInfo {
  std::string version;        // "0.1.0"
  std::string build;          // compiler, build type
  uint64_t daemon_epoch = 0;  // differs at every start of the daemon
  int64_t pid = 0;
  int64_t uptime_ns = 0;
  std::vector<std::string> features;  // names negotiated at Open
  std::string default_device;
  std::string runtime_dir;  // only to owner and operator
};

struct DeviceInfo {
  std::string name;         // "cpu"
  std::string description;  // "CPU device, OpenBLAS 0.3.21 SkylakeX, 2 threads"
  bool is_default = false;
  Health health = Health::kServing;
  std::string health_reason;
  std::map<std::string, std::string>
      capabilities;  // claim -> "yes" | "no" | "emulated" | "unavailable" ...
};

// Times and counts since the start of what they describe.
struct UsageCounters {
  uint64_t submitted = 0, completed = 0, failed = 0, cancelled = 0;
  uint64_t evaluations = 0;  // kernel runs, steps of chains included
  int64_t device_ns = 0;
  int64_t queue_ns = 0;  // sum over submissions
  int64_t queue_p50_ns = 0, queue_p99_ns = 0;
};

struct DeviceStatus {
  DeviceInfo info;
  // Shares of wall time in [0, 1] that a kernel was running, over the last 1 s and 60 s.
  double busy_1s = 0, busy_60s = 0;
  UsageCounters usage;
  uint32_t queued = 0, running = 0;
};

struct SessionStatus {
  SessionId id;
  std::string client_name;
  int64_t pid = 0;
  uint32_t uid = 0;
  int64_t age_ns = 0;
  double device_share_1s = 0;  // of the device's wall time
  UsageCounters usage;
  uint32_t queued = 0, running = 0;
  uint32_t surfaces = 0, kernels = 0, parameter_sets = 0, invocations = 0, chains = 0, lanes = 0;
  uint64_t surface_bytes = 0;
  uint64_t kernel_bytes = 0;     // of the kernels that it holds, shared ones in full
  uint64_t upload_bytes = 0;     // of its programs that are being sent, checked or compiled
  uint32_t weight = 1;           // among its uid's sessions
  std::optional<Prospect> next;  // of the lane whose turn comes first; absent if none waits
};

struct KernelStatus {
  KernelId id;  // of the first session that holds it
  std::string digest, name, device;
  std::vector<SessionId> sessions;
  UsageCounters usage;
  int64_t run_p50_ns = 0, run_p99_ns = 0;
};

struct SurfaceStatus {
  SurfaceInfo info;
  SessionId session;
};

struct DaemonStatus {
  DaemonInfo info;
  Health health = Health::kServing;
  std::string health_reason;
  std::vector<DeviceStatus> devices;
  std::vector<SessionStatus> sessions;
  std::vector<KernelStatus> kernels;
  uint64_t grpc_tensor_bytes = 0;  // tensor data that travelled inside gRPC messages
  uint64_t surface_bytes = 0;      // all sessions
  uint64_t kernel_bytes = 0;       // all kernels, each once
  uint64_t upload_bytes = 0;       // programs that are being sent, checked or compiled
  uint64_t resident_bytes = 0;     // the daemon's RSS
};

struct CacheEntryInfo {
  std::string digest, name, device;
  uint64_t bytes = 0;
  int64_t created_unix_s = 0, last_used_unix_s = 0;
  bool verified = false;  // only after a verifying list
  std::string problem;    // why verification failed, else ""
};

struct LimitInfo {
  std::string name;  // "surfaces_per_session"
  uint64_t value = 0;
  std::string unit;  // "surfaces", "bytes", "ns"
  std::string help;
  uint64_t least = 0, most = UINT64_MAX;  // what it may be set to
};

// What Open gives a client.
struct SessionGrant {
  SessionId id;
  std::string secret;              // hex, 32 bytes of entropy; never logged
  std::string side_channel;        // path of the socket, or "xpc:NAME" on macOS; "" in process
  std::string side_channel_token;  // one use, hex
  DaemonInfo daemon;
};

struct OpenSpec {
  std::string client_name;            // shown to everybody on the daemon; at most 64 bytes
  std::vector<std::string> features;  // wanted
  uint32_t weight = 1;                // share among the uid's sessions, 1..1000
};

}  // namespace anex

#endif  // ANEX_PROTO_VALUES_STATUS_VALUES_H_
