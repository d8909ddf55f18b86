// The ten device programs of a training step, as MIL text, and the shapes of their ports. All
// layers share them; what differs between layers is what the ports are bound to (step_plan.h).
//
// Activations are channel-first [1, C, 1, T] with T = batch * seq columns, column b * seq + s being
// position s of window b. Weights are ports too, W [1, N, K], norms [1, C, 1, 1]: forward programs
// compute W @ x, backward ones W^T @ dy from the very same surface. Gradients of weights are
// dy @ x^T, [1, N, K]. Everything is fp16. "d_NAME" is the gradient of the parameter NAME.
//
//   program          ports in                                     ports out
//   qkv_fwd          x norm1 wq wk wv                             xn q k v        (q, k rotated)
//   attention_fwd    q k v                                        probs o         (probs [B,H,S,S])
//   projection_fwd   o wo x                                       xm = x + wo @ o
//   ffn_fwd          xm norm2 w1 w3 w2                            xn a b y        (y = xm + SwiGLU)
//   classifier_fwd   x final_norm embed                           xn logits       ([1, V, 1, T])
//   classifier_bwd   dlogits x xn final_norm embed                dx d_final_norm d_embed
//   ffn_bwd          dy xm xn a b norm2 w1 w3 w2                  dxm d_norm2 d_w1 d_w3 d_w2
//   projection_bwd   dxm o wo                                     do d_wo
//   attention_bwd    do q k v probs                               dq dk dv
//   qkv_bwd          dq dk dv dxm x xn norm1 wq wk wv             dx d_norm1 d_wq d_wk d_wv
//
// Pure functions, any thread.
#ifndef ANEX_CLIENT_EXAMPLES_TRAIN_MIL_PROGRAMS_H_
#define ANEX_CLIENT_EXAMPLES_TRAIN_MIL_PROGRAMS_H_

#include <array>
#include <cstdint>

#include "client/examples/train/model_shape.h"
#include "proto/values/kernel_values.h"

namespace anex::train {

enum class Program : uint8_t {
  kQkvForward,
  kAttentionForward,
  kProjectionForward,
  kFfnForward,
  kClassifierForward,
  kClassifierBackward,
  kFfnBackward,
  kProjectionBackward,
  kAttentionBackward,
  kQkvBackward,
};
inline constexpr int kPrograms = 10;

// REQUIRES: Validate(shape).ok()
ProgramSource MakeProgram(Program program, const ModelShape& shape);

}  // namespace anex::train

#endif  // ANEX_CLIENT_EXAMPLES_TRAIN_MIL_PROGRAMS_H_
