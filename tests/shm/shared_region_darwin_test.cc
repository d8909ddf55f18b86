// What a peer may hand over instead of honest memory, on macOS.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/shm/shared_region.h"
#include "proto/wire/tensor_layout.h"
#include "tests/system/descriptors.h"
#include "tests/system/processes.h"

namespace anex::shm {
namespace {

using ::testing::HasSubstr;

constexpr auto kReadOnly = RegionAccess::kReadOnly;
constexpr auto kReadWrite = RegionAccess::kReadWrite;
constexpr off_t kPage = 16384;

// As a client makes it: an object that has lost its name.
OwnedDescriptor Object(off_t size, int mode = O_RDWR) {
  const std::string name = "/anex-peer." + std::to_string(::getpid());
  OwnedDescriptor both(::shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600));
  OwnedDescriptor wanted(::shm_open(name.c_str(), mode, 0));
  ::shm_unlink(name.c_str());
  if (size != 0) {
    EXPECT_EQ(::ftruncate(both.get(), size), 0);
  }
  return wanted;
}

absl::Status MapStatus(OwnedDescriptor fd, uint64_t minimum, RegionAccess access) {
  EXPECT_TRUE(fd.valid());
  return MapRegionUntrusted(std::move(fd), minimum, access).status();
}

TEST(MapRegionUntrusted, RefusesWhatIsNoSharedMemory) {
  int pipe_ends[2], sockets[2];
  ASSERT_EQ(test::NewPipe(pipe_ends), 0);
  ASSERT_EQ(test::NewSocketPair(sockets), 0);
  const OwnedDescriptor write_end(pipe_ends[1]), other_socket(sockets[1]);
  const struct {
    const char* what;
    OwnedDescriptor fd;
  } offers[] = {
      {"a program", OwnedDescriptor(::open(test::OwnProgram().c_str(), O_RDONLY | O_CLOEXEC))},
      {"a file that can be cut short", OwnedDescriptor(test::NewLooseFile(kPage))},
      {"a directory", OwnedDescriptor(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC))},
      {"/dev/zero", OwnedDescriptor(::open("/dev/zero", O_RDWR | O_CLOEXEC))},
      {"a pipe", OwnedDescriptor(pipe_ends[0])},
      {"a socket", OwnedDescriptor(sockets[0])},
  };
  for (const auto& offer : offers) {
    const absl::Status status =
        MapStatus(OwnedDescriptor(::fcntl(offer.fd.get(), F_DUPFD_CLOEXEC, 0)), 1, kReadOnly);
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << offer.what << ": " << status;
  }
  EXPECT_EQ(MapRegionUntrusted(OwnedDescriptor(), 1, kReadOnly).status().code(),
            absl::StatusCode::kFailedPrecondition);
  // The number of a port may be that of a descriptor, which is not what was handed over.
  OwnedDescriptor memory = Object(kPage);
  const auto number = static_cast<uint32_t>(memory.Release());
  EXPECT_EQ(MapRegionUntrusted(OwnedDescriptor::OfPort(number), 1, kReadOnly).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(MapRegionUntrusted, RefusesALyingSize) {
  const absl::Status status = MapStatus(Object(kPage), kPage + 1, kReadOnly);
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(status.message()), HasSubstr("16384"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("16385"));
  EXPECT_EQ(MapStatus(Object(kPage), UINT64_MAX, kReadOnly).code(), absl::StatusCode::kOutOfRange);
}

// Its size could still be said, once, after somebody had looked.
TEST(MapRegionUntrusted, RefusesMemoryThatHasNoSizeYet) {
  for (const uint64_t minimum : {0, 1, 4096}) {
    EXPECT_EQ(MapStatus(Object(0), minimum, kReadOnly).code(), absl::StatusCode::kOutOfRange);
  }
}

TEST(MapRegionUntrusted, RefusesToWriteWhatItMayNot) {
  const absl::Status status = MapStatus(Object(kPage, O_RDONLY), 1, kReadWrite);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("read-only"));
  EXPECT_TRUE(MapStatus(Object(kPage, O_RDONLY), 1, kReadOnly).ok());
}

TEST(MapRegionUntrusted, SharesReadOnlyOnlyWhatCameReadOnly) {
  auto writable = MapRegionUntrusted(Object(kPage), 1, kReadWrite);
  ASSERT_TRUE(writable.ok()) << writable.status();
  const absl::Status refused = (*writable)->Share(kReadOnly).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("hand it over read-only"));
  EXPECT_TRUE((*writable)->Share(kReadWrite).ok());

  auto view = MapRegionUntrusted(Object(kPage, O_RDONLY), 1, kReadOnly);
  ASSERT_TRUE(view.ok()) << view.status();
  const absl::StatusOr<OwnedDescriptor> again = (*view)->Share(kReadOnly);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(::fcntl(again->get(), F_GETFL) & O_ACCMODE, O_RDONLY);
  EXPECT_EQ(::fcntl(again->get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST(MapRegionUntrusted, ClosesTheDescriptorWhetherItTakesItOrNot) {
  OwnedDescriptor bad(test::NewLooseFile(kPage));
  const int number = bad.get();
  EXPECT_FALSE(MapRegionUntrusted(std::move(bad), 1, kReadOnly).ok());
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

TEST(CreateRegion, RefusesNothingAndTooMuch) {
  EXPECT_EQ(CreateRegion(0, "x").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CreateRegion(kMaxAllocation + 1, "x").status().code(),
            absl::StatusCode::kResourceExhausted);
}

// There is room for the first of its two descriptors only.
TEST(CreateRegion, LeavesNoDescriptorBehindWhenDescriptorsRunOut) {
  rlimit limit;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const int before = test::OpenDescriptors(::getpid());
  absl::Status status;
  {
    const OwnedDescriptor next(::dup(0));
    const rlimit tight{static_cast<rlim_t>(next.get()) + 2, limit.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
    status = CreateRegion(4096, "x").status();
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_EQ(test::OpenDescriptors(::getpid()), before);
}

}  // namespace
}  // namespace anex::shm
