#include <sched.h>

#include "tests/system/cores.h"

namespace anex::test {
namespace {

// Of the first call, before anything was pinned.
const cpu_set_t& Everywhere() {
  static const cpu_set_t set = [] {
    cpu_set_t all;
    CPU_ZERO(&all);
    ::sched_getaffinity(0, sizeof(all), &all);
    return all;
  }();
  return set;
}

}  // namespace

bool PinToCore(int core) {
  Everywhere();
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  return ::sched_setaffinity(0, sizeof(set), &set) == 0;
}

void RunAnywhere() { ::sched_setaffinity(0, sizeof(cpu_set_t), &Everywhere()); }

}  // namespace anex::test
