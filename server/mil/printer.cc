#include "server/mil/printer.h"

#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/mil/blob_file.h"
#include "server/mil/lexer.h"
#include "server/mil/number.h"
#include "server/mil/opset.h"

namespace anex::mil {
namespace {

constexpr std::string_view kWeightFile = "weights/weight.bin";

// Every element, spelled.
std::vector<std::string> ElementTexts(const Constant& constant) {
  const DType dtype = constant.type().tensor.dtype;
  const size_t size = ElementSize(dtype);
  std::vector<std::string> texts(constant.bytes().size() / size);
  for (size_t i = 0; i < texts.size(); ++i) {
    AppendNumber(dtype, &constant.bytes()[i * size], texts[i]);
  }
  return texts;
}

// [[1, 2], [3, 4]]: brackets as the shape has dimensions.
std::string Nested(const Shape& shape, std::vector<std::string> parts) {
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    const size_t size = static_cast<size_t>(shape[axis]);
    std::vector<std::string> joined;
    for (size_t i = 0; i < parts.size(); i += size) {
      const auto first = parts.begin() + static_cast<ptrdiff_t>(i);
      joined.push_back(
          absl::StrCat("[", absl::StrJoin(first, first + static_cast<ptrdiff_t>(size), ", "), "]"));
    }
    parts = std::move(joined);
  }
  return parts.empty() ? "[]" : parts[0];
}

bool FitsWeightFile(DType dtype) {  // the layout has no code for 64-bit elements
  return ElementSize(dtype) < 8;
}

// Weights of less than a byte are bytes in a program, but operations may ask how they were written.
bool IsPacked(const Constant& constant) {
  return constant.type().kind == TypeKind::kTensor && constant.bits() < 8;
}

std::string PackedType(const Constant& constant) {
  const TensorType& type = constant.type().tensor;
  const std::string name(FindScalarType(type.dtype, constant.bits())->name);
  if (type.shape.rank() == 0) return name;
  return absl::StrCat("tensor<", name, ", ", type.shape.ToString(), ">");
}

class ProgramPrinter {
 public:
  explicit ProgramPrinter(const PrintOptions& options) : options_(options) {}

  ProgramSource Print(const Program& program) {
    text_ = Verbose() ? "program(1.0)\n" : "program(1.3)\n";
    PrintBuildInfo();
    text_ += "{\n";
    for (const Function& function : program.functions) PrintFunction(function);
    text_ += "}\n";
    ProgramSource source{.name = program.name, .text = std::move(text_)};
    source.weights = std::move(files_);
    if (!file_.empty()) {
      source.weights[std::string(kWeightFile)] = std::make_shared<const std::string>(file_.Take());
    }
    return source;
  }

 private:
  bool Verbose() const { return options_.dialect == Dialect::kVerbose; }

  void PrintBuildInfo() {
    if (options_.build_info.empty()) return;
    const std::string type(Verbose() ? "tensor<string, []>" : "string");
    absl::StrAppend(&text_, "[buildInfo = dict<", type, ", ", type, ">({");
    bool first = true;
    for (const auto& [key, value] : options_.build_info) {
      absl::StrAppend(&text_, first ? "{" : ", {", Quote(key), ", ", Quote(value), "}");
      first = false;
    }
    text_ += "})]\n";
  }

  void PrintFunction(const Function& function) {
    ChooseNames(function);
    absl::StrAppend(&text_, "    func ", function.name, "<", function.opset, ">(");
    for (size_t i = 0; i < function.inputs.size(); ++i) {
      absl::StrAppend(&text_, i ? ", " : "", Declared(function, function.inputs[i]));
    }
    text_ += ") {\n";
    PrintConstants(function);
    for (const Operation* operation : function.Written()) PrintOperation(function, *operation);
    text_ += "    } -> (";
    for (size_t i = 0; i < function.outputs.size(); ++i) {
      absl::StrAppend(&text_, i ? ", " : "", names_[function.outputs[i]]);
    }
    text_ += ");\n";
  }

  void PrintConstants(const Function& function) {
    std::unordered_set<ValueId> worked_out;  // by operations that are printed
    for (const FoldedOperation& folded : function.folded) {
      worked_out.insert(folded.operation.results.begin(), folded.operation.results.end());
    }
    for (ValueId id = 0; id < function.values.size(); ++id) {
      if (function.value(id).constant == nullptr || names_[id].empty()) continue;
      if (worked_out.contains(id)) continue;
      absl::StrAppend(&text_, "        ", Declared(function, id), " = const()[",
                      options_.spell_out ? Label(names_[id]) + ", " : "",
                      "val = ", ConstantText(*function.value(id).constant), "];\n");
    }
  }

  // name = string("x")
  std::string Label(const std::string& name) const {
    return absl::StrCat("name = ", StringText(name));
  }
  std::string StringText(const std::string& text) const {
    return absl::StrCat(Verbose() ? "tensor<string, []>(" : "string(", Quote(text), ")");
  }

  void PrintOperation(const Function& function, const Operation& operation) {
    text_ += "        ";
    for (size_t i = 0; i < operation.results.size(); ++i) {
      absl::StrAppend(&text_, i ? ", " : "", Declared(function, operation.results[i]));
    }
    absl::StrAppend(&text_, operation.results.empty() ? "" : " = ", operation.op, "(");
    // Apple's compiler wants those of constexpr_* before ios18 behind the parentheses.
    const bool in_brackets = options_.spell_out && operation.op.starts_with("constexpr_") &&
                             OpsetNumber(function.opset).value_or(18) < 18;
    const std::string arguments = ArgumentsText(function, operation, in_brackets);
    absl::StrAppend(&text_, in_brackets ? "" : arguments, ")");
    std::string brackets = in_brackets ? arguments : "";
    if (options_.spell_out) {
      const std::string& name =
          operation.results.empty() ? operation.op : names_[operation.results[0]];
      absl::StrAppend(&brackets, brackets.empty() ? "" : ", ", Label(name));
    }
    absl::StrAppend(&text_, brackets.empty() ? "" : "[", brackets, brackets.empty() ? "" : "]",
                    ";\n");
  }

  // `spelled`: constants themselves, not their names.
  std::string ArgumentsText(const Function& function, const Operation& operation, bool spelled) {
    std::string text;
    for (size_t i = 0; i < operation.arguments.size(); ++i) {
      const Argument& argument = operation.arguments[i];
      absl::StrAppend(&text, i ? ", " : "", argument.name, " = ");
      const bool list = argument.values.size() > 1;
      text += list ? "(" : "";
      for (size_t v = 0; v < argument.values.size(); ++v) {
        const ValueId id = argument.values[v];
        const bool constant = spelled && function.value(id).constant != nullptr;
        absl::StrAppend(
            &text, v ? ", " : "",
            constant ? ConstantText(*function.value(id).constant) : ValueText(function, id));
      }
      text += list ? ")" : "";
    }
    return text;
  }

  // The names as written, except where a second constant has the name of another value. Ports are
  // named first, they keep theirs whatever happens; names that are made up are nobody's.
  void ChooseNames(const Function& function) {
    std::unordered_set<std::string> taken;
    for (const Value& value : function.values) taken.insert(value.name);
    std::unordered_set<std::string> used;
    names_.assign(function.values.size(), "");
    const auto choose = [&](ValueId id) {
      const std::string& written = function.value(id).name;
      if (!names_[id].empty() || (written.empty() && !options_.spell_out)) return;
      std::string name = written.empty() ? absl::StrCat("const_", id) : written;
      bool free = written.empty() ? taken.insert(name).second : used.insert(name).second;
      while (!free) {
        std::string fresh = absl::StrCat(name, "_", ++renamed_);
        free = taken.insert(fresh).second;
        if (free) name = std::move(fresh);
      }
      names_[id] = std::move(name);
    };
    for (const ValueId id : function.inputs) choose(id);
    for (const ValueId id : function.outputs) choose(id);
    for (ValueId id = 0; id < function.values.size(); ++id) choose(id);
  }

  std::string TypeText(const Type& type) const {
    if (!Verbose()) return type.ToString();
    if (type.kind == TypeKind::kString) return "tensor<string, []>";
    const std::string tensor = VerboseText(DTypeName(type.tensor.dtype), type.tensor.shape);
    return type.kind == TypeKind::kState ? absl::StrCat("state<", tensor, ">") : tensor;
  }
  static std::string VerboseText(std::string_view scalar, const Shape& shape) {
    return absl::StrCat("tensor<", std::string(scalar), ", ", shape.ToString(), ">");
  }

  // The type of a constant as it is written.
  std::string ConstantType(const Constant& constant) const {
    if (!IsPacked(constant)) return TypeText(constant.type());
    if (!Verbose()) return PackedType(constant);
    const TensorType& type = constant.type().tensor;
    return VerboseText(FindScalarType(type.dtype, constant.bits())->name, type.shape);
  }

  std::string Declared(const Function& function, ValueId id) const {
    const Value& value = function.value(id);
    return absl::StrCat(
        value.constant != nullptr ? ConstantType(*value.constant) : TypeText(value.type), " ",
        names_[id]);
  }

  std::string ValueText(const Function& function, ValueId id) {
    return names_[id].empty() ? ConstantText(*function.value(id).constant) : names_[id];
  }

  std::string ConstantText(const Constant& constant) {
    const Type& type = constant.type();
    if (type.kind == TypeKind::kString) return StringText(constant.text());
    const Shape& shape = type.tensor.shape;
    const std::string head = ConstantType(constant);
    if (shape.ElementCount() <= kMaxPrintedElements || !FitsWeightFile(type.tensor.dtype)) {
      return absl::StrCat(head, "(", Nested(shape, ElementTexts(constant)), ")");
    }
    const auto [place, fresh] = places_.try_emplace(&constant);
    if (fresh) place->second = AddToFile(constant);
    return absl::StrCat(
        head, "(BLOBFILE(path = ", StringText(absl::StrCat("@model_path/", place->second.file)),
        ", offset = ", Verbose() ? "tensor<uint64, []>(" : "uint64(", place->second.offset, ")))");
  }

  // Where a large constant lies.
  struct Place {
    std::string file;
    uint64_t offset = 0;
  };

  Place AddToFile(const Constant& constant) {
    const ScalarType& scalar = *FindScalarType(constant.type().tensor.dtype, constant.bits());
    Place place{std::string(kWeightFile), IsPacked(constant)
                                              ? file_.Add(scalar, Pack(constant.bytes(), scalar))
                                              : file_.Add(scalar, constant.bytes())};
    if (options_.file_per_weight) {
      place.file = absl::StrCat("weights/", files_.size(), ".bin");
      files_[place.file] = std::make_shared<const std::string>(file_.Take());
    }
    return place;
  }

  const PrintOptions& options_;
  std::string text_;
  std::vector<std::string> names_;  // of the function at hand, by ValueId; "" is printed inline
  BlobFileWriter file_;
  std::map<std::string, std::shared_ptr<const std::string>> files_;
  std::unordered_map<const Constant*, Place> places_;
  uint64_t renamed_ = 0;
};

}  // namespace

ProgramSource Print(const Program& program, const PrintOptions& options) {
  return ProgramPrinter(options).Print(program);
}

}  // namespace anex::mil
