#include "tests/conformance/history_client.h"

#include <span>
#include <utility>

namespace anex::test {
namespace {

constexpr char kAdd[] = R"(program(1.3)
{
  func main<ios18>(tensor<fp16, [2, 3]> a, tensor<fp16, [2, 3]> b) {
    tensor<fp16, [2, 3]> c = add(x = a, y = b)[name = string("c")];
  } -> (c);
}
)";

// Assigns what came, or says why nothing did.
template <typename T>
absl::Status Into(T& to, absl::StatusOr<T> from) {
  if (from.ok()) to = *std::move(from);
  return from.status();
}

}  // namespace

absl::StatusOr<std::unique_ptr<HistoryClient>> HistoryClient::Make(Session session, SubmitMode mode,
                                                                   uint32_t seed, Tell tell) {
  std::unique_ptr<HistoryClient> client(
      new HistoryClient(std::move(session), seed, std::move(tell)));
  if (absl::Status prepared = client->Prepare(mode); !prepared.ok()) return prepared;
  return client;
}

absl::Status HistoryClient::Prepare(SubmitMode mode) {
  absl::Status made = Into(kernel_, session_.Compile(kAdd, "history.mil"));
  if (!made.ok()) return made;
  InvocationBuilder builder = kernel_.Prepare();
  for (const char* port : {"a", "b", "c"}) {
    if (made.ok()) made = Into(ports_.emplace_back(), kernel_.CreateSurface(port));
    builder.Bind(port, ports_.back());
  }
  if (made.ok()) made = Into(add_, builder.Build());
  for (Way& way : ways_) {
    if (made.ok()) made = PrepareWay(mode, way);
  }
  return made;
}

absl::Status HistoryClient::PrepareWay(SubmitMode mode, Way& way) {
  absl::Status made = Into(way.lane, session_.CreateLane());
  if (made.ok()) made = Into(way.fence, session_.CreateFence());
  ChainBuilder chain = session_.NewChain("history");
  for (int i = 0; i < 20; ++i) chain.Run(add_);
  if (made.ok()) made = Into(way.chain, chain.Repeat(10).Build());
  if (made.ok()) made = Into(way.queue, way.lane.OpenQueue(kCredits, mode));
  return made;
}

absl::Status HistoryClient::Move() {
  Way& way = ways_[random_() % kLanes];
  const uint32_t dice = random_() % 16;
  if (dice == 0) return Cancel(way);
  if (way.queue.outstanding() < kCredits && dice < 9) return Submit(way);
  return Take(way);
}

absl::Status HistoryClient::Finish() {
  for (Way& way : ways_) {
    while (way.queue.outstanding() > 0) {
      if (absl::Status taken = Take(way); !taken.ok()) return taken;
    }
  }
  return absl::OkStatus();
}

absl::Status HistoryClient::End() {
  tell_({.kind = HistoryEvent::Kind::kClientEnded});
  return session_.Close();
}

absl::Status HistoryClient::Submit(Way& way) {
  const uint64_t id = ++way.last_id;
  Submission one{.lane = way.lane.id(), .user_data = id, .target = add_.id().value()};
  if (random_() % 2 == 0) {
    one.kind = SubmissionKind::kFence;
    one.target = way.fence.id().value();
    one.argument = id;
    one.fence_signal = true;
  } else if (random_() % 3 == 0) {
    one.kind = SubmissionKind::kChain;
    one.target = way.chain.id().value();
  }
  // From surely over to hardly ever.
  constexpr std::array<int64_t, 4> kDeadlines = {1, 20'000, 300'000, 30'000'000'000};
  const bool deadline = random_() % 4 == 0;
  if (deadline) one.deadline_ns = kDeadlines[random_() % kDeadlines.size()];
  tell_({.kind = HistoryEvent::Kind::kSubmitted,
         .lane = NumberOf(way),
         .id = id,
         .has_deadline = deadline});
  return way.queue.Submit(std::span(&one, 1));
}

absl::Status HistoryClient::Cancel(Way& way) {
  if (way.queue.outstanding() == 0) return absl::OkStatus();
  const uint64_t id = way.last_id - random_() % way.queue.outstanding();
  tell_({.kind = HistoryEvent::Kind::kCancelAsked, .lane = NumberOf(way), .id = id});
  return way.lane.Cancel(id).status();
}

absl::Status HistoryClient::Take(Way& way) {
  if (way.queue.outstanding() == 0) return absl::OkStatus();
  const absl::StatusOr<Completion> done = way.queue.Next(absl::Seconds(30));
  if (!done.ok()) return done.status();
  tell_({.kind = HistoryEvent::Kind::kCompleted,
         .lane = NumberOf(way),
         .id = done->user_data,
         .code = done->status.code()});
  return absl::OkStatus();
}

}  // namespace anex::test
