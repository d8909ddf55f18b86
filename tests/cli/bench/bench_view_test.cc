#include "client/cli/output/bench_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/cli/output/text.h"
#include "tests/cli/bench/sample_report.h"

namespace anex::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

size_t Widest(const std::string& text) {
  size_t widest = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    widest = std::max(widest, DisplayWidth(text.substr(at, end - at)));
    at = end + 1;
  }
  return widest;
}

// Every mode there is, with the widest figures that are likely.
bench::CeilingReport WideReport() {
  bench::CeilingReport report = bench::SampleReport();
  report.daemon_version = "0.1.0";
  report.figures.clear();
  report.figures.push_back(bench::SampleFigure("run-only", bench::Place::kInProcess, 2222.2));
  for (const char* mode : {"sequential", "run-only", "serial-queue", "unary-inline", "stream-12",
                           "rewrite-in-place", "rewrite-streamed"}) {
    report.figures.push_back(bench::SampleFigure(mode, bench::Place::kDaemon, 9876.5));
    report.figures.back().way = "messages";
  }
  bench::Figure fast = bench::SampleFigure("copy-only", bench::Place::kDaemon, 0.02);
  fast.runs = 0;
  fast.copies = 11;
  report.figures.push_back(fast);
  return report;
}

TEST(BenchView, FitsTheTerminal) {
  const bench::CeilingReport report = WideReport();
  EXPECT_LE(Widest(RenderCeiling(report, 80, Style(false))), 80u)
      << RenderCeiling(report, 80, Style(false));
  const std::string wide = RenderCeiling(report, 120, Style(false));
  EXPECT_LE(Widest(wide), 120u) << wide;
  EXPECT_THAT(wide, HasSubstr("DEVICE"));
  EXPECT_THAT(RenderCeiling(report, 119, Style(false)), Not(HasSubstr("DEVICE")));
}

TEST(BenchView, TheCeilingLetterByLetter) {
  bench::CeilingReport report = bench::SampleReport();
  report.daemon_version = "0.1.0";
  EXPECT_EQ(RenderCeiling(report, 80, Style(false)),
            R"(anexd 0.1.0 on cpu, 2 processors
12 kernels a pass; medians of 8 passes in 4 rounds.

64x32  time of one kernel (copy-only: of one copy)
MODE           IN PROCESS       DAEMON  SPREAD  OVER   KERNELS/s  WAY
run-only          20.5 us      30.8 us     1 %  1.50      32,520  ring
unary                   -       144 us     1 %  7.00       6,968  ring
ring-12                 -  unavailable       -     -           -
chain-aliased           -        wrong       -     -           -
copy-only               -        56 ns     1 %     -  17,886,178  ring
clients-4               -      6.41 us     1 %  0.31     156,097  ring

SEEN BY A CLIENT  PASS p50      p99  p99.9     MOST  FAIRNESS
clients-4          1.20 ms  2.50 ms      -  3.00 ms     0.987
ring-12: unavailable: there are no rings here: "<older>" & \x1b[2J
chain-aliased: wrong: pass 3: kernel 7 of 12: 3 of 2048 values are wrong

56 passes, the results of 864 kernel runs compared bit by bit; a kernel left out
or run twice was noticed in every mode that has a time.
NOT ALL OF THEM WERE RIGHT.
)");
}

TEST(BenchView, RatiosBetweenUnequalDevicesHaveANote) {
  bench::CeilingReport report = bench::SampleReport();
  report.device_description = report.in_process_description = "2 threads";
  EXPECT_THAT(RenderCeiling(report, 80, Style(false)), Not(HasSubstr("note:")));
  report.device_description = "1 thread";
  EXPECT_THAT(RenderCeiling(report, 80, Style(false)),
              HasSubstr("note: in process the device is another: 2 threads\n"
                        "      at the daemon: 1 thread\n"));
}

TEST(BenchView, PercentilesByWayAndLoad) {
  bench::SubmitReport report{.daemon_version = "0.1.0", .device = "cpu", .kernel = "null"};
  bench::SubmitFigure closed{.way = "ring"}, paced{.way = "unary", .per_second = 5000},
      gone{.way = "stream"};
  closed.latency.Add(2000, 999);
  closed.latency.Add(50'000);
  closed.runs = 1000;
  closed.elapsed_ns = 10'000'000;
  paced.latency.Add(300'000, 100);
  paced.service.Add(150'000, 100);
  paced.lateness.Add(500);
  paced.runs = 100;
  paced.given_up = 7;
  paced.elapsed_ns = 40'000'000;
  gone.outcome = bench::Outcome::kUnavailable;
  gone.reason = "not in this daemon";
  report.figures = {closed, paced, gone};
  const std::string screen = RenderSubmit(report, 80, Style(false));
  EXPECT_LE(Widest(screen), 80u) << screen;
  EXPECT_THAT(
      screen,
      HasSubstr("ring    closed        1,000  2.00 us  2.00 us  2.00 us  2.00 us  50.0 us\n"));
  EXPECT_THAT(screen, HasSubstr("unary/5000/s: behind, 2,500 a second were made, 7 given up\n"));
  EXPECT_THAT(screen, HasSubstr("stream/closed: unavailable: not in this daemon\n"));
  const std::string wide = RenderSubmit(report, 120, Style(false));
  EXPECT_THAT(wide, HasSubstr("LATE p99"));
  EXPECT_LE(Widest(wide), 120u) << wide;
}

TEST(BenchView, AComparisonEndsWithItsSum) {
  bench::Comparison comparison{.differences = {"the device was \"cpu\" and is \"ane\x1b\""}};
  comparison.figures = {{.name = "64x32/ring-1/daemon",
                         .verdict = bench::Verdict::kWorse,
                         .before = 9000,
                         .after = 12'000,
                         .change = bench::RatioEstimate{1.333, 1.29, 1.38, true}},
                        {.name = "64x32/ring-12/daemon",
                         .verdict = bench::Verdict::kLost,
                         .before = 5000,
                         .reason = "wrong: kernel 7"}};
  const std::string screen = RenderComparison(comparison, Style(false));
  EXPECT_THAT(screen, HasSubstr("note: the device was \"cpu\" and is \"ane\\x1b\"\n"));
  EXPECT_THAT(screen,
              HasSubstr("64x32/ring-1/daemon   9.00 us  12.0 us   1.33   1.29-1.38  WORSE\n"));
  EXPECT_THAT(screen, HasSubstr("64x32/ring-12/daemon: wrong: kernel 7\n"));
  EXPECT_THAT(screen, HasSubstr("2 worse by more than 5 %, 0 better, 0 the same, 0 unsure.\n"));
}

}  // namespace
}  // namespace anex::cli
