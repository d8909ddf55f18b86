// Literals and BLOBFILE references -> constants. Numbers are rounded once to their declared type;
// weight data is not copied unless it must be unpacked or aligned. One thread, one run.
#ifndef ANEX_SERVER_MIL_CONSTANT_READER_H_
#define ANEX_SERVER_MIL_CONSTANT_READER_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/values/hash_map.h"
#include "proto/values/kernel_values.h"
#include "server/mil/diagnostic.h"
#include "server/mil/front_end.h"
#include "server/mil/syntax.h"
#include "server/mil/type_reader.h"
#include "server/mil/value.h"

namespace anex::mil {

// One BLOBFILE of a program.
struct BlobPlace {
  std::string path;  // without "@model_path/"
  uint64_t offset = 0;
};

class ConstantReader {
 public:
  using Weights = std::map<std::string, std::shared_ptr<const std::string>>;

  // All must outlive the reader; constants keep the weight files that they need.
  ConstantReader(const SourceText& source, const ProgramSyntax& syntax, const Weights& weights,
                 MissingWeights missing, const FrontEndLimits& limits, DiagnosticSink& sink);

  // The constant that `value` writes down, as `type`. Null after a report.
  // REQUIRES: type.IsFixed().
  std::shared_ptr<const Constant> Read(const ValueSyntax& value, const DeclaredType& type);
  // The place that a kBlob literal names; nullopt after a report (also for paths that leave the
  // model's folder).
  std::optional<BlobPlace> ReadBlobPlace(const Literal& blob);

  // Of all constants read so far; a record of a weight file counts once.
  uint64_t constant_bytes() const { return constant_bytes_; }

 private:
  std::shared_ptr<const Constant> ReadString(const ValueSyntax& value);
  std::shared_ptr<const Constant> ReadNumbers(const ValueSyntax& value, const DeclaredType& type);
  std::shared_ptr<const Constant> ReadBlob(const Literal& blob, const DeclaredType& type);
  std::shared_ptr<const Constant> Zeros(const Literal& blob, const DeclaredType& type);
  std::shared_ptr<const Constant> FromFile(std::shared_ptr<const std::string> file,
                                           const BlobPlace& place, const Literal& blob,
                                           const DeclaredType& type);
  bool Account(const Literal& blob, const BlobPlace& place, const DeclaredType& type);
  bool AccountUnpacked(const Literal& blob, uint64_t bytes);
  bool CheckNesting(uint32_t literal, const DeclaredType& type);
  bool StoreNumber(const Literal& literal, const ScalarType& type, std::byte* out);

  const SourceText& source_;
  const ProgramSyntax& syntax_;
  const Weights& weights_;
  MissingWeights missing_;
  const FrontEndLimits& limits_;
  DiagnosticSink& sink_;
  HashMap<std::pair<std::string, uint64_t>, uint64_t> records_;  // bytes, by place
  uint64_t constant_bytes_ = 0, unpacked_bytes_ = 0;
  std::shared_ptr<const void> zeros_;  // grown as needed: all missing weights share it
  uint64_t zero_bytes_ = 0;
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_CONSTANT_READER_H_
