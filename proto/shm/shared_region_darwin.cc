// Regions on macOS that are no IOSurfaces: POSIX shared memory that has lost its name.
//
// What takes the place of Linux's seals: the kernel lets such an object be given its size once in
// its life (xnu, bsd/kern/posix_shm.c), so a size that is not 0 stays true once it was read.
//
// What a receiver of Share(kReadOnly) can and cannot do. The descriptor was opened O_RDONLY before
// the name was taken away: the kernel refuses mmap and mprotect with PROT_WRITE through it, and
// there is no path by which the object could be opened again, not within one user either. The price
// is a second descriptor for each region made here, and that a region that came from a peer cannot
// be narrowed: what it was opened for is what it can be shared for.
//
// What a peer can still do to a region that it may write: change bytes at any time (readers must
// copy what they check). It cannot make an access fault: the size stays, and pages that nobody
// touched yet read as zeros.
#include <fcntl.h>
#include <libproc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/shm/shared_region.h"
#include "proto/wire/tensor_layout.h"

namespace anex::shm {
namespace {

constexpr int kNameAttempts = 8;

class NamelessRegion final : public SharedRegion {
 public:
  // `read_only` is empty for a region that came from a peer.
  NamelessRegion(OwnedDescriptor descriptor, OwnedDescriptor read_only, std::byte* data,
                 uint64_t size, RegionAccess access)
      : descriptor_(std::move(descriptor)),
        read_only_(std::move(read_only)),
        data_(data),
        size_(size),
        access_(access) {}
  ~NamelessRegion() override { ::munmap(data_, size_); }

  std::byte* data() override { return data_; }
  const std::byte* data() const override { return data_; }
  uint64_t size() const override { return size_; }
  RegionAccess access() const override { return access_; }
  absl::StatusOr<OwnedDescriptor> Share(RegionAccess access) const override;

 private:
  const OwnedDescriptor descriptor_, read_only_;
  std::byte* const data_;
  const uint64_t size_;
  const RegionAccess access_;
};

// `error` is errno of `call`.
absl::Status SystemError(int error, std::string_view call) {
  std::string text = absl::StrCat(std::string(call), ": ", std::string(strerror(error)));
  switch (error) {
    case EMFILE:
    case ENFILE:
      return absl::ResourceExhaustedError(
          absl::StrCat(text, " (raise the limit on open files, or release surfaces)"));
    case ENOMEM:
    case ENOSPC:
    case EAGAIN:
      return absl::ResourceExhaustedError(absl::StrCat(text, " (memory is short)"));
    default:
      return absl::InternalError(text);
  }
}

absl::StatusOr<OwnedDescriptor> Duplicate(const OwnedDescriptor& descriptor) {
  const int copy = ::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return SystemError(errno, "fcntl(F_DUPFD_CLOEXEC)");
  return OwnedDescriptor(copy);
}

// The kernel takes names of 31 bytes. This one lives for three calls.
std::string RandomName() {
  uint64_t number = 0;
  ::arc4random_buf(&number, sizeof(number));
  return absl::StrCat("/anexd.", absl::Hex(number, absl::kZeroPad16));
}

struct Ends {
  OwnedDescriptor both, read_only;
};

// An object of no size and no name, open for both and for reading.
absl::StatusOr<Ends> MakeNameless() {
  std::string name;
  Ends ends;
  for (int attempt = 0; attempt < kNameAttempts && !ends.both.valid(); ++attempt) {
    name = RandomName();
    ends.both = OwnedDescriptor(::shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600));
    if (!ends.both.valid() && errno != EEXIST) break;
  }
  if (!ends.both.valid()) return SystemError(errno, "shm_open");
  ends.read_only = OwnedDescriptor(::shm_open(name.c_str(), O_RDONLY, 0));
  const int error = errno;
  ::shm_unlink(name.c_str());
  if (!ends.read_only.valid()) return SystemError(error, "shm_open to read");
  for (const OwnedDescriptor* end : {&ends.both, &ends.read_only}) {
    if (::fcntl(end->get(), F_SETFD, FD_CLOEXEC) != 0) return SystemError(errno, "fcntl(F_SETFD)");
  }
  return ends;
}

absl::StatusOr<std::byte*> Map(int fd, uint64_t bytes, RegionAccess access) {
  const int protection = access == RegionAccess::kReadWrite ? PROT_READ | PROT_WRITE : PROT_READ;
  void* data = ::mmap(nullptr, bytes, protection, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) return SystemError(errno, "mmap");
  return static_cast<std::byte*>(data);
}

// Nobody else has the region yet. Touch stays what it is for regions that came from a peer,
// nothing: which of their pages exist cannot be seen here, and others must not be made at the
// peer's wish.
void MakePages(std::byte* data, uint64_t bytes) {
  const uint64_t page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  for (uint64_t at = 0; at < bytes; at += page) {
    *const_cast<volatile std::byte*>(data + at) = std::byte{0};
  }
}

absl::StatusOr<OwnedDescriptor> NamelessRegion::Share(RegionAccess access) const {
  if (access == RegionAccess::kReadWrite) {
    if (access_ == RegionAccess::kReadWrite) return Duplicate(descriptor_);
    return absl::PermissionDeniedError(
        "a region that is mapped read-only cannot be shared writable");
  }
  if (read_only_.valid()) return Duplicate(read_only_);
  const int flags = ::fcntl(descriptor_.get(), F_GETFL);
  if (flags >= 0 && (flags & O_ACCMODE) == O_RDONLY) return Duplicate(descriptor_);
  return absl::FailedPreconditionError(
      "memory that its owner handed over writable cannot be made read-only here: hand it over "
      "read-only, or let the daemon create the surface");
}

absl::Status Refuse(std::string_view why) {
  return absl::FailedPreconditionError(
      absl::StrCat(std::string(why),
                   ": offer POSIX shared memory (shm_open) that has its size, or let the daemon "
                   "create the surface"));
}

absl::Status CheckOpenMode(int fd, RegionAccess access) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0) return Refuse("this is no open descriptor");
  const int mode = flags & O_ACCMODE;
  if (mode == O_WRONLY) return Refuse("the descriptor cannot be read");
  if (access == RegionAccess::kReadWrite && mode != O_RDWR) {
    return absl::FailedPreconditionError(
        "the descriptor is read-only: offer the region as read-only, or hand over a writable one");
  }
  return absl::OkStatus();
}

// The size of a shared memory object, which nobody can change any more unless it is 0. Files and
// everything else are no such object.
absl::StatusOr<uint64_t> SizeOfObject(int fd) {
  pshm_fdinfo info{};
  const int got = ::proc_pidfdinfo(::getpid(), fd, PROC_PIDFDPSHMINFO, &info, sizeof(info));
  if (got != static_cast<int>(sizeof(info))) {
    return Refuse("the descriptor is not POSIX shared memory");
  }
  return static_cast<uint64_t>(info.pshminfo.pshm_stat.vst_size);
}

}  // namespace

absl::StatusOr<std::shared_ptr<SharedRegion>> CreateRegion(uint64_t bytes, std::string_view) {
  if (bytes == 0) return absl::InvalidArgumentError("a region must have at least one byte");
  if (bytes > kMaxAllocation) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a region of ", bytes, " bytes is over the bound of ", kMaxAllocation));
  }
  const uint64_t page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const uint64_t rounded = (bytes + page - 1) / page * page;
  absl::StatusOr<Ends> ends = MakeNameless();
  if (!ends.ok()) return ends.status();
  if (::ftruncate(ends->both.get(), static_cast<off_t>(rounded)) != 0) {
    return SystemError(errno, "ftruncate");
  }
  absl::StatusOr<std::byte*> data = Map(ends->both.get(), rounded, RegionAccess::kReadWrite);
  if (!data.ok()) return data.status();
  MakePages(*data, rounded);
  return std::make_shared<NamelessRegion>(std::move(ends->both), std::move(ends->read_only), *data,
                                          rounded, RegionAccess::kReadWrite);
}

absl::StatusOr<std::shared_ptr<SharedRegion>> MapRegionUntrusted(OwnedDescriptor descriptor,
                                                                 uint64_t minimum_bytes,
                                                                 RegionAccess access) {
  if (descriptor.is_port()) return Refuse("a surface came where plain memory is meant");
  if (absl::Status s = CheckOpenMode(descriptor.get(), access); !s.ok()) return s;
  absl::StatusOr<uint64_t> size = SizeOfObject(descriptor.get());
  if (!size.ok()) return size.status();
  if (*size == 0 || *size < minimum_bytes) {
    return absl::OutOfRangeError(absl::StrCat("the region has ", *size, " bytes, ",
                                              minimum_bytes == 0 ? 1 : minimum_bytes,
                                              " are needed"));
  }
  if (*size > kMaxAllocation) {
    return absl::OutOfRangeError(
        absl::StrCat("the region has ", *size, " bytes, the bound is ", kMaxAllocation));
  }
  absl::StatusOr<std::byte*> data = Map(descriptor.get(), *size, access);
  if (!data.ok()) return data.status();
  return std::make_shared<NamelessRegion>(std::move(descriptor), OwnedDescriptor(), *data, *size,
                                          access);
}

}  // namespace anex::shm
