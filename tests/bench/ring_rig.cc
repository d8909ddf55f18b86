#include "tests/bench/ring_rig.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "proto/shm/yielding_look.h"
#include "server/engine/engine.h"
#include "server/ring/ring_door.h"
#include "tests/bench/measure.h"
#include "tests/doubles/fake_device.h"
#include "tests/system/cores.h"
#include "tests/system/processes.h"

namespace {

// Where this process counts; shared with its parent.
std::atomic<uint64_t>* allocation_count = nullptr;

void* Allocate(size_t bytes, size_t alignment) {
  if (allocation_count != nullptr) allocation_count->fetch_add(1, std::memory_order_relaxed);
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

void* operator new(size_t bytes) { return Allocate(bytes, alignof(std::max_align_t)); }
void* operator new[](size_t bytes) { return Allocate(bytes, alignof(std::max_align_t)); }
void* operator new(size_t bytes, std::align_val_t alignment) {
  return Allocate(bytes, static_cast<size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace anex::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr absl::Duration kPatience = absl::Seconds(10);

// The token carries what an entry is to name: this is no daemon, and nobody else listens.
SideChannelToken TokenOf(uint64_t target) {
  SideChannelToken token{};
  std::memcpy(token.data(), &target, sizeof(target));
  return token;
}

void HandOver(shm::SideChannel& to, const shm::SharedRegion& region, const shm::Doorbell& bell,
              uint64_t target) {
  const auto memory = Must(region.Share(shm::RegionAccess::kReadWrite), "share");
  const auto ringer = Must(bell.Share(), "share");
  const SideChannelToken token = TokenOf(target);
  if (!to.Send(SideChannelFrame::Deliver(1, token, region.size(), true), memory.get(), kPatience)
           .ok() ||
      !to.Send(SideChannelFrame::Bell(1, token), ringer.get(), kPatience).ok()) {
    Fail("the client has gone");
  }
}

std::unique_ptr<shm::ClientRing> TakeOver(shm::SideChannel& from, uint64_t& target) {
  shm::ReceivedFrame memory = Must(from.Receive(kPatience), "memory");
  shm::ReceivedFrame bell = Must(from.Receive(kPatience), "bell");
  std::memcpy(&target, memory.frame.token.data(), sizeof(target));
  auto region = Must(shm::MapRegionUntrusted(std::move(memory.descriptor), memory.frame.bytes,
                                             shm::RegionAccess::kReadWrite),
                     "map");
  return Must(shm::ClientRing::Attach(std::move(region),
                                      shm::Doorbell::AdoptRinger(std::move(bell.descriptor))),
              "attach");
}

// The daemon's policy (server/engine/run/work_sources.cc) without a daemon.
void ServeEcho(shm::DaemonRing& ring, const shm::Doorbell& bell) {
  std::array<RingEntryWords, 16> batch;
  shm::WaitEstimate gaps(std::chrono::microseconds(160));
  for (;;) {
    const size_t taken = Must(ring.Take(batch), "take");
    for (size_t i = 0; i < taken; ++i) {
      RingSubmission entry;
      if (!DecodeUntrusted(batch[i], entry).empty()) Fail("a bad entry");
      ring.Post({.user_data = entry.user_data});
      ring.WakeClient();
    }
    if (taken > 0) continue;
    shm::YieldingLook look(gaps);
    if (look.For([&ring] { return ring.HasSubmissions(); })) continue;
    if (!ring.PrepareToSleep()) continue;
    pollfd ringing{bell.poll_descriptor(), POLLIN, 0};
    ::poll(&ringing, 1, -1);
    look.Slept(true);
    ring.Awake();
    bell.Drain();
  }
}

struct NullEngine {
  std::unique_ptr<engine::Engine> engine;
  engine::Caller caller;
  InvocationId invocation;
};

NullEngine StartNullEngine(int64_t busy_ns) {
  device::FakeConfig device;
  device.compute = false;
  device.busy_ns = busy_ns;
  device.device_ns = busy_ns;
  NullEngine made;
  made.engine =
      Must(engine::Engine::Create(
               {.devices =
                    Must(device::DeviceList::Make({device::FakeDeviceFactory(device)}), "device")}),
           "engine");
  engine::Engine& engine = *made.engine;
  made.caller.session = Must(engine.Open(made.caller, {.client_name = "bench"}), "open").id;
  ProgramSource source;
  source.name = "null.mil";
  source.text =
      "program(1.3)\n{\n  func main<ios18>(tensor<fp16, [1]> x) {\n"
      "    tensor<fp16, [1]> y = identity(x = x)[name = string(\"y\")];\n  } -> (y);\n}\n";
  const KernelId kernel = Must(engine.Compile(made.caller, source, {}), "compile").id;
  InvocationSpec spec{.kernel = kernel};
  for (const char* port : {"x", "y"}) {
    SurfaceSpec surface;
    surface.fits = {{kernel, "", port}};
    spec.bindings.push_back({port, Must(engine.CreateSurface(made.caller, surface), port).id});
  }
  made.invocation = Must(engine.Prepare(made.caller, spec), "prepare");
  return made;
}

void ServeEngine(const RingPeer::EngineOptions& options, shm::SideChannel& to_client) {
  NullEngine null = StartNullEngine(options.busy_ns);
  uint64_t target = null.invocation.value();
  if (options.chain_steps > 0) {
    ChainSpec chain;
    for (int i = 0; i < options.chain_steps; ++i) chain.steps.emplace_back(null.invocation);
    target = Must(null.engine->DefineChain(null.caller, chain), "chain").value();
  }
  ring::RingDoor door(*null.engine, nullptr);
  for (int i = 0; i < options.rings; ++i) {
    const ring::OpenedRing ring = Must(
        door.Open(null.caller,
                  {.submission_entries = options.entries, .completion_entries = options.entries}),
        "ring");
    const auto memory =
        Must(null.engine->TakeHandover(null.caller.session, ring.region_token), "memory");
    const auto bell = Must(null.engine->TakeHandover(null.caller.session, ring.bell_token), "bell");
    HandOver(to_client, *memory.region, *bell.bell, target);
  }
  for (;;) ::pause();
}

}  // namespace

void PinTo(int core) {
  if (!test::PinToCore(core)) Fail("cannot pin to a core: this benchmark compares placements");
}

RingPeer::RingPeer(int core, size_t rings, const Serve& serve) {
  void* page = ::mmap(nullptr, sizeof(*allocations_), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) Fail("no memory");
  allocations_ = new (page) std::atomic<uint64_t>(0);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) Fail("socketpair");
  pid_ = ::fork();
  if (pid_ < 0) Fail("fork");
  if (pid_ == 0) {
    test::EndWithParent();
    ::close(ends[0]);
    PinTo(core);
    allocation_count = allocations_;
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // as anexd does
    serve(*Must(shm::AdoptSideChannel(shm::OwnedDescriptor(ends[1])), "adopt"));
    ::_exit(1);
  }
  ::close(ends[1]);
  const auto from_child = Must(shm::AdoptSideChannel(shm::OwnedDescriptor(ends[0])), "adopt");
  for (size_t i = 0; i < rings; ++i) rings_.push_back(TakeOver(*from_child, target_));
}

RingPeer::~RingPeer() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  ::munmap(allocations_, sizeof(*allocations_));
}

std::unique_ptr<RingPeer> RingPeer::Echo(int core, uint32_t entries) {
  const auto serve = [entries](shm::SideChannel& to_client) {
    auto ring = Must(
        shm::DaemonRing::Create(Must(RingGeometry::Make(entries, entries), "geometry"), "echo"),
        "ring");
    const shm::Doorbell bell = Must(shm::Doorbell::Create(), "bell");
    HandOver(to_client, *ring->region(), bell, 0);
    ServeEcho(*ring, bell);
  };
  return std::unique_ptr<RingPeer>(new RingPeer(core, 1, serve));
}

std::unique_ptr<RingPeer> RingPeer::Engine(int core, const EngineOptions& options) {
  const auto serve = [options](shm::SideChannel& to_client) { ServeEngine(options, to_client); };
  std::unique_ptr<RingPeer> peer(new RingPeer(core, static_cast<size_t>(options.rings), serve));
  if (options.chain_steps > 0) peer->verb_ = RingVerb::kChain;
  return peer;
}

double RingPeer::cpu_seconds() const {
  clockid_t clock;
  timespec used{};
  if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &used) != 0) {
    Fail("the child has gone");
  }
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

void RingPeer::RoundTrip() {
  const RingSubmission entry = Entry();
  shm::ClientRing& through = ring();
  if (through.Submit(std::span(&entry, 1)) != 1) Fail("no place in the ring");
  shm::ClientRing::Taken taken;
  while (!through.Take(taken)) {
    if (!through.Wait(kPatience)) Fail("no answer from the ring");
  }
  if (taken.completion.status != 0) Fail(std::string(taken.text));
}

int64_t RingPeer::Pipelined(uint32_t depth, uint64_t count) {
  shm::ClientRing& through = ring();
  const std::vector<RingSubmission> entries(depth, Entry());
  uint64_t submitted = 0, finished = 0;
  const Clock::time_point start = Clock::now();
  while (finished < count) {
    const uint64_t room = std::min<uint64_t>(depth - (submitted - finished), count - submitted);
    if (room > 0) submitted += through.Submit(std::span(entries.data(), room));
    shm::ClientRing::Taken taken;
    if (!through.Wait(kPatience)) Fail("no answer from the ring");
    while (through.Take(taken)) {
      if (taken.completion.status != 0) Fail(std::string(taken.text));
      ++finished;
    }
  }
  return std::chrono::nanoseconds(Clock::now() - start).count();
}

}  // namespace anex::bench
