// Several clients at once, each with lanes of its own, that submit, cancel, give deadlines and end
// in the middle of it: what they saw is a history that the contract allows (history.h).
#include <gmock/gmock.h>

#include <map>
#include <thread>

#include "absl/time/clock.h"
#include "tests/conformance/history_client.h"
#include "tests/conformance/transport_suite.h"

namespace anex::test {

using ::testing::IsEmpty;

namespace {

constexpr uint32_t kClients = 4, kLives = 4, kMoves = 120;

UsageCounters UsageOfDevices(Transport& transport) {
  UsageCounters sum;
  const absl::StatusOr<DaemonStatus> status = transport.GetStatus();
  EXPECT_TRUE(status.ok()) << status.status();
  for (size_t i = 0; status.ok() && i < status->devices.size(); ++i) {
    sum.submitted += status->devices[i].usage.submitted;
    sum.completed += status->devices[i].usage.completed;
    sum.failed += status->devices[i].usage.failed;
    sum.cancelled += status->devices[i].usage.cancelled;
  }
  return sum;
}

absl::Status Live(HistoryClient& client, bool ends_early) {
  for (uint32_t move = 0; move < kMoves; ++move) {
    if (absl::Status moved = client.Move(); !moved.ok()) return moved;
  }
  return ends_early ? client.End() : client.Finish();
}

}  // namespace

TEST_P(TransportSuite, HistoriesOfManyClientsAreWhatTheContractAllows) {
  const uint32_t seed = RandomSeed();
  History history;
  std::vector<std::thread> clients;
  for (uint32_t c = 0; c < kClients; ++c) {
    clients.emplace_back([&, c] {
      for (uint32_t life = 0; life < kLives; ++life) {
        const uint32_t number = c * kLives + life;
        const auto client = HistoryClient::Make(NewSession("history"), GetParam().mode,
                                                seed + number, [&](HistoryEvent event) {
                                                  event.client = number;
                                                  history.Add(event);
                                                });
        ASSERT_TRUE(client.ok()) << client.status();
        const absl::Status lived = Live(**client, /*ends_early=*/life % 2 == 1);
        EXPECT_TRUE(lived.ok()) << lived;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  const std::vector<HistoryEvent> events = history.events();
  EXPECT_THAT(FindViolations(events), IsEmpty()) << "seed " << seed;
  std::map<absl::StatusCode, int> codes;
  for (const HistoryEvent& event : events) {
    if (event.kind == HistoryEvent::Kind::kCompleted) ++codes[event.code];
  }
  for (const auto code :
       {absl::StatusCode::kOk, absl::StatusCode::kCancelled, absl::StatusCode::kDeadlineExceeded}) {
    EXPECT_GT(codes[code], 0) << "none was " << absl::StatusCodeToString(code);
  }
  // Those of clients that have ended complete, too, though nobody sees it.
  Transport& watcher = **session_.transport();
  UsageCounters usage;
  for (const absl::Time end = absl::Now() + absl::Seconds(20); absl::Now() < end;) {
    usage = UsageOfDevices(watcher);
    if (usage.submitted == usage.completed + usage.failed + usage.cancelled) break;
    absl::SleepFor(absl::Milliseconds(1));
  }
  EXPECT_EQ(usage.submitted, usage.completed + usage.failed + usage.cancelled);
}

}  // namespace anex::test
