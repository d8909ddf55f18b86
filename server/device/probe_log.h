// What a device has found out about itself so far, question by question: one that hangs at a
// question has answered those before it.
//
// Threads: Ask, Answer and Tell by the one that is in Device::Probe; the rest from any.
#ifndef ANEX_SERVER_DEVICE_PROBE_LOG_H_
#define ANEX_SERVER_DEVICE_PROBE_LOG_H_

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "proto/values/probe_values.h"

namespace anex::device {

class ProbeLog {
 public:
  // The device is at this question until it answers; `evidence` is what the answer will rest on.
  void Ask(std::string claim, std::string question, Evidence evidence) {
    absl::MutexLock lock(&mutex_);
    open_ = ProbeFinding{std::move(claim), std::move(question), "", evidence, {}};
  }
  // REQUIRES: a question is open.
  void Answer(std::string answer, std::map<std::string, double> numbers = {}) {
    absl::MutexLock lock(&mutex_);
    open_->answer = std::move(answer);
    open_->numbers = std::move(numbers);
    findings_.push_back(*std::exchange(open_, std::nullopt));
  }
  // What is known without trying.
  void Tell(ProbeFinding finding) {
    absl::MutexLock lock(&mutex_);
    findings_.push_back(std::move(finding));
  }

  std::vector<ProbeFinding> findings() const {
    absl::MutexLock lock(&mutex_);
    return findings_;
  }
  // The question that has no answer yet.
  std::optional<ProbeFinding> open() const {
    absl::MutexLock lock(&mutex_);
    return open_;
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<ProbeFinding> findings_ ABSL_GUARDED_BY(mutex_);
  std::optional<ProbeFinding> open_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace anex::device

#endif  // ANEX_SERVER_DEVICE_PROBE_LOG_H_
