// One training run submitted in every way there is: its losses are the same, bit for bit, with a
// daemon and without.

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "absl/strings/str_cat.h"
#include "tests/e2e/fixture.h"

namespace anex::test {
namespace {

class SubmitWays : public ServingTest {
 protected:
  // The report of a run of a small model, or null.
  nlohmann::json Train(const std::string& way, const std::vector<std::string>& where) {
    const std::string json = folder_.Join(absl::StrCat(way, where.front(), ".json"));
    std::vector<std::string> command = {TRAINER_BINARY,
                                        "--data",
                                        Text(),
                                        "--dim",
                                        "24",
                                        "--hidden",
                                        "40",
                                        "--layers",
                                        "3",
                                        "--heads",
                                        "2",
                                        "--seq",
                                        "11",
                                        "--batch",
                                        "3",
                                        "--steps",
                                        "12",
                                        "--validation-batches",
                                        "2",
                                        "--seed",
                                        "7",
                                        "--generate",
                                        "0",
                                        "--submit",
                                        way,
                                        "--json",
                                        json};
    command.insert(command.end(), where.begin(), where.end());
    auto trainer = ChildProcess::Start(command);
    EXPECT_TRUE(trainer.ok()) << trainer.status();
    EXPECT_EQ((*trainer)->Wait(absl::Minutes(2)).value_or(-1), 0) << (*trainer)->output();
    std::ifstream file(json);
    return nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  }
  std::string Text() {
    const std::string path = folder_.Join("text.txt");
    std::ofstream file(path);
    std::mt19937 random(11);
    for (int i = 0; i < 5000; ++i) file << "the quick brown fox, jumps over!\n"[random() % 33];
    return path;
  }

  ScratchFolder folder_;
};

TEST_F(SubmitWays, GiveTheSameCurveBitForBit) {
  const nlohmann::json alone = Train("chain", {"--in-process"});
  ASSERT_TRUE(alone.is_object());
  ASSERT_EQ(alone["losses"].size(), 12u);
  EXPECT_NE(alone["losses"].front(), alone["losses"].back());
  for (const char* way : {"unary", "stream", "chain", "ring"}) {
    const nlohmann::json shared = Train(way, {"--socket", socket()});
    ASSERT_TRUE(shared.is_object()) << way;
    EXPECT_EQ(shared["losses"], alone["losses"]) << way;
    EXPECT_EQ(shared["val_loss"], alone["val_loss"]) << way;
    EXPECT_EQ(shared["evaluations"], alone["evaluations"]) << way;
  }
  EXPECT_EQ(ConnectTransport(socket())->GetStatus()->grpc_tensor_bytes, 0u);
}

TEST_F(SubmitWays, ARingNeedsADaemonAndSaysSo) {
  auto trainer = ChildProcess::Start(
      {TRAINER_BINARY, "--data", Text(), "--steps", "1", "--submit", "ring", "--in-process"});
  ASSERT_TRUE(trainer.ok()) << trainer.status();
  EXPECT_EQ((*trainer)->Wait(absl::Minutes(1)).value_or(-1), 1);
  EXPECT_NE((*trainer)->output().find("no rings here"), std::string::npos) << (*trainer)->output();
}

}  // namespace
}  // namespace anex::test
