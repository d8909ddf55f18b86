#include "server/mil/rule_info.h"

#include <algorithm>

#include "server/mil/ane/ane_rules.h"

namespace anex::mil {

std::vector<std::span<const RuleInfo>> AllRuleTables() { return {FrontEndRules(), AneRuleInfos()}; }

const RuleInfo* FindRule(std::string_view id) {
  for (std::span<const RuleInfo> table : AllRuleTables()) {
    const auto found = std::ranges::find(table, id, &RuleInfo::id);
    if (found != table.end()) return &*found;
  }
  return nullptr;
}

}  // namespace anex::mil
