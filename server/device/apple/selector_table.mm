#import <Foundation/Foundation.h>
#import <IOSurface/IOSurface.h>
#import <objc/runtime.h>

#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#import "server/device/apple/guard.h"
#include "server/device/apple/selector_check.h"

namespace anex::device::apple {
namespace {

constexpr bool kOfClass = true, kOfInstance = false;

// A selector with the encodings of what it returns and takes.
struct Wanted {
  SelectorUse use;
  const char* class_name;
  bool of_class;
  const char* selector;
  const char* returns;
  std::initializer_list<const char*> takes;
};

constexpr const char* kId = @encode(id);
constexpr const char* kIdPointer = @encode(id*);
constexpr const char* kBool = @encode(BOOL);
constexpr const char* kUnsigned = @encode(unsigned int);
constexpr const char* kWord = @encode(uint64_t);
constexpr const char* kSignedWord = @encode(int64_t);
constexpr const char* kVoid = @encode(void);
constexpr const char* kBlock = "@?";
constexpr const char* kSurface = @encode(IOSurfaceRef);
constexpr const char* kUnsignedPointer = @encode(unsigned int*);

// The table: what may be called at all. README.md says where each was read.
const Wanted kTable[] = {
    {SelectorUse::kAlways,
     "_ANEIOSurfaceObject",
     kOfClass,
     "objectWithIOSurface:",
     kId,
     {kSurface}},
    {SelectorUse::kAlways,
     "_ANERequest",
     kOfClass,
     "requestWithInputs:inputIndices:outputs:outputIndices:weightsBuffer:perfStats:procedureIndex:",
     kId,
     {kId, kId, kId, kId, kId, kId, kId}},

    {SelectorUse::kInMemory,
     "_ANEInMemoryModelDescriptor",
     kOfClass,
     "modelWithMILText:weights:optionsPlist:",
     kId,
     {kId, kId, kId}},
    {SelectorUse::kInMemory,
     "_ANEInMemoryModel",
     kOfClass,
     "inMemoryModelWithDescriptor:",
     kId,
     {kId}},
    {SelectorUse::kInMemory, "_ANEInMemoryModel", kOfInstance, "hexStringIdentifier", kId, {}},
    {SelectorUse::kInMemory,
     "_ANEInMemoryModel",
     kOfInstance,
     "compileWithQoS:options:error:",
     kBool,
     {kUnsigned, kId, kIdPointer}},
    {SelectorUse::kInMemory,
     "_ANEInMemoryModel",
     kOfInstance,
     "loadWithQoS:options:error:",
     kBool,
     {kUnsigned, kId, kIdPointer}},
    {SelectorUse::kInMemory,
     "_ANEInMemoryModel",
     kOfInstance,
     "unloadWithQoS:error:",
     kBool,
     {kUnsigned, kIdPointer}},
    {SelectorUse::kInMemory,
     "_ANEInMemoryModel",
     kOfInstance,
     "evaluateWithQoS:options:request:error:",
     kBool,
     {kUnsigned, kId, kId, kIdPointer}},
    {SelectorUse::kInMemory, "_ANEInMemoryModel", kOfInstance, "modelAttributes", kId, {}},

    {SelectorUse::kClient, "_ANEClient", kOfClass, "sharedConnection", kId, {}},
    {SelectorUse::kClient, "_ANEModel", kOfClass, "modelAtURL:key:", kId, {kId, kId}},
    {SelectorUse::kClient, "_ANEModel", kOfInstance, "modelAttributes", kId, {}},
    {SelectorUse::kClient,
     "_ANEClient",
     kOfInstance,
     "compileModel:options:qos:error:",
     kBool,
     {kId, kId, kUnsigned, kIdPointer}},
    {SelectorUse::kClient,
     "_ANEClient",
     kOfInstance,
     "loadModel:options:qos:error:",
     kBool,
     {kId, kId, kUnsigned, kIdPointer}},
    {SelectorUse::kClient,
     "_ANEClient",
     kOfInstance,
     "unloadModel:options:qos:error:",
     kBool,
     {kId, kId, kUnsigned, kIdPointer}},
    {SelectorUse::kClient,
     "_ANEClient",
     kOfInstance,
     "evaluateWithModel:options:request:qos:error:",
     kBool,
     {kId, kId, kId, kUnsigned, kIdPointer}},

    {SelectorUse::kOption, "_ANEInMemoryModel", kOfInstance, "localModelPath", kId, {}},
    {SelectorUse::kOption, "_ANEInMemoryModel", kOfInstance, "setModelURL:", kVoid, {kId}},
    {SelectorUse::kOption, "_ANEInMemoryModel", kOfInstance, "compiledModelExists", kBool, {}},
    {SelectorUse::kOption, "_ANEInMemoryModel", kOfInstance, "purgeCompiledModel", kVoid, {}},
    {SelectorUse::kOption,
     "_ANEInMemoryModel",
     kOfInstance,
     "mapIOSurfacesWithRequest:cacheInference:error:",
     kBool,
     {kId, kBool, kIdPointer}},
    {SelectorUse::kOption,
     "_ANEInMemoryModel",
     kOfInstance,
     "unmapIOSurfacesWithRequest:",
     kVoid,
     {kId}},
    {SelectorUse::kOption, "_ANEInMemoryModel", kOfInstance, "model", kId, {}},
    {SelectorUse::kOption, "_ANEInMemoryModel", kOfInstance, "program", kId, {}},
    {SelectorUse::kOption, "_ANEInMemoryModel", kOfInstance, "sharedConnection", kId, {}},
    {SelectorUse::kOption, "_ANEClient", kOfInstance, "compiledModelExistsFor:", kBool, {kId}},
    {SelectorUse::kOption, "_ANEClient", kOfInstance, "purgeCompiledModel:", kVoid, {kId}},
    {SelectorUse::kOption,
     "_ANEClient",
     kOfInstance,
     "mapIOSurfacesWithModel:request:cacheInference:error:",
     kBool,
     {kId, kId, kBool, kIdPointer}},
    {SelectorUse::kOption,
     "_ANEClient",
     kOfInstance,
     "unmapIOSurfacesWithModel:request:",
     kVoid,
     {kId, kId}},
    {SelectorUse::kOption,
     "_ANEClient",
     kOfInstance,
     "doEvaluateDirectWithModel:options:request:qos:error:",
     kBool,
     {kId, kId, kId, kUnsigned, kIdPointer}},
    {SelectorUse::kOption,
     "_ANEClient",
     kOfInstance,
     "evaluateRealTimeWithModel:options:request:error:",
     kBool,
     {kId, kId, kId, kIdPointer}},
    {SelectorUse::kOption,
     "_ANEClient",
     kOfInstance,
     "loadRealTimeModel:options:qos:error:",
     kBool,
     {kId, kId, kUnsigned, kIdPointer}},
    {SelectorUse::kOption,
     "_ANEClient",
     kOfInstance,
     "unloadRealTimeModel:options:qos:error:",
     kBool,
     {kId, kId, kUnsigned, kIdPointer}},
    {SelectorUse::kOption, "_ANEClient", kOfInstance, "beginRealTimeTask", kBool, {}},
    {SelectorUse::kOption, "_ANEClient", kOfInstance, "endRealTimeTask", kBool, {}},
    {SelectorUse::kOption,
     "_ANEClient",
     kOfInstance,
     "prepareChainingWithModel:options:chainingReq:qos:error:",
     kBool,
     {kId, kId, kId, kUnsigned, kIdPointer}},
    {SelectorUse::kOption,
     "_ANEProgramForEvaluation",
     kOfInstance,
     "processRequest:model:qos:qIndex:modelStringID:options:returnValue:error:",
     kBool,
     {kId, kId, kUnsigned, kWord, kWord, kId, kUnsignedPointer, kIdPointer}},
    {SelectorUse::kOption,
     "_ANEInMemoryModel",
     kOfInstance,
     "setPerfStatsMask:",
     kVoid,
     {kUnsigned}},
    {SelectorUse::kOption, "_ANEModel", kOfInstance, "setPerfStatsMask:", kVoid, {kUnsigned}},
    {SelectorUse::kOption, "_ANERequest", kOfInstance, "validate", kBool, {}},
    {SelectorUse::kOption, "_ANERequest", kOfInstance, "setCompletionHandler:", kVoid, {kBlock}},
    {SelectorUse::kOption, "_ANERequest", kOfInstance, "setPerfStats:", kVoid, {kId}},
    {SelectorUse::kOption, "_ANERequest", kOfInstance, "setSharedEvents:", kVoid, {kId}},
    {SelectorUse::kOption, "_ANEDeviceInfo", kOfClass, "hasANE", kBool, {}},
    {SelectorUse::kOption, "_ANEDeviceInfo", kOfClass, "isVirtualMachine", kBool, {}},
    {SelectorUse::kOption, "_ANEDeviceInfo", kOfClass, "numANEs", kUnsigned, {}},
    {SelectorUse::kOption, "_ANEDeviceInfo", kOfClass, "numANECores", kUnsigned, {}},
    {SelectorUse::kOption, "_ANEDeviceInfo", kOfClass, "aneArchitectureType", kId, {}},
    {SelectorUse::kOption, "_ANEDeviceInfo", kOfClass, "buildVersion", kId, {}},
    {SelectorUse::kOption, "_ANEDeviceInfo", kOfClass, "productName", kId, {}},
    {SelectorUse::kOption,
     "_ANEPerformanceStats",
     kOfClass,
     "statsWithHardwareExecutionNS:",
     kId,
     {kWord}},
    {SelectorUse::kOption, "_ANEPerformanceStats", kOfInstance, "hwExecutionTime", kWord, {}},
    {SelectorUse::kOption,
     "_ANEChainingRequest",
     kOfClass,
     "chainingRequestWithInputs:outputSets:lbInputSymbolId:lbOutputSymbolId:procedureIndex:"
     "signalEvents:transactionHandle:fwEnqueueDelay:memoryPoolId:",
     kId,
     {kId, kId, kId, kId, kId, kId, kId, kId, kId}},
    {SelectorUse::kOption, "_ANEChainingRequest", kOfInstance, "validate", kBool, {}},
    {SelectorUse::kOption,
     "_ANEBuffer",
     kOfClass,
     "bufferWithIOSurfaceObject:symbolIndex:source:",
     kId,
     {kId, kId, kSignedWord}},
    {SelectorUse::kOption,
     "_ANEIOSurfaceOutputSets",
     kOfClass,
     "objectWithstatsSurRef:outputBuffer:",
     kId,
     {kSurface, kId}},
    {SelectorUse::kOption, "IOSurfaceSharedEvent", kOfClass, "new", kId, {}},
    {SelectorUse::kOption, "IOSurfaceSharedEvent", kOfInstance, "signaledValue", kWord, {}},
    {SelectorUse::kOption,
     "IOSurfaceSharedEvent",
     kOfInstance,
     "setSignaledValue:",
     kVoid,
     {kWord}},
    {SelectorUse::kOption,
     "_ANESharedSignalEvent",
     kOfClass,
     "signalEventWithValue:symbolIndex:eventType:sharedEvent:",
     kId,
     {kWord, kUnsigned, kSignedWord, kId}},
    {SelectorUse::kOption,
     "_ANESharedWaitEvent",
     kOfClass,
     "waitEventWithValue:sharedEvent:",
     kId,
     {kWord, kId}},
    {SelectorUse::kOption,
     "_ANESharedEvents",
     kOfClass,
     "sharedEventsWithSignalEvents:waitEvents:",
     kId,
     {kId, kId}},
};

const char* SkipNumber(const char* at) {
  while (*at >= '0' && *at <= '9') ++at;
  return at;
}

// Past one bracketed group: "{__IOSurface=ii}".
const char* SkipGroup(const char* at) {
  int depth = 0;
  do {
    if (*at == '{' || *at == '(' || *at == '[') ++depth;
    if (*at == '}' || *at == ')' || *at == ']') --depth;
    ++at;
  } while (depth > 0 && *at != '\0');
  return at;
}

// Reads one type at `at`, which moves past it and the number behind it. What is said of it is one
// letter: qualifiers such as "r" (const) and "V" (oneway) don't matter, and neither does what a
// pointer points to. The letters of BOOL differ between processors.
char ReadType(const char*& at) {
  while (*at != '\0' && std::strchr("rnNoORVA", *at) != nullptr) ++at;
  const char letter = *at;
  while (*at == '^') ++at;
  if (*at == '{' || *at == '(' || *at == '[') {
    at = SkipGroup(at);
  } else if (*at != '\0') {
    ++at;
    if (*at == '?') ++at;  // a block
    if (*at == '"')
      at = std::strchr(at + 1, '"') != nullptr ? std::strchr(at + 1, '"') + 1 : at + 1;
  }
  at = SkipNumber(at);
  return letter == 'c' || letter == 'C' || letter == 'B' ? 'B' : letter;
}

std::string Spell(const char* encoding) { return std::string(1, ReadType(encoding)); }

std::string Spell(const Wanted& wanted) {
  std::string text = Spell(wanted.returns) + " ";
  for (const char* argument : wanted.takes) text += Spell(argument);
  return text;
}

// "" if the class does not answer the selector. (NSMethodSignature would do on a Mac; GNUstep's
// knows no blocks.)
std::string Found(Class cls, const Wanted& wanted) {
  const SEL selector = sel_registerName(wanted.selector);
  const Method method = wanted.of_class ? class_getClassMethod(cls, selector)
                                        : class_getInstanceMethod(cls, selector);
  const char* at = method == nullptr ? nullptr : method_getTypeEncoding(method);
  if (at == nullptr) return "";
  std::string text(1, ReadType(at));
  text += " ";
  for (int argument = 0; *at != '\0'; ++argument) {
    const char type = ReadType(at);
    if (argument >= 2) text += type;  // self and the selector come first
  }
  return text;
}

SelectorCheck Check(const Wanted& wanted) {
  SelectorCheck check{.class_name = wanted.class_name,
                      .selector = wanted.selector,
                      .of_class = wanted.of_class,
                      .use = wanted.use,
                      .expected = Spell(wanted)};
  Class cls = NSClassFromString(ToNSString(wanted.class_name));
  if (cls != Nil) check.found = Found(cls, wanted);
  check.ok = check.found == check.expected;
  return check;
}

}  // namespace

std::vector<SelectorCheck> CheckSelectors() {
  std::vector<SelectorCheck> checks;
  @autoreleasepool {
    for (const Wanted& wanted : kTable) checks.push_back(Check(wanted));
  }
  return checks;
}

}  // namespace anex::device::apple
