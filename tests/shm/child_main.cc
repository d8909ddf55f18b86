// The test binary, and the children that its tests start: `test_shm --child ROLE FD`, FD being a
// side channel or, for "wake", a region.
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "gtest/gtest.h"
#include "proto/shm/doorbell.h"
#include "proto/shm/shared_region.h"
#include "proto/shm/side_channel.h"

namespace anex::shm {
namespace {

// Receives a region, writes into it what it finds plus one, and says so.
int Increment(int fd) {
  auto channel = AdoptSideChannel(OwnedDescriptor(fd));
  absl::StatusOr<ReceivedFrame> got = (*channel)->Receive(absl::Seconds(20));
  if (!got.ok() || got->frame.kind != FrameKind::kDeliver) return 2;
  auto region =
      MapRegionUntrusted(std::move(got->descriptor), got->frame.bytes,
                         got->frame.writable ? RegionAccess::kReadWrite : RegionAccess::kReadOnly);
  if (!region.ok()) return 3;
  std::byte& last = (*region)->data()[(*region)->size() - 1];
  last = static_cast<std::byte>(std::to_integer<int>(last) + 1);
  return (*channel)->Send(SideChannelFrame::Bye(ByeReason::kClosed), -1, absl::Seconds(20)).ok()
             ? 0
             : 4;
}

// Receives a region read-only and tries hard to write. 0 = every way was refused.
int TryToWrite(int fd) {
  auto channel = AdoptSideChannel(OwnedDescriptor(fd));
  absl::StatusOr<ReceivedFrame> got = (*channel)->Receive(absl::Seconds(20));
  if (!got.ok() || got->frame.writable) return 2;
  const int memory = got->descriptor.get();
  if (::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0) != MAP_FAILED) return 3;
  if (::write(memory, "x", 1) >= 0) return 4;
  if (::ftruncate(memory, 0) == 0) return 5;
  return MapRegionUntrusted(std::move(got->descriptor), 1, RegionAccess::kReadWrite).ok() ? 6 : 0;
}

// Stores 1 into the region's first word and wakes who waits for it.
int WakeThroughMemory(int fd) {
  auto region = MapRegionUntrusted(OwnedDescriptor(fd), 4, RegionAccess::kReadWrite);
  if (!region.ok()) return 2;
  auto& word = *reinterpret_cast<std::atomic<uint32_t>*>((*region)->data());
  word.store(1, std::memory_order_release);
  WakeAll(word);
  return 0;
}

int RunChild(const std::string& role, int fd) {
  if (role == "increment") return Increment(fd);
  if (role == "try-to-write") return TryToWrite(fd);
  if (role == "wake") return WakeThroughMemory(fd);
  return 99;
}

}  // namespace
}  // namespace anex::shm

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "--child") == 0) {
    return anex::shm::RunChild(argv[2], std::atoi(argv[3]));
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
