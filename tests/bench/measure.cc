#include "tests/bench/measure.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace anex::bench {
namespace {

int64_t TimeOnce(const Contender& contender) {
  const auto start = std::chrono::steady_clock::now();
  contender.once();
  return std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

Figures Summarize(std::vector<int64_t> nanoseconds) {
  Figures figures;
  if (nanoseconds.empty()) return figures;
  std::sort(nanoseconds.begin(), nanoseconds.end());
  const auto at = [&](double share) {
    const size_t index = static_cast<size_t>(share * static_cast<double>(nanoseconds.size() - 1));
    return static_cast<double>(nanoseconds[index]) / 1e3;
  };
  figures.p50_us = at(0.5);
  figures.p99_us = at(0.99);
  figures.min_us = at(0);
  figures.samples = nanoseconds.size();
  return figures;
}

std::map<std::string, Figures> Interleave(const std::vector<Contender>& contenders, int rounds,
                                          int per_round) {
  std::map<std::string, std::vector<int64_t>> samples;
  for (int round = -1; round < rounds; ++round) {
    for (const Contender& contender : contenders) {
      for (int i = 0; i < per_round; ++i) {
        const int64_t taken = TimeOnce(contender);
        if (round >= 0) samples[contender.name].push_back(taken);
      }
    }
  }
  std::map<std::string, Figures> figures;
  for (auto& [name, taken] : samples) figures[name] = Summarize(std::move(taken));
  return figures;
}

void PrintTable(const std::string& title, const std::map<std::string, Figures>& figures,
                const std::string& baseline) {
  std::printf("\n%s\n  %-28s %10s %10s %10s %8s\n", title.c_str(), "", "p50 us", "p99 us", "min us",
              "ratio");
  const double base = figures.at(baseline).p50_us;
  for (const auto& [name, figure] : figures) {
    std::printf("  %-28s %10.1f %10.1f %10.1f %8.2f\n", name.c_str(), figure.p50_us, figure.p99_us,
                figure.min_us, figure.p50_us / base);
  }
}

void Fail(const std::string& message) {
  std::fprintf(stderr, "bench: %s\n", message.c_str());
  std::exit(1);
}

}  // namespace anex::bench
