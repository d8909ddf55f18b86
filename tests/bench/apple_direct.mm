#include "tests/bench/apple_direct.h"

#import <Foundation/Foundation.h>

#include <utility>
#include <vector>

#include "proto/shm/iosurface_region.h"
#include "server/device/apple/ane_source.h"
#import "server/device/apple/framework.h"
#import "server/device/apple/guard.h"
#import "server/device/apple/model.h"
#import "server/device/apple/objc_ptr.h"
#import "server/device/apple/read_geometry.h"
#include "server/device/apple/work_folder.h"

namespace anex::bench {
namespace {

using device::apple::AneSource;
using device::apple::Framework;
using device::apple::Guard;
using device::apple::kQos;
using device::apple::LiveFunction;
using device::apple::LiveTensor;
using device::apple::ObjcPtr;
using device::apple::StatusOf;

using Regions = std::vector<std::shared_ptr<shm::SharedRegion>>;

class Direct final : public DirectModel {
 public:
  ~Direct() override {
    Guard("unload", [&] {
      NSError* error = nil;
      [model_.get() unloadWithQoS:kQos error:&error];
      return absl::OkStatus();
    }).IgnoreError();
  }

  bool Evaluate() override {
    NSError* error = nil;
    return [model_.get() evaluateWithQoS:kQos
                                 options:options_.get()
                                 request:request_.get()
                                   error:&error];
  }

  absl::Status Open(const std::string& framework_path, const mil::Program& program) {
    absl::StatusOr<std::shared_ptr<const Framework>> framework = Framework::Open(framework_path);
    if (!framework.ok()) return framework.status();
    framework_ = *std::move(framework);
    source_ = device::apple::MakeAneSource(program, framework_->machine().architecture);
    return Guard("make a model", [&]() -> absl::Status {
      NSData* text = [NSData dataWithBytes:source_.source->text.data()
                                    length:source_.source->text.size()];
      model_ = ObjcPtr<id<ANEInMemoryModel>>::Retain([framework_->classes().in_memory_model
          inMemoryModelWithDescriptor:[framework_->classes().descriptor modelWithMILText:text
                                                                                 weights:@{}
                                                                            optionsPlist:nil]]);
      auto folders =
          device::apple::WorkFolders::Open(device::apple::ToString(NSTemporaryDirectory()));
      if (!folders.ok()) return folders.status();
      auto folder = (*folders)->Put(device::apple::ToString([model_.get() hexStringIdentifier]),
                                    *source_.source);
      if (!folder.ok()) return folder.status();
      folder_ = *std::move(folder);
      return Load();
    });
  }

 private:
  absl::Status Load() {
    NSError* error = nil;
    if (![model_.get() compileWithQoS:kQos options:@{} error:&error]) {
      return StatusOf("compile", error);
    }
    if (![model_.get() loadWithQoS:kQos options:@{} error:&error]) return StatusOf("load", error);
    auto geometry = device::apple::ReadGeometry([model_.get() modelAttributes]);
    if (!geometry.ok()) return geometry.status();
    return MakeRequest(geometry->functions.front());
  }

  absl::Status MakeRequest(const LiveFunction& live) {
    NSMutableArray *inputs = [NSMutableArray array], *outputs = [NSMutableArray array];
    NSMutableArray *input_symbols = [NSMutableArray array],
                   *output_symbols = [NSMutableArray array];
    absl::Status added = AddSurfaces(live.inputs, inputs, input_symbols);
    if (added.ok()) added = AddSurfaces(live.outputs, outputs, output_symbols);
    if (!added.ok()) return added;
    id<ANERequest> request = [framework_->classes().request requestWithInputs:inputs
                                                                 inputIndices:input_symbols
                                                                      outputs:outputs
                                                                outputIndices:output_symbols
                                                                weightsBuffer:nil
                                                                    perfStats:nil
                                                               procedureIndex:@(live.procedure)];
    request_ = ObjcPtr<id<ANERequest>>::Retain(request);
    NSError* error = nil;
    const BOOL mapped = [model_.get() mapIOSurfacesWithRequest:request
                                                cacheInference:YES
                                                         error:&error];
    return mapped ? absl::OkStatus() : StatusOf("map surfaces", error);
  }

  absl::Status AddSurfaces(const std::vector<LiveTensor>& tensors, NSMutableArray* surfaces,
                           NSMutableArray* symbols) {
    for (const LiveTensor& tensor : tensors) {
      const auto bytes = static_cast<uint64_t>(tensor.strides[0] * tensor.dims[0]);
      auto region = shm::CreateIosurfaceRegion(bytes, "direct");
      if (!region.ok()) return region.status();
      const auto& surface = static_cast<const shm::IosurfaceRegion&>(**region);
      [surfaces addObject:[framework_->classes().surface objectWithIOSurface:surface.surface()]];
      [symbols addObject:@(tensor.symbol)];
      regions_.push_back(*std::move(region));
    }
    return absl::OkStatus();
  }

  std::shared_ptr<const Framework> framework_;
  AneSource source_;
  std::shared_ptr<device::apple::WorkFolder> folder_;
  Regions regions_;
  ObjcPtr<id<ANEInMemoryModel>> model_;
  ObjcPtr<id<ANERequest>> request_;
  const ObjcPtr<NSDictionary*> options_ = ObjcPtr<NSDictionary*>::Adopt([NSDictionary new]);
};

}  // namespace

absl::StatusOr<std::unique_ptr<DirectModel>> DirectModel::Make(const std::string& framework_path,
                                                               const mil::Program& program) {
  auto made = std::make_unique<Direct>();
  if (absl::Status opened = made->Open(framework_path, program); !opened.ok()) return opened;
  return std::unique_ptr<DirectModel>(std::move(made));
}

void DirectModel::Call(void* body, void (*call)(void*)) {
  @autoreleasepool {
    call(body);
  }
}

}  // namespace anex::bench
