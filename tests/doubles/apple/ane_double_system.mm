// What stands behind the classes: the system's compiled programs, errors, faults, evaluation.
#import "tests/doubles/apple/ane_double.h"

#import <objc/runtime.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/doubles/apple/faults.h"

namespace anex::ane_double {
namespace {

constexpr int kPortLimit = 127;

std::mutex& SystemMutex() {
  static std::mutex& mutex = *new std::mutex;
  return mutex;
}
std::map<std::string, std::shared_ptr<DoubleProgram>>& Compiled() {
  static auto& compiled = *new std::map<std::string, std::shared_ptr<DoubleProgram>>;
  return compiled;
}
std::set<std::string>& Folders() {
  static auto& folders = *new std::set<std::string>;
  return folders;
}
int& LoadedNow() {
  static int loaded = 0;
  return loaded;
}

NSArray* LiveList(const std::vector<Tensor>& tensors, bool outputs) {
  NSMutableArray* list = [NSMutableArray array];
  for (const Tensor& tensor : tensors) {
    NSString* name = [NSString stringWithUTF8String:tensor.name.c_str()];
    if (outputs) name = [name stringByAppendingString:@"@output"];
    NSString* type = tensor.dtype == DType::kFp16    ? @"Float16"
                     : tensor.dtype == DType::kFp32  ? @"Float32"
                     : tensor.dtype == DType::kInt8  ? @"Int8"
                     : tensor.dtype == DType::kUint8 ? @"UInt8"
                     : tensor.dtype == DType::kInt16 ? @"Int16"
                     : tensor.dtype == DType::kInt32 ? @"Int32"
                     : tensor.dtype == DType::kBool  ? @"Bool"
                                                     : @"Other";
    [list addObject:@{
      @"Name" : name,
      @"Symbol" : name,
      @"Type" : type,
      @"Batches" : @(tensor.dims[0]),
      @"Channels" : @(tensor.dims[1]),
      @"Depth" : @(tensor.dims[2]),
      @"Height" : @(tensor.dims[3]),
      @"Width" : @(tensor.dims[4]),
      @"BatchStride" : @(tensor.strides[0]),
      @"PlaneStride" : @(tensor.strides[1]),
      @"DepthStride" : @(tensor.strides[2]),
      @"RowStride" : @(tensor.strides[3]),
    }];
  }
  return list;
}

NSArray* Symbols(const std::vector<std::string>& symbols, bool outputs) {
  NSMutableArray* list = [NSMutableArray array];
  for (const std::string& symbol : symbols) {
    NSString* name = [NSString stringWithUTF8String:symbol.c_str()];
    [list addObject:outputs ? [name stringByAppendingString:@"@output"] : name];
  }
  return list;
}

NSArray* Indices(const std::vector<Tensor>& tensors) {
  NSMutableArray* list = [NSMutableArray array];
  for (const Tensor& tensor : tensors) [list addObject:@(tensor.symbol)];
  return list;
}

// The memory of each symbol that the request names.
std::map<uint32_t, Memory> MemoryOf(NSArray* surfaces, NSArray* indices) {
  std::map<uint32_t, Memory> memory;
  for (NSUInteger i = 0; i < surfaces.count && i < indices.count; ++i) {
    IOSurfaceRef surface = ((_ANEIOSurfaceObject*)[surfaces objectAtIndex:i])->surface;
    memory[[[indices objectAtIndex:i] unsignedIntValue]] = {
        static_cast<std::byte*>(IOSurfaceGetBaseAddress(surface)), IOSurfaceGetAllocSize(surface)};
  }
  return memory;
}

uint64_t HardwareNs(const _ANEModel* model) {
  const std::string how = Faults::Instance().Get("stats");
  if (how == "zero" || how == "refused") return 0;
  return how == "masked" && model->statsMask == 0 ? 0 : 12345;
}

void Finish(_ANEModel* model, _ANERequest* request) {
  for (_ANEPerformanceStats* stats in request->stats) stats->ns = HardwareNs(model);
  if (request->handler == nullptr) return;
  // On a thread of the framework's, after the call has returned.
  void (^handler)(BOOL, NSError*) = Block_copy(request->handler);
  std::thread([handler] {
    @autoreleasepool {
      Faults::Instance().Delay("completion_ms");
      handler(YES, nil);
      Block_release(handler);
    }
  }).detach();
}

// The same program with the weights that a request brings, if the engine takes them from there and
// can read them; else `program`.
std::shared_ptr<DoubleProgram> WithBuffer(const std::shared_ptr<DoubleProgram>& program,
                                          const _ANEIOSurfaceObject* buffer) {
  constexpr size_t kHeaders = 128;  // of a file with one weight
  const std::string how = Faults::Instance().Get("buffer");
  if (buffer == nil || how.empty() || program->source().weights.empty()) return program;
  const auto* bytes = static_cast<const char*>(IOSurfaceGetBaseAddress(buffer->surface));
  ProgramSource source = program->source();
  auto& file = source.weights.begin()->second;
  std::string anew = *file;
  const size_t skipped = how == "values" ? kHeaders : 0;
  if (IOSurfaceGetAllocSize(buffer->surface) < anew.size() - skipped) return program;
  anew.replace(skipped, anew.npos, bytes, anew.size() - skipped);
  file = std::make_shared<const std::string>(std::move(anew));
  std::string why;
  std::shared_ptr<DoubleProgram> made = DoubleProgram::Compile(source, why);
  return made == nullptr ? program : made;
}

// The surfaces as an engine sees them that goes by their places: the k-th is its k-th tensor.
std::map<uint32_t, Memory> ByPlace(NSArray* surfaces, const std::vector<Tensor>& tensors) {
  NSMutableArray* indices = [NSMutableArray array];
  for (const Tensor& tensor : tensors) [indices addObject:@(tensor.symbol)];
  return MemoryOf(surfaces, indices);
}

// What the request's events keep from running; and what they say afterwards.
BOOL WaitForEvents(const _ANESharedEvents* events, NSError** error) {
  if (events == nil) return YES;
  const std::string how = Faults::Instance().Get("events");
  if (how.empty() && error != nullptr) *error = MakeError(25, @"Unsupported");
  if (how.empty() || Fails("events", error)) return NO;
  for (_ANESharedWaitEvent* wait in events->waits) {
    if (wait->event->reached >= wait->value) continue;
    if (error != nullptr) *error = MakeError(3, @"Timeout");
    return NO;
  }
  return YES;
}
void SignalEvents(const _ANESharedEvents* events) {
  if (events == nil || Faults::Instance().Get("events") == "silent") return;
  for (_ANESharedSignalEvent* signal in events->signals) signal->event->reached = signal->value;
}

// The service class, and how long it takes.
BOOL TakesManner(const Manner& manner, NSError** error) {
  const Faults& faults = Faults::Instance();
  if (!manner.real_time) faults.Delay("plain_ms");
  if (faults.Number("slow_qos", -1) == manner.qos) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (faults.Number("refuse_qos", -1) != manner.qos) return YES;
  if (error != nullptr) *error = MakeError(26, @"Bad argument");
  return NO;
}

bool HasTooSmall(const Procedure& procedure) {
  const int64_t least = Faults::Instance().Number("least", 0);
  for (const std::vector<Tensor>& tensors : {procedure.inputs, procedure.outputs}) {
    for (const Tensor& tensor : tensors) {
      const int64_t bytes =
          tensor.shape.ElementCount() * static_cast<int64_t>(ElementSize(tensor.dtype));
      if (bytes < least) return true;
    }
  }
  return false;
}

// A selector as it was, to be put back. What a Method is in GCC's runtime, which has no call to
// change its types or name.
struct GnuMethod {
  SEL name;
  const char* types;
  IMP body;
};
std::vector<std::pair<GnuMethod*, GnuMethod>>& Changed() {
  static auto& changed = *new std::vector<std::pair<GnuMethod*, GnuMethod>>;
  return changed;
}

}  // namespace

std::shared_ptr<DoubleProgram> FindCompiled(NSString* key) {
  const std::lock_guard<std::mutex> lock(SystemMutex());
  const auto found = Compiled().find(key.UTF8String);
  return found == Compiled().end() ? nullptr : found->second;
}

void KeepCompiled(NSString* key, std::shared_ptr<DoubleProgram> program) {
  const std::lock_guard<std::mutex> lock(SystemMutex());
  Compiled()[key.UTF8String] = std::move(program);
}

void DropCompiled(NSString* key) {
  const std::lock_guard<std::mutex> lock(SystemMutex());
  Compiled().erase(key.UTF8String);
}

void RememberFolder(NSString* folder) {
  const std::lock_guard<std::mutex> lock(SystemMutex());
  Folders().insert(folder.UTF8String);
}

NSDictionary* AttributesOf(const DoubleProgram& program) {
  NSMutableArray* procedures = [NSMutableArray array];
  NSMutableArray* statuses = [NSMutableArray array];
  NSMutableDictionary* names = [NSMutableDictionary dictionary];
  for (const Procedure& procedure : program.procedures()) {
    NSString* name = [NSString stringWithUTF8String:procedure.name.c_str()];
    NSNumber* number = @(procedures.count);
    [names setObject:number forKey:name];
    [procedures addObject:@{
      @"ANEFModelProcedureID" : number,
      @"ANEFModelInputSymbolIndexArray" : Indices(procedure.inputs),
      @"ANEFModelOutputSymbolIndexArray" : Indices(procedure.outputs),
    }];
    [statuses addObject:@{
      @"Name" : name,
      @"LiveInputList" : LiveList(procedure.inputs, false),
      @"LiveOutputList" : LiveList(procedure.outputs, true),
    }];
  }
  return @{
    @"ANEFModelDescription" : @{
      @"ANEFModelProcedures" : procedures,
      @"kANEFModelProcedureNameToIDMapKey" : names,
      @"kANEFModelInputSymbolsArrayKey" : Symbols(program.input_symbols(), false),
      @"kANEFModelOutputSymbolsArrayKey" : Symbols(program.output_symbols(), true),
    },
    @"NetworkStatusList" : statuses,
  };
}

NSError* MakeError(NSInteger code, NSString* text) {
  return [NSError errorWithDomain:@"com.apple.appleneuralengine"
                             code:code
                         userInfo:@{NSLocalizedDescriptionKey : text}];
}

NSError* MakeCompilerError(NSString* text) {
  return [NSError errorWithDomain:@"com.apple.appleneuralengine.compiler"
                             code:1
                         userInfo:@{NSLocalizedDescriptionKey : text}];
}

BOOL Fails(const char* point, NSError** error) {
  const std::string fault = Faults::Instance().Take(point);
  if (fault == "raise") {
    [NSException raise:NSInvalidArgumentException format:@"the double raised in %s", point];
  }
  if (fault == "no") return YES;
  if (fault == "compiler") {
    if (error != nullptr) *error = MakeCompilerError(@"ANECCompile() FAILED");
    return YES;
  }
  if (fault.compare(0, 6, "error:") == 0) {
    if (error != nullptr) {
      *error = MakeError(std::stol(fault.substr(6)),
                         [NSString stringWithFormat:@"the double failed in %s", point]);
    }
    return YES;
  }
  return NO;
}

BOOL TakePlace(NSError** error) {
  const std::lock_guard<std::mutex> lock(SystemMutex());
  if (LoadedNow() >= Faults::Instance().Number("limit", kPortLimit)) {
    if (error != nullptr) *error = MakeError(6, @"Program load failure");
    return NO;
  }
  ++LoadedNow();
  Counts::Instance().Add(&AneDoubleCounts::loaded_now);
  return YES;
}

void GivePlace() {
  const std::lock_guard<std::mutex> lock(SystemMutex());
  --LoadedNow();
  Counts::Instance().Add(&AneDoubleCounts::loaded_now, -1);
}

BOOL Evaluate(_ANEModel* model, _ANERequest* request, const Manner& manner, NSError** error) {
  Counts::Instance().Add(&AneDoubleCounts::evaluates);
  Faults::Instance().Delay("evaluate_ms");
  if (Counts::Instance().Get().real_time_now > 0) {
    std::this_thread::sleep_for(
        std::chrono::microseconds(Faults::Instance().Number("realtime_us", 0)));
  }
  const std::string fault = Faults::Instance().Get("evaluate");
  const bool lies = fault == "zeros" || fault == "swap" || fault == "lost" || fault == "hang" ||
                    fault == "nothing";
  if (!lies && Fails("evaluate", error)) return NO;
  const std::string lie = lies ? Faults::Instance().Take("evaluate") : "";
  if (lie == "hang") Faults::Instance().Hang();
  if (lie == "lost" || model->program == nullptr) {
    if (error != nullptr) *error = MakeError(23, @"Program not found");
    return NO;
  }
  if (lie == "nothing") return YES;
  if (!TakesManner(manner, error) || !WaitForEvents(request->events, error)) return NO;
  const std::shared_ptr<DoubleProgram> program = WithBuffer(model->program, request->weights);
  uint32_t number = request->procedure.unsignedIntValue;
  if (number < Faults::Instance().Number("procedures", 0)) number = 0;
  const bool by_place = Faults::Instance().Get("binding") == "place";
  std::map<uint32_t, Memory> inputs =
      by_place ? ByPlace(request->inputs, program->procedures()[0].inputs)
               : MemoryOf(request->inputs, request->inputIndices);
  const std::map<uint32_t, Memory> outputs = MemoryOf(request->outputs, request->outputIndices);
  if (lie == "swap" && inputs.size() >= 2) {
    std::swap(inputs.begin()->second, std::next(inputs.begin())->second);
  }
  const int status =
      HasTooSmall(program->procedures()[0]) ? 0x1d : program->Evaluate(number, inputs, outputs);
  if (status != 0) {
    if (error != nullptr) {
      *error = MakeError(8, [NSString stringWithFormat:@"Inference failed: status=0x%x", status]);
    }
    return NO;
  }
  if (lie == "zeros") {
    for (const auto& [symbol, memory] : outputs) memset(memory.data, 0, memory.size);
  }
  SignalEvents(request->events);
  Finish(model, request);
  return YES;
}

}  // namespace anex::ane_double

using anex::ane_double::Counts;
using anex::ane_double::Faults;

extern "C" {

void ane_double_faults(const char* faults) { Faults::Instance().Set(faults); }

void ane_double_change_selector(const char* class_name, const char* selector, bool of_class,
                                const char* types) {
  Class cls = objc_getClass(class_name);
  const SEL name = sel_registerName(selector);
  Method method = of_class ? class_getClassMethod(cls, name) : class_getInstanceMethod(cls, name);
  if (method == nullptr) {
    fprintf(stderr, "ANE double: there is no [%s %s] to change\n", class_name, selector);
    abort();
  }
  auto* found = reinterpret_cast<anex::ane_double::GnuMethod*>(method);
  anex::ane_double::Changed().emplace_back(found, *found);
  if (types != nullptr) found->types = types;
  if (types == nullptr) found->name = sel_registerName("anexTookItAway");
}

void ane_double_reset(void) {
  for (const auto& [method, before] : anex::ane_double::Changed()) *method = before;
  anex::ane_double::Changed().clear();
  Faults::Instance().Set("");
  const std::lock_guard<std::mutex> lock(anex::ane_double::SystemMutex());
  anex::ane_double::Compiled().clear();
  anex::ane_double::Folders().clear();
  Counts::Instance().Reset();
}

void ane_double_release(void) { Faults::Instance().Release(); }

uint64_t ane_double_folders_left(void) {
  const std::lock_guard<std::mutex> lock(anex::ane_double::SystemMutex());
  uint64_t left = 0;
  for (const std::string& folder : anex::ane_double::Folders())
    left += !access(folder.c_str(), F_OK);
  return left;
}

AneDoubleCounts ane_double_counts(void) {
  AneDoubleCounts counts = Counts::Instance().Get();
  const std::lock_guard<std::mutex> lock(anex::ane_double::SystemMutex());
  counts.compiled_now = anex::ane_double::Compiled().size();
  return counts;
}

}  // extern "C"
