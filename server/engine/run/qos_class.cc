#include "server/engine/run/qos_class.h"

namespace anex::engine {
namespace {

struct Row {
  uint32_t apple;
  QosClass ours;
};

// The first row of a class is the number that stands for it.
constexpr Row kTable[] = {
    {33, QosClass::kInteractive},  // user interactive
    {25, QosClass::kInteractive},  // user initiated
    {21, QosClass::kDefault},     {17, QosClass::kUtility},
    {9, QosClass::kBackground},   {0, QosClass::kInteractive},  // real time, see the header
};

}  // namespace

std::optional<QosClass> QosClassFromApple(uint32_t qos) {
  if (qos > 63) return std::nullopt;
  for (const Row& row : kTable) {
    if (row.apple == qos) return row.ours;
  }
  return QosClass::kDefault;
}

uint32_t AppleQos(QosClass qos) {
  for (const Row& row : kTable) {
    if (row.ours == qos) return row.apple;
  }
  return 0;  // kRealTime
}

std::string_view QosClassName(QosClass qos) {
  switch (qos) {
    case QosClass::kRealTime:
      return "realtime";
    case QosClass::kInteractive:
      return "interactive";
    case QosClass::kDefault:
      return "default";
    case QosClass::kUtility:
      return "utility";
    case QosClass::kBackground:
      return "background";
  }
  return "unknown";
}

}  // namespace anex::engine
