#include "server/mil/constant_reader.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/mil/blob_file.h"
#include "server/mil/lexer.h"
#include "server/mil/number.h"

namespace anex::mil {
namespace {

constexpr std::string_view kModelPath = "@model_path/";

// The largest tensor that zeros stand in for. Untouched pages cost nothing, but not every allocator
// gives out more.
constexpr uint64_t kMostZeros = uint64_t{4} << 30;

// Whether a relative path stays inside the folder that it is relative to.
bool StaysInside(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.find('\\') != path.npos) return false;
  if (path.find('\0') != path.npos) return false;
  size_t at = 0;
  while (at <= path.size()) {
    const size_t slash = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, slash - at);
    if (part.empty() || part == "." || part == "..") return false;
    at = slash + 1;
  }
  return true;
}

std::shared_ptr<std::byte[]> AllocateZeros(uint64_t bytes) {
  // calloc: the pages of a large block stay untouched until somebody reads them.
  auto* block = static_cast<std::byte*>(std::calloc(bytes, 1));
  return std::shared_ptr<std::byte[]>(block, [](std::byte* at) { std::free(at); });
}

bool IsAligned(const std::byte* at, size_t alignment) {
  return reinterpret_cast<uintptr_t>(at) % alignment == 0;
}

std::span<const std::byte> BytesOf(const std::string& file) {
  return std::as_bytes(std::span(file.data(), file.size()));
}

}  // namespace

ConstantReader::ConstantReader(const SourceText& source, const ProgramSyntax& syntax,
                               const Weights& weights, MissingWeights missing,
                               const FrontEndLimits& limits, DiagnosticSink& sink)
    : source_(source),
      syntax_(syntax),
      weights_(weights),
      missing_(missing),
      limits_(limits),
      sink_(sink) {}

std::shared_ptr<const Constant> ConstantReader::Read(const ValueSyntax& value,
                                                     const DeclaredType& type) {
  if (value.literal == value.literal_end && type.kind == TypeKind::kString) {
    sink_.Error(Code::kLiteralMismatch, value.span, "expected a string");
    return nullptr;
  }
  if (type.kind == TypeKind::kString) return ReadString(value);
  if (type.kind == TypeKind::kState) {
    sink_.Error(Code::kUnsupportedType, value.span, "a state cannot be written down as a constant");
    return nullptr;
  }
  if (value.literal != value.literal_end &&
      syntax_.literals[value.literal].kind == Literal::Kind::kBlob) {
    return ReadBlob(syntax_.literals[value.literal], type);
  }
  return ReadNumbers(value, type);
}

std::shared_ptr<const Constant> ConstantReader::ReadString(const ValueSyntax& value) {
  const Literal& literal = syntax_.literals[value.literal];
  if (literal.kind == Literal::Kind::kString) {
    return Constant::OfString(Unquote(source_.Text(literal.span)));
  }
  sink_.Error(Code::kLiteralMismatch, literal.span,
              absl::StrCat("expected a string, found ", Shown(source_.Text(literal.span))));
  return nullptr;
}

// A list for each dimension, or one flat list, or one number alone for one element.
bool ConstantReader::CheckNesting(uint32_t literal, const DeclaredType& type) {
  const std::vector<Literal>& literals = syntax_.literals;
  const auto is_list = [&](uint32_t i) {
    return literals[i].kind == Literal::Kind::kList || literals[i].kind == Literal::Kind::kTuple;
  };
  struct Level {
    uint32_t end;
    int64_t children;
    uint32_t literal;
  };
  std::vector<Level> open;
  const size_t rank = type.dims.size();
  bool nested = false;
  for (uint32_t i = literal; i < literals[literal].end; ++i) {
    if (!open.empty()) ++open.back().children;
    if (is_list(i)) {
      nested = nested || !open.empty();
      open.push_back({literals[i].end, 0, i});
    }
    const size_t depth = open.size();
    const bool leaf_depth_wrong = !is_list(i) && nested && depth != rank;
    if (leaf_depth_wrong || depth > std::max<size_t>(rank, 1)) {
      sink_.Error(
          Code::kLiteralMismatch, literals[i].span,
          absl::StrCat("brackets nested ", depth, " deep in a value of type ", type.ToString()));
      return false;
    }
    while (!open.empty() && open.back().end == i + 1) {
      const Level done = open.back();
      open.pop_back();
      if (!nested || done.children == type.dims[open.size()]) continue;
      sink_.Error(Code::kLiteralMismatch, literals[done.literal].span,
                  absl::StrCat(done.children, " entries where ", type.ToString(), " has ",
                               type.dims[open.size()]));
      return false;
    }
  }
  return true;
}

bool ConstantReader::StoreNumber(const Literal& literal, const ScalarType& type, std::byte* out) {
  const std::string_view text = source_.Text(literal.span);
  const std::string name(type.name);
  const bool number =
      literal.kind == Literal::Kind::kNumber || literal.kind == Literal::Kind::kWord;
  switch (number ? ReadNumber(text, type, out) : NumberResult::kMalformed) {
    case NumberResult::kOk:
      return true;
    case NumberResult::kInfinity:
      sink_.Warning(Code::kRoundedToInfinity, literal.span,
                    absl::StrCat(Shown(text), " is beyond ", name, " and becomes infinity"));
      return true;
    case NumberResult::kNotInteger:
      sink_.Error(Code::kLiteralMismatch, literal.span,
                  absl::StrCat("expected a whole number of type ", name, ", found ", Shown(text)));
      return false;
    case NumberResult::kOutOfRange:
      sink_.Error(Code::kLiteralRange, literal.span,
                  absl::StrCat(Shown(text), " is outside the range of ", name));
      return false;
    case NumberResult::kMalformed:
      break;
  }
  sink_.Error(
      literal.kind == Literal::Kind::kNumber ? Code::kMalformedNumber : Code::kLiteralMismatch,
      literal.span,
      absl::StrCat(
          "expected ",
          type.dtype == DType::kBool ? "true or false" : absl::StrCat("a number of type ", name),
          ", found ", Shown(text)));
  return false;
}

std::shared_ptr<const Constant> ConstantReader::ReadNumbers(const ValueSyntax& value,
                                                            const DeclaredType& type) {
  const TensorType tensor = type.Fixed().tensor;
  const uint64_t elements = static_cast<uint64_t>(tensor.shape.ElementCount());
  const std::vector<Literal>& literals = syntax_.literals;
  uint64_t found = 0;
  for (uint32_t i = value.literal; i < value.literal_end; ++i) {
    found += literals[i].kind != Literal::Kind::kList && literals[i].kind != Literal::Kind::kTuple;
  }
  if (found != elements) {
    sink_.Error(Code::kLiteralMismatch, value.span,
                absl::StrCat(type.ToString(), " has ", elements, " elements, found ", found));
    return nullptr;
  }
  // "()" of an empty list has no literal at all.
  const bool written = value.literal != value.literal_end;
  if (written && !CheckNesting(value.literal, type)) return nullptr;
  const size_t size = ElementSize(tensor.dtype);
  constant_bytes_ += elements * size;  // bounded by the literals of the text
  auto bytes = std::make_shared<std::vector<std::byte>>(elements * size);
  std::byte* out = bytes->data();
  for (uint32_t i = value.literal; i < value.literal_end; ++i) {
    if (literals[i].kind == Literal::Kind::kList || literals[i].kind == Literal::Kind::kTuple) {
      continue;
    }
    if (!StoreNumber(literals[i], type.scalar, out)) return nullptr;
    out += size;
  }
  const std::span<const std::byte> view(*bytes);
  return std::make_shared<Constant>(tensor, view, std::move(bytes), type.scalar.bits);
}

std::optional<BlobPlace> ConstantReader::ReadBlobPlace(const Literal& blob) {
  const size_t index = static_cast<size_t>(&blob - syntax_.literals.data());
  const Literal& path = syntax_.literals[index + 1];
  const Literal& offset = syntax_.literals[index + 2];
  BlobPlace place{Unquote(source_.Text(path.span)), 0};
  if (absl::StartsWith(place.path, absl::string_view(kModelPath.data(), kModelPath.size()))) {
    place.path.erase(0, kModelPath.size());
  }
  if (place.path.empty() || place.path.ends_with('/')) {
    sink_.Error(Code::kWeightPath, path.span,
                absl::StrCat("the weight path ", Shown(Unquote(source_.Text(path.span))),
                             " names a folder"),
                "name a file in it, such as \"@model_path/weights/weight.bin\"");
    return std::nullopt;
  }
  if (!StaysInside(place.path)) {
    sink_.Error(Code::kWeightPath, path.span,
                absl::StrCat("the weight path ", Shown(place.path), " leaves the model's folder"),
                "name a file below it, such as \"@model_path/weights/weight.bin\"");
    return std::nullopt;
  }
  const std::string_view digits = source_.Text(offset.span);
  if (!absl::SimpleAtoi(absl::string_view(digits.data(), digits.size()), &place.offset)) {
    sink_.Error(Code::kLiteralRange, offset.span,
                absl::StrCat(Shown(digits), " is not an offset (a uint64)"));
    return std::nullopt;
  }
  return place;
}

std::shared_ptr<const Constant> ConstantReader::ReadBlob(const Literal& blob,
                                                         const DeclaredType& type) {
  if (type.IsEmptyList()) {
    sink_.Error(Code::kBadShape, blob.span, "an empty list is in no weight file", "write ([])");
    return nullptr;
  }
  const std::optional<BlobPlace> place = ReadBlobPlace(blob);
  if (!place.has_value() || !Account(blob, *place, type)) return nullptr;
  auto found = weights_.find(place->path);
  if (found == weights_.end()) found = weights_.find(std::string(kModelPath) + place->path);
  if (found != weights_.end() && found->second != nullptr) {
    return FromFile(found->second, *place, blob, type);
  }
  const std::string message = absl::StrCat("the weight file ", Shown(place->path), " was not sent");
  if (missing_ == MissingWeights::kError) {
    sink_.Error(Code::kMissingWeights, blob.span, message, "send it along with the program");
    return nullptr;
  }
  sink_.Note(Code::kMissingWeights, blob.span,
             message + "; what depends on its numbers is not checked");
  return Zeros(blob, type);
}

// False, and an error, if the constants of the program would be over the limit.
bool ConstantReader::Account(const Literal& blob, const BlobPlace& place,
                             const DeclaredType& type) {
  const TensorType tensor = type.Fixed().tensor;
  const uint64_t bytes =
      static_cast<uint64_t>(tensor.shape.ElementCount()) * ElementSize(tensor.dtype);
  uint64_t& counted = records_[{place.path, place.offset}];
  const uint64_t more = bytes > counted ? bytes - counted : 0;
  if (constant_bytes_ + more > limits_.program_bytes) {
    sink_.Error(
        Code::kProgramTooLarge, blob.span,
        absl::StrCat("with this one the constants of the program take ", constant_bytes_ + more,
                     " bytes, over the limit of ", limits_.program_bytes, " (program_bytes)"),
        "no machine holds as much: split the program");
    return false;
  }
  constant_bytes_ += more;
  counted += more;
  return true;
}

// The same for those that are copied out of their file.
bool ConstantReader::AccountUnpacked(const Literal& blob, uint64_t bytes) {
  if (bytes <= limits_.unpacked_bytes - std::min(unpacked_bytes_, limits_.unpacked_bytes)) {
    unpacked_bytes_ += bytes;
    return true;
  }
  sink_.Error(Code::kProgramTooLarge, blob.span,
              absl::StrCat("with this one the constants that must be unpacked from their weight "
                           "files take more than ",
                           limits_.unpacked_bytes, " bytes (unpacked_bytes)"),
              "declare a constant once and use it again, or split the program");
  return false;
}

std::shared_ptr<const Constant> ConstantReader::Zeros(const Literal& blob,
                                                      const DeclaredType& type) {
  const TensorType tensor = type.Fixed().tensor;
  const uint64_t bytes =
      static_cast<uint64_t>(tensor.shape.ElementCount()) * ElementSize(tensor.dtype);
  if (bytes > zero_bytes_) {
    const uint64_t size = std::min(std::max(bytes, zero_bytes_ * 2), kMostZeros);
    std::shared_ptr<std::byte[]> block = bytes > kMostZeros ? nullptr : AllocateZeros(size);
    if (block == nullptr) {
      sink_.Error(Code::kTensorTooLarge, blob.span,
                  absl::StrCat("no memory for ", bytes, " zeros in place of missing weights"),
                  "check the program together with its weights");
      return nullptr;
    }
    zeros_ = std::move(block);
    zero_bytes_ = size;
  }
  const std::span<const std::byte> view(static_cast<const std::byte*>(zeros_.get()), bytes);
  return std::make_shared<Constant>(tensor, view, zeros_, type.scalar.bits, true);
}

std::shared_ptr<const Constant> ConstantReader::FromFile(std::shared_ptr<const std::string> file,
                                                         const BlobPlace& place,
                                                         const Literal& blob,
                                                         const DeclaredType& type) {
  const TensorType tensor = type.Fixed().tensor;
  const uint64_t elements = static_cast<uint64_t>(tensor.shape.ElementCount());
  const absl::StatusOr<BlobData> data =
      FindBlob(BytesOf(*file), place.offset, type.scalar, elements);
  if (!data.ok()) {
    const bool missing = absl::IsNotFound(data.status());
    sink_.Error(
        missing ? Code::kWeightRecord : Code::kWeightSize, blob.span,
        absl::StrCat("weight file ", Shown(place.path), ": ", std::string(data.status().message())),
        missing ? "offset names the 64-byte record in front of the data, not the data" : "");
    return nullptr;
  }
  if (!data->remark.empty()) {
    sink_.Warning(Code::kWeightRecordOdd, blob.span,
                  absl::StrCat("weight file ", Shown(place.path), ": ", data->remark));
  }
  const bool unpack = type.scalar.bits < 8;
  if (!unpack && IsAligned(data->bytes.data(), ElementSize(tensor.dtype))) {
    return std::make_shared<Constant>(tensor, data->bytes, std::move(file));
  }
  const uint64_t size = elements * ElementSize(tensor.dtype);
  if (!AccountUnpacked(blob, size)) return nullptr;
  auto bytes = std::make_shared<std::vector<std::byte>>(size);
  if (unpack) {
    Unpack(data->bytes, type.scalar, *bytes);
  } else {
    std::ranges::copy(data->bytes, bytes->begin());
  }
  const std::span<const std::byte> view(*bytes);
  return std::make_shared<Constant>(tensor, view, std::move(bytes), type.scalar.bits);
}

}  // namespace anex::mil
