#include "client/examples/train/demo/live_view.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace anex::train {
namespace {

constexpr int kBar = 24;

}  // namespace

std::string ProgressLine(const RunState& state) {
  const int filled = state.steps > 0 ? std::clamp(state.step * kBar / state.steps, 0, kBar) : 0;
  const std::string bar = std::string(filled, '#') + std::string(kBar - filled, ' ');
  const std::string head =
      absl::StrFormat("%s  [%s] %5d/%d", state.name, bar, state.step, state.steps);
  if (state.step == 0) return absl::StrCat(head, "  preparing");
  const std::string share =
      !state.share ? "" : absl::StrFormat("  device %3.0f%%", *state.share * 100);
  return absl::StrFormat("%s  loss %.3f %8.0f tokens/s%s", head, state.loss, state.tokens_per_s,
                         state.done ? "  done" : share);
}

void LiveView::Draw(std::span<const RunState> states) {
  if (terminal_ && drawn_ > 0) std::printf("\033[%zuA", drawn_);
  for (const RunState& state : states) {
    std::printf("%s%s\n", ProgressLine(state).c_str(), terminal_ ? "\033[K" : "");
  }
  std::fflush(stdout);
  drawn_ = states.size();
}

void LiveView::Update(std::span<const RunState> states, absl::Time now) {
  if (now - last_ < (terminal_ ? absl::Milliseconds(200) : absl::Seconds(2))) return;
  last_ = now;
  Draw(states);
}

void LiveView::Finish(std::span<const RunState> states) {
  Draw(states);
  drawn_ = 0;
  last_ = absl::InfinitePast();
}

}  // namespace anex::train
