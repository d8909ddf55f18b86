// The fake's models and its client.
#import "tests/doubles/apple/ane_double.h"

#include <fstream>
#include <iterator>
#include <string>

#include "tests/doubles/apple/faults.h"

using namespace anex::ane_double;

namespace {

std::string ReadFile(NSString* path) {
  std::ifstream file(path.UTF8String, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// The program whose files lie in `folder`.
anex::ProgramSource SourceIn(NSString* folder) {
  anex::ProgramSource source{.name = "model.mil"};
  source.text = ReadFile([folder stringByAppendingPathComponent:@"model.mil"]);
  NSDirectoryEnumerator* files = [[NSFileManager defaultManager] enumeratorAtPath:folder];
  for (NSString* path in files) {
    if (![path hasSuffix:@".bin"]) continue;
    source.weights[path.UTF8String] =
        std::make_shared<const std::string>(ReadFile([folder stringByAppendingPathComponent:path]));
  }
  return source;
}

bool Refuses(const anex::ProgramSource& source, std::string& why) {
  const std::string text = Faults::Instance().Get("refuse");
  const int64_t most = Faults::Instance().Number("compiles", INT64_MAX);
  why = "refused by order";
  return (!text.empty() && source.text.find(text) != source.text.npos) ||
         static_cast<int64_t>(Counts::Instance().Get().compiles) > most;
}

BOOL CompileFolder(NSString* folder, NSString* key, NSError** error) {
  Counts::Instance().Add(&AneDoubleCounts::compiles);
  RememberFolder(folder);
  Faults::Instance().Delay("compile_ms");
  if (Fails("compile", error)) return NO;
  std::string why;
  std::shared_ptr<DoubleProgram> program =
      Refuses(SourceIn(folder), why) ? nullptr : DoubleProgram::Compile(SourceIn(folder), why);
  if (program == nullptr) {
    // The reason stays with the compiler, as with Apple's; a person who debugs the double wants it.
    if (getenv("ANEX_ANE_DOUBLE_TALK") != nullptr) NSLog(@"ANE double: %s", why.c_str());
    if (error != nullptr) *error = MakeCompilerError(@"ANECCompile() FAILED: InvalidMILProgram");
    return NO;
  }
  KeepCompiled(key, std::move(program));
  return YES;
}

// `folder` holds the program's files.
BOOL LoadCompiled(_ANEModel* model, NSString* key, NSString* folder, NSError** error) {
  if (Fails("load", error)) return NO;
  if (model->statsMask != 0 && Faults::Instance().Get("stats") == "refused") {
    if (error != nullptr) *error = MakeError(6, @"Program load failure");
    return NO;
  }
  std::shared_ptr<DoubleProgram> program = FindCompiled(key);
  if (program == nullptr) {
    if (error != nullptr) *error = MakeError(17, @"Model not found");
    return NO;
  }
  if (model->program != nullptr) return YES;
  if (Faults::Instance().Get("weights") == "reload") {
    std::string why;
    if (auto anew = DoubleProgram::Compile(SourceIn(folder), why)) program = std::move(anew);
  }
  if (!TakePlace(error)) return NO;
  Counts::Instance().Add(&AneDoubleCounts::loads);
  model->attributes = [AttributesOf(*program) retain];
  model->program = std::move(program);
  return YES;
}

void Forget(_ANEModel* model) {
  if (model->program == nullptr) return;
  Counts::Instance().Add(&AneDoubleCounts::unloads);
  model->program = nullptr;
  [model->attributes release];
  model->attributes = nil;
  GivePlace();
}

BOOL UnloadModel(_ANEModel* model, NSError** error) {
  if (Fails("unload", error)) return NO;
  Forget(model);
  return YES;
}

BOOL MapRequest(NSError** error) {
  if (Fails("map", error)) return NO;
  Counts::Instance().Add(&AneDoubleCounts::maps);
  return YES;
}

BOOL IsOff(const char* way, NSError** error) {
  if (Faults::Instance().Get(way) != "off") return NO;
  if (error != nullptr) *error = MakeError(25, @"Unsupported");
  return YES;
}

}  // namespace

@implementation _ANEModel

+ (id<ANEModel>)modelAtURL:(NSURL*)url key:(NSString*)key {
  (void)key;
  if (Faults::Instance().Take("model") == "nil") return nil;
  _ANEModel* made = [[self new] autorelease];
  made->folder = [url.path copy];
  return made;
}

- (id)init {
  if ((self = [super init])) Counts::Instance().Add(&AneDoubleCounts::models_now);
  return self;
}

- (NSDictionary*)modelAttributes {
  return attributes == nil ? @{} : attributes;
}
- (uint64_t)programHandle {
  return program == nullptr ? 0 : reinterpret_cast<uint64_t>(program.get());
}
- (char)queueDepth {
  return 127;
}
- (void)setPerfStatsMask:(unsigned int)mask {
  statsMask = mask;
}

- (void)dealloc {
  Forget(self);
  [folder release];
  Counts::Instance().Add(&AneDoubleCounts::models_now, -1);
  [super dealloc];
}

@end

@implementation _ANEProgramForEvaluation
- (BOOL)processRequest:(id<ANERequest>)request
                 model:(id<ANEModel>)model
                   qos:(unsigned int)qos
                qIndex:(uint64_t)queue
         modelStringID:(uint64_t)model_string
               options:(NSDictionary*)options
           returnValue:(unsigned int*)returned
                 error:(NSError**)error {
  (void)queue, (void)model_string, (void)options;
  if (returned != nullptr) *returned = 0;
  return Evaluate((_ANEModel*)model, (_ANERequest*)request, {.qos = qos}, error);
}
@end

@implementation _ANEClient

+ (id<ANEClient>)sharedConnection {
  static _ANEClient* const shared = [self new];
  return shared;
}

- (BOOL)compileModel:(id<ANEModel>)model
             options:(NSDictionary*)options
                 qos:(unsigned int)qos
               error:(NSError**)error {
  (void)qos;
  if (IsOff("client", error)) return NO;
  // Without it the client looks for another kind of file.
  if (![[options objectForKey:@"kANEFModelType"] isEqual:@"kANEFModelMIL"]) {
    if (error != nullptr) *error = MakeError(16, @"model.espresso.net not found");
    return NO;
  }
  NSString* folder = ((_ANEModel*)model)->folder;
  return CompileFolder(folder, folder, error);
}

- (BOOL)loadModel:(id<ANEModel>)model
          options:(NSDictionary*)options
              qos:(unsigned int)qos
            error:(NSError**)error {
  (void)options, (void)qos;
  if (IsOff("client", error)) return NO;
  NSString* folder = ((_ANEModel*)model)->folder;
  return LoadCompiled((_ANEModel*)model, folder, folder, error);
}

- (BOOL)unloadModel:(id<ANEModel>)model
            options:(NSDictionary*)options
                qos:(unsigned int)qos
              error:(NSError**)error {
  (void)options, (void)qos;
  return UnloadModel((_ANEModel*)model, error);
}

- (BOOL)evaluateWithModel:(id<ANEModel>)model
                  options:(NSDictionary*)options
                  request:(id<ANERequest>)request
                      qos:(unsigned int)qos
                    error:(NSError**)error {
  (void)options;
  return Evaluate((_ANEModel*)model, (_ANERequest*)request, {.qos = qos}, error);
}

- (BOOL)doEvaluateDirectWithModel:(id<ANEModel>)model
                          options:(NSDictionary*)options
                          request:(id<ANERequest>)request
                              qos:(unsigned int)qos
                            error:(NSError**)error {
  (void)options;
  return Evaluate((_ANEModel*)model, (_ANERequest*)request, {.qos = qos}, error);
}

- (BOOL)evaluateRealTimeWithModel:(id<ANEModel>)model
                          options:(NSDictionary*)options
                          request:(id<ANERequest>)request
                            error:(NSError**)error {
  (void)options;
  return Evaluate((_ANEModel*)model, (_ANERequest*)request, {.real_time = true}, error);
}

- (BOOL)mapIOSurfacesWithModel:(id<ANEModel>)model
                       request:(id<ANERequest>)request
                cacheInference:(BOOL)cache
                         error:(NSError**)error {
  (void)model, (void)request, (void)cache;
  return MapRequest(error);
}

- (void)unmapIOSurfacesWithModel:(id<ANEModel>)model request:(id<ANERequest>)request {
  (void)model, (void)request;
  Counts::Instance().Add(&AneDoubleCounts::unmaps);
}

- (BOOL)compiledModelExistsFor:(id<ANEModel>)model {
  return FindCompiled(((_ANEModel*)model)->folder) != nullptr;
}

- (void)purgeCompiledModel:(id<ANEModel>)model {
  Counts::Instance().Add(&AneDoubleCounts::purges);
  DropCompiled(((_ANEModel*)model)->folder);
}

- (BOOL)loadRealTimeModel:(id<ANEModel>)model
                  options:(NSDictionary*)options
                      qos:(unsigned int)qos
                    error:(NSError**)error {
  (void)model, (void)options, (void)qos;
  const std::string how = Faults::Instance().Get("rtload");
  if (how == "yes" || how == "stuck") return YES;
  if (error != nullptr) *error = MakeError(2, @"Not entitled for real time");
  return NO;
}
- (BOOL)unloadRealTimeModel:(id<ANEModel>)model
                    options:(NSDictionary*)options
                        qos:(unsigned int)qos
                      error:(NSError**)error {
  (void)model, (void)options, (void)qos;
  if (Faults::Instance().Get("rtload") == "yes") return YES;
  if (error != nullptr) *error = MakeError(23, @"Program not found");
  return NO;
}

- (BOOL)beginRealTimeTask {
  if (Fails("begin", nullptr) || Faults::Instance().Get("realtime") != "yes") return NO;
  Counts::Instance().Add(&AneDoubleCounts::real_time_tasks);
  Counts::Instance().Add(&AneDoubleCounts::real_time_now);
  return YES;
}
- (BOOL)endRealTimeTask {
  if (Fails("end", nullptr) || Counts::Instance().Get().real_time_now == 0) return NO;
  Counts::Instance().Add(&AneDoubleCounts::real_time_now, -1);
  return YES;
}

- (BOOL)prepareChainingWithModel:(id<ANEModel>)model
                         options:(NSDictionary*)options
                     chainingReq:(id)chaining
                             qos:(unsigned int)qos
                           error:(NSError**)error {
  (void)options, (void)qos;
  // The framework asks each of them for its own.
  if (((_ANEModel*)model)->program == nullptr || ![chaining validate]) {
    if (error != nullptr) *error = MakeError(26, @"Bad argument");
    return NO;
  }
  if (Faults::Instance().Get("chain") == "yes") return YES;
  if (Fails("chain", error)) return NO;
  if (error != nullptr) *error = MakeError(15, @"Chaining prepare failed");
  return NO;
}

@end

@implementation _ANEInMemoryModel

+ (id<ANEInMemoryModel>)inMemoryModelWithDescriptor:(id<ANEDescriptor>)given {
  const std::string fault = Faults::Instance().Take("model");
  if (given == nil || fault == "nil") return nil;
  if (fault == "raise") [NSException raise:NSGenericException format:@"the double raised in model"];
  _ANEInMemoryModel* made = [[self new] autorelease];
  made->descriptor = [(_ANEInMemoryModelDescriptor*)given retain];
  made->model = [_ANEModel new];
  made->program = [_ANEProgramForEvaluation new];
  return made;
}

- (void)dealloc {
  if (loaded) NSLog(@"ANE double: a model goes while it is loaded");
  [program release];
  [model release];
  [descriptor release];
  [super dealloc];
}

- (NSString*)hexStringIdentifier {
  return [descriptor hexStringIdentifier];
}
- (NSString*)localModelPath {
  return [NSTemporaryDirectory() stringByAppendingPathComponent:[self hexStringIdentifier]];
}
- (void)setModelURL:(NSURL*)url {
  [model->folder release];
  model->folder = [url.path copy];
}
- (BOOL)compiledModelExists {
  return FindCompiled([self hexStringIdentifier]) != nullptr;
}
- (void)purgeCompiledModel {
  Counts::Instance().Add(&AneDoubleCounts::purges);
  DropCompiled([self hexStringIdentifier]);
}

- (BOOL)compileWithQoS:(unsigned int)qos options:(NSDictionary*)options error:(NSError**)error {
  (void)qos, (void)options;
  if (IsOff("memory", error)) return NO;
  return CompileFolder([self localModelPath], [self hexStringIdentifier], error);
}

- (BOOL)loadWithQoS:(unsigned int)qos options:(NSDictionary*)options error:(NSError**)error {
  (void)qos, (void)options;
  if (IsOff("memory", error)) return NO;
  loaded = LoadCompiled(model, [self hexStringIdentifier], [self localModelPath], error);
  return loaded;
}

- (BOOL)unloadWithQoS:(unsigned int)qos error:(NSError**)error {
  (void)qos;
  if (!UnloadModel(model, error)) return NO;
  loaded = NO;
  return YES;
}

- (BOOL)evaluateWithQoS:(unsigned int)qos
                options:(NSDictionary*)options
                request:(id<ANERequest>)request
                  error:(NSError**)error {
  (void)options;
  return Evaluate(model, (_ANERequest*)request, {.qos = qos}, error);
}

- (BOOL)mapIOSurfacesWithRequest:(id<ANERequest>)request
                  cacheInference:(BOOL)cache
                           error:(NSError**)error {
  (void)request, (void)cache;
  return MapRequest(error);
}

- (void)unmapIOSurfacesWithRequest:(id<ANERequest>)request {
  (void)request;
  Counts::Instance().Add(&AneDoubleCounts::unmaps);
}

- (void)setPerfStatsMask:(unsigned int)mask {
  [model setPerfStatsMask:mask];
}
- (id<ANEModel>)model {
  return model;
}
- (id<ANEProgram>)program {
  return program;
}
- (id<ANEClient>)sharedConnection {
  return [_ANEClient sharedConnection];
}
- (NSDictionary*)modelAttributes {
  return [model modelAttributes];
}

@end
