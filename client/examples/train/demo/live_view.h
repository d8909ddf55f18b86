// Shows the trainers at work: one line each, redrawn in place on a terminal, else printed now and
// then. Threads: one owner.
#ifndef ANEX_CLIENT_EXAMPLES_TRAIN_DEMO_LIVE_VIEW_H_
#define ANEX_CLIENT_EXAMPLES_TRAIN_DEMO_LIVE_VIEW_H_

#include <span>
#include <string>

#include "absl/time/time.h"
#include "client/examples/train/demo/training_run.h"

namespace anex::train {

// "trainer-1  [########            ]  200/500  loss 2.512   31450 tokens/s  device  49%"
std::string ProgressLine(const RunState& state);

class LiveView {
 public:
  // `terminal`: standard output is one.
  explicit LiveView(bool terminal) : terminal_(terminal) {}

  // Draws if it is time to: five times a second on a terminal, else every two seconds.
  void Update(std::span<const RunState> states, absl::Time now);
  // Draws the last state and leaves the cursor below it.
  void Finish(std::span<const RunState> states);

 private:
  void Draw(std::span<const RunState> states);

  const bool terminal_;
  size_t drawn_ = 0;  // lines that the cursor stands below
  absl::Time last_ = absl::InfinitePast();
};

}  // namespace anex::train

#endif  // ANEX_CLIENT_EXAMPLES_TRAIN_DEMO_LIVE_VIEW_H_
