// The decoder on the daemon's device: kernels compiled, weights in one double-buffered parameter
// set that forward and backward kernels share, surfaces for everything that passes between them,
// and the two passes as prepared invocations and chains. No tensor travels in a message: both sides
// look at the same memory.
//
//   model->SetWeights(weights); model->Forward(inputs, embedding); model->TakeLogits(logits);
//   model->Backward(dlogits);   model->TakeGradient(inputs, 1 / scale, gradient);
//
// The ways to submit run the same invocations in the same order, so their results are equal
// bit for bit. Between the passes the host reads the logits; within a pass the output surface of
// one step is the input surface of the next.
//
// Threads: one owner at a time. The session must outlive the model.
#ifndef ANEX_CLIENT_EXAMPLES_TRAIN_DEVICE_MODEL_H_
#define ANEX_CLIENT_EXAMPLES_TRAIN_DEVICE_MODEL_H_

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/anex/chain.h"
#include "client/anex/invocation.h"
#include "client/anex/kernel.h"
#include "client/anex/lane.h"
#include "client/anex/parameter_set.h"
#include "client/anex/session.h"
#include "client/anex/submission_queue.h"
#include "client/anex/surface.h"
#include "client/examples/train/model_shape.h"
#include "client/examples/train/step_plan.h"

namespace anex::train {

enum class SubmitWay : uint8_t {
  kUnary = 0,   // the steps of a pass one at a time, each waited for
  kStream = 1,  // the steps of a pass sent over one stream, waited for at its end
  kChain = 2,   // a whole pass in one submission, walked by the daemon
  kRing = 3,    // as kStream, through memory shared with the daemon; none without a daemon
};

// "unary", "stream", "chain" or "ring".
absl::StatusOr<SubmitWay> SubmitWayFromName(std::string_view name);

class DeviceModel {
 public:
  // Compiles (or finds compiled) the programs and prepares everything. The weights are zeros until
  // SetWeights. `device` "" = the daemon's default.
  static absl::StatusOr<std::unique_ptr<DeviceModel>> Create(const Session& session,
                                                             const ModelShape& shape, SubmitWay way,
                                                             std::string_view device = "");

  const ModelShape& shape() const { return shape_; }
  const ParameterTable& parameters() const { return table_; }

  // Rounds the flat weights to fp16 into the set's back buffer and publishes it.
  absl::Status SetWeights(std::span<const float> weights);
  // Embeds `inputs` by the fp32 rows of `embedding` [vocab, dim] and runs the forward pass.
  absl::Status Forward(std::span<const int> inputs, std::span<const float> embedding);
  // The logits of the last Forward, [vocab, tokens].
  absl::Status TakeLogits(std::span<float> logits) const;
  // Runs the backward pass of the last Forward.
  absl::Status Backward(std::span<const float> dlogits);
  // The gradient of all parameters, times `scale`. The embedding's is the classifier's share plus
  // what came back to each token of `inputs`.
  absl::Status TakeGradient(std::span<const int> inputs, float scale, std::span<float> gradient);

  int64_t evaluations() const { return evaluations_; }  // kernel runs asked for, so far
  int64_t device_ns() const { return device_ns_; }      // as completions report it

 private:
  struct Pass {
    std::vector<Invocation> invocations;
    Chain chain;
  };

  DeviceModel(const ModelShape& shape, SubmitWay way)
      : shape_(shape), way_(way), plan_(MakeStepPlan(shape)), table_(shape) {}

  bool IsParameter(std::string_view tensor) const;
  absl::Status Compile(const Session& session, std::string_view device);
  std::map<std::string, std::vector<PortRef>> PortsOfTensors() const;
  absl::Status MakeTensors(const Session& session);
  absl::Status PreparePass(const Session& session, std::string_view name,
                           const std::vector<PlannedStep>& steps, Pass& pass);
  absl::StatusOr<Invocation> PrepareStep(const PlannedStep& step) const;

  absl::Status Run(Pass& pass);
  absl::Status RunUnary(const Pass& pass);
  absl::Status RunQueued(const Pass& pass);
  absl::Status RunChain(const Pass& pass);
  absl::Status Count(const absl::StatusOr<Completion>& completion);

  absl::Status Write(const std::string& tensor, std::span<const float> values);
  absl::Status Read(const std::string& tensor, float scale, std::span<float> values) const;

  const ModelShape shape_;
  const SubmitWay way_;
  const StepPlan plan_;
  const ParameterTable table_;
  std::map<Program, Kernel> kernels_;
  ParameterSet weights_;
  std::map<std::string, Surface> surfaces_;
  Pass forward_, backward_;
  Lane lane_;
  SubmissionQueue queue_;          // of kStream and kRing only
  std::vector<float> activation_;  // scratch, [dim, tokens]
  int64_t evaluations_ = 0, device_ns_ = 0;
};

}  // namespace anex::train

#endif  // ANEX_CLIENT_EXAMPLES_TRAIN_DEVICE_MODEL_H_
