// The long texts of the front end's codes.
#include "server/mil/rule_info.h"

namespace anex::mil {
namespace {

constexpr RuleInfo kRules[] = {
    {"MIL0301", "an operation that does not exist",
     "The name is not that of any operation of MIL. A mistyped name gets a suggestion.",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> y = sofmax(x = x, axis = int32(-1));
    } -> (y);
}
)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> y = softmax(x = x, axis = int32(-1));
    } -> (y);
}
)"},
};

}  // namespace

std::span<const RuleInfo> FrontEndRules() { return kRules; }

}  // namespace anex::mil
