#import "server/device/apple/probe_rig.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/time/clock.h"
#include "proto/wire/half.h"
#include "server/device/apple/element_walk.h"
#import "server/device/apple/guard.h"
#import "server/device/apple/model_ways.h"
#import "server/device/apple/read_geometry.h"

namespace anex::device::apple {
namespace {

using Clock = std::chrono::steady_clock;

// Loading fails now and then when it is tried right after a compile.
constexpr absl::Duration kBeforeRetry = absl::Milliseconds(100);
constexpr uint16_t kNotANumber = 0x7e55;

double MicrosecondsSince(Clock::time_point began) {
  return std::chrono::duration<double, std::micro>(Clock::now() - began).count();
}

// The layout of the program's value behind the live tensor.
absl::StatusOr<TensorLayout> LayoutIn(const mil::Function& function,
                                      const std::vector<mil::ValueId>& ports,
                                      const LiveTensor& live) {
  for (const mil::ValueId id : ports) {
    const mil::Value& value = function.value(id);
    if (value.name == live.name) {
      return LayoutOf(live, value.type.tensor.dtype, value.type.tensor.shape);
    }
  }
  return absl::NotFoundError("the loaded program has other ports than its text");
}

absl::StatusOr<std::shared_ptr<shm::SharedRegion>> NewSurface(const TensorLayout& layout) {
  return shm::CreateIosurfaceRegion(layout.allocation_bytes, "probe");
}

bool AreClose(const TensorLayout& layout, const shm::SharedRegion& region,
              const std::vector<double>& expected) {
  double largest = 0;
  for (const double value : expected) largest = std::max(largest, std::fabs(value));
  bool same = true;
  ForEachOffset(layout, [&](size_t i, int64_t offset) {
    uint16_t half = 0;
    std::memcpy(&half, region.data() + offset, sizeof half);
    // Said so that what is not a number is no match.
    same = same && std::fabs(HalfToDouble(half) - expected[i]) <= kSelfTestTolerance * largest;
  });
  return same;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ProbeRig>> ProbeRig::Make(const EngineParts& parts,
                                                         const TestProgram& test,
                                                         const CallControl& control,
                                                         const RigSetup& setup) {
  if (!parts.framework->Has(SelectorUse::kInMemory)) {
    return absl::UnimplementedError("the framework has no in-memory models");
  }
  std::unique_ptr<ProbeRig> rig(new ProbeRig(parts));
  absl::Status made = rig->MakeModel(test, setup);
  if (made.ok()) made = rig->Compile(control);
  if (made.ok()) {
    made = rig->Load();
    if (!made.ok()) absl::SleepFor(kBeforeRetry);
    if (!made.ok()) made = rig->Load();
  }
  if (made.ok()) made = rig->MakeSurfaces(test);
  if (!made.ok()) return made;
  return rig;
}

absl::Status ProbeRig::MakeModel(const TestProgram& test, const RigSetup& setup) {
  source_ = MakeAneSource(*test.program, parts_.framework->machine().architecture);
  return Guard("make a model", [&]() -> absl::Status {
    absl::StatusOr<ObjcPtr<id<ANEInMemoryModel>>> model =
        NewInMemoryModel(*parts_.framework, *source_.source);
    if (!model.ok()) return model.status();
    model_ = *std::move(model);
    auto folder =
        parts_.folders->Put(ToString([model_.get() hexStringIdentifier]), *source_.source);
    if (!folder.ok()) return folder.status();
    folder_ = *std::move(folder);
    purge_ = setup.fresh && parts_.framework->Has("_ANEInMemoryModel", "purgeCompiledModel");
    if (setup.stats_mask != 0) [model_.get() setPerfStatsMask:setup.stats_mask];
    return absl::OkStatus();
  });
}

absl::Status ProbeRig::Compile(const CallControl& control) {
  return parts_.gate->Run(source_.digest, control, [&] {
    const auto began = Clock::now();
    absl::Status compiled = Guard("compile", [&] {
      NSError* error = nil;
      const BOOL done = [model() compileWithQoS:kQos options:@{} error:&error];
      return done ? absl::OkStatus() : StatusOf("compile", error);
    });
    compile_us_ = MicrosecondsSince(began);
    return compiled;
  });
}

ProbeRig::~ProbeRig() {
  if (loaded_) Unload().IgnoreError();
  if (!purge_) return;
  Guard("purge", [&] {
    [model() purgeCompiledModel];
    return absl::OkStatus();
  }).IgnoreError();
}

absl::Status ProbeRig::Load(unsigned qos) {
  return Guard("load", [&] {
    const auto began = Clock::now();
    NSError* error = nil;
    loaded_ = [model() loadWithQoS:qos options:@{} error:&error];
    load_us_ = MicrosecondsSince(began);
    return loaded_ ? absl::OkStatus() : StatusOf("load", error);
  });
}

absl::Status ProbeRig::Unload() {
  loaded_ = false;
  return Guard("unload", [&] {
    const auto began = Clock::now();
    NSError* error = nil;
    const BOOL done = [model() unloadWithQoS:kQos error:&error];
    unload_us_ = MicrosecondsSince(began);
    return done ? absl::OkStatus() : StatusOf("unload", error);
  });
}

absl::Status ProbeRig::MakeSurfaces(const TestProgram& test) {
  absl::StatusOr<ModelGeometry> geometry = Guard(
      "read the model's attributes",
      [&]() -> absl::StatusOr<ModelGeometry> { return ReadGeometry([model() modelAttributes]); });
  if (!geometry.ok()) return geometry.status();
  const mil::Function& function = test.program->functions.front();
  absl::StatusOr<const LiveFunction*> live = FindFunction(*geometry, function.name, 0, 1);
  if (!live.ok()) return live.status();
  live_ = **live;
  for (const LiveTensor& tensor : live_.inputs) {
    absl::StatusOr<TensorLayout> layout = LayoutIn(function, function.inputs, tensor);
    if (!layout.ok()) return layout.status();
    auto region = NewSurface(*layout);
    if (!region.ok()) return region.status();
    const std::vector<float>& values = test.inputs.at(tensor.name);
    ForEachOffset(*layout, [&](size_t i, int64_t offset) {
      const uint16_t half = FloatToHalf(values[i]);
      std::memcpy((*region)->data() + offset, &half, sizeof half);
    });
    inputs_.push_back(*std::move(region));
  }
  for (const LiveTensor& tensor : live_.outputs) {
    absl::StatusOr<TensorLayout> layout = LayoutIn(function, function.outputs, tensor);
    if (!layout.ok()) return layout.status();
    auto region = NewSurface(*layout);
    if (!region.ok()) return region.status();
    outputs_.push_back({tensor.name, *layout, *std::move(region)});
  }
  return absl::OkStatus();
}

absl::StatusOr<ObjcPtr<id<ANERequest>>> ProbeRig::NewRequest(const RequestVariant& variant) {
  using Made = absl::StatusOr<ObjcPtr<id<ANERequest>>>;
  return Guard("make a request", [&]() -> Made {
    const Classes& classes = parts_.framework->classes();
    NSMutableArray *inputs = [NSMutableArray array], *input_symbols = [NSMutableArray array];
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const size_t at = variant.backwards ? inputs_.size() - 1 - i : i;
      [inputs addObject:[classes.surface objectWithIOSurface:input(at)]];
      [input_symbols addObject:@(live_.inputs[at].symbol)];
    }
    id<ANESurfaceObject> weights =
        variant.weights == nullptr ? nil : [classes.surface objectWithIOSurface:variant.weights];
    NSMutableArray *outputs = [NSMutableArray array], *output_symbols = [NSMutableArray array];
    for (size_t i = 0; i < outputs_.size(); ++i) {
      [outputs addObject:[classes.surface objectWithIOSurface:output(i)]];
      [output_symbols addObject:@(live_.outputs[i].symbol)];
    }
    id<ANERequest> request = [classes.request requestWithInputs:inputs
                                                   inputIndices:input_symbols
                                                        outputs:outputs
                                                  outputIndices:output_symbols
                                                  weightsBuffer:weights
                                                      perfStats:variant.stats
                                                 procedureIndex:@(variant.procedure)];
    if (request == nil) return absl::InternalError("the framework made no request");
    return ObjcPtr<id<ANERequest>>::Retain(request);
  });
}

absl::Status ProbeRig::Evaluate(id<ANERequest> request, unsigned qos) {
  return Guard("evaluate", [&] {
    NSError* error = nil;
    const BOOL done = [model() evaluateWithQoS:qos options:@{} request:request error:&error];
    return done ? absl::OkStatus() : StatusOf("evaluate", error);
  });
}

absl::Status ProbeRig::EvaluateAnew(id<ANERequest> request, unsigned qos) {
  for (const Output& output : outputs_) {
    ForEachOffset(output.layout, [&](size_t, int64_t offset) {
      std::memcpy(output.region->data() + offset, &kNotANumber, sizeof kNotANumber);
    });
  }
  return Evaluate(request, qos);
}

bool ProbeRig::OutputsAre(const TestProgram& test) const {
  return std::ranges::all_of(outputs_, [&](const Output& output) {
    return AreClose(output.layout, *output.region, test.expected.at(output.name));
  });
}

absl::Status ProbeRig::TryRequest(const TestProgram& test, const RequestVariant& variant) {
  absl::StatusOr<ObjcPtr<id<ANERequest>>> request = NewRequest(variant);
  if (!request.ok()) return request.status();
  if (absl::Status ran = EvaluateAnew(request->get()); !ran.ok()) return ran;
  return OutputsAre(test) ? absl::OkStatus() : absl::DataLossError("wrong results");
}

}  // namespace anex::device::apple
