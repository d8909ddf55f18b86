// Every fault of the fake framework, put under an engine, and what a client of the daemon sees: the
// table of the device's README is what this prints. It fails if the two differ, or if the fake has
// a point of failure that the table leaves out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "server/device/apple/ane_errors.h"
#include "server/engine/engine.h"
#include "tests/apple/double_rig.h"

namespace anex::device::apple {
namespace {

constexpr char kBegin[] = "<!-- faults: printed by tests/apple/fault_table_test.cc -->\n";
constexpr char kEnd[] = "<!-- end of faults -->\n";

// Where the fault is put in, and what a client then asks for.
enum class When { kStart, kCompile, kPrepare, kRun, kCheckedRun };

std::string NameOf(When when) {
  switch (when) {
    case When::kStart:
      return "start";
    case When::kCompile:
      return "compile";
    case When::kPrepare:
      return "prepare";
    case When::kRun:
      return "run";
    case When::kCheckedRun:
      return "run, `check=first-run`";
  }
  return "";
}

struct Row {
  When when;
  std::string fault;
  std::string meaning;  // what goes wrong, and what becomes of it beyond the status
};

std::vector<Row> Rows() {
  std::vector<Row> rows = {
      {When::kStart, "ane=no", "the machine has no engine: there is no such device"},
      {When::kStart, "ane=virtual", "a virtual machine: the same"},
      {When::kStart, "memory=off", "one way of loading is not there: the other one is taken"},
      {When::kStart, "memory=off, client=off", "neither way of loading is there"},
      {When::kStart, "evaluate=zeros", "wrong answers in the self-test"},
      {When::kStart, "evaluate=swap", "operands are mixed up in the self-test"},
      {When::kStart, "evaluate=raise", "an exception in the self-test"},
      {When::kStart, "compile=compiler", "Apple's compiler refuses the self-test's programs"},
      {When::kStart, "begin=raise", "an exception when the real-time task is asked for: told"},
      {When::kStart, "realtime=yes, end=raise", "the same when it is given back"},
      {When::kCompile, "compile=compiler",
       "Apple's compiler refuses the program; so is the same text from then on"},
      {When::kCompile, "compile=error:10", "the framework does, with a code"},
      {When::kCompile, "compile=no", "it gives no reason"},
      {When::kCompile, "compile=raise", "an exception; tried again when asked again"},
      {When::kCompile, "descriptor=nil", "no descriptor is made of the program"},
      {When::kCompile, "descriptor=raise", "an exception instead"},
      {When::kCompile, "model=nil", "no model is made of it"},
      {When::kCompile, "model=raise", "an exception instead"},
      {When::kCompile, "load=error:6*1", "a load fails once: it is tried again after 100 ms"},
      {When::kCompile, "load=error:17*2",
       "it fails twice: the compiled copy is dropped and made again, once"},
      {When::kCompile, "load=error:6", "it goes on failing"},
      {When::kCompile, "load=no", "it does without a reason"},
      {When::kCompile, "load=raise", "it raises each time"},
      {When::kCompile, "limit=0", "the engine has no place for a program"},
      {When::kPrepare, "request=nil", "no request is made of the surfaces"},
      {When::kPrepare, "request=raise", "an exception instead"},
      {When::kRun, "map=error:13*1", "the surfaces cannot be mapped: an error of that run only"},
      {When::kRun, "map=raise*1", "an exception instead"},
      {When::kRun, "evaluate=no", "NO without an error"},
      {When::kRun, "evaluate=raise", "an exception: an error of that run only"},
      {When::kRun, "evaluate=lost*1",
       "the engine has lost the program: loaded again and run again, once"},
      {When::kRun, "evaluate=lost", "it loses it each time"},
      {When::kRun, "evaluate=hang*1",
       "it does not come back: the device is given up after device_hang_ns and a fresh one made"},
      {When::kRun, "unload=error:8", "a program cannot be unloaded: it goes with the process"},
      {When::kRun, "unload=raise", "an exception instead"},
      {When::kCheckedRun, "evaluate=zeros", "wrong results: the element is named"},
      {When::kCheckedRun, "evaluate=swap", "operands are mixed up: the same"},
  };
  for (const AneErrorCode& known : AneErrorCodes()) {
    // Words of their own for those that are mended.
    if (known.status == absl::StatusCode::kNotFound) continue;
    rows.push_back(
        {When::kRun, absl::StrCat("evaluate=error:", known.code), std::string(known.meaning)});
  }
  rows.push_back({When::kRun, "evaluate=error:23", "as evaluate=lost, and so are 16 to 19 and 24"});
  rows.push_back({When::kRun, "evaluate=error:28", "a code that is not known"});
  return rows;
}

// y = (x - w) * number: another number is another program.
ProgramSource Program(int number) {
  return {"fault.mil", absl::StrCat("program(1.3)\n{\n"
                                    "  func main<ios18>(tensor<fp16, [2, 3]> x, "
                                    "tensor<fp16, [2, 3]> w) {\n"
                                    "    tensor<fp16, [2, 3]> d = sub(x = x, y = w);\n"
                                    "    tensor<fp16, [2, 3]> y = mul(x = d, y = fp16(",
                                    number, "));\n  } -> (y);\n}\n")};
}

// An engine on the fake with one client, who asks for one thing after the other.
class Client {
 public:
  Client() {
    auto devices = DeviceList::Make({AneDeviceFactory(OnDouble())});
    engine::EngineOptions options{.devices = *std::move(devices)};
    options.limits.device_hang_ns = 300'000'000;
    auto made = engine::Engine::Create(std::move(options));
    start_ = made.status();
    if (!made.ok()) return;
    engine_ = *std::move(made);
    caller_.session = engine_->Open(caller_, {.client_name = "faults"})->id;
    lane_ = *engine_->CreateLane(caller_, {});
  }

  const absl::Status& start() const { return start_; }

  // What a client sees of `row`; its program is none that was there before.
  absl::Status Meets(const Row& row) {
    const auto put_in = [&](When when) {
      if (when == row.when) ane_double_faults(row.fault.c_str());
    };
    CompileOptions options;
    if (row.when == When::kCheckedRun) options.options = {{"check", "first-run"}};
    put_in(When::kCompile);
    const auto kernel = engine_->Compile(caller_, Program(++programs_), options);
    if (!kernel.ok()) return kernel.status();
    InvocationSpec spec{.kernel = kernel->id};
    char next = 0x3c;  // fp16: another value in each first element
    for (const char* port : {"x", "w", "y"}) {
      SurfaceSpec surface;
      surface.fits = {{kernel->id, "", port}};
      const auto made = engine_->CreateSurface(caller_, surface);
      if (!made.ok()) return made.status();
      spec.bindings.push_back({port, made->id});
      std::string packed(12, '\0');
      packed[1] = next++;
      if (absl::Status s = engine_->WriteSurface(caller_, made->id, {}, packed); !s.ok()) return s;
    }
    put_in(When::kPrepare);
    const auto invocation = engine_->Prepare(caller_, spec);
    if (!invocation.ok()) return invocation.status();
    put_in(When::kRun);
    put_in(When::kCheckedRun);
    Submission submission;
    submission.lane = lane_;
    submission.target = invocation->value();
    const auto completion = engine_->Evaluate(caller_, submission);
    absl::Status seen = completion.ok() ? completion->status : completion.status();
    engine_->ReleaseInvocation(caller_, *invocation).IgnoreError();
    engine_->ReleaseKernel(caller_, kernel->id).IgnoreError();
    return seen;
  }

  // The device works, at once or when a fresh one has been made.
  absl::Status WorksAfterwards() {
    ane_double_release();
    ane_double_faults("");
    absl::Status works;
    for (int tries = 0; tries < 100; ++tries) {
      works = Meets({When::kStart, "", ""});
      if (works.ok()) break;
      absl::SleepFor(absl::Milliseconds(20));
    }
    return works;
  }

 private:
  absl::Status start_;
  std::unique_ptr<engine::Engine> engine_;
  engine::Caller caller_;
  LaneId lane_;
  int programs_ = 0;
};

std::string Line(const Row& row, const absl::Status& seen) {
  return absl::StrCat("| ", NameOf(row.when), " | `", row.fault, "` | ",
                      absl::StatusCodeToString(seen.code()), " | ", row.meaning, " |\n");
}

std::string TableInReadme() {
  std::ifstream file(ANEX_APPLE_README);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const size_t begin = text.find(kBegin), end = text.find(kEnd);
  if (begin == text.npos || end == text.npos) return "";
  return text.substr(begin + sizeof kBegin - 1, end - begin - (sizeof kBegin - 1));
}

TEST_F(AneDouble, TheTableOfFaultsIsWhatClientsSee) {
  std::string table =
      "| when | fault of the fake | a client sees | what goes wrong |\n"
      "|---|---|---|---|\n";
  auto client = std::make_unique<Client>();
  ASSERT_TRUE(client->start().ok()) << client->start();
  for (const Row& row : Rows()) {
    if (row.when == When::kStart) {
      ane_double_reset();
      ane_double_faults(row.fault.c_str());
      table += Line(row, Client().start());
      ane_double_faults("");
      continue;
    }
    const absl::Status seen = client->Meets(row);
    table += Line(row, seen);
    const absl::Status works = client->WorksAfterwards();
    EXPECT_TRUE(works.ok()) << "after " << row.fault << ": " << works;
  }
  EXPECT_EQ(TableInReadme(), table) << "put this into server/device/apple/README.md:\n" << table;
}

TEST_F(AneDouble, TheTableOfFaultsLeavesNoPointOut) {
  const std::string table = TableInReadme();
  const std::vector<std::string> points = absl::StrSplit(ane_double_points(), ' ');
  EXPECT_GE(points.size(), 10u);
  for (const std::string& point : points) {
    EXPECT_TRUE(absl::StrContains(table, absl::StrCat("`", point, "=")) ||
                absl::StrContains(table, absl::StrCat(", ", point, "=")))
        << point;
  }
}

}  // namespace
}  // namespace anex::device::apple
