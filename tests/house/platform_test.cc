// What only Linux has is used only in files named for it, and each of those has its sibling for
// macOS: the tree is built there too, where none of these tests can look.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path& Root() {
  static const fs::path root = ANEX_SOURCE_DIR;
  return root;
}

std::string Trim(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Lines of `count` parts with " : " between them; the last is the reason.
std::vector<std::vector<std::string>> Read(const char* name, size_t count) {
  std::vector<std::vector<std::string>> lines;
  std::ifstream file(Root() / "tests/house" / name);
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::vector<std::string> parts;
    for (size_t at = 0; parts.size() < count;) {
      const size_t end = parts.size() + 1 < count ? line.find(" : ", at) : std::string::npos;
      parts.push_back(Trim(line.substr(at, end == std::string::npos ? end : end - at)));
      if (end == std::string::npos) break;
      at = end + 3;
    }
    EXPECT_EQ(parts.size(), count) << name << ": " << line;
    EXPECT_FALSE(parts.back().empty()) << name << " needs a reason: " << line;
    lines.push_back(std::move(parts));
  }
  return lines;
}

std::vector<fs::path> Sources() {
  std::vector<fs::path> sources;
  for (const char* top : {"proto", "server", "client", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(Root() / top)) {
      const std::string extension = entry.path().extension();
      if (extension == ".h" || extension == ".cc" || extension == ".mm") {
        sources.push_back(fs::relative(entry.path(), Root()));
      }
    }
  }
  return sources;
}

bool IsForLinux(const fs::path& source) {
  const std::string path = source.generic_string(), stem = source.stem();
  for (const char* end : {"_linux", "_memfd", "_systemd", "_memfd_test", "_systemd_test"}) {
    if (stem.ends_with(end)) return true;
  }
  // Doubles of macOS, and what tests them, run on Linux only.
  return path.starts_with("tests/doubles/darwin/") || path.starts_with("tests/darwin/") ||
         path.starts_with("tests/doubles/apple/");
}

bool IsWordPart(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// Whether `name` stands in `line` by itself: eventfd is not in eventfds, nor st_mtim in
// st_mtimespec.
bool Uses(const std::string& line, const std::string& name) {
  const bool open_end = name.back() == '/' || name == "\"/dev/shm";
  for (size_t at = line.find(name); at != std::string::npos; at = line.find(name, at + 1)) {
    const size_t end = at + name.size();
    const bool begins = at == 0 || !IsWordPart(name.front()) || !IsWordPart(line[at - 1]);
    const bool ends =
        open_end || end >= line.size() || !IsWordPart(name.back()) || !IsWordPart(line[end]);
    if (begins && ends) return true;
  }
  return false;
}

std::string WithoutComment(const std::string& line) {
  const size_t at = line.find("// ");
  return at == std::string::npos ? line : line.substr(0, at);
}

TEST(Platform, TheRuleSeesNamesByThemselves) {
  EXPECT_TRUE(Uses("const int fd = ::eventfd(0, EFD_CLOEXEC);", "eventfd"));
  EXPECT_TRUE(Uses("socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0)", "SOCK_CLOEXEC"));
  EXPECT_TRUE(Uses("#include <linux/futex.h>", "<linux/"));
  EXPECT_TRUE(Uses("open(\"/proc/self/exe\")", "\"/proc/"));
  EXPECT_TRUE(Uses("info.st_mtimespec, info.st_mtim", "st_mtim"));
  EXPECT_FALSE(Uses("eventfds = my_eventfd;", "eventfd"));
  EXPECT_FALSE(Uses("info.st_mtimespec", "st_mtim"));
  EXPECT_FALSE(Uses(WithoutComment("int fd;  // no eventfd"), "eventfd"));
}

TEST(Platform, WhatOnlyLinuxHasIsInFilesNamedForIt) {
  const auto names = Read("linux_only.txt", 2);
  ASSERT_GT(names.size(), 50u);
  std::set<std::pair<std::string, std::string>> allowed, used;
  for (const auto& line : Read("linux_only_allowed.txt", 3)) allowed.insert({line[0], line[1]});
  const std::vector<fs::path> sources = Sources();
  ASSERT_GT(sources.size(), 500u) << "the tree was not found at " << Root();
  for (const fs::path& source : sources) {
    if (IsForLinux(source) || source == "tests/house/platform_test.cc") continue;
    std::ifstream file(Root() / source);
    int number = 0;
    for (std::string line; std::getline(file, line);) {
      ++number;
      const std::string code = WithoutComment(line);
      for (const auto& name : names) {
        if (!Uses(code, name[0])) continue;
        const std::pair use{source.generic_string(), name[0]};
        used.insert(use);
        EXPECT_TRUE(allowed.contains(use)) << use.first << ":" << number << " uses " << name[0]
                                           << ", which macOS has not. Instead: " << name[1];
      }
    }
  }
  for (const auto& each : allowed) {
    EXPECT_TRUE(used.contains(each)) << each.first << " no longer uses " << each.second
                                     << ": take it out of linux_only_allowed.txt";
  }
}

TEST(Platform, EveryFileForLinuxHasItsSiblingForMacOs) {
  const std::map<std::string, std::string> siblings = {
      {"_linux.cc", "_darwin.cc"}, {"_memfd.cc", "_darwin.cc"}, {"_systemd.cc", "_launchd.cc"}};
  int pairs = 0;
  for (const fs::path& source : Sources()) {
    const std::string path = source.generic_string();
    for (const auto& [ours, theirs] : siblings) {
      if (!path.ends_with(ours)) continue;
      const std::string sibling = path.substr(0, path.size() - ours.size()) + theirs;
      EXPECT_TRUE(fs::exists(Root() / sibling)) << path << " has no " << sibling;
      ++pairs;
    }
  }
  EXPECT_GE(pairs, 8);
}

// A file that no CMakeLists.txt names is built nowhere.
TEST(Platform, EveryFileForMacOsIsBuiltThere) {
  for (const fs::path& source : Sources()) {
    const std::string path = source.generic_string();
    if (!path.ends_with("_darwin.cc") && !path.ends_with("_launchd.cc")) continue;
    bool named = false;
    for (fs::path folder = source.parent_path(); !named && !folder.empty();
         folder = folder.parent_path()) {
      std::ifstream file(Root() / folder / "CMakeLists.txt");
      std::ostringstream text;
      text << file.rdbuf();
      named = text.str().find(source.filename()) != std::string::npos;
    }
    EXPECT_TRUE(named) << path << " stands in no CMakeLists.txt";
  }
}

}  // namespace
