#include "client/cli/service/step.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace anex::cli {
namespace {

std::string_view KindName(Step::Kind kind) {
  switch (kind) {
    case Step::Kind::kMakeFolder:
      return "make_folder";
    case Step::Kind::kSetMode:
      return "set_mode";
    case Step::Kind::kWriteFile:
      return "write_file";
    case Step::Kind::kRemoveFile:
      return "remove_file";
    case Step::Kind::kRemoveFolder:
      return "remove_folder";
    case Step::Kind::kRun:
      return "run";
    case Step::Kind::kShow:
      return "show";
    case Step::Kind::kWait:
      return "wait";
  }
  return "?";
}

std::string Octal(uint32_t mode) { return absl::StrFormat("%04o", mode); }

// Without the line break that keeps "pid = 1" from being found in "pid = 12".
std::string OneLine(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string ShellWord(const std::string& word) {
  constexpr std::string_view kPlain = "-_./:=@%+,";
  const bool plain = !word.empty() && std::ranges::all_of(word, [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || kPlain.find(c) != kPlain.npos;
  });
  if (plain) return word;
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

}  // namespace

Step MakeFolderStep(std::string path, uint32_t mode) {
  return {.kind = Step::Kind::kMakeFolder, .path = std::move(path), .mode = mode};
}
Step SetModeStep(std::string path, uint32_t mode) {
  return {.kind = Step::Kind::kSetMode, .path = std::move(path), .mode = mode};
}
Step WriteFileStep(std::string path, uint32_t mode, std::string content) {
  return {.kind = Step::Kind::kWriteFile,
          .path = std::move(path),
          .mode = mode,
          .content = std::move(content)};
}
Step RemoveFileStep(std::string path) {
  return {.kind = Step::Kind::kRemoveFile, .path = std::move(path)};
}
Step RemoveFolderStep(std::string path) {
  return {.kind = Step::Kind::kRemoveFolder, .path = std::move(path)};
}
Step RunStep(std::vector<std::string> command, std::string why, std::string if_it_fails) {
  return {.kind = Step::Kind::kRun,
          .command = std::move(command),
          .why = std::move(why),
          .if_it_fails = std::move(if_it_fails)};
}
Step ShowStep(std::vector<std::string> command) {
  return {.kind = Step::Kind::kShow, .command = std::move(command)};
}
Step WaitStep(std::vector<std::string> command, std::string until_not_said, int seconds) {
  return {.kind = Step::Kind::kWait,
          .command = std::move(command),
          .until_not_said = std::move(until_not_said),
          .seconds = seconds};
}

std::string ShellWords(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    absl::StrAppend(&text, text.empty() ? "" : " ", ShellWord(word));
  }
  return text;
}

std::string DescribeStep(const Step& step) {
  switch (step.kind) {
    case Step::Kind::kMakeFolder:
      return absl::StrCat("make folder ", step.path, " (mode ", Octal(step.mode), ")");
    case Step::Kind::kSetMode:
      return absl::StrCat("set the mode of ", step.path, " to ", Octal(step.mode));
    case Step::Kind::kWriteFile:
      return absl::StrCat("write ", step.path, " (mode ", Octal(step.mode), ", ",
                          step.content.size(), " bytes)");
    case Step::Kind::kRemoveFile:
      return absl::StrCat("remove ", step.path);
    case Step::Kind::kRemoveFolder:
      return absl::StrCat("remove folder ", step.path);
    case Step::Kind::kRun:
    case Step::Kind::kShow:
      return absl::StrCat("run ", ShellWords(step.command),
                          step.why.empty() ? "" : absl::StrCat("  # ", step.why));
    case Step::Kind::kWait:
      return absl::StrCat(
          "wait, ", step.seconds, " s at most, until ", ShellWords(step.command),
          step.until_not_said.empty()
              ? " fails"
              : absl::StrCat(" no longer says \"", OneLine(step.until_not_said), "\""));
  }
  return "?";
}

Json ToJson(const Step& step) {
  Json json{{"do", KindName(step.kind)}, {"words", DescribeStep(step)}};
  if (!step.path.empty()) json["path"] = step.path;
  if (step.mode != 0) json["mode"] = Octal(step.mode);
  if (step.kind == Step::Kind::kWriteFile) json["content"] = step.content;
  if (!step.command.empty()) json["command"] = step.command;
  if (step.kind == Step::Kind::kWait) {
    json["until_not_said"] = step.until_not_said;
    json["seconds"] = step.seconds;
  }
  if (!step.why.empty()) json["why"] = step.why;
  return json;
}

Json ToJson(const Plan& plan) {
  return Json{{"already", plan.already}, {"steps", ToJsonList(plan.steps)}, {"notes", plan.notes}};
}

}  // namespace anex::cli
