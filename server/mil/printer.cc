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
  ProgramSource Print(const Program& program) {
    text_ = "program(1.3)\n{\n";
    for (const Function& function : program.functions) PrintFunction(function);
    text_ += "}\n";
    ProgramSource source{.name = program.name, .text = std::move(text_)};
    if (!offsets_.empty()) {
      source.weights[std::string(kWeightFile)] = std::make_shared<const std::string>(file_.Take());
    }
    return source;
  }

 private:
  void PrintFunction(const Function& function) {
    ChooseNames(function);
    absl::StrAppend(&text_, "    func ", function.name, "<", function.opset, ">(");
    for (size_t i = 0; i < function.inputs.size(); ++i) {
      absl::StrAppend(&text_, i ? ", " : "", Declared(function, function.inputs[i]));
    }
    text_ += ") {\n";
    std::unordered_set<ValueId> worked_out;  // by operations that are printed
    for (const FoldedOperation& folded : function.folded) {
      worked_out.insert(folded.operation.results.begin(), folded.operation.results.end());
    }
    for (ValueId id = 0; id < function.values.size(); ++id) {
      if (function.value(id).constant == nullptr || names_[id].empty()) continue;
      if (worked_out.contains(id)) continue;
      absl::StrAppend(&text_, "        ", Declared(function, id),
                      " = const()[val = ", ConstantText(*function.value(id).constant), "];\n");
    }
    for (const Operation* operation : function.Written()) PrintOperation(function, *operation);
    text_ += "    } -> (";
    for (size_t i = 0; i < function.outputs.size(); ++i) {
      absl::StrAppend(&text_, i ? ", " : "", names_[function.outputs[i]]);
    }
    text_ += ");\n";
  }

  void PrintOperation(const Function& function, const Operation& operation) {
    text_ += "        ";
    for (size_t i = 0; i < operation.results.size(); ++i) {
      absl::StrAppend(&text_, i ? ", " : "", Declared(function, operation.results[i]));
    }
    absl::StrAppend(&text_, operation.results.empty() ? "" : " = ", operation.op, "(");
    for (size_t i = 0; i < operation.arguments.size(); ++i) {
      const Argument& argument = operation.arguments[i];
      absl::StrAppend(&text_, i ? ", " : "", argument.name, " = ");
      const bool list = argument.values.size() > 1;
      text_ += list ? "(" : "";
      for (size_t v = 0; v < argument.values.size(); ++v) {
        absl::StrAppend(&text_, v ? ", " : "", ValueText(function, argument.values[v]));
      }
      text_ += list ? ")" : "";
    }
    text_ += ");\n";
  }

  // The names as written, except where a second constant has the name of another value.
  void ChooseNames(const Function& function) {
    std::unordered_set<std::string> taken;
    for (const Value& value : function.values) taken.insert(value.name);
    std::unordered_set<std::string> used;
    names_.assign(function.values.size(), "");
    for (ValueId id = 0; id < function.values.size(); ++id) {
      std::string name = function.value(id).name;
      if (name.empty()) continue;
      while (!used.insert(name).second) {
        std::string fresh = absl::StrCat(function.value(id).name, "_", ++renamed_);
        if (taken.insert(fresh).second) name = std::move(fresh);
      }
      names_[id] = std::move(name);
    }
  }

  std::string Declared(const Function& function, ValueId id) const {
    const Value& value = function.value(id);
    const bool packed = value.constant != nullptr && IsPacked(*value.constant);
    return absl::StrCat(packed ? PackedType(*value.constant) : value.type.ToString(), " ",
                        names_[id]);
  }

  std::string ValueText(const Function& function, ValueId id) {
    return names_[id].empty() ? ConstantText(*function.value(id).constant) : names_[id];
  }

  std::string ConstantText(const Constant& constant) {
    const Type& type = constant.type();
    if (type.kind == TypeKind::kString) return absl::StrCat("string(", Quote(constant.text()), ")");
    const Shape& shape = type.tensor.shape;
    const std::string head = IsPacked(constant) ? PackedType(constant) : type.ToString();
    if (shape.ElementCount() <= kMaxPrintedElements || !FitsWeightFile(type.tensor.dtype)) {
      return absl::StrCat(head, "(", Nested(shape, ElementTexts(constant)), ")");
    }
    const auto [place, fresh] = offsets_.try_emplace(&constant, 0);
    if (fresh) {
      place->second = AddToFile(constant);
    }
    return absl::StrCat(head, "(BLOBFILE(path = string(\"@model_path/", std::string(kWeightFile),
                        "\"), offset = uint64(", place->second, ")))");
  }

  uint64_t AddToFile(const Constant& constant) {
    const ScalarType& scalar = *FindScalarType(constant.type().tensor.dtype, constant.bits());
    if (!IsPacked(constant)) return file_.Add(scalar, constant.bytes());
    return file_.Add(scalar, Pack(constant.bytes(), scalar));
  }

  std::string text_;
  std::vector<std::string> names_;  // of the function at hand, by ValueId; "" is printed inline
  BlobFileWriter file_;
  std::unordered_map<const Constant*, uint64_t> offsets_;
  uint64_t renamed_ = 0;
};

}  // namespace

ProgramSource Print(const Program& program) { return ProgramPrinter().Print(program); }

}  // namespace anex::mil
