// The operations that the front end knows: name -> parameters and the function that infers result
// types. Constant tables, any thread. To add an operation: a row in the table of its family (ops/),
// and its name out of the list of known but unsupported ones (op_catalog.cc).
//
// What a device finds in a checked program, by the presence of a parameter in these tables:
//  * required, or with a fallback: always there. Fallbacks have been filled in as constants, those
//    that depend on shapes too (conv: strides, dilations of ones, pad of zeros; slice_by_index,
//    slice_update: stride, masks; reduce_*, layer_norm, squeeze, reverse: axes; one_hot: on_value,
//    off_value; quantize, dequantize, constexpr_affine_dequantize: a scalar zero_point of 0);
//  * optional: may be absent, and absence means something:
//      conv, conv_transpose, linear, lstm: bias (none); conv_transpose: output_shape (the formula)
//      scaled_dot_product_attention: attn_mask (none)
//      layer_norm, instance_norm, batch_norm: gamma (ones), beta (zeros)
//      quantize, dequantize, constexpr_affine_dequantize: axis, absent only if scale and zero_point
//        are scalars
//      squeeze: axes, absent only if x has no dimension of size 1
//      split: num_splits or split_sizes, at least one of the two
//      constexpr_lut_to_dense, constexpr_sparse_to_dense: shape; with it the indices (mask) are
//        packed bits as iOS 16 has them, without it they are one byte per element
//      constexpr_lut_to_dense, constexpr_lut_to_sparse: vector_axis, absent only if vectors have
//      one
//        element
//      constexpr_blockwise_shift_scale, constexpr_sparse_blockwise_shift_scale: offset (none)
//      lstm: weight_ih_back, weight_hh_back, bias_back, peephole_back (only if bidirectional),
//        peephole, clip (none)
//      gru, rnn: bias (none); gru: input_bias (none)
//      upsample_bilinear: half_pixel_centers (not set: the opposite of align_corners)
//      crop_resize: roi (iOS 15, 16) or boxes (iOS 17), exactly one; box_indices (box i, image i)
// Arguments stand in the order of the table, whatever the order in the text.
#ifndef ANEX_SERVER_MIL_OP_CATALOG_H_
#define ANEX_SERVER_MIL_OP_CATALOG_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/mil/types.h"

namespace anex::mil {

class OpContext;

// A set of element types, plus strings and states.
using TypeSet = uint32_t;
constexpr TypeSet SetOf(DType dtype) { return 1u << static_cast<int>(dtype); }
inline constexpr TypeSet kFloats =
    SetOf(DType::kFp16) | SetOf(DType::kFp32) | SetOf(DType::kFp64) | SetOf(DType::kBf16);
inline constexpr TypeSet kIntegers =
    SetOf(DType::kInt8) | SetOf(DType::kInt16) | SetOf(DType::kInt32) | SetOf(DType::kInt64) |
    SetOf(DType::kUint8) | SetOf(DType::kUint16) | SetOf(DType::kUint32) | SetOf(DType::kUint64);
inline constexpr TypeSet kNumbers = kFloats | kIntegers;
inline constexpr TypeSet kBools = SetOf(DType::kBool);
inline constexpr TypeSet kTensors = kNumbers | kBools;
inline constexpr TypeSet kBytes = SetOf(DType::kInt8) | SetOf(DType::kUint8);
inline constexpr TypeSet kStrings = 1u << 30;
inline constexpr TypeSet kStates = 1u << 31;

// What stands in for an argument that was not written.
struct Fallback {
  enum class Kind : uint8_t {
    kNone,      // required
    kAbsent,    // nothing: the device sees that it is missing
    kComputed,  // depends on shapes: the infer function fills it in
    kBool,
    kInt32,
    kText,
    kLike,  // a number of the element type of the parameter named by `same_as`
  };
  Kind kind = Kind::kNone;
  double number = 0;
  std::string_view text;
};

struct Parameter {
  std::string_view name;
  TypeSet types = 0;
  bool constant = false;     // must be known at compile time
  bool compiled = false;     // or must be what a constexpr_ operation makes of constants
  bool variadic = false;     // several values: values = (a, b)
  int max_rank = kMaxRank;   // 0: one element, as a scalar or [1]
  std::string_view same_as;  // its element type must be that of this parameter
  bool loosely = false;      // from ios17 on another float type will do as well
  Fallback fallback;

  // For the tables: Arg("axis", kIntegers).Constant().Scalar().OrInt(-1).
  constexpr Parameter Constant() const {
    auto p = *this;
    p.constant = true;
    return p;
  }
  constexpr Parameter Compiled() const {
    auto p = Constant();
    p.compiled = true;
    return p;
  }
  constexpr Parameter Variadic() const {
    auto p = *this;
    p.variadic = true;
    return p;
  }
  constexpr Parameter Scalar() const {
    auto p = *this;
    p.max_rank = 0;
    return p;
  }
  constexpr Parameter Vector() const {
    auto p = *this;
    p.max_rank = 1;
    return p;
  }
  constexpr Parameter Like(std::string_view other) const {
    auto p = *this;
    p.same_as = other;
    return p;
  }
  constexpr Parameter LooselyLike(std::string_view other) const {
    auto p = Like(other);
    p.loosely = true;
    return p;
  }
  constexpr Parameter Optional() const { return With({Fallback::Kind::kAbsent}); }
  constexpr Parameter Computed() const { return With({Fallback::Kind::kComputed}); }
  constexpr Parameter OrBool(bool value) const {
    return With({Fallback::Kind::kBool, value ? 1.0 : 0.0});
  }
  constexpr Parameter OrInt(int value) const {
    return With({Fallback::Kind::kInt32, static_cast<double>(value)});
  }
  constexpr Parameter OrText(std::string_view text) const {
    return With({Fallback::Kind::kText, 0, text});
  }
  constexpr Parameter OrNumber(double value) const { return With({Fallback::Kind::kLike, value}); }

 private:
  constexpr Parameter With(Fallback value) const {
    auto p = *this;
    p.fallback = value;
    return p;
  }
};

constexpr Parameter Arg(std::string_view name, TypeSet types) { return {name, types}; }
// The constant parameters that most tables need.
constexpr Parameter Axis() { return Arg("axis", kIntegers).Constant().Scalar(); }
constexpr Parameter ConstInts(std::string_view name) {
  return Arg(name, kIntegers).Constant().Vector();
}
constexpr Parameter ConstBool(std::string_view name) {
  return Arg(name, kBools).Constant().Scalar();
}
constexpr Parameter ConstText(std::string_view name) {
  return Arg(name, kStrings).Constant().Scalar();
}

// Result types, or nullopt after OpContext::Fail.
using Inferred = std::optional<std::vector<TensorType>>;

struct OpSignature {
  std::string_view name;
  std::span<const Parameter> parameters;
  Inferred (*infer)(OpContext&);

  const Parameter* Find(std::string_view parameter) const;  // null if there is none
};

// Null if the operation is not supported.
const OpSignature* FindOp(std::string_view name);
// Why an operation of Core ML is not supported here, and what to do instead; "" for all others.
std::string_view WhyUnsupported(std::string_view name);
// Every supported name, sorted; unsupported ones are not among them.
std::span<const std::string_view> SupportedOps();
// "integers", "fp16, fp32, fp64 or bf16": for messages.
std::string Describe(TypeSet types);

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_OP_CATALOG_H_
