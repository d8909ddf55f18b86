// Types as written -> types of a program. One thread, one run.
#ifndef ANEX_SERVER_MIL_TYPE_READER_H_
#define ANEX_SERVER_MIL_TYPE_READER_H_

#include <optional>
#include <string>

#include "absl/container/inlined_vector.h"
#include "server/mil/diagnostic.h"
#include "server/mil/recent.h"
#include "server/mil/scalar_type.h"
#include "server/mil/syntax.h"
#include "server/mil/types.h"

namespace anex::mil {

// A type that a value can have, its dimensions perhaps unknown ("?").
struct DeclaredType {
  TypeKind kind = TypeKind::kTensor;
  ScalarType scalar;
  absl::InlinedVector<int64_t, 5> dims;  // kUnknownDim for "?"

  bool IsFixed() const;      // no unknown dimension
  bool IsEmptyList() const;  // [0]: no axes, the shape of a scalar; only a constant can be one
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
  // The same for a constant, which may be an empty list: axes, or the shape of a scalar.
  std::optional<DeclaredType> ReadOfConstant(const TypeSyntax& type);

 private:
  std::optional<DeclaredType> ReadAnew(const TypeSyntax& type);
  bool CheckDims(const TypeSyntax& type, const DeclaredType& declared);

  const SourceText& source_;
  DiagnosticSink& sink_;
  Recent<DeclaredType> recent_;
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_TYPE_READER_H_
