#include "tests/bench/trainers.h"

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/bench/measure.h"
#include "tests/e2e/process.h"

namespace anex::bench {

double AggregateTokens(const Trainers& trainers, const std::string& socket, int count) {
  std::vector<std::unique_ptr<test::ChildProcess>> children;
  test::ScratchFolder folder;
  for (int i = 0; i < count; ++i) {
    const std::string seed = std::to_string(i + 1);
    children.push_back(
        Must(test::ChildProcess::Start({trainers.program, "--socket", socket, "--seed", seed,
                                        "--steps", std::to_string(trainers.steps), "--data",
                                        trainers.data, "--name", absl::StrCat("bench-", seed),
                                        "--json", folder.Join(seed + ".json")}),
             "trainer"));
  }
  double tokens_per_s = 0;
  for (int i = 0; i < count; ++i) {
    test::ChildProcess& child = *children[static_cast<size_t>(i)];
    if (Must(child.Wait(absl::Minutes(5)), "trainer") != 0) Fail(child.output());
    std::ifstream file(folder.Join(std::to_string(i + 1) + ".json"));
    const nlohmann::json result = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
    if (!result.is_object()) Fail("a trainer wrote no report");
    tokens_per_s += result.value("tokens_per_s", 0.0);
  }
  return tokens_per_s;
}

}  // namespace anex::bench
