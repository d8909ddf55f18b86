// Whole commands over a recording transport: arguments in, streams and exit code out.
#include "client/cli/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "client/cli/npy.h"
#include "client/transport/grpc_status.h"
#include "tests/anex/recording_transport.h"

namespace anex::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CommandTest : public ::testing::Test {
 protected:
  CommandTest() {
    std::string pattern = fs::temp_directory_path() / "anex_cli_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    transport_->functions = {
        {"main",
         {{"x", PortDirection::kInput, *MakePackedLayout(DType::kFp32, {2, 3})},
          {"y", PortDirection::kOutput, *MakePackedLayout(DType::kFp32, {3})}}}};
  }
  ~CommandTest() override { fs::remove_all(folder_); }

  int Run(const std::vector<std::string>& arguments) {
    out_.str("");
    err_.str("");
    Context context{.out = out_,
                    .err = err_,
                    .connect = [this](const Globals& globals) { return Connect(globals); },
                    .in_process = [this]() -> absl::StatusOr<std::shared_ptr<Transport>> {
                      ++in_process_;
                      return transport_;
                    }};
    return RunAnectl(arguments, context);
  }
  absl::StatusOr<std::shared_ptr<Transport>> Connect(const Globals& globals) {
    ++connects_;
    socket_ = globals.socket;
    if (!connect_error_.ok()) return connect_error_;
    return transport_;
  }
  std::string Write(const std::string& name, const std::string& content) {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return (folder_ / name).string();
  }
  Json Parsed() { return Json::parse(out_.str()); }

  std::shared_ptr<test::RecordingTransport> transport_ =
      std::make_shared<test::RecordingTransport>();
  fs::path folder_;
  std::ostringstream out_, err_;
  std::string socket_;
  absl::Status connect_error_;
  int connects_ = 0, in_process_ = 0;
};

const char* const kCommands[] = {
    "status", "devices",  "sessions",  "kernels", "surfaces", "cache",   "compile", "check",
    "run",    "describe", "drain",     "evict",   "limits",   "config",  "version", "fmt",
    "bench",  "install",  "uninstall", "start",   "stop",     "restart", "logs",    "probe"};

TEST_F(CommandTest, EveryHelpEndsWithAnExample) {
  for (const std::string command : kCommands) {
    EXPECT_EQ(Run({command, "--help"}), kExitOk) << command;
    const std::string help = out_.str();
    const size_t example = help.rfind("Example:\n  anectl " + command);
    ASSERT_NE(example, std::string::npos) << command << ":\n" << help;
    EXPECT_EQ(help.find("\n\n", example + 10), std::string::npos) << "nothing but blank follows";
  }
  EXPECT_EQ(Run({"--help"}), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("3 daemon not reachable"));
  EXPECT_EQ(connects_, 0);
}

TEST_F(CommandTest, UsageErrorsAreTwo) {
  for (const std::vector<std::string>& bad :
       std::vector<std::vector<std::string>>{{},
                                             {"frobnicate"},
                                             {"status", "--nope"},
                                             {"run"},
                                             {"evict"},
                                             {"evict", "x"},
                                             {"evict", "-3"},
                                             {"evict", ".3"},
                                             {"evict", "3.1.2"},
                                             {"evict", "3.1x"},
                                             {"cache"},
                                             {"drain", "--deadline", "x"},
                                             {"cache", "prune", "--all", "abc"},
                                             {"status", "--interval", "0"}}) {
    EXPECT_EQ(Run(bad), kExitUsage) << ::testing::PrintToString(bad);
    EXPECT_THAT(out_.str(), IsEmpty());
    EXPECT_FALSE(err_.str().empty());
  }
  EXPECT_EQ(connects_, 0);
}

TEST_F(CommandTest, FailuresHaveTheirCodes) {
  const std::pair<absl::Status, int> cases[] = {
      {absl::UnavailableError("no daemon"), kExitUnreachable},
      {absl::PermissionDeniedError("observer"), kExitRefused},
      {absl::UnauthenticatedError("who"), kExitRefused},
      {absl::NotFoundError("gone"), kExitNotFound},
      {absl::DeadlineExceededError("slow"), kExitTimeout},
      {absl::InternalError("broken"), kExitFailed}};
  for (const auto& [status, code] : cases) {
    transport_->fail = status;
    EXPECT_EQ(Run({"status"}), code) << status;
    EXPECT_THAT(err_.str(), HasSubstr(std::string(status.message())));
    EXPECT_THAT(out_.str(), IsEmpty());
  }
}

TEST_F(CommandTest, UnreachableDaemonIsThree) {
  connect_error_ = absl::UnavailableError("nobody answers at /run/x\x1b[2J");
  EXPECT_EQ(Run({"devices"}), kExitUnreachable);
  EXPECT_THAT(err_.str(), HasSubstr("\\x1b[2J"));
  EXPECT_EQ(Run({"devices", "--json"}), kExitUnreachable);
  EXPECT_EQ(Parsed()["error"]["code"], "UNAVAILABLE");
}

TEST_F(CommandTest, ADaemonThatDrainsIsReachable) {
  transport_->fail =
      FromGrpcStatus(grpc::Status(grpc::StatusCode::UNAVAILABLE, "draining", "details"));
  EXPECT_EQ(Run({"status"}), kExitFailed);
  EXPECT_THAT(err_.str(), HasSubstr("draining"));
}

TEST_F(CommandTest, GlobalOptionsStandBeforeOrAfterTheCommand) {
  EXPECT_EQ(Run({"--socket", "/a", "--json", "status"}), kExitOk);
  EXPECT_EQ(socket_, "/a");
  EXPECT_TRUE(Parsed().is_object());
  EXPECT_EQ(Run({"status", "--json", "--socket", "/b"}), kExitOk);
  EXPECT_EQ(socket_, "/b");
  EXPECT_TRUE(Parsed().contains("sessions"));
  EXPECT_EQ(Run({"cache", "list", "--json"}), kExitOk);
  EXPECT_TRUE(Parsed()["entries"].empty());
}

TEST_F(CommandTest, ListsSpeakJsonUnderTheirName) {
  transport_->devices = {{.name = "cpu"}};
  transport_->limits = {{.name = "lane_depth", .value = 256, .unit = "submissions"}};
  transport_->status.sessions = {{.id = SessionId::Make(4, 2), .client_name = "t"}};
  transport_->status.kernels = {{.digest = "d", .name = "k"}};
  transport_->surfaces = {{.info = {.id = SurfaceId::Make(1, 1), .label = "l"}}};
  for (const std::string list : {"devices", "limits", "sessions", "kernels", "surfaces"}) {
    EXPECT_EQ(Run({list, "--json"}), kExitOk) << list;
    EXPECT_EQ(Parsed()[list].size(), 1u) << list;
    EXPECT_EQ(Run({list}), kExitOk);
    EXPECT_GT(out_.str().size(), 10u);
  }
}

TEST_F(CommandTest, WatchStopsAtItsCount) {
  EXPECT_EQ(Run({"status", "--watch", "--count", "3", "--json"}), kExitOk);
  std::istringstream lines(out_.str());
  int pictures = 0;
  for (std::string line; std::getline(lines, line); ++pictures) {
    EXPECT_TRUE(Json::parse(line).contains("devices"));
  }
  EXPECT_EQ(pictures, 3);
}

TEST_F(CommandTest, VersionAsksNobody) {
  connect_error_ = absl::UnavailableError("no daemon");
  EXPECT_EQ(Run({"version"}), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("anectl 0."));
  EXPECT_EQ(connects_, 0);
  EXPECT_EQ(Run({"version", "--daemon"}), kExitUnreachable);
}

TEST_F(CommandTest, LimitsAreSetByNameAndShownAsTheyAreThen) {
  transport_->limits = {{.name = "lane_depth", .value = 256, .unit = "submissions"},
                        {.name = "sessions", .value = 9, .unit = "sessions"},
                        {.name = "streams", .value = 3, .unit = "streams"}};
  EXPECT_EQ(Run({"limits", "lane_depth=512", "sessions=10", "--json"}), kExitOk) << err_.str();
  EXPECT_EQ(Parsed()["limits"].size(), 2u) << "those that were set";
  EXPECT_EQ(Parsed()["limits"][0]["value"], 512);
  EXPECT_EQ(Parsed()["limits"][1]["value"], 10);
  for (const std::string nonsense :
       {"lane_depth", "lane_depth=", "=3", "lane_depth=-1", "lane_depth=1e3", "lane_depth=3x"}) {
    EXPECT_EQ(Run({"limits", nonsense}), kExitUsage) << nonsense;
    EXPECT_THAT(err_.str(), HasSubstr("NAME=VALUE")) << nonsense;
  }
  EXPECT_EQ(Run({"limits", "a=1", "a=2"}), kExitUsage);
  EXPECT_EQ(transport_->limits[0].value, 512u) << "nonsense asks nobody";
  transport_->fail = absl::OutOfRangeError("lane_depth=0: must be from 1 to 9");
  EXPECT_EQ(Run({"limits", "lane_depth=0"}), kExitFailed);
  EXPECT_THAT(err_.str(), HasSubstr("must be from 1 to 9"));
}

// A daemon that says what a file of this name deserves, and with which words it was asked.
TEST_F(CommandTest, ConfigCheckAsksTheDaemonsOwnReader) {
  const std::string anexd = (folder_ / "anexd").string();
  std::ofstream(anexd)
      << "#!/bin/sh\n"
         "[ \"$2\" = --check-config ] || exit 9\n"
         "case \"$1\" in\n"
         "  --config=*good.toml) echo The configuration is good. ;;\n"
         "  --config=*bad.toml) echo 'anexd: 2 problems in flags and configuration:' >&2\n"
         "    echo '  sessions (bad.toml:2): found -4' >&2\n"
         "    printf '  \\033[2Jlimits\\n' >&2; exit 2 ;;\n"
         "  *) kill -9 $$ ;;\n"
         "esac\n";
  fs::permissions(anexd, fs::perms::owner_all);
  EXPECT_EQ(Run({"config", "check", "a good.toml", "--anexd", anexd}), kExitOk) << err_.str();
  EXPECT_EQ(out_.str(), "a good.toml is good.\n");
  EXPECT_EQ(Run({"config", "check", "bad.toml", "--anexd", anexd}), kExitFailed);
  EXPECT_EQ(out_.str(), "sessions (bad.toml:2): found -4\n\\x1b[2Jlimits\n");
  EXPECT_EQ(Run({"config", "check", "bad.toml", "--anexd", anexd, "--json"}), kExitFailed);
  EXPECT_EQ(Parsed()["good"], false);
  EXPECT_EQ(Parsed()["problems"].size(), 2u);
  EXPECT_EQ(Run({"config", "check", "other", "--anexd", anexd}), kExitFailed);
  EXPECT_THAT(err_.str(), HasSubstr("ended with code 137"));
  EXPECT_EQ(Run({"config", "check", "x", "--anexd", (folder_ / "nothing").string()}),
            kExitNotFound);
  EXPECT_THAT(err_.str(), HasSubstr("--anexd PATH"));
  EXPECT_EQ(Run({"config"}), kExitUsage);
  EXPECT_EQ(connects_, 0) << "no running daemon is needed";
}

TEST_F(CommandTest, EvictTakesTheUniqueStartOfASession) {
  transport_->status.sessions = {{.id = SessionId::Make(23, 2498922687u)},
                                 {.id = SessionId::Make(2, 24)},
                                 {.id = SessionId::Make(12, 3)},
                                 {.id = SessionId::Make(12, 31)}};
  EXPECT_EQ(Run({"evict", "23", "--json"}), kExitOk) << err_.str();
  EXPECT_EQ(Parsed()["evicted"], "23.2498922687");
  EXPECT_EQ(transport_->CountOf("Evict 23.2498922687"), 1);
  EXPECT_EQ(Run({"evict", "23.24"}), kExitOk);
  EXPECT_EQ(transport_->CountOf("Evict 23.2498922687"), 2);
  EXPECT_EQ(Run({"evict", "2"}), kExitOk) << "the part before the dot is taken whole";
  EXPECT_EQ(transport_->CountOf("Evict 2.24"), 1);
  EXPECT_EQ(Run({"evict", "12.3"}), kExitOk) << "written out, although another begins so";
  EXPECT_EQ(transport_->CountOf("Evict 12.3"), 1);
  EXPECT_EQ(Run({"evict", "12."}), kExitFailed);
  EXPECT_THAT(err_.str(), HasSubstr("12. fits 2 sessions"));
  EXPECT_EQ(Run({"evict", "3.1"}), kExitNotFound);
  EXPECT_THAT(err_.str(), HasSubstr("no session 3.1;"));
}

TEST_F(CommandTest, DrainPassesItsDeadline) {
  EXPECT_EQ(Run({"drain", "--deadline", "1.5", "--json"}), kExitOk);
  EXPECT_EQ(Parsed()["cancelled"], 2);
  EXPECT_EQ(transport_->CountOf("Drain 1.5s"), 1);
}

TEST_F(CommandTest, CacheExpandsShortDigests) {
  transport_->cache = {{.digest = "abcd01"}, {.digest = "abcd02"}, {.digest = "ff00"}};
  EXPECT_EQ(Run({"cache", "prune", "ff", "abcd01"}), kExitOk);
  EXPECT_THAT(transport_->purged, ElementsAre("ff00", "abcd01"));
  EXPECT_EQ(Run({"cache", "prune", "abc"}), kExitFailed);
  EXPECT_THAT(err_.str(), HasSubstr("several"));
  EXPECT_EQ(Run({"cache", "prune", "eeee"}), kExitNotFound);
  EXPECT_EQ(Run({"cache", "prune", "--all"}), kExitOk);
  EXPECT_THAT(transport_->purged, ElementsAre("*"));
  EXPECT_EQ(Run({"cache", "prune"}), kExitOk);
  EXPECT_THAT(transport_->purged, IsEmpty());
}

TEST_F(CommandTest, CacheVerifyFailsOnACorruptEntry) {
  transport_->cache = {{.digest = "aa", .verified = true}};
  EXPECT_EQ(Run({"cache", "verify"}), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("good"));
  transport_->cache.push_back({.digest = "bb", .problem = "checksum"});
  EXPECT_EQ(Run({"cache", "verify"}), kExitFailed);
  EXPECT_THAT(out_.str(), HasSubstr("checksum"));
}

TEST_F(CommandTest, RefusedProgramsShowAllFindingsOfTheirStatus) {
  const std::string file = Write("m.mil", "program");
  transport_->fail = RefusalOf(absl::StatusCode::kInvalidArgument,
                               {{.code = "MIL0301",
                                 .message = "unknown",
                                 .file = "m.mil",
                                 .line = 1,
                                 .column = 3,
                                 .length = 2,
                                 .source_line = "program"},
                                {.code = "MIL0001", .message = "again", .file = "m.mil"}});
  EXPECT_EQ(Run({"compile", file}), kExitFailed);
  EXPECT_THAT(err_.str(), HasSubstr("       |   ^~\n"));
  EXPECT_THAT(err_.str(), HasSubstr("again [MIL0001]"));
  EXPECT_THAT(err_.str(), HasSubstr("refused: 2 errors [INVALID_ARGUMENT]"));
  EXPECT_EQ(Run({"compile", file, "--json"}), kExitFailed);
  EXPECT_EQ(Parsed()["error"]["diagnostics"].size(), 2u);
}

TEST_F(CommandTest, RunFillsInputsAndWritesOutputs) {
  const std::string file = Write("m.mil", "program");
  const std::string y = (folder_ / "y.npy").string();
  transport_->evaluate = [this](const Submission&) {
    // y = row sums of x, as floats in the surfaces that were bound.
    const auto surface = [&](int i) {
      return std::get<SurfaceId>(transport_->prepared.bindings[i].target);
    };
    const float* in = reinterpret_cast<float*>(transport_->RegionOf(surface(0))->data());
    float* out = reinterpret_cast<float*>(transport_->RegionOf(surface(1))->data());
    for (int i = 0; i < 3; ++i) out[i] = in[i] + in[3 + i] + static_cast<float>(i);
    return Completion{.device_ns = 7};
  };
  EXPECT_EQ(Run({"run", file, "--input", "x=ones", "--output", "y=" + y, "--repeat", "4"}), kExitOk)
      << err_.str();
  EXPECT_EQ(transport_->submissions.size(), 5u);
  const absl::StatusOr<NpyArray> array = ReadNpyFile(y, 12);
  ASSERT_TRUE(array.ok()) << array.status();
  float values[3];
  std::memcpy(values, array->data.data(), 12);
  EXPECT_THAT(values, ElementsAre(2, 3, 4));
  EXPECT_THAT(out_.str(), HasSubstr("2 3 4"));

  EXPECT_EQ(Run({"run", file, "--json"}), kExitOk);
  EXPECT_EQ(Parsed()["inputs"][0]["values"], "random:1");
  EXPECT_EQ(Parsed()["run_timings"]["first_device_ns"], 7);
  for (const std::string unmeasured :
       {"median_ns", "min_ns", "device_median_ns", "queue_median_ns"}) {
    EXPECT_TRUE(Parsed()["run_timings"][unmeasured].is_null()) << unmeasured;
  }
  EXPECT_EQ(Parsed()["outputs"][0]["elements"], 3);
}

TEST_F(CommandTest, RunOpensItsOutputsBeforeItRuns) {
  const std::string file = Write("m.mil", "program");
  EXPECT_EQ(Run({"run", file, "--output", "y=" + (folder_ / "none/y.npy").string()}),
            kExitNotFound);
  EXPECT_TRUE(transport_->submissions.empty());
  const std::string y = (folder_ / "y.npy").string();
  transport_->evaluate = [](const Submission&) { return absl::InternalError("broken"); };
  EXPECT_EQ(Run({"run", file, "--output", "y=" + y}), kExitFailed);
  EXPECT_FALSE(fs::exists(y)) << "nothing was written to it";
  transport_->evaluate = nullptr;
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full on this system";
  EXPECT_EQ(Run({"run", file, "--output", "y=/dev/full", "--json"}), kExitFailed);
  EXPECT_THAT(err_.str(), HasSubstr("No space left"));
  EXPECT_EQ(Parsed()["outputs"][0]["elements"], 3) << "the report is not lost";
  EXPECT_THAT(std::string(Parsed()["outputs"][0]["problem"]), HasSubstr("/dev/full"));
}

TEST_F(CommandTest, AFileThatMayNotBeReadIsNoRefusalOfTheDaemon) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const std::string file = Write("m.mil", "program");
  fs::permissions(file, fs::perms::none);
  for (const std::string command : {"run", "compile", "describe", "check", "fmt"}) {
    EXPECT_EQ(Run({command, file}), kExitFailed) << command;
    EXPECT_THAT(err_.str(), HasSubstr("PERMISSION_DENIED")) << command;
  }
}

TEST_F(CommandTest, RunNamesWrongPorts) {
  const std::string file = Write("m.mil", "program");
  EXPECT_EQ(Run({"run", file, "--input", "z=ones"}), kExitNotFound);
  EXPECT_THAT(err_.str(), HasSubstr("it has: x, y"));
  EXPECT_EQ(Run({"run", file, "--input", "y=ones"}), kExitFailed);
  EXPECT_EQ(Run({"run", file, "--output", "x=a.npy"}), kExitFailed);
  EXPECT_EQ(Run({"run", file, "--input", "x=ones", "--input", "x=zeros"}), kExitUsage);
  EXPECT_EQ(Run({"run", file, "--input", "x"}), kExitUsage);
  EXPECT_EQ(Run({"run", file, "--option", "numerics"}), kExitUsage);
  EXPECT_TRUE(transport_->submissions.empty());
}

TEST_F(CommandTest, InProcessDoesNotConnect) {
  connect_error_ = absl::UnavailableError("no daemon");
  const std::string file = Write("m.mil", "program");
  EXPECT_EQ(Run({"run", file, "--in-process"}), kExitOk) << err_.str();
  EXPECT_EQ(in_process_, 1);
  EXPECT_EQ(connects_, 0);
}

TEST_F(CommandTest, CompileAndDescribeShowPorts) {
  const std::string file = Write("m.mil", "program");
  for (const std::string command : {"compile", "describe"}) {
    EXPECT_EQ(Run({command, file, "--option", "numerics=reference"}), kExitOk) << err_.str();
    EXPECT_THAT(out_.str(), HasSubstr("in   x     fp32   [2, 3]"));
    EXPECT_THAT(out_.str(), HasSubstr("out  y     fp32   [3]"));
  }
}

TEST_F(CommandTest, ProbePrintsATableOrJson) {
  transport_->probe = {
      "ane", "a chip", {{"concat", "joins?", "yes", Evidence::kProbed, {{"median_us", 1.5}}}}};
  EXPECT_EQ(Run({"probe", "ane"}), kExitOk) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("concat  probed    yes\n                  median 1.5 us\n"));
  EXPECT_EQ(transport_->CountOf("Probe ane"), 1);
  EXPECT_EQ(Run({"probe", "--thorough", "--json"}), kExitOk);
  EXPECT_EQ(Parsed()["device"], "ane");
  EXPECT_EQ(Parsed()["thorough"], true);
  EXPECT_EQ(Parsed()["findings"][0]["numbers"]["median_us"], 1.5);
  EXPECT_EQ(transport_->CountOf("Probe  thorough"), 1) << "the default device";
  EXPECT_EQ(connects_, 2);
  EXPECT_EQ(Run({"probe", "--in-process"}), kExitOk);
  EXPECT_EQ(connects_, 2);
  EXPECT_EQ(in_process_, 1);
}

TEST_F(CommandTest, ProbeWritesAReport) {
  transport_->probe = {"ane", "a chip", {{"concat", "joins?", "yes", Evidence::kProbed, {}}}};
  transport_->status.info = {.version = "9.9", .build = "gcc"};
  const std::string path = (folder_ / "probe.md").string();
  EXPECT_EQ(Run({"probe", "--report", path}), kExitOk) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("The report is in " + path));
  std::ifstream file(path);
  const std::string report(std::istreambuf_iterator<char>(file), {});
  EXPECT_THAT(report, HasSubstr("# anectl probe `ane`"));
  EXPECT_THAT(report, HasSubstr("through anexd `9.9`, `gcc`"));
  EXPECT_THAT(report, HasSubstr("| `concat`<br>`joins?` | `yes` | probed |  |"));

  EXPECT_EQ(Run({"probe", "--in-process", "--report", "-"}), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("in its own process"));
  EXPECT_THAT(out_.str(), ::testing::StartsWith("# anectl probe"));
  EXPECT_EQ(Run({"probe", "--report", path, "--json"}), kExitOk);
  EXPECT_EQ(Parsed()["device"], "ane");
}

TEST_F(CommandTest, ProbeKnowsBeforehandWhatCannotBeDone) {
  EXPECT_EQ(Run({"probe", "--report", "-", "--json"}), kExitUsage);
  EXPECT_EQ(Run({"probe", "--report", (folder_ / "none" / "probe.md").string()}), kExitNotFound);
  EXPECT_EQ(connects_, 0) << "nothing was asked";
  transport_->fail = absl::NotFoundError("no device \"gpu\"");
  const std::string path = (folder_ / "left.md").string();
  EXPECT_EQ(Run({"probe", "gpu", "--report", path}), kExitNotFound);
  EXPECT_FALSE(fs::exists(path)) << "an empty report was left";
  transport_->fail = absl::DeadlineExceededError("late");
  EXPECT_EQ(Run({"probe"}), kExitTimeout);
  transport_->fail = absl::UnimplementedError("nothing to tell");
  EXPECT_EQ(Run({"probe"}), kExitFailed);
}

TEST_F(CommandTest, DescribeFindsADigestByItsStart) {
  transport_->status.kernels = {{.digest = std::string(64, 'a')}};
  transport_->cache = {{.digest = std::string(64, 'a')},
                       {.digest = "abcdef" + std::string(58, '0')}};
  EXPECT_EQ(Run({"describe", "aaaaaaaa", "--json"}), kExitOk) << err_.str();
  EXPECT_EQ(Parsed()["digest"], std::string(64, 'a'));
  EXPECT_EQ(Run({"describe", "cccccccc"}), kExitNotFound);
  EXPECT_THAT(err_.str(), HasSubstr("no file and no loaded or cached kernel \"cccccccc\""));
  transport_->cache[1].name = "first.mil";
  EXPECT_EQ(Run({"describe", "ab", "--json"}), kExitOk) << "as short as cache prune takes it";
  EXPECT_EQ(Parsed()["name"], "first.mil") << "the daemon has forgotten it, the cache knows it";
  EXPECT_EQ(Run({"describe", "a"}), kExitFailed);
  EXPECT_THAT(err_.str(), HasSubstr("abcdef000000 first.mil"));
  EXPECT_EQ(Run({"describe", "nothing-like-it.mil"}), kExitNotFound);
}

}  // namespace
}  // namespace anex::cli
