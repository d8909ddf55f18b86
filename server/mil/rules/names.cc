// Names and what they stand for: MIL0101 to MIL0199.
#include "server/mil/rules/tables.h"

namespace anex::mil {
namespace {

constexpr FrontEndRule kRules[] = {
    {Code::kDuplicateFunction,
     R"(A kernel's functions are called by name, so each needs a name of its own.)",
     R"(program(1.3)
{
    func main<ios18>(fp16 x) {
    } -> (x);
    func main<ios18>(fp16 x) {
    } -> (x);
}
)",
     R"(program(1.3)
{
    func main<ios18>(fp16 x) {
    } -> (x);
    func other<ios18>(fp16 x) {
    } -> (x);
}
)"},
    {Code::kDuplicateName,
     R"(Within a function every result and every input has a name of its own: a value never changes.
Only a const may be declared again, as some generators do; the last one counts then.)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> y = exp(x = x);
        tensor<fp16, [2, 3]> y = relu(x = y);
    } -> (y);
}
)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> e = exp(x = x);
        tensor<fp16, [2, 3]> y = relu(x = e);
    } -> (y);
}
)"},
    {Code::kUnknownName,
     R"(A name must be an input of the function or the result of an operation above. Operations run in
the order of the text; if the name is defined further down, the finding shows where. What uses a
name that is not known is not checked any further, so one mistake is one finding.)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> y = relu(x = input);
    } -> (y);
}
)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> y = relu(x = x);
    } -> (y);
}
)"},
    {Code::kDuplicateOutput,
     R"(The outputs of a function are ports, and ports are bound by name: each may be listed once.)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> y = relu(x = x);
    } -> (y, y);
}
)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> y = relu(x = x);
    } -> (y);
}
)"},
    {Code::kNoFunction,
     R"(A program is a list of functions, and this one is empty. There is nothing that a device could
run.)",
     R"(program(1.3)
{
}
)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> y = relu(x = x);
    } -> (y);
}
)"},
    {Code::kNotAValue,
     R"(A state is memory that lives as long as an invocation does, not a value. read_state gives its
content as a value, write_state puts a value into it. A state can therefore be neither an
operand of other operations nor an output, and a value cannot be read or written as a state.)",
     R"(program(1.3)
{
    func main<ios18>(state<tensor<fp16, [4]>> s) {
        tensor<fp16, [4]> y = relu(x = s);
    } -> (y);
}
)",
     R"(program(1.3)
{
    func main<ios18>(state<tensor<fp16, [4]>> s) {
        tensor<fp16, [4]> v = read_state(input = s);
        tensor<fp16, [4]> y = relu(x = v);
    } -> (y);
}
)"},
    {Code::kUnknownOpset,
     R"(The tag behind a function's name says for which release of Core ML the function is written:
ios15, ios16, ios17, ios18 or ios26 (also spelled CoreML5 to CoreML9). Defaults and some meanings
depend on it, so that it is not guessed.)",
     R"(program(1.3)
{
    func main<ios81>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> y = relu(x = x);
    } -> (y);
}
)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> y = relu(x = x);
    } -> (y);
}
)"},
};

}  // namespace

std::span<const FrontEndRule> NamesRules() { return kRules; }

}  // namespace anex::mil
