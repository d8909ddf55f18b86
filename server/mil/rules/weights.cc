// Weight files: MIL0501 to MIL0599.
#include "server/mil/rules/tables.h"

namespace anex::mil {
namespace {

constexpr FrontEndRule kRules[] = {
    {Code::kMissingWeights,
     R"(BLOBFILE names a file that is not there. `anectl check` goes on with zeros in its place and says
so in a note; compiling is refused. The path is relative to the folder of the program or to
--weights-root.

(In the mended program the file weights/example.bin holds one record, at 64, with six numbers of
fp16.))",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> w = const()[val = tensor<fp16, [2, 3]>(BLOBFILE(path = string("@model_path/weights/absent.bin"), offset = uint64(64)))];
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
    {Code::kWeightPath,
     R"(A program may name files below its own folder only: no absolute path, no `..`, no backslash. A
program from a stranger cannot make anybody read other files.)",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> w = const()[val = tensor<fp16, [2, 3]>(BLOBFILE(path = string("@model_path/../example.bin"), offset = uint64(64)))];
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
    {Code::kWeightRecord,
     R"(`offset` is the place of a 64-byte record that describes the data, not of the data itself; the
record begins with the bytes EF BE AD DE. The first record of a file stands at 64.

(The file weights/example.bin holds one record, at 64, with six numbers of fp16, at 128.))",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 3]> x) {
        tensor<fp16, [2, 3]> w = const()[val = tensor<fp16, [2, 3]>(BLOBFILE(path = string("@model_path/weights/example.bin"), offset = uint64(128)))];
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
    {Code::kWeightSize,
     R"(The file ends before the data does: the declared type needs more bytes than there are. (A record
that gives its data another size than the type needs, but has enough, is only remarked on.)

(The file weights/example.bin holds one record, at 64, with six numbers of fp16.))",
     R"(program(1.3)
{
    func main<ios18>(tensor<fp16, [2, 300]> x) {
        tensor<fp16, [2, 300]> w = const()[val = tensor<fp16, [2, 300]>(BLOBFILE(path = string("@model_path/weights/example.bin"), offset = uint64(64)))];
        tensor<fp16, [2, 300]> y = add(x = x, y = w);
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
};

}  // namespace

std::span<const FrontEndRule> WeightsRules() { return kRules; }

}  // namespace anex::mil
