// Screens, letter by letter; and names that try to do more than be read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "client/cli/output/caret.h"
#include "client/cli/output/json.h"
#include "client/cli/output/run_view.h"
#include "client/cli/output/table.h"
#include "client/cli/output/text.h"
#include "client/cli/output/views.h"

namespace anex::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const Style kPlain(false);

DaemonStatus SampleStatus() {
  DaemonStatus status;
  status.info = {.version = "0.1.0",
                 .build = "gcc",
                 .daemon_epoch = 9007199254740993u,
                 .pid = 4711,
                 .uptime_ns = 7'500'000'000'000,
                 .default_device = "cpu"};
  status.resident_bytes = 130u << 20;
  status.surface_bytes = 3u << 20;
  status.kernel_bytes = 5u << 20;
  DeviceStatus device{
      .info = {.name = "cpu", .is_default = true}, .busy_1s = 0.873, .busy_60s = 0.4};
  device.usage = {.submitted = 20,
                  .failed = 2,
                  .evaluations = 12345,
                  .queue_p50_ns = 120'400,
                  .queue_p99_ns = 3'000'000};
  device.queued = 3;
  device.running = 1;
  status.devices = {device};
  SessionStatus busy{.id = SessionId::Make(3, 1), .client_name = "trainer-a", .pid = 100};
  busy.age_ns = 65'000'000'000;
  busy.device_share_1s = 0.6;
  busy.usage = {
      .submitted = 4, .evaluations = 12000, .queue_p50_ns = 900, .queue_p99_ns = 1'500'000};
  busy.surface_bytes = 2u << 20;
  busy.kernel_bytes = 4u << 20;
  SessionStatus idle{.id = SessionId::Make(12, 2), .client_name = "b", .pid = 7};
  busy.weight = 4;
  busy.queued = 2;
  busy.next = {.turns_ahead = 3, .starts_in_ns = 1'200'000};
  status.sessions = {busy, idle};
  status.kernels.resize(2);
  return status;
}

TEST(StatusViewTest, AnswersOnOneScreen) {
  EXPECT_EQ(
      RenderStatus(SampleStatus(), kPlain),
      "anexd 0.1.0  serving  pid 4711  up 2h 05m  memory 130.0 MiB  surfaces 3.0 MiB  kernels 5.0 "
      "MiB\n"
      "\n"
      "DEVICE  HEALTH   BUSY 1s  BUSY 60s    RUNS  FAILED  QUEUED  WAIT p50  WAIT p99\n"
      "cpu *   serving     87 %      40 %  12,345       2       4  120.4 us   3.00 ms\n"
      "\n"
      "SESSION  CLIENT     PID     AGE  WEIGHT  SHARE 1s    RUNS  FAILED  QUEUED  AHEAD  STARTS IN"
      "  WAIT p50  WAIT p99  SURFACES  KERNELS\n"
      "3.1      trainer-a  100  1m 05s       4      60 %  12,000       0       2      3    1.20 ms"
      "    900 ns   1.50 ms   2.0 MiB  4.0 MiB\n"
      "12.2     b            7    0 ns       1       0 %       0       0       0      -          -"
      "         -         -       0 B      0 B\n"
      "\n"
      "2 kernels loaded, 0 B of tensors moved inside messages\n");
}

TEST(StatusViewTest, NobodyIsSaid) {
  DaemonStatus status = SampleStatus();
  status.sessions.clear();
  status.health = Health::kDegraded;
  status.health_reason = "device hung";
  const std::string text = RenderStatus(status, kPlain);
  EXPECT_THAT(text, HasSubstr("degraded (device hung)"));
  EXPECT_THAT(text, HasSubstr("Nobody is on it.\n"));
}

TEST(StatusViewTest, NamesCannotMoveTheCursor) {
  DaemonStatus status = SampleStatus();
  status.sessions[0].client_name = "\x1b[2J\rroot\n\x9b";
  status.kernels[0].name = "k\x07";
  status.devices[0].info.health_reason = "\x1b]0;title\x07";
  status.health_reason = "\u202egnp";
  for (const std::string& text :
       {RenderStatus(status, kPlain), RenderKernels(status.kernels, kPlain)}) {
    for (const char c : text) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << int{c};
  }
  EXPECT_THAT(RenderStatus(status, kPlain), HasSubstr("\\x1b[2J\\x0droot\\x0a\\x9b"));
  EXPECT_THAT(RenderStatus(status, kPlain), HasSubstr("\\u202egnp"));
}

TEST(HarmlessTest, KeepsGoodTextAndEscapesBadBytes) {
  EXPECT_EQ(Harmless("modèle-日本.mil \\x"), "modèle-日本.mil \\x");
  EXPECT_EQ(Harmless("\xff\xc0\xaf"), "\\xff\\xc0\\xaf");            // no UTF-8, overlong
  EXPECT_EQ(Harmless("\xe2\x82"), "\\xe2\\x82");                     // torn
  EXPECT_EQ(Harmless("\xed\xa0\x80"), "\\xed\\xa0\\x80");            // surrogate
  EXPECT_EQ(Harmless("\u0085\u200b\ufeff"), "\\x85\\u200b\\ufeff");  // C1, zero width
  EXPECT_EQ(HarmlessLines("a\n\tb\x1b"), "a\n\tb\\x1b");
}

TEST(FormatTest, FiguresHaveUnits) {
  EXPECT_EQ(FormatDuration(999), "999 ns");
  EXPECT_EQ(FormatDuration(999'960), "1.00 ms") << "no 1000.0 us";
  EXPECT_EQ(FormatDuration(12'345), "12.3 us");
  EXPECT_EQ(FormatDuration(59'999'000'000), "0m 59s");
  EXPECT_EQ(FormatDuration(3'600'000'000'000), "1h 00m");
  EXPECT_EQ(FormatDuration(-5), "-5 ns");
  EXPECT_EQ(FormatBytes(1023), "1023 B");
  EXPECT_EQ(FormatBytes(1536), "1.5 KiB");
  EXPECT_EQ(FormatBytes((1u << 20) - 1), "1.0 MiB");
  EXPECT_EQ(FormatShare(0.0001), "<1 %");
  EXPECT_EQ(FormatShare(0), "0 %");
  EXPECT_EQ(FormatCount(1234567), "1,234,567");
  EXPECT_EQ(FormatCount(123), "123");
  EXPECT_EQ(Plural(1, "entry", "entries"), "1 entry");
  EXPECT_EQ(Plural(1000, "entry", "entries"), "1,000 entries");
  EXPECT_EQ(FormatUtc(1714566605), "2024-05-01 12:30:05Z");
}

TEST(TableTest, AlignsByCharactersAndEndsWithoutSpaces) {
  Table table({{"A"}, {"NUMBER", Align::kRight}, {"Z"}});
  table.Add({"éé", "5", ""});
  table.Add({"x", "1234567", "end"});
  EXPECT_EQ(table.Render(kPlain),
            "A    NUMBER  Z\n"
            "éé        5\n"
            "x   1234567  end\n");
  EXPECT_EQ(Table({{"A"}}).Render(kPlain), "");
}

TEST(TableTest, ColourDoesNotShiftColumns) {
  Table table({{"A"}, {"B"}});
  table.Add({Cell("x", Tint::kBad), "y"});
  EXPECT_EQ(table.Render(Style(true)), "\x1b[2mA\x1b[0m  \x1b[2mB\x1b[0m\n\x1b[31mx\x1b[0m  y\n");
}

TEST(CaretTest, PointsAtTheSpot) {
  Diagnostic d{.severity = Severity::kError,
               .code = "MIL0201",
               .message = "unknown operation \"matmull\"",
               .file = "m.mil",
               .line = 3,
               .column = 8,
               .length = 7,
               .source_line = "\ty =   matmull(x);",
               .help = "did you mean \"matmul\"?"};
  d.notes = {{.severity = Severity::kNote, .message = "in function f", .file = "m.mil"}};
  EXPECT_EQ(RenderDiagnostics({d}, kPlain),
            "m.mil:3:8: error: unknown operation \"matmull\" [MIL0201]\n"
            "     3 |  y =   matmull(x);\n"
            "       |        ^~~~~~~\n"
            "  help: did you mean \"matmul\"?\n"
            "m.mil: note: in function f\n");
  EXPECT_EQ(CountErrors({d}), 1u);
}

TEST(CaretTest, CutsLongLinesAndSaysWherePlacesOfSeveralLinesEnd) {
  Diagnostic d{.message = "m",
               .file = "f",
               .line = 7,
               .column = 301,
               .length = 3,
               .end_line = 9,
               .end_column = 2,
               .source_line = std::string(300, 'a') + "bcd" + std::string(300, 'e')};
  EXPECT_EQ(RenderDiagnostics({d}, kPlain),
            "f:7:301: error: m\n"
            "     7 | ..." +
                std::string(70, 'a') + "bcd" + std::string(67, 'e') +
                "...\n"
                "       |    " +
                std::string(70, ' ') + "^~~ to line 9\n");
}

TEST(CaretTest, KnowsWhereThePieceOfALineBegins) {
  Diagnostic d{.message = "m",
               .file = "f",
               .line = 7,
               .column = 100'001,
               .length = 3,
               .source_line = "aa bcd ee"};
  d.properties["source_line_offset"] = "99997";
  EXPECT_EQ(RenderDiagnostics({d}, kPlain),
            "f:7:100001: error: m\n"
            "     7 | ...aa bcd ee\n"
            "       |       ^~~\n");
  // It comes from elsewhere: what cannot be is not believed.
  for (const char* offset : {"100001", "-1", "18446744073709551615", "x", ""}) {
    d.properties["source_line_offset"] = offset;
    EXPECT_EQ(RenderDiagnostics({d}, kPlain),
              "f:7:100001: error: m\n"
              "     7 | aa bcd ee\n"
              "       |          ^\n");
  }
}

TEST(CaretTest, LinesUpAfterWideAndHarmlessCharacters) {
  const Diagnostic d{.message = "m",
                     .file = "f",
                     .line = 1,
                     .column = 4,
                     .length = 1,
                     .source_line = "é\x01+"};  // é has two bytes, \x01 is shown as four
  EXPECT_EQ(RenderDiagnostics({d}, kPlain),
            "f:1:4: error: m\n"
            "     1 | é\\x01+\n"
            "       |      ^\n");
}

TEST(CaretTest, SurvivesPositionsOutsideTheLine) {
  for (const int column : {-5, 0, 1, 3, 4, 1000}) {
    for (const int length : {-1, 0, 1, 2000000000}) {
      const Diagnostic d{.message = "m",
                         .file = "f",
                         .line = 1,
                         .column = column,
                         .length = length,
                         .source_line = "abc"};
      EXPECT_LT(RenderDiagnostics({d}, kPlain).size(), 100u);
    }
  }
}

TEST(JsonTest, StatusHasTheDocumentedKeysAndKeepsSixtyFourBits) {
  const Json json = ToJson(SampleStatus());
  EXPECT_EQ(json["daemon"]["epoch"], "9007199254740993");
  EXPECT_EQ(json["health"], "serving");
  EXPECT_EQ(json["devices"][0]["device"]["name"], "cpu");
  EXPECT_EQ(json["devices"][0]["busy_1s"], 0.873);
  EXPECT_EQ(json["devices"][0]["usage"]["queue_p99_ns"], 3000000);
  EXPECT_EQ(json["sessions"][0]["id"], "3.1");
  EXPECT_EQ(json["sessions"][0]["device_share_1s"], 0.6);
  EXPECT_EQ(json["sessions"][0]["next"]["turns_ahead"], 3);
  EXPECT_EQ(json["sessions"][0]["next"]["starts_in_ns"], 1'200'000);
  EXPECT_EQ(json["sessions"][1]["client_name"], "b");
  EXPECT_TRUE(json["sessions"][1]["next"].is_null());
  EXPECT_EQ(json["grpc_tensor_bytes"], 0);
}

TEST(JsonTest, BytesThatAreNoUtf8DoNotThrowAndEscapesStayEscaped) {
  DaemonInfo info;
  info.version = "\xff\x1b[2J";
  const std::string text = Dump(ToJson(info));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_TRUE(Json::parse(text).is_object());
}

TEST(RunViewTest, ShowsPortsTimingsAndOutputs) {
  RunReport report;
  report.kernel = {.digest = "abc", .name = "m.mil", .device = "cpu"};
  report.kernel.timings = {.parse_ns = 5000, .load_ns = 7000, .total_ns = 2'000'000};
  report.function = "main";
  report.inputs = {{{"x", PortDirection::kInput, *MakePackedLayout(DType::kFp16, {2, 3})},
                    {.kind = FillSpec::Kind::kOnes}}};
  TensorSummary summary{.elements = 8, .nan = 1, .min = -1.5, .max = 2, .mean = 0.25};
  summary.first = {-1.5, 2};
  report.outputs = {
      {{"y", PortDirection::kOutput, *MakePackedLayout(DType::kFp32, {8})}, summary, "y.npy"}};
  report.timings = {.first_ns = 5000,
                    .first_device_ns = 400,
                    .first_queue_ns = 300,
                    .median_ns = 4000,
                    .min_ns = 3000,
                    .device_median_ns = 2000,
                    .queue_median_ns = 1000,
                    .path = "unary",
                    .note = "no ring: too many"};
  report.repeat = 10;
  EXPECT_EQ(RenderRun(report, kPlain),
            "m.mil on cpu, compiled in 2.00 ms (parse 5.0 us, load 7.0 us)\n"
            "digest abc\n"
            "function main: first run 5.0 us (device 400 ns, queue 300 ns), then 10 more: median "
            "4.0 us (device 2.0 us, queue 1.0 us), least 3.0 us, by unary\n"
            "no ring: too many\n"
            "\n"
            "INPUT  DTYPE  SHAPE   VALUES\n"
            "x      fp16   [2, 3]  ones\n"
            "\n"
            "OUTPUT  DTYPE  SHAPE   MIN  MAX  MEAN  NAN  INF  FIRST\n"
            "y       fp32   [8]    -1.5    2  0.25    1    0  -1.5 2 ...\n"
            "y written to y.npy\n");
  report.outputs[0].summary.min = NAN;
  EXPECT_EQ(ToJson(report)["outputs"][0]["min"], "nan");
}

}  // namespace
}  // namespace anex::cli
