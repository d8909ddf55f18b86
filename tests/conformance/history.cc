#include "tests/conformance/history.h"

#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"

namespace anex::test {
namespace {

using Kind = HistoryEvent::Kind;
using LaneKey = std::pair<uint32_t, uint32_t>;
using Key = std::tuple<uint32_t, uint32_t, uint64_t>;

struct Known {
  bool has_deadline = false, cancel_asked = false;
  int completions = 0;
};

class Checker {
 public:
  std::vector<std::string> Check(std::span<const HistoryEvent> events) {
    for (const HistoryEvent& event : events) {
      if (event.kind == Kind::kClientEnded) ended_.insert(event.client);
    }
    for (const HistoryEvent& event : events) Take(event);
    for (const auto& [key, known] : submissions_) {
      if (known.completions > 0 || ended_.contains(std::get<0>(key))) continue;
      Say(key, "never completed");
    }
    return std::move(violations_);
  }

 private:
  void Say(const Key& key, std::string_view what) {
    const auto& [client, lane, id] = key;
    violations_.push_back(absl::StrCat("submission ", id, " in lane ", lane, " of client ", client,
                                       " ", std::string(what)));
  }

  void Take(const HistoryEvent& event) {
    const Key key(event.client, event.lane, event.id);
    switch (event.kind) {
      case Kind::kSubmitted:
        if (!submissions_.emplace(key, Known{.has_deadline = event.has_deadline}).second) {
          Say(key, "was submitted twice");
        }
        return;
      case Kind::kCancelAsked: {
        const auto found = submissions_.find(key);
        if (found != submissions_.end()) found->second.cancel_asked = true;
        return;
      }
      case Kind::kCompleted:
        return Complete(key, event.code);
      case Kind::kClientEnded:
        return;
    }
  }

  void Complete(const Key& key, absl::StatusCode code) {
    const auto found = submissions_.find(key);
    if (found == submissions_.end()) return Say(key, "completed and was never submitted");
    if (++found->second.completions > 1) return Say(key, "completed twice");
    CheckCode(key, found->second, code);
    if (code != absl::StatusCode::kOk) return;
    const auto [last, first] =
        last_run_.emplace(LaneKey(std::get<0>(key), std::get<1>(key)), std::get<2>(key));
    if (!first && last->second > std::get<2>(key)) {
      Say(key, absl::StrCat("completed after ", last->second, ", which was submitted later"));
    }
    last->second = std::get<2>(key);
  }

  void CheckCode(const Key& key, const Known& known, absl::StatusCode code) {
    if (code == absl::StatusCode::kOk) return;
    if (code == absl::StatusCode::kCancelled) {
      if (!known.cancel_asked && !ended_.contains(std::get<0>(key))) {
        Say(key, "is CANCELLED, and nobody asked for it");
      }
    } else if (code == absl::StatusCode::kDeadlineExceeded) {
      if (!known.has_deadline) Say(key, "is DEADLINE_EXCEEDED, and had no deadline");
    } else {
      Say(key, absl::StrCat("failed: ", absl::StatusCodeToString(code)));
    }
  }

  std::map<Key, Known> submissions_;
  std::map<LaneKey, uint64_t> last_run_;
  std::set<uint32_t> ended_;
  std::vector<std::string> violations_;
};

}  // namespace

std::vector<std::string> FindViolations(std::span<const HistoryEvent> events) {
  return Checker().Check(events);
}

}  // namespace anex::test
