#include <libproc.h>
#include <mach-o/dyld.h>
#include <sys/resource.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include <cstring>

#include "tests/system/processes.h"

namespace anex::test {
namespace {

constexpr uint32_t kZombie = 5;  // SZOMB of sys/proc.h

bool BasicsOf(pid_t pid, proc_bsdinfo& info) {
  return ::proc_pidinfo(pid, PROC_PIDTBSDINFO, 0, &info, sizeof(info)) ==
         static_cast<int>(sizeof(info));
}

}  // namespace

std::string OwnProgram() {
  uint32_t size = 0;
  ::_NSGetExecutablePath(nullptr, &size);  // says how long it is
  std::string path(size, '\0');
  if (::_NSGetExecutablePath(path.data(), &size) != 0) return "";
  return path.c_str();
}

int OpenDescriptors(pid_t pid) {
  const int bytes = ::proc_pidinfo(pid, PROC_PIDLISTFDS, 0, nullptr, 0);
  if (bytes <= 0) return -1;
  // The answer without a buffer leaves room for some that come meanwhile.
  std::vector<proc_fdinfo> entries(static_cast<size_t>(bytes) / sizeof(proc_fdinfo));
  const int got = ::proc_pidinfo(pid, PROC_PIDLISTFDS, 0, entries.data(), bytes);
  return got <= 0 ? -1 : got / static_cast<int>(sizeof(proc_fdinfo));
}

uint64_t ResidentBytes(pid_t pid) {
  proc_taskinfo info{};
  const int got = ::proc_pidinfo(pid, PROC_PIDTASKINFO, 0, &info, sizeof(info));
  return got == static_cast<int>(sizeof(info)) ? info.pti_resident_size : 0;
}

bool IsRunning(pid_t pid) {
  proc_bsdinfo info{};
  return BasicsOf(pid, info) && info.pbi_status != kZombie;
}

pid_t ParentOf(pid_t pid) {
  proc_bsdinfo info{};
  return BasicsOf(pid, info) ? static_cast<pid_t>(info.pbi_ppid) : -1;
}

// The kernel's block: a count, the program's path, zero bytes, then the words.
std::string CommandLine(pid_t pid) {
  int question[3] = {CTL_KERN, KERN_PROCARGS2, pid};
  size_t size = 0;
  if (::sysctl(question, 3, nullptr, &size, nullptr, 0) != 0) return "";
  std::string block(size, '\0');
  if (::sysctl(question, 3, block.data(), &size, nullptr, 0) != 0) return "";
  block.resize(size);
  int words = 0;
  if (block.size() < sizeof(words)) return "";
  std::memcpy(&words, block.data(), sizeof(words));
  size_t at = block.find_first_not_of('\0', block.find('\0', sizeof(words)));
  const size_t first = at;
  for (; words > 0 && at < block.size(); --words) {
    const size_t end = block.find('\0', at);
    at = end == std::string::npos ? block.size() : end + 1;
  }
  return first == std::string::npos ? "" : block.substr(first, at - first);
}

std::vector<pid_t> ProcessesOfAll() {
  const int count = ::proc_listallpids(nullptr, 0);
  if (count <= 0) return {};
  std::vector<pid_t> all(static_cast<size_t>(count) + 32);  // and those that come meanwhile
  const int got = ::proc_listallpids(all.data(), static_cast<int>(all.size() * sizeof(pid_t)));
  all.resize(got <= 0 ? 0 : static_cast<size_t>(got));
  return all;
}

uint64_t OwnPeakBytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss);  // bytes here
}

bool AddressSpaceIsLimited() { return false; }

void EndWithParent() {}  // there is no such thing here: who forks ends what it has started

}  // namespace anex::test
