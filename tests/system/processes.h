// What the operating system says of processes, for tests: of this one and of others of this user.
// Pure questions but for EndWithParent; any thread.
#ifndef ANEX_TESTS_SYSTEM_PROCESSES_H_
#define ANEX_TESTS_SYSTEM_PROCESSES_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace anex::test {

std::string OwnProgram();             // a path that starts this program again
int OpenDescriptors(pid_t pid);       // how many; -1 if that is not to be known
uint64_t ResidentBytes(pid_t pid);    // 0 if that is not to be known
bool IsRunning(pid_t pid);            // false for one that has ended and was not reaped
pid_t ParentOf(pid_t pid);            // -1 if that is not to be known
std::string CommandLine(pid_t pid);   // its words, each ended by a zero byte; "" if not to be known
std::vector<pid_t> ProcessesOfAll();  // those that can be seen

uint64_t OwnPeakBytes();  // the most that this process had in memory
// Whether RLIMIT_AS bounds anything; where not, tests of scarce memory have nothing to see.
bool AddressSpaceIsLimited();

// To be called in a child after fork: ends it when its parent ends, where the system can do that.
void EndWithParent();

}  // namespace anex::test

#endif  // ANEX_TESTS_SYSTEM_PROCESSES_H_
