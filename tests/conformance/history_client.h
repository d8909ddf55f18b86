// A client that makes random moves in lanes of its own (submits, with and without deadlines,
// cancels, takes completions) and tells each of them: what histories are made of (history.h).
//
// In every lane each other submission signals the lane's fence to its number, which fails if a
// later one has run before. Threads: one owner.
#ifndef ANEX_TESTS_CONFORMANCE_HISTORY_CLIENT_H_
#define ANEX_TESTS_CONFORMANCE_HISTORY_CLIENT_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/anex/anex.h"
#include "tests/conformance/history.h"

namespace anex::test {

class HistoryClient {
 public:
  using Tell = std::function<void(const HistoryEvent&)>;  // `client` is the listener's to fill in

  // `mode` is how its queues travel; not kUnary, which has nothing in flight.
  static absl::StatusOr<std::unique_ptr<HistoryClient>> Make(Session session, SubmitMode mode,
                                                             uint32_t seed, Tell tell);

  absl::Status Move();
  // Takes all that is outstanding.
  absl::Status Finish();
  // Ends the session with all that is in flight.
  absl::Status End();

 private:
  static constexpr uint32_t kLanes = 2, kCredits = 8;
  struct Way {
    Lane lane;
    Fence fence;
    Chain chain;
    uint64_t last_id = 0;
    SubmissionQueue queue;
  };

  HistoryClient(Session session, uint32_t seed, Tell tell)
      : session_(std::move(session)), random_(seed), tell_(std::move(tell)) {}
  absl::Status Prepare(SubmitMode mode);
  absl::Status PrepareWay(SubmitMode mode, Way& way);
  absl::Status Submit(Way& way);
  absl::Status Cancel(Way& way);
  absl::Status Take(Way& way);
  uint32_t NumberOf(const Way& way) const { return static_cast<uint32_t>(&way - ways_.data()); }

  Session session_;
  std::mt19937 random_;
  const Tell tell_;
  Kernel kernel_;
  std::vector<Surface> ports_;
  Invocation add_;
  std::array<Way, kLanes> ways_;
};

}  // namespace anex::test

#endif  // ANEX_TESTS_CONFORMANCE_HISTORY_CLIENT_H_
