// What stands behind the classes: the system's compiled programs, errors, faults, evaluation.
#import "tests/doubles/apple/ane_double.h"

#include <map>
#include <mutex>
#include <string>
#include <thread>

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

void Finish(_ANERequest* request) {
  for (_ANEPerformanceStats* stats in request->stats) stats->ns = 12345;
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

BOOL Evaluate(_ANEModel* model, _ANERequest* request, NSError** error) {
  Counts::Instance().Add(&AneDoubleCounts::evaluates);
  Faults::Instance().Delay("evaluate_ms");
  if (Counts::Instance().Get().real_time_now > 0) {
    std::this_thread::sleep_for(
        std::chrono::microseconds(Faults::Instance().Number("realtime_us", 0)));
  }
  const std::string fault = Faults::Instance().Get("evaluate");
  const bool lies = fault == "zeros" || fault == "swap" || fault == "lost" || fault == "hang";
  if (!lies && Fails("evaluate", error)) return NO;
  const std::string lie = lies ? Faults::Instance().Take("evaluate") : "";
  if (lie == "hang") Faults::Instance().Hang();
  if (lie == "lost" || model->program == nullptr) {
    if (error != nullptr) *error = MakeError(23, @"Program not found");
    return NO;
  }
  std::map<uint32_t, Memory> inputs = MemoryOf(request->inputs, request->inputIndices);
  const std::map<uint32_t, Memory> outputs = MemoryOf(request->outputs, request->outputIndices);
  if (lie == "swap" && inputs.size() >= 2) {
    std::swap(inputs.begin()->second, std::next(inputs.begin())->second);
  }
  const int status = model->program->Evaluate(request->procedure.unsignedIntValue, inputs, outputs);
  if (status != 0) {
    if (error != nullptr) {
      *error = MakeError(8, [NSString stringWithFormat:@"Inference failed: status=0x%x", status]);
    }
    return NO;
  }
  if (lie == "zeros") {
    for (const auto& [symbol, memory] : outputs) memset(memory.data, 0, memory.size);
  }
  Finish(request);
  return YES;
}

}  // namespace anex::ane_double

using anex::ane_double::Counts;
using anex::ane_double::Faults;

extern "C" {

void ane_double_faults(const char* faults) { Faults::Instance().Set(faults); }

void ane_double_reset(void) {
  Faults::Instance().Set("");
  const std::lock_guard<std::mutex> lock(anex::ane_double::SystemMutex());
  anex::ane_double::Compiled().clear();
  Counts::Instance().Reset();
}

void ane_double_release(void) { Faults::Instance().Release(); }

AneDoubleCounts ane_double_counts(void) { return Counts::Instance().Get(); }

}  // extern "C"
