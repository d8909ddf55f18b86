// A second process: this test binary in one of the roles of child_main.cc. Killed and reaped with
// its owner. One user at a time.
#ifndef ANEX_TESTS_DOOR_CHILD_H_
#define ANEX_TESTS_DOOR_CHILD_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "proto/shm/owned_descriptor.h"

namespace anex::door {

class Child {
 public:
  // Runs `test_door --child words...`.
  explicit Child(std::vector<std::string> words);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  // The next line that it prints, without the end of line; "" when it has ended. Waits at most 20
  // s.
  std::string ReadLine();
  void Signal(int signal);
  int Reap();  // waits for its end; its exit code, or 128 + signal

 private:
  pid_t pid_ = -1;
  shm::OwnedDescriptor output_;
};

}  // namespace anex::door

#endif  // ANEX_TESTS_DOOR_CHILD_H_
