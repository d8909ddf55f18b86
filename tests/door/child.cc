#include "tests/door/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gtest/gtest.h"
#include "tests/system/descriptors.h"
#include "tests/system/processes.h"

extern char** environ;

namespace anex::door {

Child::Child(std::vector<std::string> words) {
  int ends[2];
  EXPECT_EQ(test::NewPipe(ends), 0);
  output_ = shm::OwnedDescriptor(ends[0]);
  const shm::OwnedDescriptor input(ends[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input.get(), STDOUT_FILENO);
  words.insert(words.begin(), {"test_door", "--child"});
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  EXPECT_EQ(
      ::posix_spawn(&pid_, test::OwnProgram().c_str(), &actions, nullptr, argv.data(), environ), 0);
  ::posix_spawn_file_actions_destroy(&actions);
}

Child::~Child() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  Reap();
}

std::string Child::ReadLine() {
  std::string line;
  for (;;) {
    pollfd entry{output_.get(), POLLIN, 0};
    if (::poll(&entry, 1, 20'000) != 1) {
      ADD_FAILURE() << "the child printed nothing in 20 s";
      return line;
    }
    char c;
    if (::read(output_.get(), &c, 1) != 1 || c == '\n') return line;
    line += c;
  }
}

void Child::Signal(int signal) { ASSERT_EQ(::kill(pid_, signal), 0); }

int Child::Reap() {
  int status = 0;
  EXPECT_EQ(::waitpid(pid_, &status, 0), pid_);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace anex::door
