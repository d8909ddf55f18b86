// The order of device programs in a training step, and what each port is bound to: the model's
// graph, unrolled. A pure function of the shape; device_model.h makes it run. Any thread.
//
// Tensors have names. Those of ParameterTable are parameters; "d." + a parameter's name is its
// gradient; "x0" takes the embedded tokens, "logits" and "dlogits" are the classifier's; "g.x0"
// holds the gradient of "x0" at the end. Activations that the backward pass needs exist once per
// layer; gradients of activations are short-lived and shared by all layers, the residual's by
// turns, because no step may write what it reads.
#ifndef ANEX_CLIENT_EXAMPLES_TRAIN_STEP_PLAN_H_
#define ANEX_CLIENT_EXAMPLES_TRAIN_STEP_PLAN_H_

#include <string>
#include <vector>

#include "client/examples/train/mil_programs.h"
#include "client/examples/train/model_shape.h"

namespace anex::train {

struct PlannedBinding {
  std::string port, tensor;
};

struct PlannedStep {
  Program program;
  std::vector<PlannedBinding> bindings;
};

struct StepPlan {
  std::vector<PlannedStep> forward, backward;
};

StepPlan MakeStepPlan(const ModelShape& shape);

}  // namespace anex::train

#endif  // ANEX_CLIENT_EXAMPLES_TRAIN_STEP_PLAN_H_
