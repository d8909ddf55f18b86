#include "client/examples/train/report.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "client/examples/train/trainer.h"

namespace anex::train {
namespace {

using nlohmann::json;

constexpr double kSmooth = 0.9;  // weight of the past in the loss that is shown
constexpr absl::Duration kJsonEvery = absl::Milliseconds(100);
constexpr absl::Duration kPlainEvery = absl::Seconds(1);

// Generated text may hold bytes that are no UTF-8; they become U+FFFD.
std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

void PrintLine(const json& line) {
  std::fprintf(stdout, "%s\n", Dump(line).c_str());
  std::fflush(stdout);
}

}  // namespace

void Progress::Start(const TrainReport& report) {
  started_ = absl::Now();
  printed_ = absl::InfinitePast();
  if (style_ == ProgressStyle::kJson) {
    PrintLine({{"event", "start"},
               {"pid", getpid()},
               {"name", report.name},
               {"seed", report.seed},
               {"steps", report.steps},
               {"parameters", report.parameters},
               {"vocab", report.vocab},
               {"unigram", report.baselines.unigram},
               {"bigram", report.baselines.bigram}});
    return;
  }
  std::printf("%s: %zu parameters, %d symbols, seed %llu; to beat: unigram %.3f, bigram %.3f\n",
              report.name.c_str(), report.parameters, report.vocab,
              static_cast<unsigned long long>(report.seed), report.baselines.unigram,
              report.baselines.bigram);
  std::fflush(stdout);
}

absl::Status Progress::Step(int step, int steps, double loss) {
  recent_ = step == 1 ? loss : kSmooth * recent_ + (1 - kSmooth) * loss;
  const absl::Time now = absl::Now();
  const bool json_style = style_ == ProgressStyle::kJson;
  if (step != steps && now - printed_ < (json_style ? kJsonEvery : kPlainEvery)) {
    return absl::OkStatus();
  }
  printed_ = now;
  const double seconds = absl::ToDoubleSeconds(now - started_);
  const double rate = seconds > 0 ? step * tokens_ / seconds : 0;
  if (json_style) {
    PrintLine({{"event", "step"},
               {"step", step},
               {"steps", steps},
               {"loss", recent_},
               {"tokens_per_s", rate}});
  } else {
    std::printf("step %5d/%d  loss %.4f  %.0f tokens/s\n", step, steps, recent_, rate);
    std::fflush(stdout);
  }
  return std::ferror(stdout) ? absl::CancelledError("nobody reads the progress") : absl::OkStatus();
}

void Progress::Done(const TrainReport& report) {
  if (style_ == ProgressStyle::kJson) {
    PrintLine({{"event", "done"},
               {"val_loss", report.val_loss},
               {"tokens_per_s", report.tokens_per_s},
               {"digest", CurveDigest(report.losses)}});
    return;
  }
  std::printf("validation loss %.4f (unigram %.4f, bigram %.4f), %.0f tokens/s, curve %s\n",
              report.val_loss, report.baselines.unigram, report.baselines.bigram,
              report.tokens_per_s, CurveDigest(report.losses).c_str());
  for (const std::string& sample : report.samples) std::printf("---\n%s\n", sample.c_str());
  std::fflush(stdout);
}

std::string ReportJson(const TrainReport& report) {
  json losses = json::array();
  for (const double loss : report.losses) losses.push_back(absl::StrFormat("%a", loss));
  const json all = {{"name", report.name},
                    {"seed", report.seed},
                    {"steps", report.steps},
                    {"parameters", report.parameters},
                    {"vocab", report.vocab},
                    {"unigram", report.baselines.unigram},
                    {"bigram", report.baselines.bigram},
                    {"val_loss", report.val_loss},
                    {"tokens_per_s", report.tokens_per_s},
                    {"seconds", report.seconds},
                    {"overflows", report.overflows},
                    {"evaluations", report.evaluations},
                    {"device_seconds", static_cast<double>(report.device_ns) * 1e-9},
                    {"digest", CurveDigest(report.losses)},
                    {"samples", report.samples},
                    {"losses", losses}};
  return Dump(all);
}

absl::Status WriteReport(const TrainReport& report, const std::string& path) {
  std::ofstream file(path);
  file << ReportJson(report) << "\n";
  file.close();
  if (!file) return absl::UnavailableError(absl::StrCat("cannot write ", path));
  return absl::OkStatus();
}

}  // namespace anex::train
