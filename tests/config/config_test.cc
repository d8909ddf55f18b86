// What the daemon accepts, what it refuses and what it says about it.
#include "server/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace anex::server {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() {
    std::string pattern = ::testing::TempDir() + "/anex-config.XXXXXX";
    dir_ = ::mkdtemp(pattern.data());
  }
  ~ConfigTest() override { std::filesystem::remove_all(dir_); }

  Surroundings World() const {
    Surroundings world;
    world.environment = [variables = variables_](const std::string& name) {
      const auto it = variables.find(name);
      return it == variables.end() ? std::nullopt : std::optional(it->second);
    };
    world.uid = 4711;
    world.version = "9.8.7";
    world.devices = {"cpu", "fast"};
    return world;
  }
  std::string File(const std::string& text, const std::string& name = "anexd.toml") const {
    const std::string path = dir_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  absl::StatusOr<CommandLine> Parse(const std::vector<std::string>& arguments) const {
    return ParseCommandLine(arguments, World());
  }
  Config Accepted(const std::vector<std::string>& arguments) const {
    const auto line = Parse(arguments);
    EXPECT_TRUE(line.ok()) << line.status();
    return line.ok() ? line->config : Config();
  }
  // The lines under the heading.
  std::vector<std::string> Problems(const std::vector<std::string>& arguments) const {
    const auto line = Parse(arguments);
    EXPECT_EQ(line.status().code(), absl::StatusCode::kInvalidArgument);
    std::vector<std::string> lines = absl::StrSplit(
        std::string(line.status().message().data(), line.status().message().size()), '\n');
    lines.erase(lines.begin());
    return lines;
  }
  std::string OneProblem(const std::vector<std::string>& arguments) const {
    const std::vector<std::string> lines = Problems(arguments);
    EXPECT_EQ(lines.size(), 1u) << ::testing::PrintToString(lines);
    return lines.empty() ? "" : lines[0];
  }
  std::string OneProblemInFile(const std::string& text) const {
    return OneProblem({"--config", File(text)});
  }

  std::string dir_;
  std::map<std::string, std::string> variables_;
};

void ExpectSame(const Config& a, const Config& b) {
  EXPECT_EQ(a.runtime_dir, b.runtime_dir);
  EXPECT_EQ(a.cache_dir, b.cache_dir);
  EXPECT_EQ(a.default_device, b.default_device);
  EXPECT_EQ(a.cpu_threads, b.cpu_threads);
  EXPECT_EQ(a.drain_timeout_s, b.drain_timeout_s);
  EXPECT_EQ(a.log_level, b.log_level);
  EXPECT_EQ(a.log_format, b.log_format);
  EXPECT_EQ(a.log_file.path, b.log_file.path);
  EXPECT_EQ(a.log_file.most_bytes, b.log_file.most_bytes);
  EXPECT_EQ(a.log_file.kept, b.log_file.kept);
  EXPECT_EQ(a.allow_global_iosurfaces, b.allow_global_iosurfaces);
  EXPECT_EQ(a.client_requirement, b.client_requirement);
  EXPECT_EQ(a.weights, b.weights);
  const auto as = a.limits.List(), bs = b.limits.List();
  ASSERT_EQ(as.size(), bs.size());
  for (size_t i = 0; i < as.size(); ++i) EXPECT_EQ(as[i].value, bs[i].value) << as[i].name;
}

// --- Defaults --------------------------------------------------------------------------------

TEST_F(ConfigTest, DefaultsFollowTheXdgVariables) {
  variables_ = {
      {"XDG_RUNTIME_DIR", "/run/user/4711/"}, {"XDG_CACHE_HOME", "/var/c"}, {"HOME", "/home/x"}};
  const Config config = Accepted({});
  EXPECT_EQ(config.runtime_dir, "/run/user/4711/anexd");
  EXPECT_EQ(config.cache_dir, "/var/c/anexd");
  EXPECT_EQ(config.default_device, "");
  EXPECT_EQ(config.cpu_threads, 0);
  EXPECT_EQ(config.drain_timeout_s, 5);
  EXPECT_EQ(config.log_format, LogFormat::kAuto);
  EXPECT_EQ(config.log_file.path, "") << "on standard error";
}

TEST_F(ConfigTest, WithoutThemTheFoldersAreTheUsersOwn) {
  variables_ = {{"HOME", "/home/x"}};
  EXPECT_EQ(Accepted({}).runtime_dir, "/tmp/anexd-4711");
  EXPECT_EQ(Accepted({}).cache_dir, "/home/x/.cache/anexd");
  variables_["TMPDIR"] = "/scratch/";
  EXPECT_EQ(Accepted({}).runtime_dir, "/scratch/anexd-4711");
}

TEST_F(ConfigTest, EmptyVariablesAndARelativeCacheCountAsNotSet) {
  variables_ = {
      {"XDG_RUNTIME_DIR", ""}, {"XDG_CACHE_HOME", "cache"}, {"HOME", "home"}, {"TMPDIR", ""}};
  EXPECT_EQ(Accepted({}).runtime_dir, "/tmp/anexd-4711");
  EXPECT_EQ(Accepted({}).cache_dir, "") << "without a home there is no disk cache";
}

TEST_F(ConfigTest, ARelativeRuntimeFolderIsWhereAClientOfThisFolderLooks) {
  variables_.clear();
  variables_["XDG_RUNTIME_DIR"] = "run";
  EXPECT_EQ(Accepted({}).runtime_dir, std::filesystem::current_path().string() + "/run/anexd");
}

// --- Flags, file and which of them wins ------------------------------------------------------

TEST_F(ConfigTest, EveryFlagReachesItsField) {
  const Config config = Accepted({"--runtime-dir",
                                  "/r/a/",
                                  "--cache-dir=/c",
                                  "--default-device",
                                  "fast",
                                  "--cpu-threads",
                                  "3",
                                  "--drain-timeout",
                                  "0.25",
                                  "--log-level",
                                  "warning",
                                  "--log-format=json",
                                  "--log-file",
                                  "/l/a.log",
                                  "--log-file-bytes",
                                  "70000",
                                  "--log-files-kept",
                                  "7",
                                  "--limit",
                                  "lane_depth=7",
                                  "--limit",
                                  "sessions=9"});
  EXPECT_EQ(config.runtime_dir, "/r/a");
  EXPECT_EQ(config.cache_dir, "/c");
  EXPECT_EQ(config.default_device, "fast");
  EXPECT_EQ(config.cpu_threads, 3);
  EXPECT_EQ(config.drain_timeout_s, 0.25);
  EXPECT_EQ(config.log_level, LogLevel::kWarning);
  EXPECT_EQ(config.log_format, LogFormat::kJson);
  EXPECT_EQ(config.log_file.path, "/l/a.log");
  EXPECT_EQ(config.log_file.most_bytes, 70000u);
  EXPECT_EQ(config.log_file.kept, 7u);
  EXPECT_EQ(config.limits.lane_depth, 7u);
  EXPECT_EQ(config.limits.sessions, 9u);
  EXPECT_EQ(config.limits.chain_steps, engine::Limits().chain_steps);
}

TEST_F(ConfigTest, AnEmptyCacheDirDisablesTheCache) {
  variables_ = {{"HOME", "/home/x"}};
  EXPECT_EQ(Accepted({"--cache-dir", ""}).cache_dir, "");
  EXPECT_EQ(Accepted({"--config", File("cache_dir = \"\"\n")}).cache_dir, "");
}

TEST_F(ConfigTest, ALogFileHasBoundsThatARotationCanKeep) {
  EXPECT_THAT(OneProblem({"--log-file-bytes", "65535"}), HasSubstr("from 65536 to"));
  EXPECT_THAT(OneProblem({"--log-file-bytes", "10 MB"}), HasSubstr("found \"10 MB\""));
  EXPECT_THAT(OneProblem({"--log-files-kept", "0"}), HasSubstr("from 1 to 1000"));
  EXPECT_THAT(OneProblemInFile("log_file = \"anexd.log\"\n"), HasSubstr("absolute in a file"));
  EXPECT_EQ(
      Accepted({"--config", File("log_file = \"/l/x.log\"\n"), "--log-file", ""}).log_file.path,
      "");
}

TEST_F(ConfigTest, GlobalSurfacesAreOffUntilSomebodySaysTrue) {
  EXPECT_FALSE(Accepted({}).allow_global_iosurfaces);
  EXPECT_TRUE(Accepted({"--allow-global-iosurfaces", "true"}).allow_global_iosurfaces);
  EXPECT_TRUE(
      Accepted({"--config", File("allow_global_iosurfaces = true\n")}).allow_global_iosurfaces);
  EXPECT_FALSE(Accepted({"--config", File("allow_global_iosurfaces = true\n"),
                         "--allow-global-iosurfaces", "false"})
                   .allow_global_iosurfaces);
  for (const char* no : {"\"true\"", "1", "[true]"}) {
    EXPECT_THAT(OneProblemInFile(std::string("allow_global_iosurfaces = ") + no + "\n"),
                HasSubstr("true or false"));
  }
  EXPECT_THAT(OneProblem({"--allow-global-iosurfaces", "yes"}), HasSubstr("true or false"));
}

TEST_F(ConfigTest, ASignedBuildBringsARequirementThatTheSettingReplaces) {
  EXPECT_EQ(Accepted({}).client_requirement, "");
  Surroundings signed_build = World();
  signed_build.client_requirement = "identifier \"com.example.a\"";
  EXPECT_EQ(ParseCommandLine({}, signed_build)->config.client_requirement,
            "identifier \"com.example.a\"");
  EXPECT_EQ(ParseCommandLine({"--client-requirement", ""}, signed_build)->config.client_requirement,
            "");
  const std::string file = File("client_requirement = 'identifier \"com.example.b\"'\n");
  const Config config = Accepted({"--config", file});
  EXPECT_EQ(config.client_requirement, "identifier \"com.example.b\"");
  EXPECT_THAT(OneProblem({"--client-requirement", std::string(8193, 'x')}),
              HasSubstr("text in UTF-8"));
  EXPECT_THAT(OneProblem({"--client-requirement", "a\nb"}), HasSubstr("text in UTF-8"));
}

TEST_F(ConfigTest, ARelativeFlagMeansTheWorkingFolder) {
  EXPECT_EQ(Accepted({"--runtime-dir", "run/../here"}).runtime_dir,
            std::filesystem::current_path().string() + "/here");
}

TEST_F(ConfigTest, FlagsWinOverTheFileAndTheFileOverDefaults) {
  const std::string file =
      File("cpu_threads = 2\nlog_level = \"debug\"\n[limits]\nlane_depth = 11\nsessions = 12\n");
  const Config config =
      Accepted({"--limit", "lane_depth=13", "--config", file, "--log-level", "error"});
  EXPECT_EQ(config.cpu_threads, 2);
  EXPECT_EQ(config.log_level, LogLevel::kError);
  EXPECT_EQ(config.limits.lane_depth, 13u);
  EXPECT_EQ(config.limits.sessions, 12u);
}

// --- What is refused -------------------------------------------------------------------------

TEST_F(ConfigTest, AWrongValueIsNamedWithItsPlaceAndItsRange) {
  EXPECT_THAT(OneProblem({"--cpu-threads", "-4"}),
              AllOf(HasSubstr("cpu_threads (--cpu-threads)"), HasSubstr("\"-4\""),
                    HasSubstr("from 0 to 1024")));
  EXPECT_THAT(OneProblem({"--cpu-threads", "2.5"}), HasSubstr("whole number"));
  EXPECT_THAT(OneProblem({"--drain-timeout", "3601"}), HasSubstr("from 0 to 3600"));
  EXPECT_THAT(OneProblem({"--drain-timeout", "nan"}), HasSubstr("seconds from 0"));
  EXPECT_THAT(OneProblem({"--log-level", "loud"}), HasSubstr("one of debug, info, warning, error"));
  EXPECT_THAT(OneProblem({"--log-format", "Text"}), HasSubstr("one of auto, text, json"));
  EXPECT_THAT(OneProblem({"--default-device", "gpu"}), HasSubstr("one of cpu, fast, or \"\""));
  EXPECT_THAT(OneProblem({"--runtime-dir", ""}), HasSubstr("must be a path"));
  EXPECT_THAT(OneProblem({"--runtime-dir", "/a\nb"}),
              AllOf(HasSubstr("/a\\nb"), HasSubstr("control")));
  EXPECT_THAT(OneProblem({"--runtime-dir", "/a\xff"}), HasSubstr("UTF-8"));
}

TEST_F(ConfigTest, AFileIsHeldToItsTypesAndNamesTheLine) {
  EXPECT_THAT(OneProblemInFile("\n\ncpu_threads = \"5\"\n"),
              AllOf(HasSubstr("anexd.toml:3"), HasSubstr("found \"5\"")));
  EXPECT_THAT(OneProblemInFile("cpu_threads = 1.0\n"), HasSubstr("whole number"));
  EXPECT_THAT(OneProblemInFile("drain_timeout = inf\n"), HasSubstr("from 0 to 3600"));
  EXPECT_THAT(OneProblemInFile("log_level = true\n"), HasSubstr("found true"));
  EXPECT_THAT(OneProblemInFile("runtime_dir = [\"/a\"]\n"), HasSubstr("found a list"));
  EXPECT_THAT(OneProblemInFile("runtime_dir = \"here\"\n"), HasSubstr("absolute in a file"));
  EXPECT_THAT(OneProblemInFile("log_format = 1979-05-27\n"), HasSubstr("a date or time"));
  EXPECT_THAT(OneProblemInFile("limits = 3\n"), HasSubstr("must be a table of limits"));
  EXPECT_THAT(OneProblemInFile("[limits.sessions]\na = 1\n"), HasSubstr("found a table"));
}

TEST_F(ConfigTest, EveryLimitSaysItsOwnRange) {
  for (const LimitInfo& limit : engine::Limits().List()) {
    const std::string problem = OneProblem({"--limit", limit.name + "=-1"});
    EXPECT_THAT(problem, AllOf(HasSubstr("limits." + limit.name), HasSubstr("must be from "),
                               HasSubstr(limit.unit), Not(HasSubstr("18446744073709551615"))));
  }
  EXPECT_THAT(OneProblem({"--limit", "sessions=0"}), HasSubstr("from 1 to 65536 sessions"));
  EXPECT_THAT(OneProblem({"--limit", "sessions=many"}), HasSubstr("found \"many\""));
  EXPECT_THAT(OneProblem({"--limit", "sessions"}), HasSubstr("NAME=VALUE"));
  EXPECT_THAT(OneProblemInFile("[limits]\nsessions = 2.0\n"), HasSubstr("found 2"));
}

TEST_F(ConfigTest, ANearMissIsNamed) {
  EXPECT_THAT(OneProblem({"--limit", "surfces_per_session=3"}),
              HasSubstr("did you mean `surfaces_per_session`?"));
  EXPECT_THAT(OneProblem({"--runtime-dri", "/a"}), HasSubstr("did you mean `--runtime-dir`?"));
  EXPECT_THAT(OneProblemInFile("runtim_dir = \"/a\"\n"), HasSubstr("did you mean `runtime_dir`?"));
  EXPECT_THAT(OneProblemInFile("[limit]\nsessions = 3\n"), HasSubstr("did you mean `limits`?"));
  EXPECT_THAT(OneProblemInFile("zzzzzzzzzzzz = 1\n"),
              AllOf(HasSubstr("no key"), Not(HasSubstr("mean"))));
}

TEST_F(ConfigTest, WordsThatAreNoFlagAreRefused) {
  EXPECT_THAT(OneProblem({"serve"}), HasSubstr("\"serve\" (command line)"));
  EXPECT_THAT(OneProblem({"--cpu-threads"}), HasSubstr("--cpu-threads"));
}

TEST_F(ConfigTest, EverythingThatIsWrongIsSaidAtOnce) {
  const std::string file = File(
      "cpu_threads = -1\nlogs = \"x\"\nlog_format = \"xml\"\n"
      "[limits]\nsessions = -4\nsurfces_per_session = 3\n");
  const auto lines = Problems({"--config", file, "--drain-timeout", "x", "--limit", "lane_depth=0",
                               "--frobnicate", "1", "--log-level", "info"});
  EXPECT_EQ(lines.size(), 8u) << ::testing::PrintToString(lines);
  const std::string all =
      absl::StrCat(Parse({"--config", file, "--drain-timeout", "x"}).status().ToString());
  for (const char* part : {"6 problems", ":1)", "\"logs\"", "log_format", "limits.sessions",
                           "found -4", "surfaces_per_session", "drain_timeout"}) {
    EXPECT_THAT(all, HasSubstr(part));
  }
}

// --- Hostile files ---------------------------------------------------------------------------

TEST_F(ConfigTest, AFileThatIsNotThereOrNoFileIsRefused) {
  EXPECT_THAT(OneProblem({"--config", dir_ + "/none.toml"}), HasSubstr("No such file"));
  EXPECT_THAT(OneProblem({"--config", dir_}), HasSubstr("no regular file"));
  EXPECT_THAT(OneProblem({"--config", ""}), HasSubstr("No such file"));
  const std::string pipe = dir_ + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(OneProblem({"--config", pipe}), HasSubstr("no regular file"));
}

TEST_F(ConfigTest, AHugeFileIsRefusedUnread) {
  const std::string path = File("# start\n");
  ASSERT_EQ(::truncate(path.c_str(), off_t{1} << 40), 0);  // sparse
  EXPECT_THAT(OneProblem({"--config", path}), HasSubstr("longer than 1048576 bytes"));
}

TEST_F(ConfigTest, BytesThatAreNoTomlAreRefusedWithTheirLine) {
  EXPECT_THAT(OneProblemInFile("cpu_threads = 1\nlog_level = \"\xff\xfe\"\n"),
              HasSubstr("anexd.toml:2:"));
  EXPECT_THAT(OneProblemInFile(std::string("cpu_threads\0 = 1\n", 17)), HasSubstr("anexd.toml:1:"));
  EXPECT_THAT(OneProblemInFile("cpu_threads = 1\ncpu_threads = 2\n"), HasSubstr("anexd.toml:2:"));
  EXPECT_THAT(OneProblemInFile("[limits]\nsessions = 99999999999999999999\n"),
              HasSubstr("anexd.toml:2:"));
  EXPECT_THAT(OneProblemInFile("a = " + std::string(100000, '[')), HasSubstr("anexd.toml:1:"));
}

TEST_F(ConfigTest, AHostileKeyOrValueCannotForgeALine) {
  EXPECT_THAT(OneProblemInFile("\"a\\nanexd: all is well\" = 1\n"), HasSubstr("a\\nanexd"));
  EXPECT_THAT(OneProblemInFile("log_level = \"x\\u001b[2J\"\n"), Not(HasSubstr("\x1b")));
  const std::string longest =
      OneProblemInFile("log_level = \"" + std::string(500000, 'y') + "\"\n");
  EXPECT_LT(longest.size(), 400u);
}

TEST_F(ConfigTest, ThousandsOfProblemsAreCountedNotPrinted) {
  std::string text;
  for (int i = 0; i < 3000; ++i) absl::StrAppend(&text, "unheard_of_", i, " = 1\n");
  const auto lines = Problems({"--config", File(text)});
  EXPECT_EQ(lines.size(), 101u);
  EXPECT_THAT(lines.back(), HasSubstr("and 2900 more"));
}

TEST_F(ConfigTest, WeightsComeFromTablesAndFlags) {
  const std::string file = File(
      "[user_weights]\n501 = 3\n502 = 2\n[session_weights]\n\"my trainer\" = 4\nother = 1000\n");
  const Config config =
      Accepted({"--config", file, "--user-weight", "502=9", "--session-weight", "a=b=7"});
  EXPECT_EQ(config.weights, (engine::Weights{{{501, 3}, {502, 9}},
                                             {{"my trainer", 4}, {"other", 1000}, {"a=b", 7}}}));
}

TEST_F(ConfigTest, BadWeightsAreNamed) {
  EXPECT_THAT(OneProblemInFile("[user_weights]\nroot = 3\n"),
              AllOf(HasSubstr(":2)"), HasSubstr("\"root\""), HasSubstr("by uid")));
  EXPECT_THAT(OneProblemInFile("[user_weights]\n501 = 0\n"),
              AllOf(HasSubstr("user_weights.501"), HasSubstr("from 1 to 1000")));
  EXPECT_THAT(OneProblemInFile("[session_weights]\nx = 1001\n"), HasSubstr("session_weights.x"));
  EXPECT_THAT(OneProblemInFile("[session_weights]\n\"\" = 1\n"), HasSubstr("client name"));
  EXPECT_THAT(OneProblemInFile("user_weights = 3\n"), HasSubstr("a table of weights by uid"));
  EXPECT_THAT(OneProblem({"--session-weight", "x"}), HasSubstr("NAME=VALUE"));
  EXPECT_THAT(OneProblem({"--session-weight", "\xff=1"}), HasSubstr("printable"));
  EXPECT_THAT(OneProblem({"--user-weight", "501=two"}), HasSubstr("user_weights.501"));
}

TEST_F(ConfigTest, CheckConfigSaysThatItIsGoodOrAllThatIsWrong) {
  const auto good = Parse({"--check-config", "--config", File("cpu_threads = 2\n")});
  ASSERT_TRUE(good.ok()) << good.status();
  EXPECT_EQ(*good->print, "The configuration is good.\n");
  EXPECT_EQ(Problems({"--check-config", "--config", File("a = 1\nb = 2\n")}).size(), 2u);
}

// --- What is printed -------------------------------------------------------------------------

TEST_F(ConfigTest, BoundsOnMemoryFollowTheMachineUnlessTheyAreSet) {
  Surroundings world = World();
  world.memory_bytes = uint64_t{12} << 30;
  const auto line = ParseCommandLine({"--limit", "kernel_bytes=5000"}, world);
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->config.limits.surface_bytes, uint64_t{6} << 30);
  EXPECT_EQ(line->config.limits.kernel_bytes, 5000u);
  EXPECT_EQ(line->config.limits.upload_bytes, uint64_t{3} << 30);
}

TEST_F(ConfigTest, PrintConfigReadsBackAsTheSame) {
  std::vector<std::string> flags = {"--runtime-dir",    "/r \"q\" \\ \xc3\xa4 #x",
                                    "--cache-dir",      "",
                                    "--default-device", "fast",
                                    "--cpu-threads",    "3",
                                    "--drain-timeout",  "0.1",
                                    "--log-level",      "debug",
                                    "--log-format",     "text",
                                    "--log-file",       "/l \"q\".log",
                                    "--log-file-bytes", "123457",
                                    "--log-files-kept", "9",
                                    "--limit",          "device_hang_ns=1234567",
                                    "--user-weight",    "501=3",
                                    "--user-weight",    "4294967295=1000",
                                    "--session-weight", "trainer=a \"x\" \xc3\xa4=4"};
  uint64_t odd = 3;
  for (const LimitInfo& limit : engine::Limits().List()) {  // no limit is left at its default
    if (limit.unit != "ns" && limit.unit != "bytes") {
      flags.insert(flags.end(),
                   {"--limit",
                    absl::StrCat(limit.name, "=", limit.name == "sets_per_invocation" ? 5 : odd)});
      odd += 2;
    }
  }
  const Config config = Accepted(flags);
  flags.push_back("--print-config");
  const auto printed = Parse(flags);
  ASSERT_TRUE(printed.ok()) << printed.status();
  ASSERT_TRUE(printed->print.has_value());
  const std::string file = File(*printed->print, "printed.toml");
  variables_ = {{"XDG_RUNTIME_DIR", "/elsewhere"}, {"HOME", "/h"}};
  ExpectSame(Accepted({"--config", file}), config);
  EXPECT_EQ(*Parse({"--config", file, "--print-config"})->print, *printed->print);
}

TEST_F(ConfigTest, PrintConfigDoesNotPrintWhatIsWrong) {
  EXPECT_FALSE(Parse({"--print-config", "--log-level", "loud"}).ok());
}

TEST_F(ConfigTest, HelpNamesEveryFlagAndEndsWithAnExample) {
  const auto help = Parse({"--help"});
  ASSERT_TRUE(help.ok());
  for (const char* flag :
       {"--runtime-dir", "--cache-dir", "--config", "--default-device", "--cpu-threads",
        "--drain-timeout", "--log-level", "--log-format", "--log-file", "--log-file-bytes",
        "--log-files-kept", "--limit", "--user-weight", "--session-weight", "--print-config",
        "--check-config", "--version"}) {
    EXPECT_THAT(*help->print, HasSubstr(flag));
  }
  EXPECT_GT(help->print->find("Example"), help->print->find("--version"));
  EXPECT_EQ(*Parse({"--version"})->print, "anexd 9.8.7\n");
}

TEST_F(ConfigTest, TheExampleOfTheHelpWorks) {
  const Config config =
      Accepted({"--runtime-dir", "/tmp/try", "--cache-dir", "", "--limit", "lane_depth=16"});
  EXPECT_EQ(config.limits.lane_depth, 16u);
  EXPECT_THAT(*Parse({"--help"})->print,
              HasSubstr("--runtime-dir /tmp/try --cache-dir \"\" --limit lane_depth=16"));
}

}  // namespace
}  // namespace anex::server
