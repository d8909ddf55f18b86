// The checker of histories finds what is wrong with them, and nothing else.
#include "tests/conformance/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace anex::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

HistoryEvent Submit(uint64_t id, bool deadline = false) {
  return {.kind = HistoryEvent::Kind::kSubmitted, .id = id, .has_deadline = deadline};
}
HistoryEvent Done(uint64_t id, absl::StatusCode code = absl::StatusCode::kOk) {
  return {.kind = HistoryEvent::Kind::kCompleted, .id = id, .code = code};
}
HistoryEvent Cancel(uint64_t id) { return {.kind = HistoryEvent::Kind::kCancelAsked, .id = id}; }
HistoryEvent Ended() { return {.kind = HistoryEvent::Kind::kClientEnded}; }
std::vector<std::string> Violations(std::vector<HistoryEvent> events) {
  return FindViolations(events);
}
constexpr auto kCancelled = absl::StatusCode::kCancelled;
constexpr auto kLate = absl::StatusCode::kDeadlineExceeded;

TEST(HistoryChecker, GoodOnesAreGood) {
  EXPECT_THAT(Violations({}), IsEmpty());
  EXPECT_THAT(Violations({Submit(1), Submit(2), Done(1), Submit(5), Done(2), Done(5)}), IsEmpty());
  EXPECT_THAT(Violations({Submit(1), Submit(2), Submit(3, true), Cancel(2), Done(2, kCancelled),
                          Done(1), Done(3, kLate)}),
              IsEmpty());
  EXPECT_THAT(Violations({Submit(1), Submit(2), Done(1), Ended()}), IsEmpty()) << "one was lost";
  EXPECT_THAT(Violations({Submit(1), Ended(), Done(1, kCancelled)}), IsEmpty());
}

TEST(HistoryChecker, LanesAndClientsHaveOrdersOfTheirOwn) {
  HistoryEvent other = Done(1), submitted = Submit(1);
  other.lane = submitted.lane = 7;
  EXPECT_THAT(Violations({submitted, Submit(4), Done(4), other}), IsEmpty());
  other.lane = submitted.lane = 0;
  other.client = submitted.client = 3;
  EXPECT_THAT(Violations({submitted, Submit(4), Done(4), other}), IsEmpty());
  EXPECT_THAT(Violations({Submit(1), other}).size(), 2u) << "another client's";
}

TEST(HistoryChecker, BadOnesAreFound) {
  EXPECT_THAT(Violations({Submit(1), Submit(2), Done(2)}), ElementsAre(HasSubstr("1 in lane 0")));
  EXPECT_THAT(Violations({Submit(1), Done(1), Done(1)}), ElementsAre(HasSubstr("twice")));
  EXPECT_THAT(Violations({Submit(1), Done(1), Done(1, kCancelled), Ended()}),
              ElementsAre(HasSubstr("twice")));
  EXPECT_THAT(Violations({Done(1)}), ElementsAre(HasSubstr("never submitted")));
  EXPECT_THAT(Violations({Submit(1), Submit(1), Done(1)}),
              ElementsAre(HasSubstr("submitted twice")));
  EXPECT_THAT(Violations({Submit(1), Submit(2), Done(2), Done(1)}),
              ElementsAre(HasSubstr("after 2")));
  EXPECT_THAT(Violations({Submit(1), Done(1, kCancelled)}), ElementsAre(HasSubstr("nobody")));
  EXPECT_THAT(Violations({Submit(1), Done(1, kLate)}), ElementsAre(HasSubstr("no deadline")));
  EXPECT_THAT(Violations({Submit(1), Done(1, absl::StatusCode::kOutOfRange)}),
              ElementsAre(HasSubstr("OUT_OF_RANGE")));
}

}  // namespace
}  // namespace anex::test
