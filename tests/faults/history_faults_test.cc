// Clients in processes of their own, killed in the middle of random moves, and one beside them that
// is not: what all of them have seen until then is a history that the contract allows, and what the
// dead had in flight completes, too.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <sstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/anex/connect.h"
#include "tests/conformance/history_client.h"
#include "tests/e2e/fixture.h"

namespace anex::test {
namespace {

using ::testing::IsEmpty;

class HistoryFaults : public ServingTest {
 protected:
  // What a "history" client has printed, one event in a line; a last line that is cut is left out.
  static std::vector<HistoryEvent> EventsIn(const std::string& output, uint32_t client) {
    std::vector<HistoryEvent> events;
    std::istringstream lines(output.substr(0, output.rfind('\n') + 1));
    for (std::string line; std::getline(lines, line);) {
      int kind = 0, deadline = 0, code = 0;
      HistoryEvent event{.client = client};
      unsigned long long id = 0;
      if (std::sscanf(line.c_str(), "event %d %u %llu %d %d", &kind, &event.lane, &id, &deadline,
                      &code) != 5) {
        continue;
      }
      event.kind = static_cast<HistoryEvent::Kind>(kind);
      event.id = id;
      event.has_deadline = deadline != 0;
      event.code = static_cast<absl::StatusCode>(code);
      events.push_back(event);
    }
    return events;
  }
};

TEST_F(HistoryFaults, TheKilledAndTheirNeighbourSeeWhatTheContractAllows) {
  const char* given = std::getenv("ANEX_SEED");
  const uint32_t seed =
      given != nullptr ? static_cast<uint32_t>(std::stoul(given)) : std::random_device{}();
  std::printf("seed %u (ANEX_SEED=%u repeats this run)\n", seed, seed);
  std::mt19937 random(seed);
  std::vector<HistoryEvent> events;
  History neighbours;
  std::atomic<bool> over{false};
  std::thread neighbour([&] {
    auto session = Connect({.endpoint = socket(), .client_name = "neighbour"});
    ASSERT_TRUE(session.ok()) << session.status();
    auto client = HistoryClient::Make(*std::move(session), SubmitMode::kRing, seed,
                                      [&](HistoryEvent event) { neighbours.Add(event); });
    ASSERT_TRUE(client.ok()) << client.status();
    absl::Status moved;
    while (!over.load() && moved.ok()) moved = (*client)->Move();
    if (moved.ok()) moved = (*client)->Finish();
    EXPECT_TRUE(moved.ok()) << moved;
  });
  for (uint32_t round = 0; round < 6; ++round) {
    std::vector<std::unique_ptr<ChildProcess>> clients;
    for (const char* script : {"history-ring", "history-stream", "history-ring"}) {
      clients.push_back(
          *ChildProcess::Start({CLIENT_PROGRAM, socket(), script},
                               {absl::StrCat("ANEX_SEED=", seed + 100 * round + clients.size())}));
    }
    for (auto& client : clients) {
      ASSERT_TRUE(client->WaitForLine("ready").ok()) << client->output();
    }
    for (auto& client : clients) {
      absl::SleepFor(absl::Microseconds(random() % 20'000));  // anywhere in what it does
      client->Signal(SIGKILL);
      EXPECT_EQ(client->Wait().value_or(-1), 128 + SIGKILL) << client->output();
      const auto number = static_cast<uint32_t>(1 + events.size());  // any that no other has
      events.push_back({.kind = HistoryEvent::Kind::kClientEnded, .client = number});
      const auto seen = EventsIn(client->output(), number);
      EXPECT_GT(seen.size(), 10u);
      events.insert(events.end(), seen.begin(), seen.end());
    }
  }
  over.store(true);
  neighbour.join();
  const auto theirs = neighbours.events();
  events.insert(events.end(), theirs.begin(), theirs.end());
  EXPECT_GT(theirs.size(), 100u);
  EXPECT_THAT(FindViolations(events), IsEmpty()) << "seed " << seed;
  const auto watcher = ConnectTransport(socket());
  UsageCounters usage;
  for (const absl::Time end = absl::Now() + absl::Seconds(20); absl::Now() < end;) {
    usage = watcher->GetStatus()->devices[0].usage;
    if (usage.submitted == usage.completed + usage.failed + usage.cancelled) break;
    absl::SleepFor(absl::Milliseconds(1));
  }
  EXPECT_EQ(usage.submitted, usage.completed + usage.failed + usage.cancelled);
}

}  // namespace
}  // namespace anex::test
