#import "server/device/apple/read_geometry.h"

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#import "server/device/apple/guard.h"

namespace anex::device::apple {
namespace {

// What stands under `key`, if it is a `cls`; nil otherwise.
id Find(NSDictionary* dictionary, NSString* key, Class cls) {
  id value = [dictionary objectForKey:key];
  return [value isKindOfClass:cls] ? value : nil;
}
NSDictionary* FindDictionary(NSDictionary* in, NSString* key) {
  return Find(in, key, [NSDictionary class]);
}
NSArray* FindArray(NSDictionary* in, NSString* key) { return Find(in, key, [NSArray class]); }
std::string FindText(NSDictionary* in, NSString* key) {
  return ToString(Find(in, key, [NSString class]));
}
std::optional<int64_t> FindNumber(NSDictionary* in, NSString* key) {
  NSNumber* number = Find(in, key, [NSNumber class]);
  if (number == nil) return std::nullopt;
  return number.longLongValue;
}

absl::Status Lacks(std::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat("the loaded model's attributes have no ",
                                                    std::string(what), " that anexd can read"));
}

// The framework puts this behind the names of outputs.
std::string WithoutSuffix(std::string name) {
  constexpr std::string_view kSuffix = "@output";
  if (absl::EndsWith(name, absl::string_view(kSuffix.data(), kSuffix.size()))) {
    name.resize(name.size() - kSuffix.size());
  }
  return name;
}

// Name -> number of the symbol, among those of one procedure.
using Symbols = std::map<std::string, uint32_t>;

Symbols ReadSymbols(NSDictionary* description, NSDictionary* procedure, NSString* names_key,
                    NSString* indices_key) {
  Symbols symbols;
  NSArray* names = FindArray(description, names_key);
  for (id index in FindArray(procedure, indices_key)) {
    if (![index isKindOfClass:[NSNumber class]]) continue;
    const NSUInteger i = [index unsignedIntegerValue];
    if (i >= names.count || ![[names objectAtIndex:i] isKindOfClass:[NSString class]]) continue;
    symbols[WithoutSuffix(ToString([names objectAtIndex:i]))] = static_cast<uint32_t>(i);
  }
  return symbols;
}

absl::StatusOr<LiveTensor> ReadTensor(NSDictionary* entry, const Symbols& symbols,
                                      size_t position) {
  LiveTensor tensor;
  tensor.name = FindText(entry, @"Symbol");
  if (tensor.name.empty()) tensor.name = FindText(entry, @"Name");
  tensor.name = WithoutSuffix(std::move(tensor.name));
  if (tensor.name.empty()) return Lacks("name of a tensor (Symbol, Name)");
  tensor.type = FindText(entry, @"Type");
  NSString* const dims[kLiveRank] = {@"Batches", @"Channels", @"Depth", @"Height", @"Width"};
  NSString* const strides[kLiveRank - 1] = {@"BatchStride", @"PlaneStride", @"DepthStride",
                                            @"RowStride"};
  for (int axis = 0; axis < kLiveRank; ++axis) {
    tensor.dims[axis] = FindNumber(entry, dims[axis]).value_or(1);
    if (tensor.dims[axis] < 1) return Lacks(absl::StrCat("good dimensions of '", tensor.name, "'"));
  }
  for (int axis = 0; axis < kLiveRank - 1; ++axis) {
    tensor.strides[axis] = FindNumber(entry, strides[axis]).value_or(0);
  }
  const auto symbol = symbols.find(tensor.name);
  if (symbol == symbols.end() && !symbols.empty()) {
    return Lacks(absl::StrCat("symbol of '", tensor.name, "'"));
  }
  tensor.symbol = symbols.empty() ? static_cast<uint32_t>(position) : symbol->second;
  return tensor;
}

absl::StatusOr<std::vector<LiveTensor>> ReadTensors(NSDictionary* status, NSString* key,
                                                    const Symbols& symbols) {
  NSArray* list = FindArray(status, key);
  if (list == nil) return Lacks(ToString(key));
  std::vector<LiveTensor> tensors;
  for (id entry in list) {
    if (![entry isKindOfClass:[NSDictionary class]]) return Lacks(ToString(key));
    absl::StatusOr<LiveTensor> tensor = ReadTensor(entry, symbols, tensors.size());
    if (!tensor.ok()) return tensor.status();
    tensors.push_back(*std::move(tensor));
  }
  return tensors;
}

// The name of procedure `number`, or "".
std::string NameOf(NSDictionary* description, uint32_t number) {
  NSDictionary* names = FindDictionary(description, @"kANEFModelProcedureNameToIDMapKey");
  for (id name in names) {
    id value = [names objectForKey:name];
    if ([name isKindOfClass:[NSString class]] && [value isKindOfClass:[NSNumber class]] &&
        [value unsignedIntValue] == number) {
      return ToString(name);
    }
  }
  return "";
}

absl::StatusOr<LiveFunction> ReadFunction(NSDictionary* description, NSDictionary* procedure,
                                          NSDictionary* status, uint32_t position) {
  LiveFunction function;
  function.procedure =
      static_cast<uint32_t>(FindNumber(procedure, @"ANEFModelProcedureID").value_or(position));
  function.name = NameOf(description, function.procedure);
  if (function.name.empty()) function.name = FindText(status, @"Name");
  const Symbols inputs = ReadSymbols(description, procedure, @"kANEFModelInputSymbolsArrayKey",
                                     @"ANEFModelInputSymbolIndexArray");
  const Symbols outputs = ReadSymbols(description, procedure, @"kANEFModelOutputSymbolsArrayKey",
                                      @"ANEFModelOutputSymbolIndexArray");
  absl::StatusOr<std::vector<LiveTensor>> live = ReadTensors(status, @"LiveInputList", inputs);
  if (!live.ok()) return live.status();
  function.inputs = *std::move(live);
  live = ReadTensors(status, @"LiveOutputList", outputs);
  if (!live.ok()) return live.status();
  function.outputs = *std::move(live);
  return function;
}

}  // namespace

absl::StatusOr<ModelGeometry> ReadGeometry(NSDictionary* attributes) {
  NSArray* statuses = FindArray(attributes, @"NetworkStatusList");
  if (statuses.count == 0) return Lacks("NetworkStatusList");
  NSDictionary* description = FindDictionary(attributes, @"ANEFModelDescription");
  NSArray* procedures = FindArray(description, @"ANEFModelProcedures");
  ModelGeometry geometry;
  for (NSUInteger i = 0; i < statuses.count; ++i) {
    id status = [statuses objectAtIndex:i];
    if (![status isKindOfClass:[NSDictionary class]]) return Lacks("NetworkStatusList");
    NSDictionary* procedure = nil;
    for (id candidate in procedures) {
      if (![candidate isKindOfClass:[NSDictionary class]]) return Lacks("ANEFModelProcedures");
      const auto number = FindNumber(candidate, @"ANEFModelProcedureID");
      if (number.has_value() && *number == static_cast<int64_t>(i)) procedure = candidate;
    }
    absl::StatusOr<LiveFunction> function =
        ReadFunction(description, procedure, status, static_cast<uint32_t>(i));
    if (!function.ok()) return function.status();
    geometry.functions.push_back(*std::move(function));
  }
  return geometry;
}

}  // namespace anex::device::apple
