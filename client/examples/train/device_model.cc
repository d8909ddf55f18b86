#include "client/examples/train/device_model.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/examples/train/half_copy.h"

namespace anex::train {
namespace {

constexpr uint32_t kCredits = 64;  // submissions in flight on the stream or ring

}  // namespace

absl::StatusOr<SubmitWay> SubmitWayFromName(std::string_view name) {
  if (name == "unary") return SubmitWay::kUnary;
  if (name == "stream") return SubmitWay::kStream;
  if (name == "chain") return SubmitWay::kChain;
  if (name == "ring") return SubmitWay::kRing;
  return absl::InvalidArgumentError(absl::StrCat("cannot submit by \"", std::string(name),
                                                 "\"; there are: unary, stream, chain, ring"));
}

absl::StatusOr<std::unique_ptr<DeviceModel>> DeviceModel::Create(const Session& session,
                                                                 const ModelShape& shape,
                                                                 SubmitWay way,
                                                                 std::string_view device) {
  if (absl::Status good = Validate(shape); !good.ok()) return good;
  std::unique_ptr<DeviceModel> model(new DeviceModel(shape, way));
  if (absl::Status done = model->Compile(session, device); !done.ok()) return done;
  if (absl::Status done = model->MakeTensors(session); !done.ok()) return done;
  absl::StatusOr<Lane> lane = session.CreateLane({.label = "training"});
  if (!lane.ok()) return lane.status();
  model->lane_ = *std::move(lane);
  if (way == SubmitWay::kStream || way == SubmitWay::kRing) {
    absl::StatusOr<SubmissionQueue> queue = model->lane_.OpenQueue(
        kCredits, way == SubmitWay::kRing ? SubmitMode::kRing : SubmitMode::kStream);
    if (!queue.ok()) return queue.status();
    model->queue_ = *std::move(queue);
  }
  absl::Status done = model->PreparePass(session, "forward", model->plan_.forward, model->forward_);
  if (!done.ok()) return done;
  done = model->PreparePass(session, "backward", model->plan_.backward, model->backward_);
  if (!done.ok()) return done;
  model->activation_.resize(static_cast<size_t>(shape.dim) * shape.tokens());
  return model;
}

bool DeviceModel::IsParameter(std::string_view tensor) const {
  return std::any_of(table_.all().begin(), table_.all().end(),
                     [&](const Parameter& parameter) { return parameter.name == tensor; });
}

absl::Status DeviceModel::Compile(const Session& session, std::string_view device) {
  CompileOptions options;
  options.device = std::string(device);
  for (const std::vector<PlannedStep>* pass : {&plan_.forward, &plan_.backward}) {
    for (const PlannedStep& step : *pass) {
      if (kernels_.contains(step.program)) continue;
      absl::StatusOr<Kernel> kernel = session.Compile(MakeProgram(step.program, shape_), options);
      if (!kernel.ok()) return kernel.status();
      kernels_[step.program] = *std::move(kernel);
    }
  }
  return absl::OkStatus();
}

// Every tensor with the ports it is bound to, so that its layout can suit all of them.
std::map<std::string, std::vector<PortRef>> DeviceModel::PortsOfTensors() const {
  std::map<std::string, std::vector<PortRef>> ports;
  for (const std::vector<PlannedStep>* pass : {&plan_.forward, &plan_.backward}) {
    for (const PlannedStep& step : *pass) {
      for (const PlannedBinding& binding : step.bindings) {
        ports[binding.tensor].push_back(kernels_.at(step.program).Ref(binding.port));
      }
    }
  }
  return ports;
}

absl::Status DeviceModel::MakeTensors(const Session& session) {
  ParameterSetSpec set;
  set.label = "weights";
  for (const auto& [tensor, ports] : PortsOfTensors()) {
    if (IsParameter(tensor)) {
      set.parameters.push_back({.name = tensor, .fits = ports});
      continue;
    }
    absl::StatusOr<Surface> surface = session.CreateSurface({.fits = ports, .label = tensor});
    if (!surface.ok()) return surface.status();
    surfaces_[tensor] = *std::move(surface);
  }
  absl::StatusOr<ParameterSet> weights = session.CreateParameterSet(set);
  if (!weights.ok()) return weights.status();
  weights_ = *std::move(weights);
  return absl::OkStatus();
}

absl::StatusOr<Invocation> DeviceModel::PrepareStep(const PlannedStep& step) const {
  InvocationBuilder builder = kernels_.at(step.program).Prepare();
  for (const PlannedBinding& binding : step.bindings) {
    const auto surface = surfaces_.find(binding.tensor);
    if (surface != surfaces_.end()) {
      builder.Bind(binding.port, surface->second);
    } else {
      builder.Bind(binding.port, weights_, binding.tensor);
    }
  }
  return builder.Build();
}

absl::Status DeviceModel::PreparePass(const Session& session, std::string_view name,
                                      const std::vector<PlannedStep>& steps, Pass& pass) {
  ChainBuilder chain = session.NewChain(name);
  for (const PlannedStep& step : steps) {
    absl::StatusOr<Invocation> invocation = PrepareStep(step);
    if (!invocation.ok()) return invocation.status();
    chain.Run(*invocation);
    pass.invocations.push_back(*std::move(invocation));
  }
  if (way_ != SubmitWay::kChain) return absl::OkStatus();
  absl::StatusOr<Chain> built = chain.Build();
  if (!built.ok()) return built.status();
  pass.chain = *std::move(built);
  return absl::OkStatus();
}

absl::Status DeviceModel::Count(const absl::StatusOr<Completion>& completion) {
  if (!completion.ok()) return completion.status();
  if (!completion->status.ok()) return completion->status;
  device_ns_ += completion->device_ns;
  return absl::OkStatus();
}

absl::Status DeviceModel::RunUnary(const Pass& pass) {
  for (const Invocation& invocation : pass.invocations) {
    if (absl::Status ran = Count(lane_.Run(invocation)); !ran.ok()) return ran;
  }
  return absl::OkStatus();
}

absl::Status DeviceModel::RunQueued(const Pass& pass) {
  for (const Invocation& invocation : pass.invocations) {
    if (queue_.outstanding() == kCredits) {
      if (absl::Status ran = Count(queue_.Next()); !ran.ok()) return ran;
    }
    if (absl::Status sent = queue_.Submit(lane_, invocation); !sent.ok()) return sent;
  }
  while (queue_.outstanding() > 0) {
    if (absl::Status ran = Count(queue_.Next()); !ran.ok()) return ran;
  }
  return absl::OkStatus();
}

absl::Status DeviceModel::RunChain(const Pass& pass) { return Count(lane_.Run(pass.chain)); }

absl::Status DeviceModel::Run(Pass& pass) {
  evaluations_ += static_cast<int64_t>(pass.invocations.size());
  switch (way_) {
    case SubmitWay::kUnary:
      return RunUnary(pass);
    case SubmitWay::kStream:
    case SubmitWay::kRing:
      return RunQueued(pass);
    case SubmitWay::kChain:
      return RunChain(pass);
  }
  return absl::InternalError("no such way to submit");
}

// Layouts without gaps, the usual case, are converted in one go.
absl::Status DeviceModel::Write(const std::string& tensor, std::span<const float> values) {
  absl::StatusOr<TensorView<Half>> view = surfaces_.at(tensor).View<Half>();
  if (!view.ok()) return view.status();
  const absl::StatusOr<std::span<Half>> packed = view->Packed();
  if (!packed.ok() || packed->size() != values.size()) return view->CopyFrom<float>(values);
  FloatsToHalves(values, *packed);
  return absl::OkStatus();
}

absl::Status DeviceModel::Read(const std::string& tensor, float scale,
                               std::span<float> values) const {
  const absl::StatusOr<TensorView<const Half>> view = surfaces_.at(tensor).View<const Half>();
  if (!view.ok()) return view.status();
  const absl::StatusOr<std::span<const Half>> packed = view->Packed();
  if (packed.ok() && packed->size() == values.size()) {
    HalvesToFloats(*packed, values, scale);
    return absl::OkStatus();
  }
  if (absl::Status copied = view->CopyTo<float>(values); !copied.ok()) return copied;
  for (float& value : values) value *= scale;
  return absl::OkStatus();
}

absl::Status DeviceModel::SetWeights(std::span<const float> weights) {
  absl::StatusOr<WriteGuard> guard = weights_.BeginWrite();
  if (!guard.ok()) return guard.status();
  for (const Parameter& parameter : table_.all()) {
    const std::span<const float> values = weights.subspan(parameter.offset, parameter.size);
    absl::StatusOr<TensorView<Half>> view = guard->View<Half>(parameter.name);
    if (!view.ok()) return view.status();
    const absl::StatusOr<std::span<Half>> packed = view->Packed();
    if (packed.ok()) {
      FloatsToHalves(values, *packed);
    } else if (absl::Status copied = view->CopyFrom<float>(values); !copied.ok()) {
      return copied;
    }
  }
  return guard->Publish().status();
}

absl::Status DeviceModel::Forward(std::span<const int> inputs, std::span<const float> embedding) {
  const size_t dim = static_cast<size_t>(shape_.dim), tokens = inputs.size();
  for (size_t c = 0; c < dim; ++c) {  // channel by channel: the writes are in order
    float* out = &activation_[c * tokens];
    for (size_t t = 0; t < tokens; ++t) out[t] = embedding[inputs[t] * dim + c];
  }
  if (absl::Status written = Write("x0", activation_); !written.ok()) return written;
  return Run(forward_);
}

absl::Status DeviceModel::TakeLogits(std::span<float> logits) const {
  return Read("logits", 1.0f, logits);
}

absl::Status DeviceModel::Backward(std::span<const float> dlogits) {
  if (absl::Status written = Write("dlogits", dlogits); !written.ok()) return written;
  return Run(backward_);
}

absl::Status DeviceModel::TakeGradient(std::span<const int> inputs, float scale,
                                       std::span<float> gradient) {
  for (const Parameter& parameter : table_.all()) {
    const absl::Status read = Read(absl::StrCat("d.", parameter.name), scale,
                                   gradient.subspan(parameter.offset, parameter.size));
    if (!read.ok()) return read;
  }
  if (absl::Status read = Read("g.x0", scale, activation_); !read.ok()) return read;
  const size_t dim = static_cast<size_t>(shape_.dim), tokens = inputs.size();
  float* embedding = &gradient[table_.Find("embed").offset];
  for (size_t c = 0; c < dim; ++c) {
    const float* back = &activation_[c * tokens];
    for (size_t t = 0; t < tokens; ++t) embedding[inputs[t] * dim + c] += back[t];
  }
  return absl::OkStatus();
}

}  // namespace anex::train
