// A program as _ANEInMemoryModel. The framework keeps its files at
// NSTemporaryDirectory()/<its identifier>, and wants them there when it compiles.
#include <utility>

#include "absl/strings/str_cat.h"
#import "server/device/apple/client_calls.h"
#import "server/device/apple/guard.h"
#import "server/device/apple/model.h"
#import "server/device/apple/model_ways.h"
#import "server/device/apple/read_geometry.h"

namespace anex::device::apple {
namespace {

constexpr const char* kClass = "_ANEInMemoryModel";

NSDictionary* WeightsOf(const ProgramSource& source) {
  NSMutableDictionary* weights = [NSMutableDictionary dictionary];
  for (const auto& [path, bytes] : source.weights) {
    // A view: the source outlives the model.
    NSData* data = [NSData dataWithBytesNoCopy:const_cast<char*>(bytes->data())
                                        length:bytes->size()
                                  freeWhenDone:NO];
    [weights setObject:@{
      @"offset" : @0,
      @"data" : data
    }
                forKey:ToNSString(absl::StrCat("@model_path/", path))];
  }
  return weights;
}

class InMemoryModel final : public Model {
 public:
  InMemoryModel(std::shared_ptr<const Framework> framework,
                std::shared_ptr<const ProgramSource> source, ObjcPtr<id<ANEInMemoryModel>> model,
                std::shared_ptr<WorkFolder> folder)
      : framework_(std::move(framework)),
        source_(std::move(source)),
        model_(std::move(model)),
        folder_(std::move(folder)) {}

  bool IsCompiled() override {
    if (!framework_->Has(kClass, "compiledModelExists")) return false;
    return Said([&] { return [model_.get() compiledModelExists]; });
  }

  void Purge() override {
    if (!framework_->Has(kClass, "purgeCompiledModel")) return;
    Said([&] {
      [model_.get() purgeCompiledModel];
      return YES;
    });
  }

  absl::Status Compile() override {
    return Call("compile", [&](NSError** error) {
      return [model_.get() compileWithQoS:kQos options:@{} error:error];
    });
  }

  absl::Status Load() override {
    absl::Status loaded = Call("load", [&](NSError** error) {
      if (framework_->Has(kClass, "setModelURL:")) {
        [model_.get() setModelURL:[NSURL fileURLWithPath:ToNSString(folder_->path())]];
      }
      return [model_.get() loadWithQoS:kQos options:@{} error:error];
    });
    if (loaded.ok()) FindClientModel();
    return loaded;
  }

  absl::Status Unload() override {
    known_ = {};
    program_ = nil;
    return Call("unload",
                [&](NSError** error) { return [model_.get() unloadWithQoS:kQos error:error]; });
  }

  absl::StatusOr<ModelGeometry> Geometry() override {
    return Guard("read the model's attributes", [&]() -> absl::StatusOr<ModelGeometry> {
      return ReadGeometry([model_.get() modelAttributes]);
    });
  }

  absl::Status Map(id<ANERequest> request) override {
    if (!framework_->Has(kClass, "mapIOSurfacesWithRequest:cacheInference:error:")) {
      return absl::OkStatus();
    }
    return Call("map surfaces", [&](NSError** error) {
      return [model_.get() mapIOSurfacesWithRequest:request cacheInference:YES error:error];
    });
  }

  void Unmap(id<ANERequest> request) override {
    if (!framework_->Has(kClass, "unmapIOSurfacesWithRequest:")) return;
    Said([&] {
      [model_.get() unmapIOSurfacesWithRequest:request];
      return YES;
    });
  }

  bool Has(EvaluateWay way) override {
    if (way == EvaluateWay::kModel) return true;
    if (known_.model == nil) return false;
    if (way == EvaluateWay::kProcess) return program_ != nil;
    return HasClientWay(*framework_, way);
  }

  absl::Status Evaluate(EvaluateWay way, id<ANERequest> request) override {
    return Guard("evaluate", [&] {
      if (way == EvaluateWay::kProcess) return Process(request);
      if (way != EvaluateWay::kModel) return EvaluateByClient(known_, way, request);
      NSError* error = nil;
      const BOOL done = [model_.get() evaluateWithQoS:kQos
                                              options:no_options_.get()
                                              request:request
                                                error:&error];
      return done ? absl::OkStatus() : StatusOf("evaluate", error);
    });
  }

 private:
  // What a call that cannot fail says; NO if it raised.
  template <typename Body>
  static bool Said(Body body) {
    bool said = false;
    Guard("ask", [&] {
      said = body();
      return absl::OkStatus();
    }).IgnoreError();
    return said;
  }

  template <typename Body>
  static absl::Status Call(std::string_view what, Body body) {
    return Guard(what, [&] {
      NSError* error = nil;
      return body(&error) ? absl::OkStatus() : StatusOf(what, error);
    });
  }

  // What the other ways of evaluating need; they are left out where the system does not say.
  void FindClientModel() {
    Guard("find the client's model", [&] {
      if (!framework_->Has(kClass, "model") || !framework_->Has(kClass, "sharedConnection")) {
        return absl::OkStatus();
      }
      id<ANEModel> model = [model_.get() model];
      id<ANEClient> client = [model_.get() sharedConnection];
      if (model == nil || client == nil) return absl::OkStatus();
      client_model_ = ObjcPtr<id<ANEModel>>::Retain(model);
      client_ = ObjcPtr<id<ANEClient>>::Retain(client);
      known_ = {client, model, no_options_.get()};
      if (framework_->Has(kClass, "program") &&
          framework_->Has("_ANEProgramForEvaluation",
                          "processRequest:model:qos:qIndex:modelStringID:options:returnValue:"
                          "error:")) {
        program_ = [model_.get() program];
      }
      return absl::OkStatus();
    }).IgnoreError();
  }

  absl::Status Process(id<ANERequest> request) {
    NSError* error = nil;
    unsigned int returned = 0;
    const BOOL done = [program_ processRequest:request
                                         model:known_.model
                                           qos:kQos
                                        qIndex:0
                                 modelStringID:0
                                       options:no_options_.get()
                                   returnValue:&returned
                                         error:&error];
    return done ? absl::OkStatus() : StatusOf("evaluate", error);
  }

  const std::shared_ptr<const Framework> framework_;
  const std::shared_ptr<const ProgramSource> source_;  // its weights are viewed by the descriptor
  const ObjcPtr<id<ANEInMemoryModel>> model_;
  const std::shared_ptr<WorkFolder> folder_;
  const ObjcPtr<NSDictionary*> no_options_ = ObjcPtr<NSDictionary*>::Adopt([NSDictionary new]);
  ObjcPtr<id<ANEModel>> client_model_;
  ObjcPtr<id<ANEClient>> client_;
  ClientModel known_{};           // while loaded
  id<ANEProgram> program_ = nil;  // while loaded; of model_
};

}  // namespace

absl::StatusOr<ObjcPtr<id<ANEInMemoryModel>>> NewInMemoryModel(const Framework& framework,
                                                               const ProgramSource& source) {
  NSData* text = [NSData dataWithBytes:source.text.data() length:source.text.size()];
  id<ANEDescriptor> descriptor = [framework.classes().descriptor modelWithMILText:text
                                                                          weights:WeightsOf(source)
                                                                     optionsPlist:nil];
  if (descriptor == nil) {
    return absl::InvalidArgumentError("the framework made no descriptor of the program");
  }
  id<ANEInMemoryModel> model =
      [framework.classes().in_memory_model inMemoryModelWithDescriptor:descriptor];
  if (model == nil) {
    return absl::InvalidArgumentError("the framework made no model of the program");
  }
  return ObjcPtr<id<ANEInMemoryModel>>::Retain(model);
}

absl::StatusOr<std::unique_ptr<Model>> MakeInMemoryModel(std::shared_ptr<const Framework> framework,
                                                         const ModelSource& source,
                                                         WorkFolders& folders) {
  return Guard("describe the program", [&]() -> absl::StatusOr<std::unique_ptr<Model>> {
    absl::StatusOr<ObjcPtr<id<ANEInMemoryModel>>> model =
        NewInMemoryModel(*framework, *source.source);
    if (!model.ok()) return model.status();
    absl::StatusOr<std::shared_ptr<WorkFolder>> folder =
        folders.Put(ToString([model->get() hexStringIdentifier]), *source.source);
    if (!folder.ok()) return folder.status();
    return std::make_unique<InMemoryModel>(std::move(framework), source.source, *std::move(model),
                                           *std::move(folder));
  });
}

}  // namespace anex::device::apple
