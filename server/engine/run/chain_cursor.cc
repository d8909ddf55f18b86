#include "server/engine/run/chain_cursor.h"

namespace anex::engine {

void ChainCursor::Advance(const ChainShape& shape) {
  ++index_;
  switch (phase_) {
    case Phase::kStep:
      if (index_ < shape.steps) return;
      return Enter(iteration_ + 1 < shape.repeat ? Phase::kBetween : Phase::kFinal, shape);
    case Phase::kBetween:
      if (index_ < shape.between) return;
      ++iteration_;
      return Enter(Phase::kStep, shape);
    case Phase::kFinal:
      if (index_ < shape.final_copies) return;
      return Enter(Phase::kDone, shape);
    case Phase::kDone:
      return;
  }
}

void ChainCursor::Enter(Phase phase, const ChainShape& shape) {
  phase_ = phase;
  index_ = 0;
  if (phase == Phase::kBetween && shape.between == 0) {
    ++iteration_;
    phase_ = Phase::kStep;
  } else if (phase == Phase::kFinal && shape.final_copies == 0) {
    phase_ = Phase::kDone;
  }
}

}  // namespace anex::engine
