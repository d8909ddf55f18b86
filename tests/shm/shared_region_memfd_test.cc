// What a peer may hand over instead of honest memory, and what the kernel says of ours.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/shm/shared_region.h"
#include "proto/wire/tensor_layout.h"

namespace anex::shm {
namespace {

using ::testing::HasSubstr;

constexpr auto kReadOnly = RegionAccess::kReadOnly;
constexpr auto kReadWrite = RegionAccess::kReadWrite;

uint64_t Page() { return static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)); }

OwnedDescriptor Memfd(off_t size, int seals, unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING) {
  OwnedDescriptor fd(::memfd_create("peer", flags));
  if (!fd.valid()) return fd;
  EXPECT_EQ(::ftruncate(fd.get(), size), 0);
  EXPECT_EQ(seals == 0 ? 0 : ::fcntl(fd.get(), F_ADD_SEALS, seals), 0);
  return fd;
}

absl::Status MapStatus(OwnedDescriptor fd, uint64_t minimum, RegionAccess access) {
  EXPECT_TRUE(fd.valid());
  return MapRegionUntrusted(std::move(fd), minimum, access).status();
}

OwnedDescriptor Open(const char* path, int flags) {
  return OwnedDescriptor(::open(path, flags | O_CLOEXEC, 0600));
}

TEST(MapRegionUntrusted, RefusesMemoryThatCanStillShrink) {
  for (const int seals : {0, F_SEAL_GROW, F_SEAL_WRITE, F_SEAL_GROW | F_SEAL_SEAL}) {
    const absl::Status status = MapStatus(Memfd(8192, seals), 8192, kReadOnly);
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << seals;
    EXPECT_THAT(std::string(status.message()), HasSubstr("F_SEAL_SHRINK"));
  }
  EXPECT_EQ(MapStatus(Memfd(8192, 0, MFD_CLOEXEC), 1, kReadOnly).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(MapRegionUntrusted, TakesMemoryThatIsSealedAgainstShrinkingOnly) {
  auto region = MapRegionUntrusted(Memfd(5000, F_SEAL_SHRINK), 5000, kReadWrite);
  ASSERT_TRUE(region.ok()) << region.status();
  EXPECT_EQ((*region)->size(), 5000u);  // the peer's size, not rounded
  (*region)->data()[4999] = std::byte{1};
}

TEST(MapRegionUntrusted, RefusesWhatIsNoSharedMemory) {
  int pipe_ends[2], sockets[2];
  ASSERT_EQ(::pipe2(pipe_ends, O_CLOEXEC), 0);
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
  const OwnedDescriptor write_end(pipe_ends[1]), other_socket(sockets[1]);
  const struct {
    const char* what;
    OwnedDescriptor fd;
  } offers[] = {
      {"a file on disk", Open("/proc/self/exe", O_RDONLY)},
      {"a file in /proc", Open("/proc/self/status", O_RDONLY)},
      {"a directory", Open("/", O_RDONLY | O_DIRECTORY)},
      {"/dev/zero", Open("/dev/zero", O_RDWR)},
      {"/dev/null", Open("/dev/null", O_RDWR)},
      {"a pipe", OwnedDescriptor(pipe_ends[0])},
      {"a socket", OwnedDescriptor(sockets[0])},
      {"a path descriptor", Open("/proc/self/exe", O_PATH)},
  };
  for (const auto& offer : offers) {
    const absl::Status status =
        MapStatus(OwnedDescriptor(::fcntl(offer.fd.get(), F_DUPFD_CLOEXEC, 0)), 1, kReadOnly);
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << offer.what << ": " << status;
  }
  EXPECT_EQ(MapRegionUntrusted(OwnedDescriptor(), 1, kReadOnly).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(MapRegionUntrusted, RefusesAFileOnATemporaryFileSystem) {
  OwnedDescriptor file(::open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file.valid()) GTEST_SKIP() << "no /dev/shm with O_TMPFILE here";
  ASSERT_EQ(::ftruncate(file.get(), 8192), 0);
  EXPECT_EQ(MapStatus(std::move(file), 8192, kReadWrite).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(MapRegionUntrusted, RefusesHugePagesEvenWhenSealed) {
  OwnedDescriptor fd = Memfd(2 << 20, 0, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);
  if (!fd.valid()) GTEST_SKIP() << "no huge pages here";
  ASSERT_EQ(::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK), 0);
  const absl::Status status = MapStatus(std::move(fd), 1, kReadOnly);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("huge pages"));
}

TEST(MapRegionUntrusted, RefusesALyingSize) {
  const absl::Status status = MapStatus(Memfd(4096, F_SEAL_SHRINK), 4097, kReadOnly);
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(status.message()), HasSubstr("4096"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("4097"));
  EXPECT_EQ(MapStatus(Memfd(0, F_SEAL_SHRINK), 0, kReadOnly).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(MapStatus(Memfd(4096, F_SEAL_SHRINK), UINT64_MAX, kReadOnly).code(),
            absl::StatusCode::kOutOfRange);
  EXPECT_EQ(MapStatus(Memfd(static_cast<off_t>(kMaxAllocation + 4096), F_SEAL_SHRINK), 1, kReadOnly)
                .code(),
            absl::StatusCode::kOutOfRange);
}

TEST(MapRegionUntrusted, RefusesToWriteWhatItMayNot) {
  OwnedDescriptor memfd = Memfd(4096, F_SEAL_SHRINK);
  const std::string path = "/proc/self/fd/" + std::to_string(memfd.get());
  const absl::Status read_only = MapStatus(Open(path.c_str(), O_RDONLY), 1, kReadWrite);
  EXPECT_EQ(read_only.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(read_only.message()), HasSubstr("read-only"));
  EXPECT_TRUE(MapStatus(Open(path.c_str(), O_RDONLY), 1, kReadOnly).ok());
  EXPECT_EQ(MapStatus(Open(path.c_str(), O_WRONLY), 1, kReadOnly).code(),
            absl::StatusCode::kFailedPrecondition);
  for (const int seal : {F_SEAL_WRITE, F_SEAL_FUTURE_WRITE}) {
    EXPECT_EQ(MapStatus(Memfd(4096, F_SEAL_SHRINK | seal), 1, kReadWrite).code(),
              absl::StatusCode::kFailedPrecondition);
    EXPECT_TRUE(MapStatus(Memfd(4096, F_SEAL_SHRINK | seal), 1, kReadOnly).ok());
  }
}

TEST(MapRegionUntrusted, SharesReadOnlyWhatCameWritable) {
  auto region = MapRegionUntrusted(Memfd(4096, F_SEAL_SHRINK), 1, kReadWrite);
  ASSERT_TRUE(region.ok()) << region.status();
  absl::StatusOr<OwnedDescriptor> shared = (*region)->Share(kReadOnly);
  ASSERT_TRUE(shared.ok()) << shared.status();
  EXPECT_EQ(::fcntl(shared->get(), F_GETFL) & O_ACCMODE, O_RDONLY);
}

TEST(MapRegionUntrusted, ClosesTheDescriptorWhetherItTakesItOrNot) {
  OwnedDescriptor bad = Memfd(4096, 0);
  const int number = bad.get();
  EXPECT_FALSE(MapRegionUntrusted(std::move(bad), 1, kReadOnly).ok());
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

// A sparse offer of 16 GiB must not cost this process 16 GiB.
TEST(MapRegionUntrusted, DoesNotAllocateWhatTheSenderDidNot) {
  OwnedDescriptor sparse = Memfd(off_t{16} << 30, F_SEAL_SHRINK);
  const int number = ::fcntl(sparse.get(), F_DUPFD_CLOEXEC, 0);
  const OwnedDescriptor keep(number);
  auto region = MapRegionUntrusted(std::move(sparse), 1, kReadWrite);
  ASSERT_TRUE(region.ok()) << region.status();
  struct stat st;
  ASSERT_EQ(::fstat(number, &st), 0);
  EXPECT_EQ(st.st_blocks, 0);
}

TEST(CreateRegion, SealsTouchesAndProtects) {
  auto region = CreateRegion(3 * Page() + 1, "anex weights");
  ASSERT_TRUE(region.ok()) << region.status();
  absl::StatusOr<OwnedDescriptor> fd = (*region)->Share(kReadWrite);
  ASSERT_TRUE(fd.ok());
  EXPECT_EQ(::fcntl(fd->get(), F_GET_SEALS) & (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL),
            F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  EXPECT_NE(::fcntl(fd->get(), F_ADD_SEALS, F_SEAL_WRITE), 0);  // nobody can add one later
  EXPECT_EQ(::fcntl(fd->get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  struct stat st;
  ASSERT_EQ(::fstat(fd->get(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0400u);
  unsigned char resident[4] = {};
  ASSERT_EQ(::mincore((*region)->data(), 4 * Page(), resident), 0);
  for (const unsigned char page : resident) EXPECT_EQ(page & 1, 1);
  rusage before, after;
  ::getrusage(RUSAGE_THREAD, &before);
  for (uint64_t at = 0; at < (*region)->size(); at += Page()) (*region)->data()[at] = std::byte{1};
  ::getrusage(RUSAGE_THREAD, &after);
  EXPECT_EQ(after.ru_minflt, before.ru_minflt);  // the first use costs no fault
}

TEST(CreateRegion, RefusesNothingAndTooMuch) {
  EXPECT_EQ(CreateRegion(0, "x").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CreateRegion(kMaxAllocation + 1, "x").status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(CreateRegion(UINT64_MAX, "x").status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(CreateRegion, TakesALongLabel) { EXPECT_TRUE(CreateRegion(1, std::string(1000, 'n')).ok()); }

TEST(CreateRegion, LeavesNoDescriptorBehindWhenDescriptorsRunOut) {
  rlimit limit;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const OwnedDescriptor next(::dup(0));
  const rlimit tight{static_cast<rlim_t>(next.get()) + 1, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  const absl::Status status = CreateRegion(4096, "x").status();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
}

}  // namespace
}  // namespace anex::shm
