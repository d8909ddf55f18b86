// Types as written -> types of a program. One thread, one run.
#ifndef ANEX_SERVER_MIL_TYPE_READER_H_
#define ANEX_SERVER_MIL_TYPE_READER_H_

#include <optional>
#include <string>
#include <vector>

#include "server/mil/diagnostic.h"
#include "server/mil/scalar_type.h"
#include "server/mil/syntax.h"
#include "server/mil/types.h"

namespace anex::mil {

// A type that a value can have, its dimensions perhaps unknown ("?").
struct DeclaredType {
  TypeKind kind = TypeKind::kTensor;
  ScalarType scalar;
  std::vector<int64_t> dims;  // kUnknownDim for "?"

  bool IsFixed() const;      // no unknown dimension
  bool IsEmptyList() const;  // tensor<int32, [0]>: no axes, the shape of a scalar
  // REQUIRES: IsFixed(), and dims have been checked (TypeReader gives no others).
  Type Fixed() const;
  bool Accepts(const Type& type) const;  // unknown dimensions accept any size
  std::string ToString() const;
};

class TypeReader {
 public:
  TypeReader(const SourceText& source, DiagnosticSink& sink) : source_(source), sink_(sink) {}

  // nullopt after a report, by the parser if the type is empty: unknown scalar, a kind that values
  // cannot have, an impossible shape.
  std::optional<DeclaredType> Read(const TypeSyntax& type);
  // The same for what is written down: it may be an empty list.
  std::optional<DeclaredType> ReadOfConstant(const TypeSyntax& type);

 private:
  bool CheckDims(const TypeSyntax& type, const DeclaredType& declared);

  const SourceText& source_;
  DiagnosticSink& sink_;
  bool constant_ = false;  // what is being read
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_TYPE_READER_H_
