// What macOS tells of memory, of the machine and of this process; and ports, which doubles make of
// file descriptors.
#include <errno.h>
#include <mach/mach.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

mach_port_t mach_task_self_ = 0x103;

kern_return_t mach_port_deallocate(ipc_space_t task, mach_port_name_t name) {
  if (task != mach_task_self_) return KERN_INVALID_ARGUMENT;
  return ::close(static_cast<int>(name)) == 0 ? KERN_SUCCESS : KERN_INVALID_ARGUMENT;
}

kern_return_t task_info(task_name_t target_task, task_flavor_t flavor, task_info_t task_info_out,
                        mach_msg_type_number_t* task_info_outCnt) {
  if (target_task != mach_task_self_ || flavor != MACH_TASK_BASIC_INFO ||
      *task_info_outCnt < MACH_TASK_BASIC_INFO_COUNT) {
    return KERN_INVALID_ARGUMENT;
  }
  unsigned long total = 0, resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr || std::fscanf(file, "%lu %lu", &total, &resident) != 2) resident = 0;
  if (file != nullptr) std::fclose(file);
  mach_task_basic_info info = {};
  info.resident_size = resident * static_cast<unsigned long>(::sysconf(_SC_PAGESIZE));
  std::memcpy(task_info_out, &info, sizeof(info));
  *task_info_outCnt = MACH_TASK_BASIC_INFO_COUNT;
  return KERN_SUCCESS;
}

int sysctlbyname(const char* name, void* oldp, size_t* oldlenp, void* newp, size_t) {
  const uint64_t bytes = static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                         static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  if (std::strcmp(name, "hw.memsize") != 0 || newp != nullptr || *oldlenp < sizeof(bytes)) {
    errno = ENOENT;
    return -1;
  }
  std::memcpy(oldp, &bytes, sizeof(bytes));
  *oldlenp = sizeof(bytes);
  return 0;
}
