#import "server/device/apple/probe_rig.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <utility>

#include "proto/wire/half.h"
#include "server/device/apple/element_walk.h"
#import "server/device/apple/guard.h"
#import "server/device/apple/model_ways.h"
#import "server/device/apple/read_geometry.h"

namespace anex::device::apple {
namespace {

IOSurfaceRef SurfaceOf(const std::shared_ptr<shm::SharedRegion>& region) {
  return static_cast<const shm::IosurfaceRegion&>(*region).surface();
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

}  // namespace

absl::StatusOr<std::unique_ptr<ProbeRig>> ProbeRig::Make(const EngineParts& parts,
                                                         const TestProgram& test) {
  if (!parts.framework->Has(SelectorUse::kInMemory)) {
    return absl::UnimplementedError("the framework has no in-memory models");
  }
  std::unique_ptr<ProbeRig> rig(new ProbeRig(parts));
  rig->source_ = MakeAneSource(*test.program, parts.framework->machine().architecture);
  absl::Status made = Guard("make a model", [&]() -> absl::Status {
    absl::StatusOr<ObjcPtr<id<ANEInMemoryModel>>> model =
        NewInMemoryModel(*parts.framework, *rig->source_.source);
    if (!model.ok()) return model.status();
    rig->model_ = *std::move(model);
    auto folder =
        parts.folders->Put(ToString([rig->model() hexStringIdentifier]), *rig->source_.source);
    if (!folder.ok()) return folder.status();
    rig->folder_ = *std::move(folder);
    NSError* error = nil;
    const BOOL compiled = [rig->model() compileWithQoS:kQos options:@{} error:&error];
    return compiled ? absl::OkStatus() : StatusOf("compile", error);
  });
  if (made.ok()) made = rig->Load();
  if (made.ok()) made = rig->MakeSurfaces(test);
  if (!made.ok()) return made;
  return rig;
}

ProbeRig::~ProbeRig() {
  if (loaded_) Unload().IgnoreError();
}

absl::Status ProbeRig::Load() {
  return Guard("load", [&] {
    NSError* error = nil;
    loaded_ = [model() loadWithQoS:kQos options:@{} error:&error];
    return loaded_ ? absl::OkStatus() : StatusOf("load", error);
  });
}

absl::Status ProbeRig::Unload() {
  loaded_ = false;
  return Guard("unload", [&] {
    NSError* error = nil;
    return [model() unloadWithQoS:kQos error:&error] ? absl::OkStatus() : StatusOf("unload", error);
  });
}

absl::Status ProbeRig::MakeSurfaces(const TestProgram& test) {
  absl::StatusOr<ModelGeometry> geometry = Guard(
      "read the model's attributes",
      [&]() -> absl::StatusOr<ModelGeometry> { return ReadGeometry([model() modelAttributes]); });
  if (!geometry.ok()) return geometry.status();
  live_ = geometry->functions.front();
  const mil::Function& function = test.program->functions.front();
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
  absl::StatusOr<TensorLayout> layout = LayoutIn(function, function.outputs, live_.outputs.front());
  if (!layout.ok()) return layout.status();
  output_layout_ = *layout;
  auto region = NewSurface(*layout);
  if (!region.ok()) return region.status();
  output_ = *std::move(region);
  return absl::OkStatus();
}

absl::StatusOr<ObjcPtr<id<ANERequest>>> ProbeRig::NewRequest(const RequestVariant& variant) {
  using Made = absl::StatusOr<ObjcPtr<id<ANERequest>>>;
  return Guard("make a request", [&]() -> Made {
    const Classes& classes = parts_.framework->classes();
    NSMutableArray *inputs = [NSMutableArray array], *input_symbols = [NSMutableArray array];
    for (size_t i = 0; i < inputs_.size(); ++i) {
      [inputs addObject:[classes.surface objectWithIOSurface:SurfaceOf(inputs_[i])]];
      [input_symbols addObject:@(live_.inputs[i].symbol)];
    }
    id<ANESurfaceObject> weights =
        variant.weights == nullptr ? nil : [classes.surface objectWithIOSurface:variant.weights];
    NSMutableArray *outputs = [NSMutableArray array], *output_symbols = [NSMutableArray array];
    [outputs addObject:[classes.surface objectWithIOSurface:SurfaceOf(output_)]];
    [output_symbols addObject:@(live_.outputs.front().symbol)];
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

absl::StatusOr<double> ProbeRig::MedianUs(id<ANERequest> request, int runs, unsigned qos) {
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) {
    const auto began = std::chrono::steady_clock::now();
    if (absl::Status ran = Evaluate(request, qos); !ran.ok()) return ran;
    times.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - began)
            .count());
  }
  std::ranges::nth_element(times, times.begin() + runs / 2);
  return times[runs / 2];
}

bool ProbeRig::OutputIs(const TestProgram& test) const {
  double largest = 0;
  for (const double value : test.expected) largest = std::max(largest, std::fabs(value));
  bool same = true;
  ForEachOffset(output_layout_, [&](size_t i, int64_t offset) {
    uint16_t half = 0;
    std::memcpy(&half, std::as_const(*output_).data() + offset, sizeof half);
    same = same && std::fabs(HalfToDouble(half) - test.expected[i]) <= kSelfTestTolerance * largest;
  });
  return same;
}

}  // namespace anex::device::apple
