#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "tests/system/processes.h"

namespace anex::test {
namespace {

std::string FileOf(pid_t pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

// The fields of stat after the name, which may hold anything and ends with the last parenthesis.
std::istringstream StatOf(pid_t pid) {
  std::ifstream stat(FileOf(pid, "stat"));
  const std::string text{std::istreambuf_iterator<char>(stat), std::istreambuf_iterator<char>()};
  return std::istringstream(text.substr(text.rfind(')') + 1));
}

}  // namespace

std::string OwnProgram() { return "/proc/self/exe"; }

int OpenDescriptors(pid_t pid) {
  std::error_code error;
  std::filesystem::directory_iterator entries(FileOf(pid, "fd"), error);
  return error ? -1 : static_cast<int>(std::distance(begin(entries), end(entries)));
}

uint64_t ResidentBytes(pid_t pid) {
  std::ifstream statm(FileOf(pid, "statm"));
  uint64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

bool IsRunning(pid_t pid) {
  std::string state;
  return StatOf(pid) >> state && state != "Z" && state != "X";
}

pid_t ParentOf(pid_t pid) {
  std::string state;
  pid_t parent = -1;
  return StatOf(pid) >> state >> parent ? parent : -1;
}

std::string CommandLine(pid_t pid) {
  std::ifstream file(FileOf(pid, "cmdline"));
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<pid_t> ProcessesOfAll() {
  std::vector<pid_t> all;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const int pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0) all.push_back(pid);
  }
  return all;
}

uint64_t OwnPeakBytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

bool AddressSpaceIsLimited() { return true; }

void EndWithParent() { ::prctl(PR_SET_PDEATHSIG, SIGKILL); }

}  // namespace anex::test
