#include "server/mil/canonical.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/mil/comment_keeper.h"
#include "server/mil/diagnostic.h"
#include "server/mil/duplicates.h"
#include "server/mil/op_catalog.h"
#include "server/mil/parser.h"
#include "server/mil/value_writer.h"

namespace anex::mil {
namespace {

constexpr std::string_view kIndent = "    ";
constexpr std::string_view kStatementIndent = "        ";

struct Style {
  Dialect dialect = Dialect::kCompact;
  bool key = false;  // without what has no meaning
};

// An argument or attribute on its way to its place.
struct Item {
  const ArgumentSyntax* syntax;
  size_t order;  // in the signature; equal for all that it does not have
};

class CanonicalWriter {
 public:
  CanonicalWriter(const SourceText& source, const ProgramSyntax& program,
                  std::span<const Span> comments, const Style& style)
      : source_(source),
        program_(program),
        style_(style),
        values_(source, program, style.dialect),
        comments_(source, style.key ? std::span<const Span>() : comments) {}

  std::string Write() {
    comments_.WriteBefore(program_.header.offset, "", out_);
    out_ += style_.dialect == Dialect::kCompact ? "program(1.3)\n" : "program(1.0)\n";
    WriteProgramAttributes();
    out_ += "{\n";
    for (const FunctionSyntax& function : program_.functions) WriteFunction(function);
    const Span block = program_.functions_block;
    comments_.WriteBefore(block.offset + block.length, kIndent, out_);
    out_ += "}\n";
    comments_.WriteBefore(UINT32_MAX, "", out_);
    return std::move(out_);
  }

 private:
  std::string_view Text(Span span) const { return source_.Text(span); }

  void WriteProgramAttributes() {
    std::vector<Item> items;
    for (const ArgumentSyntax& attribute : program_.attributes) {
      if (style_.key && Text(attribute.name) == "buildInfo") continue;
      items.push_back({&attribute, 0});
    }
    if (items.empty()) return;
    WriteItems(items, '[', ']');
    out_.push_back('\n');
  }

  void WriteFunction(const FunctionSyntax& function) {
    comments_.WriteBefore(function.block.offset, kIndent, out_);
    absl::StrAppend(&out_, std::string(kIndent), "func ", std::string(Text(function.name)), "<",
                    std::string(Text(function.opset)), ">(");
    WriteNamed(function.parameters);
    out_.push_back(')');
    if (!function.attributes.empty()) {
      std::vector<Item> items;
      for (const ArgumentSyntax& attribute : function.attributes) items.push_back({&attribute, 0});
      out_.push_back(' ');
      WriteItems(items, '[', ']');
    }
    out_ += " {\n";
    for (const OperationSyntax& operation : function.operations) {
      WriteOperation(operation, Text(function.opset));
    }
    const uint32_t end = function.span.offset + function.span.length;
    comments_.WriteBefore(end, kStatementIndent, out_);
    absl::StrAppend(&out_, std::string(kIndent), "} -> (");
    for (size_t i = 0; i < function.outputs.size(); ++i) {
      if (i > 0) out_ += ", ";
      out_ += Text(function.outputs[i]);
    }
    out_ += ");";
    comments_.WriteTrailing(end, out_);
    out_.push_back('\n');
  }

  void WriteOperation(const OperationSyntax& operation, std::string_view opset) {
    const uint32_t end = operation.span.offset + operation.span.length;
    comments_.WriteBefore(end, kStatementIndent, out_);
    out_ += kStatementIndent;
    WriteNamed(operation.outputs);
    if (!operation.outputs.empty()) out_ += " = ";
    out_ += Text(operation.op);
    Items items = Sort(operation, opset);
    WriteItems(items.arguments, '(', ')');
    if (!items.attributes.empty()) WriteItems(items.attributes, '[', ']');
    out_.push_back(';');
    comments_.WriteTrailing(end, out_);
    out_.push_back('\n');
  }

  void WriteNamed(Nodes<NamedType> named) {
    for (size_t i = 0; i < named.size(); ++i) {
      if (i > 0) out_ += ", ";
      values_.AppendType(named[i].type, out_);
      out_.push_back(' ');
      out_ += Text(named[i].name);
    }
  }

  struct Items {
    std::vector<Item> arguments, attributes;
  };

  Items Sort(const OperationSyntax& operation, std::string_view opset) const {
    const std::string_view op = Text(operation.op);
    const OpSignature* signature = FindOp(op);
    const bool in_brackets =
        op == "const" || (op.starts_with("constexpr_") && opset < std::string_view("ios18"));
    Items items;
    for (const ArgumentSyntax& argument : operation.arguments) {
      auto& into = in_brackets && !IsList(argument) ? items.attributes : items.arguments;
      into.push_back({&argument, OrderOf(signature, argument)});
    }
    const ArgumentSyntax* label = nullptr;
    for (const ArgumentSyntax& attribute : operation.attributes) {
      if (IsLabel(signature, attribute)) {
        label = &attribute;
        continue;
      }
      // An untyped (a, b) would be a list of two values in the parentheses.
      const bool stays = in_brackets || signature == nullptr || IsTuple(attribute.values[0]);
      (stays ? items.attributes : items.arguments)
          .push_back({&attribute, OrderOf(signature, attribute)});
    }
    Arrange(items.arguments);
    Arrange(items.attributes);
    if (label != nullptr && KeepsLabel(operation, *label)) items.attributes.push_back({label, 0});
    return items;
  }

  void Arrange(std::vector<Item>& items) const {
    std::ranges::stable_sort(items, [this](const Item& a, const Item& b) {
      if (a.order != b.order) return a.order < b.order;
      return Text(a.syntax->name) < Text(b.syntax->name);
    });
  }

  size_t OrderOf(const OpSignature* signature, const ArgumentSyntax& argument) const {
    const Parameter* parameter =
        signature == nullptr ? nullptr : signature->Find(Text(argument.name));
    return parameter == nullptr ? SIZE_MAX
                                : static_cast<size_t>(parameter - signature->parameters.data());
  }

  bool IsLabel(const OpSignature* signature, const ArgumentSyntax& attribute) const {
    return Text(attribute.name) == "name" &&
           (signature == nullptr || signature->Find("name") == nullptr);
  }

  bool IsTuple(const ArgumentValue& value) const {
    return !value.reference() && !value.value->typed &&
           program_.literals[value.value->literal].kind == Literal::Kind::kTuple;
  }

  // Whether it must be written in parentheses: (a) is a, but ((1, 2)) is one value and not two.
  bool IsList(const ArgumentSyntax& argument) const {
    return argument.variadic && (argument.values.size() != 1 || IsTuple(argument.values[0]));
  }

  bool KeepsLabel(const OperationSyntax& operation, const ArgumentSyntax& label) const {
    if (style_.key) return false;
    const std::optional<std::string> text = values_.StringOf(label.values[0]);
    return operation.outputs.empty() || !text.has_value() ||
           *text != Text(operation.outputs[0].name);
  }

  void WriteItems(std::span<const Item> items, char open, char close) {
    out_.push_back(open);
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_ += ", ";
      out_ += Text(items[i].syntax->name);
      out_ += " = ";
      WriteArgument(*items[i].syntax);
    }
    out_.push_back(close);
  }

  void WriteArgument(const ArgumentSyntax& argument) {
    const bool list = IsList(argument);
    if (list) out_.push_back('(');
    for (size_t i = 0; i < argument.values.size(); ++i) {
      if (i > 0) out_ += ", ";
      const ArgumentValue& value = argument.values[i];
      if (value.reference()) {
        out_ += Text(value.span);
      } else {
        values_.AppendValue(*value.value, out_);
      }
    }
    if (list) out_.push_back(')');
  }

  const SourceText& source_;
  const ProgramSyntax& program_;
  const Style style_;
  const ValueWriter values_;
  CommentKeeper comments_;
  std::string out_;
};

Formatted Canonical(std::string_view text, std::string_view name, const Style& style,
                    const FrontEndLimits& limits) {
  Formatted formatted;
  const SourceText source(name, text);
  DiagnosticSink sink(source, limits.errors);
  std::vector<Span> comments;
  const ProgramSyntax program =
      Parser(source, limits, sink, style.key ? nullptr : &comments).Parse();
  CheckDuplicates(source, program, sink);
  if (!sink.has_errors()) {
    formatted.text = CanonicalWriter(source, program, comments, style).Write();
  }
  formatted.diagnostics = sink.Take();
  return formatted;
}

}  // namespace

Formatted Format(std::string_view text, std::string_view name, Dialect dialect,
                 const FrontEndLimits& limits) {
  if (std::optional<Diagnostic> refused = TextOverLimit(text, name, limits)) {
    return {.diagnostics = {*std::move(refused)}};
  }
  return Canonical(text, name, {.dialect = dialect}, limits);
}

std::optional<std::string> CanonicalKey(std::string_view text, const FrontEndLimits& limits) {
  if (TextOverLimit(text, "", limits).has_value()) return std::nullopt;
  return Canonical(text, "", {.key = true}, limits).text;
}

}  // namespace anex::mil
