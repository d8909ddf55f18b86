// The tables of rules, one per family. See ane_rule.h. Numbers: 01 ports, 02 shapes, 03 types,
// 04 operations without a path, 05 convolution and pooling, 06 matmul, 07 attention, activations
// and normalisation, 08 movement of data, 09 numbers, 10 the program as a whole.
#ifndef ANEX_SERVER_MIL_ANE_ANE_FAMILIES_H_
#define ANEX_SERVER_MIL_ANE_ANE_FAMILIES_H_

#include <span>

#include "server/mil/ane/ane_rule.h"

namespace anex::mil {

std::span<const AneRule> AnePortRules();
std::span<const AneRule> AneShapeRules();
std::span<const AneRule> AneTypeRules();
std::span<const AneRule> AneOperationRules();
std::span<const AneRule> AneConvRules();
std::span<const AneRule> AneMatmulRules();
std::span<const AneRule> AneAttentionRules();
std::span<const AneRule> AneMovementRules();
std::span<const AneRule> AneNumberRules();
std::span<const AneRule> AneProgramRules();

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_ANE_ANE_FAMILIES_H_
