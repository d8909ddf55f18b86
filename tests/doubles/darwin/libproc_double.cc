// What macOS's kernel tells of processes and descriptors, from /proc.
#include <errno.h>
#include <libproc.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace {

constexpr uint64_t kTicks = 100;  // a second, in /proc

int Refuse(int error) {
  errno = error;
  return 0;  // these calls say 0
}

// The fields of stat from the third on; the second is the name, which may hold anything.
std::istringstream StatOf(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return std::istringstream(text.substr(text.rfind(')') + 1));
}

// Of what was opened with shm_open, which Linux keeps as files in /dev/shm.
bool IsSharedMemory(int fd) {
  char path[PATH_MAX] = {};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  return ::readlink(link.c_str(), path, sizeof(path) - 1) > 0 &&
         std::strncmp(path, "/dev/shm/", 9) == 0;
}

}  // namespace

int proc_pidinfo(int pid, int flavor, uint64_t, void* buffer, int buffersize) {
  if (flavor != PROC_PIDTBSDINFO || buffersize < static_cast<int>(sizeof(proc_bsdinfo))) {
    return Refuse(EINVAL);
  }
  std::istringstream stat = StatOf(pid);
  std::string state;
  uint32_t parent = 0;
  if (!(stat >> state >> parent) || state == "Z" || state == "X") return Refuse(ESRCH);
  std::string skipped;
  for (int field = 5; field < 22; ++field) stat >> skipped;
  uint64_t started = 0;
  if (!(stat >> started)) return Refuse(ESRCH);
  proc_bsdinfo info{};
  info.pbi_pid = static_cast<uint32_t>(pid);
  info.pbi_ppid = parent;
  info.pbi_start_tvsec = started / kTicks;
  info.pbi_start_tvusec = started % kTicks * (1'000'000 / kTicks);
  std::memcpy(buffer, &info, sizeof(info));
  return static_cast<int>(sizeof(info));
}

int proc_pidfdinfo(int pid, int fd, int flavor, void* buffer, int buffersize) {
  if (pid != ::getpid() || flavor != PROC_PIDFDPSHMINFO ||
      buffersize < static_cast<int>(sizeof(pshm_fdinfo))) {
    return Refuse(EINVAL);
  }
  struct stat st;
  if (::fstat(fd, &st) != 0 || !IsSharedMemory(fd)) return Refuse(EBADF);
  pshm_fdinfo info{};
  info.pshminfo.pshm_stat.vst_mode = static_cast<uint16_t>(st.st_mode);
  info.pshminfo.pshm_stat.vst_uid = st.st_uid;
  info.pshminfo.pshm_stat.vst_size = st.st_size;
  std::memcpy(buffer, &info, sizeof(info));
  return static_cast<int>(sizeof(info));
}
