// One thing that is done to install or control the service, as data: it can be shown before it is
// done, and tested where it could not be done. Values and pure functions, any thread.
#ifndef ANEX_CLIENT_CLI_SERVICE_STEP_H_
#define ANEX_CLIENT_CLI_SERVICE_STEP_H_

#include <cstdint>
#include <string>
#include <vector>

#include "client/cli/output/json.h"

namespace anex::cli {

struct Step {
  enum class Kind {
    kMakeFolder,    // with what leads to it; of `mode`
    kSetMode,       // of a folder that is there
    kWriteFile,     // as a whole, replacing what was there
    kRemoveFile,    // nothing to do if it is gone
    kRemoveFolder,  // an empty one
    kRun,           // a command, whose failure ends the plan
    kShow,          // a command that writes to the user's own terminal
    kWait,          // until a command fails, or no longer says something
  };
  Kind kind = Kind::kRun;
  std::string path;
  uint32_t mode = 0;
  std::string content;
  std::vector<std::string> command;
  std::string until_not_said;  // kWait: "" waits until the command fails
  int seconds = 0;             // kWait: at most
  std::string why;             // "" if it is plain
  std::string if_it_fails;     // what the user can do then
};

Step MakeFolderStep(std::string path, uint32_t mode);
Step SetModeStep(std::string path, uint32_t mode);
Step WriteFileStep(std::string path, uint32_t mode, std::string content);
Step RemoveFileStep(std::string path);
Step RemoveFolderStep(std::string path);
Step RunStep(std::vector<std::string> command, std::string why, std::string if_it_fails = "");
Step ShowStep(std::vector<std::string> command);
Step WaitStep(std::vector<std::string> command, std::string until_not_said, int seconds);

// What is done, and in what order, and what of it is so already.
struct Plan {
  std::vector<std::string> already;  // sentences
  std::vector<Step> steps;
  std::vector<std::string> notes;  // said at the end
};

// "write /x/y (mode 0644, 321 bytes)"
std::string DescribeStep(const Step& step);
// As a shell takes it.
std::string ShellWords(const std::vector<std::string>& words);
Json ToJson(const Step& step);
Json ToJson(const Plan& plan);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_SERVICE_STEP_H_
