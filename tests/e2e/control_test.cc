// Running a real daemon: whose turn it is, what bounds say, changing them with anectl and by
// reading the configuration again.

#include <gmock/gmock.h>
#include <signal.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/e2e/fixture.h"

namespace anex::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Json = nlohmann::json;

class Control : public ::testing::Test {
 protected:
  void Start(const std::string& configuration) {
    Configure(configuration);
    DaemonProcess::Options options;
    options.flags = {"--config", config_};
    auto daemon = DaemonProcess::Start(options);
    ASSERT_TRUE(daemon.ok()) << daemon.status();
    daemon_ = *std::move(daemon);
  }
  void Configure(const std::string& text) { std::ofstream(config_) << text; }
  // Tells it to read the configuration again and waits until its log says `line`.
  void Reload(const std::string& line) {
    daemon_->process().Signal(SIGHUP);
    const auto said = daemon_->process().WaitForLine(line);
    EXPECT_TRUE(said.ok()) << said.status();
  }
  // What anectl prints, and its exit code.
  std::string Anectl(std::vector<std::string> words, int exit_code = 0) {
    words.insert(words.begin(), ANECTL_BINARY);
    words.insert(words.end(), {"--socket", daemon_->socket()});
    auto child = ChildProcess::Start(words);
    EXPECT_TRUE(child.ok()) << child.status();
    const auto code = (*child)->Wait();
    EXPECT_TRUE(code.ok() && *code == exit_code) << (*child)->output();
    return (*child)->output();
  }
  uint64_t Limit(const std::string& name) {
    const Json all = Json::parse(Anectl({"limits", "--json"}));
    for (const Json& limit : all["limits"]) {
      if (limit["name"] == name) return limit["value"];
    }
    return 0;
  }
  std::map<std::string, Json> Sessions() {
    std::map<std::string, Json> by_name;
    const Json all = Json::parse(Anectl({"sessions", "--json"}));
    for (const Json& session : all["sessions"]) by_name[session["client_name"]] = session;
    return by_name;
  }

  ScratchFolder folder_;
  const std::string config_ = folder_.Join("anexd.toml");
  std::unique_ptr<DaemonProcess> daemon_;
};

SurfaceSpec Small() {
  SurfaceSpec spec;
  spec.dtype = DType::kFp16;
  spec.shape = Shape({2, 3});
  return spec;
}

TEST_F(Control, ARefusalNamesTheBoundAndAnectlRaisesItWhileTheDaemonRuns) {
  Start("[limits]\nsurfaces_per_session = 2\nconcurrent_compiles = 1\n");
  auto session = OpenSession(daemon_->socket(), "ann");
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(session->CreateSurface(Small()).ok());
  const absl::Status full = session->CreateSurface(Small()).status();
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(full.message()),
              AllOf(HasSubstr("surfaces_per_session=2"),
                    HasSubstr("anectl limits surfaces_per_session=N")));
  EXPECT_THAT(Anectl({"limits", "surfaces_per_session=3"}), HasSubstr("surfaces_per_session"));
  EXPECT_TRUE(session->CreateSurface(Small()).ok());
  EXPECT_THAT(Anectl({"limits", "surfaces_per_session=4", "sessions=0"}, 1),
              HasSubstr("must be from 1 to 65536 sessions"));
  EXPECT_THAT(Anectl({"limits", "concurrent_compiles=2"}, 1), HasSubstr("restart the daemon"));
  EXPECT_EQ(Limit("surfaces_per_session"), 3u) << "all or nothing";
  EXPECT_TRUE(RunsMatmul(daemon_->socket()).ok());
}

TEST_F(Control, SessionsBeyondTheStartingBoundCanBeLetIn) {
  Start("[limits]\nsessions = 2\n");
  Anectl({"limits", "sessions=12"});
  std::vector<std::unique_ptr<Transport>> sessions;
  for (int i = 0; i < 12; ++i) {
    sessions.push_back(OpenSession(daemon_->socket(), absl::StrCat("number ", i)));
    ASSERT_NE(sessions.back(), nullptr) << i;
  }
  auto one_more = ConnectTransport(daemon_->socket());
  EXPECT_THAT(std::string(one_more->Open({.client_name = "late"}).status().message()),
              HasSubstr("sessions=12"));
}

TEST_F(Control, AReadConfigurationHoldsAndABadOneChangesNothing) {
  Start("[limits]\nlane_depth = 11\n");
  Anectl({"limits", "lane_depth=12", "queued=1000"});
  EXPECT_EQ(Limit("lane_depth"), 12u);
  Configure("cpu_threads = 1\n[limits]\nlane_depth = 13\n");
  Reload("configuration read again");
  EXPECT_THAT(daemon_->process().output(), HasSubstr("cpu_threads"));
  EXPECT_EQ(Limit("lane_depth"), 13u);
  EXPECT_EQ(Limit("queued"), 65536u) << "what was set by hand is forgotten";
  Configure("[limits]\nlane_depth = 14\nsurfces = 3\n");
  Reload("nothing has changed");
  EXPECT_THAT(daemon_->process().output(), HasSubstr("did you mean `surfaces`?"));
  EXPECT_EQ(Limit("lane_depth"), 13u);
  Configure("[limits\n");
  Reload("nothing has changed");
  EXPECT_EQ(Limit("lane_depth"), 13u);
  EXPECT_TRUE(RunsMatmul(daemon_->socket()).ok());
  EXPECT_EQ(*daemon_->Stop(), 0);
}

TEST_F(Control, ConfigCheckSaysWhatAStartWouldSay) {
  Start("");
  Configure("[user_weights]\n501 = 3\n");
  EXPECT_THAT(Anectl({"config", "check", config_, "--anexd", AnexdBinary()}), HasSubstr("is good"));
  Configure("[user_weights]\n501 = 0\n[limits]\nlane_dpth = 3\n");
  const Json bad =
      Json::parse(Anectl({"config", "check", config_, "--anexd", AnexdBinary(), "--json"}, 1));
  EXPECT_EQ(bad["good"], false);
  ASSERT_EQ(bad["problems"].size(), 2u);
  EXPECT_THAT(bad.dump(), AllOf(HasSubstr("user_weights.501"), HasSubstr("lane_depth")));
}

// A session that runs a chain over and over: y[n,n] = W[n,n] @ x[n,n], `n` says how long a step is.
class Grinder {
 public:
  Grinder(const std::string& socket, const std::string& name, int n)
      : session_(OpenSession(socket, name)) {
    ProgramSource source;
    source.name = "grind.mil";
    const std::string type = absl::StrCat("tensor<fp16, [", n, ", ", n, "]> ");
    source.text = MilProgram(type + "x, " + type + "W",
                             "    " + type +
                                 "y = matmul(transpose_x = bool(false), transpose_y = "
                                 "bool(false), x = W, y = x)[name = string(\"y\")];",
                             "y");
    const auto kernel = session_->Compile(source, {});
    EXPECT_TRUE(kernel.ok()) << kernel.status();
    std::vector<Binding> bindings;
    for (const char* port : {"x", "W", "y"}) {
      SurfaceSpec spec;
      spec.dtype = DType::kFp16;
      spec.shape = Shape({n, n});
      bindings.push_back({port, session_->CreateSurface(spec)->id});
    }
    const auto invocation = session_->Prepare({kernel->id, "", bindings});
    EXPECT_TRUE(invocation.ok()) << invocation.status();
    ChainSpec chain;
    chain.steps = {*invocation, *invocation};
    chain.repeat = 1u << 20;
    const auto defined = session_->DefineChain(chain);
    EXPECT_TRUE(defined.ok()) << defined.status();
    lane_ = *session_->CreateLane({});
    stream_ = *session_->OpenStream(4);
    const Submission work{
        .lane = lane_, .user_data = 1, .kind = SubmissionKind::kChain, .target = defined->value()};
    EXPECT_TRUE(stream_->Submit({&work, 1}).ok());
  }
  // Stops the chain between two steps.
  void Stop() {
    EXPECT_EQ(*session_->Cancel(lane_, 1), 1u);
    const auto done = stream_->Next(absl::Seconds(20));
    ASSERT_TRUE(done.ok()) << done.status();
    EXPECT_EQ(done->status.code(), absl::StatusCode::kCancelled);
    EXPECT_GT(done->steps_done, 0u);
  }
  Transport& session() { return *session_; }
  LaneId lane() const { return lane_; }

 private:
  std::unique_ptr<Transport> session_;
  LaneId lane_;
  std::unique_ptr<SubmissionStream> stream_;
};

// Device time that `a` and `b` got over some 300 ms of it.
std::pair<double, double> Gains(const std::function<std::map<std::string, Json>()>& sessions) {
  const auto used = [](const std::map<std::string, Json>& at, const std::string& name) {
    return at.at(name)["usage"]["device_ns"].get<double>();
  };
  const auto before = sessions();
  for (;;) {
    const auto after = sessions();
    const double a = used(after, "a") - used(before, "a"), b = used(after, "b") - used(before, "b");
    if (a + b > 300e6) return {a, b};
  }
}

TEST_F(Control, TwoChainsShareTheDeviceByItsTimeAndByTheirWeights) {
  Start("");
  Grinder a(daemon_->socket(), "a", 48), b(daemon_->socket(), "b", 144);
  auto [a_ns, b_ns] = Gains([this] { return Sessions(); });
  EXPECT_NEAR(a_ns / b_ns, 1, 0.1) << "a step of b costs many of a";
  Configure("[session_weights]\na = 3\n");
  Reload("configuration read again");
  std::tie(a_ns, b_ns) = Gains([this] { return Sessions(); });
  EXPECT_NEAR(a_ns / b_ns, 3, 0.3);
  EXPECT_EQ(Sessions()["a"]["weight"], 3);
  a.Stop();
  b.Stop();
  EXPECT_TRUE(RunsMatmul(daemon_->socket()).ok());
}

TEST_F(Control, WhoWaitsSeesItsTurnAndAnectlShowsIt) {
  Start("");
  Grinder a(daemon_->socket(), "a", 144), b(daemon_->socket(), "b", 144);
  bool listed = false, described = false;
  for (int i = 0; i < 200 && !(listed && described); ++i) {
    for (const auto& [name, session] : Sessions()) {
      if (session["next"].is_null()) continue;
      listed = true;
      // A step that the machine held up is owed for by many turns, but not by the whole chain.
      EXPECT_LT(session["next"]["turns_ahead"], 100'000);
      EXPECT_GE(session["next"]["starts_in_ns"], 0);
    }
    const auto lane = a.session().DescribeLane(a.lane());
    ASSERT_TRUE(lane.ok()) << lane.status();
    EXPECT_TRUE(lane->running || lane->queued == 1);
    described |= lane->next.has_value();
  }
  EXPECT_TRUE(listed);
  EXPECT_TRUE(described);
  EXPECT_THAT(Anectl({"sessions"}), AllOf(HasSubstr("AHEAD"), HasSubstr("STARTS IN")));
  a.Stop();
  b.Stop();
}

TEST_F(Control, WorkThatIsLateIsNotRunAndSaysHowLongItHasWaited) {
  Start("");
  Grinder a(daemon_->socket(), "a", 144);
  Transport& session = a.session();
  const auto kernel = session.Compile(MatmulProgram(), {});
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  const auto surface = [&](std::initializer_list<int64_t> dims) {
    SurfaceSpec spec;
    spec.dtype = DType::kFp16;
    spec.shape = Shape(dims);
    return session.CreateSurface(spec)->id;
  };
  const auto invocation = session.Prepare(
      {kernel->id, "", {{"x", surface({4, 3})}, {"W", surface({2, 4})}, {"y", surface({2, 3})}}});
  const auto done = session.Evaluate({.lane = a.lane(),  // behind the chain
                                      .target = invocation->value(),
                                      .deadline_ns = 50'000'000});
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(
      std::string(done->status.message()),
      AllOf(HasSubstr("the deadline of "), HasSubstr("it has waited"), HasSubstr("was not run")));
  EXPECT_EQ(done->steps_done, 0u);
  a.Stop();
}

// What it allows is said where whoever runs the daemon looks; and the door is really open then, to
// a machine without IOSurfaces.
TEST_F(Control, AllowingGlobalSurfacesIsWarnedOfAtEachStart) {
  Start("allow_global_iosurfaces = true\nclient_requirement = 'identifier \"x\"'\n");
  const std::string said = daemon_->process().output();
  EXPECT_THAT(said, HasSubstr("allow_global_iosurfaces: surfaces that clients import by number"));
  EXPECT_THAT(said, HasSubstr("client_requirement has no effect"));
  const auto transport = OpenSession(daemon_->socket(), "global");
  const TensorLayout layout = *MakePackedLayout(DType::kFp16, {4, 3});
  EXPECT_EQ(transport->ImportGlobalIosurface(42, layout, "").status().code(),
            absl::StatusCode::kUnimplemented);
  Start("");
  EXPECT_THAT(daemon_->process().output(), ::testing::Not(HasSubstr("global_iosurfaces")));
  const auto other = OpenSession(daemon_->socket(), "global");
  EXPECT_EQ(other->ImportGlobalIosurface(42, layout, "").status().code(),
            absl::StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace anex::test
