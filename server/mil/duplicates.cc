#include "server/mil/duplicates.h"

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"

namespace anex::mil {
namespace {

// The arguments of one operation, function or program.
class NamesGiven {
 public:
  NamesGiven(const SourceText& source, DiagnosticSink& sink) : source_(source), sink_(sink) {}

  void Add(Nodes<ArgumentSyntax> arguments, std::string_view what) {
    for (const ArgumentSyntax& argument : arguments) Add(argument.name, what);
  }

 private:
  // Nearly all have a handful, which are looked through faster than hashed.
  static constexpr size_t kFew = 16;

  void Add(Span name, std::string_view what) {
    const std::string_view text = source_.Text(name);
    if (text.empty() || sink_.full()) return;
    if (const Span* first = Find(text)) {
      sink_
          .Error(Code::kDuplicateArgument, name,
                 absl::StrCat(std::string(what), " ", Shown(text), " is given twice"))
          .See(*first, "first given here");
      return;
    }
    if (few_.size() < kFew) {
      few_.emplace_back(text, name);
    } else {
      many_.emplace(text, name);
    }
  }

  const Span* Find(std::string_view text) const {
    for (const auto& [name, at] : few_) {
      if (name == text) return &at;
    }
    if (many_.empty()) return nullptr;
    const auto found = many_.find(text);
    return found == many_.end() ? nullptr : &found->second;
  }

  const SourceText& source_;
  DiagnosticSink& sink_;
  absl::InlinedVector<std::pair<std::string_view, Span>, kFew> few_;
  std::unordered_map<std::string_view, Span> many_;
};

}  // namespace

void CheckDuplicates(const SourceText& source, Nodes<ArgumentSyntax> attributes,
                     DiagnosticSink& sink) {
  if (attributes.size() > 1) NamesGiven(source, sink).Add(attributes, "attribute");
}

void CheckDuplicates(const SourceText& source, const OperationSyntax& operation,
                     DiagnosticSink& sink) {
  if (source.Text(operation.op).empty()) return;  // what is left of a broken statement
  NamesGiven names(source, sink);
  names.Add(operation.arguments, "argument");
  names.Add(operation.attributes, "argument");
}

void CheckDuplicates(const SourceText& source, const ProgramSyntax& program, DiagnosticSink& sink) {
  CheckDuplicates(source, program.attributes, sink);
  for (const FunctionSyntax& function : program.functions) {
    CheckDuplicates(source, function.attributes, sink);
    for (const OperationSyntax& operation : function.operations) {
      CheckDuplicates(source, operation, sink);
    }
  }
}

}  // namespace anex::mil
