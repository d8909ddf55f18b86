// The open streams of each session, which end with it: no submission of it can come any more.
//
//   session ends -> CompletionQueue::Close: what was accepted is still handed back
//                -> a stream that is still there kGrace later is cut off: its client does not read
//
// Threads: any; one lock each. Bound: a session's streams have places (streams_per_session); those
// that have gone are forgotten when the next one comes.
#ifndef ANEX_SERVER_ENGINE_STREAM_TABLE_H_
#define ANEX_SERVER_ENGINE_STREAM_TABLE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "proto/wire/handle.h"
#include "server/engine/run/completion_queue.h"

namespace anex::engine {

// How a front's stream is ended from the daemon's side, whatever its client does. Its front turns
// it off before what it touches goes.
class StreamCut {
 public:
  explicit StreamCut(std::function<void()> cut) : cut_(std::move(cut)) {}
  void Run() {
    absl::MutexLock lock(&mutex_);
    if (cut_) cut_();
  }
  void Off() {
    absl::MutexLock lock(&mutex_);
    cut_ = nullptr;
  }

 private:
  absl::Mutex mutex_;
  std::function<void()> cut_ ABSL_GUARDED_BY(mutex_);
};

class StreamTable {
 public:
  static constexpr int64_t kGraceNs = 1'000'000'000;

  // `cut` may be null: a stream in this process needs none.
  void Add(SessionId session, const std::shared_ptr<CompletionQueue>& completions,
           std::shared_ptr<StreamCut> cut) {
    absl::MutexLock lock(&mutex_);
    auto& streams = by_session_[session];
    std::erase_if(streams, [](const Stream& stream) { return stream.completions.expired(); });
    streams.push_back({completions, std::move(cut)});
  }

  // Of a session that has ended.
  void Close(SessionId session, int64_t now_ns) {
    absl::MutexLock lock(&mutex_);
    const auto found = by_session_.find(session);
    if (found == by_session_.end()) return;
    for (Stream& stream : found->second) {
      const std::shared_ptr<CompletionQueue> open = stream.completions.lock();
      if (open == nullptr) continue;
      open->Close();
      if (stream.cut != nullptr) closing_.emplace_back(now_ns + kGraceNs, std::move(stream));
    }
    by_session_.erase(found);
  }

  // Cuts off those whose time is up. To be called now and then.
  void Sweep(int64_t now_ns) {
    std::vector<std::shared_ptr<StreamCut>> overdue;
    {
      absl::MutexLock lock(&mutex_);
      std::erase_if(closing_, [&](auto& closing) {
        if (closing.second.completions.expired()) return true;
        if (now_ns < closing.first) return false;
        overdue.push_back(std::move(closing.second.cut));
        return true;
      });
    }
    for (const auto& cut : overdue) cut->Run();
  }

 private:
  struct Stream {
    std::weak_ptr<CompletionQueue>
        completions;  // the front keeps it as long as the stream is there
    std::shared_ptr<StreamCut> cut;
  };

  absl::Mutex mutex_;
  std::unordered_map<SessionId, std::vector<Stream>> by_session_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::pair<int64_t, Stream>> closing_ ABSL_GUARDED_BY(mutex_);  // when to cut them off
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_STREAM_TABLE_H_
