// Warnings and notes: MIL0901 to MIL0999.
#include "server/mil/rules/tables.h"

namespace anex::mil {
namespace {

constexpr FrontEndRule kRules[] = {
    {Code::kUnused,
     R"(Nothing uses this result, and it is no output. That is legal, and often the trace of a mistake:
an operation that was to be used, or an output that was forgotten. Unused constants are not
reported, as generators write many.)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> e = exp(x = x);
        tensor<fp16, [2, 3]> y = relu(x = x);
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
    {Code::kRoundedToInfinity,
     R"(A finite number was written that its type cannot hold, so it becomes infinity; 65504 is the
largest of fp16. That is what rounding says, and seldom what was meant: an attention mask of
-1e9 becomes -inf, and a row of them NaN.)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        fp16 c = const()[val = fp16(-1e9)];
        tensor<fp16, [2, 3]> y = add(x = x, y = c);
    } -> (y);
}
)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        fp16 c = const()[val = fp16(-65504)];
        tensor<fp16, [2, 3]> y = add(x = x, y = c);
    } -> (y);
}
)"},
    {Code::kWeightRecordOdd,
     R"(The weight record is not in the official form (its data offset is 0, its type code is another,
or there is no file header), but only one reading of it makes sense, and that one is taken.
Apple's own reader may read it otherwise.

(The file weights/odd.bin has a record at 64 whose data offset is 0; weights/example.bin is in
the official form.))",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> w = const()[val = tensor<fp16, [2, 3]>(BLOBFILE(path = string("@model_path/weights/odd.bin"), offset = uint64(64)))];
        tensor<fp16, [2, 3]> y = add(x = x, y = w);
    } -> (y);
}
)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> w = const()[val = tensor<fp16, [2, 3]>(BLOBFILE(path = string("@model_path/weights/example.bin"), offset = uint64(64)))];
        tensor<fp16, [2, 3]> y = add(x = x, y = w);
    } -> (y);
}
)"},
    {Code::kDefaultShape,
     R"(The input has a range of shapes. A kernel has one shape, so the default shape of
FlexibleShapeInformation is taken; compile another program for another shape.)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, ?]> x) [FlexibleShapeInformation = tuple<tuple<string, dict<string, tensor<int32, [?]>>>>((("DefaultShapes", {{"x", [2, 3]}})))] {
        tensor<fp16, [2, ?]> y = relu(x = x);
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
    {Code::kUntypedLiteral,
     R"(A number or list stands alone, without a type. It takes the type that its argument needs.
Apple's compiler refuses it ("Type declaration expected here"): write the type if the program is
for an ANE.)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> y = softmax(x = x, axis = 1);
    } -> (y);
}
)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> y = softmax(x = x, axis = int32(1));
    } -> (y);
}
)"},
    {Code::kDoubtfulShape,
     R"(The shapes are such that hardly anybody means them, yet they are not refused, because Core ML's
type check lets them pass: a convolution whose groups do not divide its outputs, for one. What
it computes differs between devices.)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [1, 4, 1, 6]> x, tensor<fp16, [5, 2, 1, 1]> w) {
        tensor<fp16, [1, 5, 1, 6]> y = conv(x = x, weight = w, groups = int32(2));
    } -> (y);
}
)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [1, 4, 1, 6]> x, tensor<fp16, [6, 2, 1, 1]> w) {
        tensor<fp16, [1, 6, 1, 6]> y = conv(x = x, weight = w, groups = int32(2));
    } -> (y);
}
)"},
    {Code::kNoSemicolon,
     R"(All that writes MIL puts a `;` behind a function's outputs. This reader does not need it, and it
is read here as if it stood there; others may insist on it.)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> y = relu(x = x);
    } -> (y)
}
)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> y = relu(x = x);
    } -> (y);
}
)"},
    {Code::kNoOutputs,
     R"(The function gives nothing back: nobody will see what it computes. Only a function whose whole
purpose is to write states has no outputs.)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
    } -> ();
}
)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> y = relu(x = x);
    } -> (y);
}
)"},
    {Code::kNewerOpset,
     R"(The operation, the argument or the state came with a later release of Core ML than the one that
the function is written for (its tag, ios15 to ios18). Here it works all the same; compilers of that
release do not know it.)",
     R"(program(1.3)
{
    func main<ios15>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> y = fill_like(ref_tensor = x, value = fp16(1));
    } -> (y);
}
)",
     R"(program(1.3)
{
    func main<ios16>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> y = fill_like(ref_tensor = x, value = fp16(1));
    } -> (y);
}
)"},
};

}  // namespace

std::span<const FrontEndRule> RemarksRules() { return kRules; }

}  // namespace anex::mil
