// A report with every kind of figure, for what prints and draws it.
#ifndef ANEX_TESTS_CLI_BENCH_SAMPLE_REPORT_H_
#define ANEX_TESTS_CLI_BENCH_SAMPLE_REPORT_H_

#include <string>

#include "client/cli/bench/figure.h"

namespace anex::bench {

inline Figure SampleFigure(const std::string& mode, Place place, double unit_us) {
  Figure figure{.shape = "64x32", .mode = mode, .place = place, .way = "ring", .runs = 12};
  if (place == Place::kInProcess) {
    figure.way = "in-process";
  } else {
    figure.over = "64x32/run-only/in-process";
  }
  for (int i = 0; i < 4; ++i) {
    const double pass = unit_us * 12'000 * (1 + 0.01 * i);
    figure.pass_ns.push_back({pass, pass * 1.02});
    figure.device_ns.push_back(12'000.0);
    figure.device_ns.push_back(12'000.0);
  }
  figure.verified_passes = 8;
  figure.notices_skipped = figure.notices_doubled = true;
  return figure;
}

inline CeilingReport SampleReport() {
  CeilingReport report{.daemon_version = "0.1.0 <&\x1b[31m>",
                       .daemon_build = "build",
                       .device = "cpu",
                       .processors = 2,
                       .warmup = 1,
                       .rounds = 4,
                       .passes = 2,
                       .shapes = {"64x32"}};
  report.figures.push_back(SampleFigure("run-only", Place::kInProcess, 20));
  report.figures.push_back(SampleFigure("run-only", Place::kDaemon, 30));
  report.figures.push_back(SampleFigure("unary", Place::kDaemon, 140));
  Figure ring = SampleFigure("ring-12", Place::kDaemon, 1);
  ring.outcome = Outcome::kUnavailable;
  ring.reason = "there are no rings here: \"<older>\" & \x1b[2J";
  ring.pass_ns.clear();
  ring.device_ns.clear();
  report.figures.push_back(ring);
  Figure wrong = SampleFigure("chain-aliased", Place::kDaemon, 2);
  wrong.outcome = Outcome::kWrong;
  wrong.reason = "pass 3: kernel 7 of 12: 3 of 2048 values are wrong";
  report.figures.push_back(wrong);
  Figure copies = SampleFigure("copy-only", Place::kDaemon, 0.05);
  copies.runs = 0;
  copies.copies = 11;
  copies.over.clear();
  report.figures.push_back(copies);
  Figure clients = SampleFigure("clients-4", Place::kDaemon, 25);
  clients.runs = 48;
  clients.clients =
      ClientFigures{.clients = 4, .p50_ns = 1.2e6, .p99_ns = 2.5e6, .most_ns = 3e6, .jain = 0.987};
  report.figures.push_back(clients);
  return report;
}

}  // namespace anex::bench

#endif  // ANEX_TESTS_CLI_BENCH_SAMPLE_REPORT_H_
