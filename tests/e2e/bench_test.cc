// anectl bench over a real daemon: not how fast it is, but that every mode runs, is verified, and
// would notice if a kernel were left out.

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/e2e/fixture.h"

namespace anex::test {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class Bench : public ServingTest {
 protected:
  // What anectl prints, and its exit code.
  std::string Anectl(std::vector<std::string> words, int exit_code = 0) {
    words.insert(words.begin(), ANECTL_BINARY);
    words.insert(words.end(), {"--socket", socket()});
    auto child = ChildProcess::Start(words);
    EXPECT_TRUE(child.ok()) << child.status();
    const auto code = (*child)->Wait(absl::Seconds(100));
    EXPECT_TRUE(code.ok() && *code == exit_code) << (*child)->output();
    return (*child)->output();
  }
  std::string Read(const std::string& name) {
    std::ifstream file(folder_.Join(name));
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  ScratchFolder folder_;
  // Why the same device is not measured without a daemon.
  const std::string lacks_in_process_ = SkipOnAne("is not in this process");
};

TEST_F(Bench, EveryModeRunsIsVerifiedAndNoticesASkippedKernel) {
  const std::string screen =
      Anectl({"bench", "ceiling", "--quick", "--rounds", "2", "--passes", "1", "--shapes",
              "null,64x32", "--json", folder_.Join("a.json"), "--svg", folder_.Join("a.svg")});
  EXPECT_THAT(screen, HasSubstr("All right."));
  const Json report = Json::parse(Read("a.json"), nullptr, false);
  ASSERT_TRUE(report.is_object());
  size_t daemon = 0, rings = 0;
  for (const Json& figure : report["figures"]) {
    if (!lacks_in_process_.empty() && figure["place"] == "in-process") {
      EXPECT_EQ(figure["outcome"], "unavailable") << figure["name"];
      EXPECT_THAT(figure["reason"].get<std::string>(), HasSubstr("no device \"ane\""));
      continue;
    }
    EXPECT_EQ(figure["outcome"], "measured") << figure["name"] << figure["reason"];
    EXPECT_GE(figure["verified_passes"], 3) << figure["name"];
    EXPECT_EQ(figure["notices_skipped"], true) << figure["name"];
    EXPECT_NE(figure["notices_doubled"], false) << figure["name"];
    EXPECT_GT(figure["unit_ns"], 0) << figure["name"];
    daemon += figure["place"] == "daemon";
    if (figure["mode"] == "ring-1" || figure["mode"] == "ring-12") {
      EXPECT_EQ(figure["way"], "ring");
      ++rings;
    }
  }
  EXPECT_EQ(daemon, 9u + 20u) << "modes of the null kernel, and all of a convolution";
  EXPECT_EQ(rings, 4u);
  EXPECT_THAT(Read("a.svg"), HasSubstr("</svg>"));
  // A run is no worse than itself.
  EXPECT_THAT(Anectl({"bench", "compare", folder_.Join("a.json"), folder_.Join("a.json")}),
              HasSubstr("0 worse by more than 5 %, 0 better, "));
}

TEST_F(Bench, ARunThatGotSlowerIsAFailure) {
  Anectl({"bench", "ceiling", "--quick", "--shapes", "null", "--modes", "run-only", "--json",
          folder_.Join("a.json")});
  Json slower = Json::parse(Read("a.json"), nullptr, false);
  ASSERT_TRUE(slower.is_object());
  for (Json& figure : slower["figures"]) {
    for (Json& round : figure["rounds_ns"]) {
      for (Json& sample : round) sample = sample.get<double>() * 100;
    }
  }
  std::ofstream(folder_.Join("b.json")) << slower;
  EXPECT_THAT(Anectl({"bench", "compare", folder_.Join("a.json"), folder_.Join("b.json")}, 1),
              HasSubstr("WORSE"));
  // Both places got slower alike.
  Anectl({"bench", "compare", folder_.Join("a.json"), folder_.Join("b.json"), "--relative"});
  std::ofstream(folder_.Join("c.json")) << "{}";
  EXPECT_THAT(Anectl({"bench", "compare", folder_.Join("a.json"), folder_.Join("c.json")}, 1),
              HasSubstr("c.json: no benchmark's result"));
}

TEST_F(Bench, OneInvocationByEveryWay) {
  const Json report = Json::parse(Anectl({"bench", "submit", "--quick", "--rate", "200", "--json"}),
                                  nullptr, false);
  ASSERT_TRUE(report.is_object());
  EXPECT_EQ(report["loads"].size(), 8u);
  for (const Json& load : report["loads"]) {
    if (!lacks_in_process_.empty() && load["way"] == "in-process") {
      EXPECT_EQ(load["outcome"], "unavailable") << load;
      continue;
    }
    EXPECT_EQ(load["outcome"], "measured") << load;
    EXPECT_GT(load["latency_ns"]["p50"], 0);
    EXPECT_GE(load["latency_ns"]["max"], load["latency_ns"]["p99.9"]);
  }
}

TEST_F(Bench, WhatCannotBeMeasuredIsRefusedByName) {
  EXPECT_THAT(Anectl({"bench", "ceiling", "--modes", "rings"}, 2), HasSubstr("no mode \"rings\""));
  EXPECT_THAT(Anectl({"bench", "ceiling", "--shapes", "64"}, 2), HasSubstr("CHANNELSxCOLUMNS"));
  EXPECT_THAT(Anectl({"bench", "ceiling", "--svg", "-"}, 2), HasSubstr("--svg needs"));
  EXPECT_THAT(Anectl({"bench", "submit", "--ways", "pigeon"}, 2), HasSubstr("no way \"pigeon\""));
  EXPECT_THAT(Anectl({"bench", "ceiling", "--quick", "--json", "/no/such/folder/x.json"}, 5),
              HasSubstr("/no/such/folder"));
  EXPECT_THAT(Anectl({"bench", "ceiling", "--quick", "--device", "abacus"}, 5),
              HasSubstr("abacus"));
}

}  // namespace
}  // namespace anex::test
