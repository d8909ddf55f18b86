// The tree of one program, as written: nothing is resolved, every node keeps its place in the text.
//
// Names are spans into the source. Literals live in one flat array in preorder (`end` is the index
// past a node's last descendant), because a list of a million numbers must cost no million objects;
// all other nodes live in one arena, which the program holds.
// Values only; built by the parser, read by the resolver.
#ifndef ANEX_SERVER_MIL_SYNTAX_H_
#define ANEX_SERVER_MIL_SYNTAX_H_

#include <cstdint>
#include <vector>

#include "server/mil/arena.h"
#include "server/mil/source_text.h"

namespace anex::mil {

inline constexpr int64_t kUnknownDim = -1;  // "?"

struct TypeSyntax {
  enum class Kind : uint8_t { kScalar, kTensor, kList, kTuple, kDict, kState, kTensorBuffer };
  Kind kind = Kind::kScalar;
  Span span;                   // the whole type
  Span scalar;                 // the element's name, of kScalar, kTensor and kTensorBuffer
  Nodes<int64_t> dims;         // of kTensor: kUnknownDim for "?"
  Nodes<TypeSyntax> children;  // of list, tuple, dict, state
};

struct Literal {
  enum class Kind : uint8_t { kNumber, kString, kWord, kList, kTuple, kDict, kBlob };
  Kind kind = Kind::kNumber;
  Span span;
  uint32_t end = 0;  // index past this node's descendants
  // kDict holds kTuple pairs; kBlob holds the path and the offset.
};

// type(literal), or a literal alone, which some hand-written programs have.
struct ValueSyntax {
  bool typed = true;
  TypeSyntax type;
  Span span;
  uint32_t literal = 0;  // index of the root literal; equal to `literal_end` if "()" was empty
  uint32_t literal_end = 0;
};

struct ArgumentValue {
  Span span;
  // Most arguments are names, and a text may have millions of them: they take no room for a value.
  const ValueSyntax* value = nullptr;  // null: a name
  bool reference() const { return value == nullptr; }
};

// An argument in the parentheses or an attribute in the brackets.
struct ArgumentSyntax {
  Span name;
  bool variadic = false;  // written in parentheses: (a, b)
  Nodes<ArgumentValue> values;
};

struct NamedType {
  TypeSyntax type;
  Span name;
};

struct OperationSyntax {
  Span span;  // the whole statement
  Nodes<NamedType> outputs;
  Span op;  // empty: of a broken statement only the outputs are known
  Nodes<ArgumentSyntax> arguments;
  Nodes<ArgumentSyntax> attributes;
};

struct FunctionSyntax {
  Span span;   // from `func` to the end of the block's outputs
  Span block;  // its braces and what is between them
  Span name, opset;
  Nodes<NamedType> parameters;
  Nodes<ArgumentSyntax> attributes;
  std::vector<OperationSyntax> operations;
  std::vector<Span> outputs;
};

struct ProgramSyntax {
  Span header;           // program(1.3)
  Span functions_block;  // the braces around them
  Nodes<ArgumentSyntax> attributes;
  std::vector<FunctionSyntax> functions;
  std::vector<Literal> literals;
  Arena nodes;  // where all of the above keep theirs
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_SYNTAX_H_
