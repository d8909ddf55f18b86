#include "tests/convert/fill_message.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <string>

#include "anex/v1/common.pb.h"

namespace anex::convert {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

class Filler {
 public:
  explicit Filler(int variant) : variant_(variant), next_(100 + 1000 * variant) {}

  void FillAll(Message& message) {
    if (message.GetDescriptor() == v1::TensorLayout::descriptor()) {
      return FillLayout(static_cast<v1::TensorLayout&>(message));
    }
    const auto* descriptor = message.GetDescriptor();
    for (int i = 0; i < descriptor->field_count(); ++i) {
      const FieldDescriptor& field = *descriptor->field(i);
      if (Chosen(field)) FillField(message, field);
    }
  }

 private:
  bool Chosen(const FieldDescriptor& field) const {
    const auto* oneof = field.containing_oneof();
    return oneof == nullptr || oneof->field(variant_ % oneof->field_count()) == &field;
  }

  void FillField(Message& message, const FieldDescriptor& field) {
    if (field.message_type() == google::protobuf::Any::descriptor()) return;
    if (!field.is_repeated()) return SetOne(message, field);
    if (Recursive(field) && depth_ == 1) return;  // notes of notes are not carried
    for (int i = 0; i < 2; ++i) AddOne(message, field);
  }

  static bool Recursive(const FieldDescriptor& field) {
    return field.message_type() == field.containing_type();
  }

  // The values that the contract bounds more closely than their type does.
  int64_t NumberFor(const FieldDescriptor& field) {
    ++next_;
    if (field.name() == "front_buffer" || field.name() == "buffer") return 1;
    if (field.full_name() == "anex.v1.Status.code") return 1 + next_ % 16;
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL) return 1;
    return next_;
  }

  int EnumFor(const EnumDescriptor& type) const {
    return type.value(1 + variant_ % (type.value_count() - 1))->number();
  }

  std::string TextFor(const FieldDescriptor& field) {
    return std::string(field.name()) + "-\xC3\xA9-" + std::to_string(++next_);
  }

  void SetOne(Message& message, const FieldDescriptor& field) {
    const Reflection& reflection = *message.GetReflection();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        return reflection.SetInt32(&message, &field, static_cast<int32_t>(NumberFor(field)));
      case FieldDescriptor::CPPTYPE_INT64:
        return reflection.SetInt64(&message, &field, (int64_t{1} << 40) + NumberFor(field));
      case FieldDescriptor::CPPTYPE_UINT32:
        return reflection.SetUInt32(&message, &field, static_cast<uint32_t>(NumberFor(field)));
      case FieldDescriptor::CPPTYPE_UINT64:
        return reflection.SetUInt64(&message, &field, (uint64_t{3} << 62) + NumberFor(field));
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return reflection.SetDouble(&message, &field, NumberFor(field) + 0.25);
      case FieldDescriptor::CPPTYPE_FLOAT:
        return reflection.SetFloat(&message, &field, NumberFor(field) + 0.25f);
      case FieldDescriptor::CPPTYPE_BOOL:
        return reflection.SetBool(&message, &field, true);
      case FieldDescriptor::CPPTYPE_ENUM:
        return reflection.SetEnumValue(&message, &field, EnumFor(*field.enum_type()));
      case FieldDescriptor::CPPTYPE_STRING:
        return reflection.SetString(&message, &field, TextFor(field));
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return FillAll(*reflection.MutableMessage(&message, &field));
    }
  }

  void AddOne(Message& message, const FieldDescriptor& field) {
    const Reflection& reflection = *message.GetReflection();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT64:
        return reflection.AddInt64(&message, &field, NumberFor(field));
      case FieldDescriptor::CPPTYPE_UINT64:
        return reflection.AddUInt64(&message, &field, NumberFor(field));
      case FieldDescriptor::CPPTYPE_STRING:
        return reflection.AddString(&message, &field, TextFor(field));
      case FieldDescriptor::CPPTYPE_MESSAGE: {
        const int before = depth_;
        if (Recursive(field)) ++depth_;
        FillAll(*reflection.AddMessage(&message, &field));
        depth_ = before;
        return;
      }
      default:
        ADD_FAILURE() << "no rule for a repeated field like " << field.full_name();
    }
  }

  // [3, 5 + variant] with padded rows: strides and allocation follow from nothing else.
  void FillLayout(v1::TensorLayout& layout) {
    const int64_t width = 5 + variant_;
    layout.set_dtype(v1::DTYPE_FP16);
    for (int64_t dim : {int64_t{3}, width}) layout.add_shape(dim);
    for (int64_t stride : {2 * width + 6, int64_t{2}}) layout.add_stride_bytes(stride);
    layout.set_allocation_bytes(4096 + 64 * (++next_));
  }

  const int variant_;
  int64_t next_;
  int depth_ = 0;
};

}  // namespace

void Fill(Message& message, int variant) { Filler(variant).FillAll(message); }

}  // namespace anex::convert
