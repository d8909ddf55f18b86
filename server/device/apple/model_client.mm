// A program as _ANEModel: a folder that _ANEClient is told of. It takes MIL if the options say so;
// without them it looks for another kind of file.
#include <utility>

#import "server/device/apple/client_calls.h"
#import "server/device/apple/guard.h"
#import "server/device/apple/model_ways.h"
#import "server/device/apple/read_geometry.h"

namespace anex::device::apple {
namespace {

constexpr const char* kClass = "_ANEClient";

class FolderModel final : public Model {
 public:
  FolderModel(std::shared_ptr<const Framework> framework, ObjcPtr<id<ANEClient>> client,
              ObjcPtr<id<ANEModel>> model, std::shared_ptr<WorkFolder> folder)
      : framework_(std::move(framework)),
        client_(std::move(client)),
        model_(std::move(model)),
        folder_(std::move(folder)) {}

  bool IsCompiled() override {
    if (!framework_->Has(kClass, "compiledModelExistsFor:")) return false;
    bool exists = false;
    Guard("ask", [&] {
      exists = [client_.get() compiledModelExistsFor:model_.get()];
      return absl::OkStatus();
    }).IgnoreError();
    return exists;
  }

  void Purge() override {
    if (!framework_->Has(kClass, "purgeCompiledModel:")) return;
    Guard("purge", [&] {
      [client_.get() purgeCompiledModel:model_.get()];
      return absl::OkStatus();
    }).IgnoreError();
  }

  absl::Status Compile() override {
    return Call("compile", [&](NSError** error) {
      return [client_.get() compileModel:model_.get() options:options_.get() qos:kQos error:error];
    });
  }

  absl::Status Load() override {
    return Call("load", [&](NSError** error) {
      return [client_.get() loadModel:model_.get() options:options_.get() qos:kQos error:error];
    });
  }

  absl::Status Unload() override {
    return Call("unload", [&](NSError** error) {
      return [client_.get() unloadModel:model_.get() options:options_.get() qos:kQos error:error];
    });
  }

  absl::StatusOr<ModelGeometry> Geometry() override {
    return Guard("read the model's attributes", [&]() -> absl::StatusOr<ModelGeometry> {
      return ReadGeometry([model_.get() modelAttributes]);
    });
  }

  absl::Status Map(id<ANERequest> request) override {
    if (!framework_->Has(kClass, "mapIOSurfacesWithModel:request:cacheInference:error:")) {
      return absl::OkStatus();
    }
    return Call("map surfaces", [&](NSError** error) {
      return [client_.get() mapIOSurfacesWithModel:model_.get()
                                           request:request
                                    cacheInference:YES
                                             error:error];
    });
  }

  void Unmap(id<ANERequest> request) override {
    if (!framework_->Has(kClass, "unmapIOSurfacesWithModel:request:")) return;
    Guard("unmap surfaces", [&] {
      [client_.get() unmapIOSurfacesWithModel:model_.get() request:request];
      return absl::OkStatus();
    }).IgnoreError();
  }

  bool Has(EvaluateWay way) override { return HasClientWay(*framework_, way); }

  absl::Status Evaluate(EvaluateWay way, id<ANERequest> request) override {
    return Guard("evaluate", [&] {
      return EvaluateByClient({client_.get(), model_.get(), options_.get()}, way, request);
    });
  }

 private:
  template <typename Body>
  static absl::Status Call(std::string_view what, Body body) {
    return Guard(what, [&] {
      NSError* error = nil;
      return body(&error) ? absl::OkStatus() : StatusOf(what, error);
    });
  }

  static NSDictionary* NewOptions() {
    return [[NSDictionary alloc] initWithObjectsAndKeys:@"kANEFModelMIL", @"kANEFModelType", nil];
  }

  const std::shared_ptr<const Framework> framework_;
  const ObjcPtr<id<ANEClient>> client_;
  const ObjcPtr<id<ANEModel>> model_;
  const std::shared_ptr<WorkFolder> folder_;
  const ObjcPtr<NSDictionary*> options_ = ObjcPtr<NSDictionary*>::Adopt(NewOptions());
};

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> MakeClientModel(std::shared_ptr<const Framework> framework,
                                                       const ModelSource& source,
                                                       WorkFolders& folders) {
  absl::StatusOr<std::shared_ptr<WorkFolder>> folder = folders.Put(source.digest, *source.source);
  if (!folder.ok()) return folder.status();
  return Guard("describe the program", [&]() -> absl::StatusOr<std::unique_ptr<Model>> {
    id<ANEClient> client = [framework->classes().client sharedConnection];
    if (client == nil) return absl::UnavailableError("the framework gave no connection to aned");
    NSURL* url = [NSURL fileURLWithPath:ToNSString((*folder)->path())];
    id<ANEModel> model = [framework->classes().model modelAtURL:url key:@"net"];
    if (model == nil) {
      return absl::InvalidArgumentError("the framework made no model of the program");
    }
    return std::make_unique<FolderModel>(framework, ObjcPtr<id<ANEClient>>::Retain(client),
                                         ObjcPtr<id<ANEModel>>::Retain(model), *std::move(folder));
  });
}

absl::StatusOr<std::unique_ptr<Model>> MakeModel(LoadWay way,
                                                 std::shared_ptr<const Framework> framework,
                                                 const ModelSource& source, WorkFolders& folders) {
  return way == LoadWay::kInMemory ? MakeInMemoryModel(std::move(framework), source, folders)
                                   : MakeClientModel(std::move(framework), source, folders);
}

}  // namespace anex::device::apple
