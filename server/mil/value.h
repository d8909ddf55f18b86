// Constants of a program: typed, immutable, shared. Bytes are packed row-major little endian in
// host memory; a constant that comes from a weight file points into the file's bytes and keeps them
// alive, so nothing is copied. Sub-byte weights (uint4 ...) have been unpacked to one byte each.
#ifndef ANEX_SERVER_MIL_VALUE_H_
#define ANEX_SERVER_MIL_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "server/mil/types.h"

namespace anex::mil {

class Constant {
 public:
  // REQUIRES: bytes.size() == elements * ElementSize(dtype). `owner` keeps `bytes` alive.
  // `bits`: of an element where it was written, if that was less than a byte, else 0.
  // `made_up`: nobody knows the elements, these stand in for them.
  Constant(TensorType type, std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
           int bits = 0, bool made_up = false);
  static std::shared_ptr<const Constant> OfString(std::string text);
  static std::shared_ptr<const Constant> OfInts(DType dtype, const Shape& shape,
                                                std::span<const int64_t> values);
  static std::shared_ptr<const Constant> OfDoubles(DType dtype, const Shape& shape,
                                                   std::span<const double> values);  // rounded once

  explicit Constant(std::string text) : text_(std::move(text)) { type_.kind = TypeKind::kString; }

  const Type& type() const { return type_; }
  // True where weights were not sent, of a program that is only checked: its elements are zeros
  // that mean nothing, so nothing may be concluded from them.
  bool made_up() const { return made_up_; }
  std::span<const std::byte> bytes() const { return bytes_; }
  const std::string& text() const { return text_; }  // of kString
  // Of an element as it was written: 4 for int4, which has 8 in memory.
  int bits() const;

  // The elements widened; nullopt if the type is not of that family. Bools are integers 0 and 1.
  std::optional<std::vector<int64_t>> AsInts() const;
  std::optional<std::vector<double>> AsDoubles() const;  // integers too

 private:
  Type type_;
  std::span<const std::byte> bytes_;
  std::shared_ptr<const void> owner_;
  std::string text_;
  int packed_bits_ = 0;  // 0: as in memory
  bool made_up_ = false;
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_VALUE_H_
