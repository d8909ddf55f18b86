// Reads every #include of the tree against arrows.txt: build targets alone do not stop a forbidden
// one, because static libraries link whatever is on the line.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path& Root() {
  static const fs::path root = ANEX_SOURCE_DIR;
  return root;
}

struct Source {
  std::string path;  // from the top of the tree
  std::vector<std::string> lines;
};

std::vector<Source> ReadSources(const std::vector<std::string>& folders) {
  std::vector<Source> sources;
  for (const std::string& folder : folders) {
    for (const auto& entry : fs::recursive_directory_iterator(Root() / folder)) {
      const std::string extension = entry.path().extension();
      if (extension != ".h" && extension != ".cc" && extension != ".mm") continue;
      Source source{fs::relative(entry.path(), Root()).generic_string(), {}};
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) source.lines.push_back(line);
      sources.push_back(std::move(source));
    }
  }
  return sources;
}

const std::vector<Source>& Production() {
  static const auto* sources = new std::vector<Source>(ReadSources({"proto", "server", "client"}));
  return *sources;
}

std::string Trim(std::string text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

using Arrows = std::map<std::string, std::set<std::string>>;

Arrows ReadArrows() {
  Arrows arrows;
  std::ifstream file(Root() / "tests/house/arrows.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const auto first = line.find(':'), second = line.find(':', first + 1);
    EXPECT_NE(second, std::string::npos) << "not ROOM : ROOMS : WHY: " << line;
    if (second == std::string::npos) continue;
    EXPECT_FALSE(Trim(line.substr(second + 1)).empty()) << "an arrow needs its reason: " << line;
    std::istringstream allowed(line.substr(first + 1, second - first - 1));
    auto& rooms = arrows[Trim(line.substr(0, first))];
    for (std::string room; allowed >> room;) rooms.insert(room);
  }
  return arrows;
}

// The longest room that `path` lies in, or "".
std::string RoomOf(const std::string& path, const Arrows& arrows) {
  if (path.rfind("anex/v1/", 0) == 0) return "anex/v1";
  if (arrows.count(path)) return path;
  for (std::string folder = path; folder.find('/') != std::string::npos;) {
    folder = folder.substr(0, folder.rfind('/'));
    if (arrows.count(folder)) return folder;
  }
  return "";
}

std::vector<std::string> Includes(const Source& source) {
  static const std::regex include(R"re(^\s*#\s*(?:include|import)\s*["<]([^">]+)[">])re");
  std::vector<std::string> found;
  for (const std::string& line : source.lines) {
    std::smatch match;
    if (std::regex_search(line, match, include)) found.push_back(match[1]);
  }
  return found;
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool IsOurs(const std::string& include) {
  for (const char* top : {"proto/", "server/", "client/", "tests/", "anex/v1/"}) {
    if (include.rfind(top, 0) == 0) return true;
  }
  return false;
}

TEST(Arrows, EveryIncludePointsWhereItsRoomMayLook) {
  const Arrows arrows = ReadArrows();
  ASSERT_GT(Production().size(), 50u) << "the tree was not found at " << Root();
  for (const Source& source : Production()) {
    const std::string from = RoomOf(source.path, arrows);
    EXPECT_NE(from, "") << source.path << " lies in no room of arrows.txt";
    for (const std::string& include : Includes(source)) {
      if (!IsOurs(include)) continue;
      const std::string to = RoomOf(include, arrows);
      EXPECT_TRUE(to == from || arrows.at(from).count(to))
          << source.path << " includes " << include << ": room " << from << " may not look into "
          << (to.empty() ? "that place" : to);
    }
  }
}

TEST(Arrows, EveryRoomNamedIsThere) {
  for (const auto& [room, allowed] : ReadArrows()) {
    EXPECT_TRUE(fs::exists(Root() / room)) << room;
  }
}

TEST(Arrows, NoRoomReachesItselfAgain) {
  const Arrows arrows = ReadArrows();
  std::map<std::string, int> state;  // 1 = being visited, 2 = done
  std::function<void(const std::string&)> visit = [&](const std::string& room) {
    if (state[room] == 2) return;
    ASSERT_NE(state[room], 1) << "the arrows form a circle through " << room;
    state[room] = 1;
    if (auto it = arrows.find(room); it != arrows.end()) {
      for (const std::string& next : it->second) visit(next);
    }
    state[room] = 2;
  };
  for (const auto& [room, allowed] : arrows) visit(room);
}

TEST(Arrows, GrpcAndProtobufStayAtTheEdge) {
  for (const Source& source : Production()) {
    const bool edge = source.path.rfind("server/rpc/", 0) == 0 ||
                      source.path.rfind("client/transport/", 0) == 0 ||
                      source.path.rfind("proto/convert/", 0) == 0;
    if (edge) continue;
    for (const std::string& include : Includes(source)) {
      EXPECT_FALSE(Contains(include, "grpc++") || include.rfind("grpc", 0) == 0 ||
                   include.rfind("google/protobuf", 0) == 0 || Contains(include, ".pb.h"))
          << source.path << " includes " << include
          << ": gRPC and protobuf types stop at server/rpc and client/transport";
    }
  }
}

TEST(Arrows, PlatformsAreInFileNamesNotInBodies) {
  static const std::regex platform_file(
      R"((_linux|_darwin|_memfd|_iosurface|_unix|_xpc|_own|_launchd|_systemd)\.(h|cc|mm)$)");
  for (const Source& source : Production()) {
    if (std::regex_search(source.path, platform_file)) continue;
    for (size_t i = 0; i < source.lines.size(); ++i) {
      EXPECT_FALSE(Contains(source.lines[i], "__APPLE__") || Contains(source.lines[i], "__linux__"))
          << source.path << ":" << i + 1 << " asks for the platform; make a file named for it";
    }
  }
}

TEST(Arrows, LogsAreWrittenByTheDaemonOnly) {
  for (const Source& source : Production()) {
    if (source.path.rfind("proto/", 0) != 0 && source.path.rfind("client/anex/", 0) != 0) continue;
    for (const std::string& include : Includes(source)) {
      EXPECT_NE(include.rfind("spdlog", 0), 0u) << source.path << ": a library does not log";
    }
  }
}

TEST(Headers, EachHasAGuardNamedAfterItsPath) {
  for (const Source& source : Production()) {
    if (!source.path.ends_with(".h")) continue;
    std::string guard = "ANEX_";
    for (char c : source.path)
      guard += std::isalnum(static_cast<unsigned char>(c)) ? std::toupper(c) : '_';
    guard += '_';
    const bool guarded =
        std::any_of(source.lines.begin(), source.lines.end(),
                    [&](const std::string& line) { return line == "#ifndef " + guard; });
    EXPECT_TRUE(guarded) << source.path << " has no guard " << guard;
  }
}

TEST(Headers, EachBeginsByTellingWhatItIs) {
  for (const Source& source : Production()) {
    if (!source.path.ends_with(".h")) continue;
    ASSERT_FALSE(source.lines.empty()) << source.path;
    EXPECT_EQ(source.lines[0].rfind("//", 0), 0u) << source.path << " does not open with a comment";
  }
}

// A .cc that includes its own header first proves at each build that the header stands alone.
// Headers without a .cc are compiled alone and twice by header_alone_*.cc, which CMake writes.
TEST(Headers, EachSourceIncludesItsOwnHeaderFirst) {
  for (const Source& source : Production()) {
    if (!source.path.ends_with(".cc")) continue;
    const std::string header = source.path.substr(0, source.path.size() - 2) + "h";
    if (!fs::exists(Root() / header)) continue;
    const auto includes = Includes(source);
    ASSERT_FALSE(includes.empty()) << source.path;
    EXPECT_EQ(includes.front(), header) << source.path << " does not include its own header first";
  }
}

// A report, not a limit: the files and rooms that grow.
TEST(Sizes, Report) {
  std::vector<std::pair<size_t, std::string>> sizes;
  for (const Source& source : Production()) sizes.emplace_back(source.lines.size(), source.path);
  std::sort(sizes.rbegin(), sizes.rend());
  for (size_t i = 0; i < std::min<size_t>(10, sizes.size()); ++i) {
    std::printf("%6zu  %s\n", sizes[i].first, sizes[i].second.c_str());
  }
  std::printf("%6zu  median of %zu files\n", sizes[sizes.size() / 2].first, sizes.size());
}

}  // namespace
