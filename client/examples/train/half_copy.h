// Whole arrays between float and fp16, each value rounded once to nearest even. Written so that the
// compiler makes vector code of the loops; the values are those of proto/wire/half.h.
// Pure functions, any thread.
#ifndef ANEX_CLIENT_EXAMPLES_TRAIN_HALF_COPY_H_
#define ANEX_CLIENT_EXAMPLES_TRAIN_HALF_COPY_H_

#include <span>

#include "client/anex/element.h"

namespace anex::train {

// REQUIRES: from.size() == to.size()
void FloatsToHalves(std::span<const float> from, std::span<Half> to);
// to = from * scale; scale 1 is exact. REQUIRES: from.size() == to.size()
void HalvesToFloats(std::span<const Half> from, std::span<float> to, float scale = 1.0f);

}  // namespace anex::train

#endif  // ANEX_CLIENT_EXAMPLES_TRAIN_HALF_COPY_H_
