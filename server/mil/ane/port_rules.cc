// Inputs and outputs: their surfaces, their order, their last axis.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/mil/ane/ane_facts.h"
#include "server/mil/ane/ane_families.h"
#include "server/mil/ane/ane_sources.h"
#include "server/mil/diagnostic.h"

namespace anex::mil {
namespace {

constexpr uint64_t kLeastSurface = 49152;  // 768 x 16 fp16: the smallest that Orion saw evaluate
constexpr int64_t kLeastWidth = 32;        // fp16 elements of one row
constexpr int64_t kWidthStep = 16;
constexpr uint64_t kM5Step = 128;  // bytes
constexpr size_t kMostSurfaces = 128;

std::vector<ValueId> Ports(const FunctionFacts& facts) {
  std::vector<ValueId> ports = facts.TensorInputs();
  ports.insert(ports.end(), facts.function.outputs.begin(), facts.function.outputs.end());
  return ports;
}

std::string Named(const FunctionFacts& facts, ValueId id) { return Shown(facts.value(id).name); }

uint64_t BytesOf(const FunctionFacts& facts, ValueId id) {
  return mil::BytesOf(facts.value(id).type.tensor);
}

void FindSmall(const FunctionFacts& facts, AneReport& report) {
  for (ValueId id : Ports(facts)) {
    const uint64_t bytes = BytesOf(facts, id);
    if (bytes >= kLeastSurface) continue;
    report.At(facts.value(id).where, absl::StrCat("port ", Named(facts, id), " holds ", bytes,
                                                  " bytes, under ", kLeastSurface));
  }
}

// Reports the first of `ids` whose size `fails` beside the one before it.
void FindSizes(const FunctionFacts& facts, const std::vector<ValueId>& ids, std::string_view what,
               bool (*fails)(uint64_t before, uint64_t here), AneReport& report) {
  for (size_t i = 1; i < ids.size(); ++i) {
    const uint64_t before = BytesOf(facts, ids[i - 1]), here = BytesOf(facts, ids[i]);
    if (!fails(before, here)) continue;
    report.At(facts.value(ids[i]).where,
              absl::StrCat(std::string(what), " ", Named(facts, ids[i]), " has ", here,
                           " bytes beside ", before, " of ", Named(facts, ids[i - 1])));
    return;
  }
}

bool Differ(uint64_t before, uint64_t here) { return before != here; }
bool Falls(uint64_t before, uint64_t here) { return here < before; }
bool Rises(uint64_t before, uint64_t here) { return here > before; }

void FindUnequalInputs(const FunctionFacts& facts, AneReport& report) {
  FindSizes(facts, facts.TensorInputs(), "input", Differ, report);
}
void FindUnequalOutputs(const FunctionFacts& facts, AneReport& report) {
  FindSizes(facts, facts.function.outputs, "output", Differ, report);
}
void FindFallingInputs(const FunctionFacts& facts, AneReport& report) {
  FindSizes(facts, facts.TensorInputs(), "input", Falls, report);
}
void FindRisingOutputs(const FunctionFacts& facts, AneReport& report) {
  FindSizes(facts, facts.function.outputs, "output", Rises, report);
}

void FindUnsorted(const FunctionFacts& facts, const std::vector<ValueId>& ids,
                  std::string_view what, AneReport& report) {
  for (size_t i = 1; i < ids.size(); ++i) {
    if (facts.value(ids[i - 1]).name <= facts.value(ids[i]).name) continue;
    report.At(facts.value(ids[i]).where,
              absl::StrCat(std::string(what), " ", Named(facts, ids[i]), " comes behind ",
                           Named(facts, ids[i - 1]), " here, and before it by name"));
    return;
  }
}

void FindUnsortedInputs(const FunctionFacts& facts, AneReport& report) {
  FindUnsorted(facts, facts.TensorInputs(), "input", report);
}
void FindUnsortedOutputs(const FunctionFacts& facts, AneReport& report) {
  FindUnsorted(facts, facts.function.outputs, "output", report);
}

void FindNarrow(const FunctionFacts& facts, AneReport& report) {
  for (ValueId id : Ports(facts)) {
    const int64_t width = LastDim(facts.value(id).type.tensor.shape);
    if (width >= kLeastWidth) continue;
    report.At(facts.value(id).where,
              absl::StrCat("the last axis of port ", Named(facts, id), " has ", width,
                           " elements, under ", kLeastWidth));
  }
}

void FindUneven(const FunctionFacts& facts, AneReport& report) {
  for (ValueId id : Ports(facts)) {
    const int64_t width = LastDim(facts.value(id).type.tensor.shape);
    if (width < kLeastWidth || width % kWidthStep == 0) continue;
    report.At(facts.value(id).where,
              absl::StrCat("the last axis of port ", Named(facts, id), " has ", width,
                           " elements, no multiple of ", kWidthStep));
  }
}

void FindUnaligned(const FunctionFacts& facts, AneReport& report) {
  for (ValueId id : Ports(facts)) {
    const uint64_t bytes = BytesOf(facts, id);
    if (bytes % kM5Step == 0) continue;
    report.At(facts.value(id).where, absl::StrCat("port ", Named(facts, id), " holds ", bytes,
                                                  " bytes, no multiple of ", kM5Step));
  }
}

void FindTooMany(const FunctionFacts& facts, AneReport& report) {
  const std::vector<ValueId> ports = Ports(facts);
  if (ports.size() <= kMostSurfaces) return;
  report.At(facts.value(ports[kMostSurfaces]).where,
            absl::StrCat("function ", Shown(facts.function.name), " has ", ports.size(),
                         " ports, over ", kMostSurfaces));
}

void FindFourDimensional(const FunctionFacts& facts, AneReport& report) {
  size_t count = 0;
  for (ValueId id : facts.TensorInputs()) {
    if (facts.value(id).type.tensor.shape.rank() != 4 || ++count != 2) continue;
    report.At(facts.value(id).where,
              absl::StrCat("input ", Named(facts, id), " is the second of rank 4"));
  }
}

std::string ManyPorts(int inputs) {
  std::string text =
      "program(1.3)\n"
      "[buildInfo = dict<string, string>({{\"coremlc-version\", \"3505.4.1\"}})]\n{\n"
      "    func main<ios18>(";
  for (int i = 100; i < 100 + inputs; ++i) {
    absl::StrAppend(&text, i == 100 ? "" : ", ", "tensor<fp16, [1, 64, 512]> x", i);
  }
  text += ") {\n        tensor<fp16, [1, 64, 512]> y = relu(x = x100);\n    } -> (y);\n}\n";
  return text;
}

constexpr AneRule kRules[] = {
    {.id = "ANE0101",
     .title = "a port smaller than what was seen to evaluate",
     .kind = AneClass::kUnsure,
     .known = kM4s,
     .explanation =
         "A program whose surfaces are small compiles and loads, and then each evaluation fails "
         "with status 0x1d. Where the limit lies is not agreed on, and may depend on the row "
         "padding of the chip rather than on bytes.",
     .rewrite = "give the port at least 48 KiB: evaluate several columns at once, or pad the last "
                "axis to 16 and more and use its first column",
     .evidence = {{kOrion, "surfaces under 768 x 16 fp16 (49,152 bytes) fail to evaluate (4)",
                   Certainty::kMeasured},
                  {kAneTrain, "the limit is about 2,048 bytes", Certainty::kMeasured, true},
                  {kMaderixBridge, "matmuls of three surfaces of 8,192 bytes each evaluate",
                   Certainty::kMeasured, true}},
     .example = {"tensor<fp16, [1, 64, 1, 32]> x", "tensor<fp16, [1, 64, 1, 32]> y = relu(x = x);",
                 "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x", "tensor<fp16, [1, 64, 1, 512]> y = relu(x = x);",
              "y"},
     .on_function = FindSmall},
    {.id = "ANE0102",
     .title = "inputs of unequal size",
     .kind = AneClass::kRefused,
     .known = kM4s,
     .clear = kM1s,
     .explanation =
         "With several inputs every surface must have the same allocation; otherwise evaluation "
         "fails with status 0x1d, though the program compiles. The tensors themselves may differ: "
         "a larger surface is read from its start, packed, in the declared shape.",
     .rewrite = "allocate all input surfaces with the size of the largest and write each tensor "
                "packed at the start, or pad the smaller tensors in the program",
     .evidence = {{kOrion, "unequal input surfaces fail to evaluate with 0x1d (12)",
                   Certainty::kMeasured},
                  {kAneTrain, "unequal inputs work if they are ordered by ascending size",
                   Certainty::kMeasured, true}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> a, tensor<fp16, [1, 128, 1, 512]> b",
                 "tensor<fp16, [1, 64, 1, 512]> y = relu(x = a);\n"
                 "tensor<fp16, [1, 128, 1, 512]> z = relu(x = b);\n"
                 "tensor<fp16, [1, 64, 1, 512]> w = slice_by_size(x = z, begin = "
                 "tensor<int32, [4]>([0, 64, 0, 0]), size = tensor<int32, [4]>([1, 64, 1, 512]));\n"
                 "tensor<fp16, [1, 64, 1, 512]> sum = add(x = y, y = w);",
                 "sum"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> a, tensor<fp16, [1, 64, 1, 512]> b",
              "tensor<fp16, [1, 64, 1, 512]> sum = add(x = a, y = b);", "sum"},
     .on_function = FindUnequalInputs},
    {.id = "ANE0103",
     .title = "outputs of unequal size",
     .kind = AneClass::kRefused,
     .known = kM4s,
     .clear = kM1s,
     .explanation =
         "With several outputs every surface must have the same allocation; otherwise evaluation "
         "fails with status 0x1d, though the program compiles.",
     .rewrite = "allocate all output surfaces with the size of the largest, or return outputs of "
                "one shape",
     .evidence = {{kOrion, "unequal output surfaces fail to evaluate with 0x1d (2)",
                   Certainty::kMeasured},
                  {kAneTrain, "unequal outputs work if they are ordered by descending size",
                   Certainty::kMeasured, true}},
     .example = {"tensor<fp16, [1, 128, 1, 512]> x",
                 "tensor<fp16, [1, 128, 1, 512]> y = relu(x = x);\n"
                 "tensor<fp16, [1, 64, 1, 512]> z = slice_by_size(x = y, begin = "
                 "tensor<int32, [4]>([0, 0, 0, 0]), size = tensor<int32, [4]>([1, 64, 1, 512]));",
                 "y, z"},
     .mend = {"tensor<fp16, [1, 128, 1, 512]> x",
              "tensor<fp16, [1, 128, 1, 512]> y = relu(x = x);\n"
              "tensor<fp16, [1, 128, 1, 512]> z = sigmoid(x = y);",
              "y, z"},
     .on_function = FindUnequalOutputs},
    {.id = "ANE0104",
     .title = "an input smaller than the one before it",
     .kind = AneClass::kWrongAnswer,
     .known = kM1s,
     .clear = kM4s,
     .os = "macOS 26",
     .explanation =
         "On the M1 input surfaces must not shrink from slot to slot. If they do, the program runs "
         "without an error and gives zeros.",
     .rewrite = "declare the inputs from the smallest to the largest",
     .evidence = {{kAneTrain, "inputs out of ascending order give silent zeros",
                   Certainty::kMeasured},
                  {kOrion, "what counts is that all are equal; order is by name (12, 13)",
                   Certainty::kMeasured, true}},
     .target = "ane:m1",
     .example = {.whole = R"(program(1.0)
[buildInfo = dict<tensor<string, []>, tensor<string, []>>({{"coremlc-version", "3505.4.1"}})]
{
    func main<ios16>(tensor<fp16, [1, 128, 512]> A, tensor<fp16, [1, 64, 512]> B) {
        tensor<fp16, [1, 128, 512]> P = sigmoid(x = A);
        tensor<fp16, [1, 64, 512]> Q = sigmoid(x = B);
    } -> (P, Q);
}
)"},
     .mend = {.whole = R"(program(1.0)
[buildInfo = dict<tensor<string, []>, tensor<string, []>>({{"coremlc-version", "3505.4.1"}})]
{
    func main<ios16>(tensor<fp16, [1, 64, 512]> A, tensor<fp16, [1, 128, 512]> B) {
        tensor<fp16, [1, 128, 512]> P = sigmoid(x = B);
        tensor<fp16, [1, 64, 512]> Q = sigmoid(x = A);
    } -> (P, Q);
}
)"},
     .on_function = FindFallingInputs},
    {.id = "ANE0105",
     .title = "an output larger than the one before it",
     .kind = AneClass::kWrongAnswer,
     .known = kM1s,
     .clear = kM4s,
     .os = "macOS 26",
     .explanation =
         "On the M1 output surfaces must not grow from slot to slot. If they do, the program runs "
         "without an error and gives zeros.",
     .rewrite = "list the outputs from the largest to the smallest",
     .evidence = {{kAneTrain, "outputs out of descending order give silent zeros",
                   Certainty::kMeasured},
                  {kOrion, "what counts is that all are equal; order is by name (2, 3)",
                   Certainty::kMeasured, true}},
     .target = "ane:m1",
     .example = {.whole = R"(program(1.0)
[buildInfo = dict<tensor<string, []>, tensor<string, []>>({{"coremlc-version", "3505.4.1"}})]
{
    func main<ios16>(tensor<fp16, [1, 64, 512]> A, tensor<fp16, [1, 128, 512]> B) {
        tensor<fp16, [1, 64, 512]> P = sigmoid(x = A);
        tensor<fp16, [1, 128, 512]> Q = sigmoid(x = B);
    } -> (P, Q);
}
)"},
     .mend = {.whole = R"(program(1.0)
[buildInfo = dict<tensor<string, []>, tensor<string, []>>({{"coremlc-version", "3505.4.1"}})]
{
    func main<ios16>(tensor<fp16, [1, 64, 512]> A, tensor<fp16, [1, 128, 512]> B) {
        tensor<fp16, [1, 128, 512]> P = sigmoid(x = B);
        tensor<fp16, [1, 64, 512]> Q = sigmoid(x = A);
    } -> (P, Q);
}
)"},
     .on_function = FindRisingOutputs},
    {.id = "ANE0106",
     .title = "inputs that are not declared in the order of their names",
     .kind = AneClass::kUnsure,
     .known = kM4s,
     .explanation =
         "Who binds surfaces by position gives them in an order on which four projects hold four "
         "opinions: by name, by declaration, by size, or one input only. A wrong order is not "
         "refused; the numbers are wrong. Bound by name, as this daemon does, nothing happens.",
     .rewrite = "name the inputs so that alphabetical order is the declared order, or bind by name",
     .evidence = {{kOrion,
                   "inputs are taken in alphabetical order of their names; all six orders "
                   "of three inputs were tried (13)",
                   Certainty::kMeasured},
                  {kMaderixBridge,
                   "binds in declared order, with equal operands that a swap would "
                   "not show",
                   Certainty::kMeasured, true},
                  {kAneTrain, "inputs are taken by ascending size", Certainty::kMeasured, true}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x, tensor<fp16, [1, 64, 1, 512]> a",
                 "tensor<fp16, [1, 64, 1, 512]> y = sub(x = x, y = a);", "y"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> a, tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [1, 64, 1, 512]> y = sub(x = x, y = a);", "y"},
     .on_function = FindUnsortedInputs},
    {.id = "ANE0107",
     .title = "outputs that are not listed in the order of their names",
     .kind = AneClass::kUnsure,
     .known = kM4s,
     .explanation =
         "As for inputs: who binds output surfaces by position may find them exchanged. Bound by "
         "name, as this daemon does, nothing happens.",
     .rewrite = "name the outputs so that alphabetical order is the listed order, or bind by name",
     .evidence = {{kOrion, "outputs come in alphabetical order of their names, not as returned (3)",
                   Certainty::kMeasured},
                  {kAneTrain, "outputs come by descending size", Certainty::kMeasured, true}},
     .example = {"tensor<fp16, [1, 64, 1, 512]> x",
                 "tensor<fp16, [1, 64, 1, 512]> q = relu(x = x);\n"
                 "tensor<fp16, [1, 64, 1, 512]> k = sigmoid(x = x);",
                 "q, k"},
     .mend = {"tensor<fp16, [1, 64, 1, 512]> x",
              "tensor<fp16, [1, 64, 1, 512]> q = relu(x = x);\n"
              "tensor<fp16, [1, 64, 1, 512]> k = sigmoid(x = x);",
              "k, q"},
     .on_function = FindUnsortedOutputs},
    {.id = "ANE0108",
     .title = "a port whose last axis is under 32 elements",
     .kind = AneClass::kWrongAnswer,
     .known = kM3s,
     .os = "macOS 26.3.1",
     .explanation =
         "The engine works on runs of 32 fp16 values along the last axis. A port with a shorter "
         "last axis compiles; what comes out is garbage, or evaluation fails.",
     .rewrite = "pad the last axis of the port to 32, or move a longer axis to the end",
     .evidence = {{kFieldGuide,
                   "runtime inputs with a last axis of 1 or 16 give garbage or an "
                   "error status; 32 works",
                   Certainty::kMeasured},
                  {kOrion, "a last axis of 16 evaluates rightly (4)", Certainty::kMeasured, true}},
     .example = {"tensor<fp16, [1, 2048, 1, 16]> x",
                 "tensor<fp16, [1, 2048, 1, 16]> y = relu(x = x);", "y"},
     .mend = {"tensor<fp16, [1, 2048, 1, 32]> x", "tensor<fp16, [1, 2048, 1, 32]> y = relu(x = x);",
              "y"},
     .on_function = FindNarrow},
    {.id = "ANE0109",
     .title = "a port whose last axis is no multiple of 16",
     .kind = AneClass::kWrongAnswer,
     .known = kM4s,
     .explanation =
         "Rows of a surface are padded by the device. A client that lays rows out without padding "
         "then reads and writes shifted data, and nothing reports it.",
     .rewrite = "pad the last axis to a multiple of 16, or take the row stride from the device",
     .evidence = {{kRustane, "a surface width that is no multiple of 16 corrupts data silently",
                   Certainty::kClaimed},
                  {kOrion, "the data of a surface is read packed, whatever its size (14)",
                   Certainty::kMeasured, true}},
     .example = {"tensor<fp16, [1, 1024, 1, 40]> x",
                 "tensor<fp16, [1, 1024, 1, 40]> y = relu(x = x);", "y"},
     .mend = {"tensor<fp16, [1, 1024, 1, 48]> x", "tensor<fp16, [1, 1024, 1, 48]> y = relu(x = x);",
              "y"},
     .on_function = FindUneven},
    {.id = "ANE0110",
     .title = "a port that is no multiple of 128 bytes",
     .kind = AneClass::kRefused,
     .known = kM5s,
     .clear = kM1s | kM4s,
     .explanation = "The M5 wants every surface aligned to 128 bytes.",
     .rewrite = "pad the tensor, or allocate its surface, to a multiple of 128 bytes",
     .evidence = {{kMaderixM5, "surfaces had to be aligned to 128 bytes", Certainty::kClaimed}},
     .example = {"tensor<fp16, [1, 513, 1, 48]> x",
                 "tensor<fp16, [1, 513, 1, 48]> y = relu(x = x);", "y"},
     .mend = {"tensor<fp16, [1, 516, 1, 48]> x", "tensor<fp16, [1, 516, 1, 48]> y = relu(x = x);",
              "y"},
     .on_function = FindUnaligned},
    {.id = "ANE0111",
     .title = "more than 128 ports",
     .kind = AneClass::kRefused,
     .known = kM3s | kM4s,
     .explanation =
         "One evaluation maps at most 128 surfaces: that is the length of the table that the "
         "framework hands to the driver.",
     .rewrite = "pack several tensors into one port and slice them apart in the program",
     .evidence = {{"slavko-at-klincov-it/ANE-Training and dev-erik/ANE",
                   "the driver's mapping structure has 128 entries", Certainty::kDecompiled},
                  {kAneTrain, "98 inputs work", Certainty::kMeasured}},
     .example = {.make = [] { return ManyPorts(128); }},
     .mend = {.make = [] { return ManyPorts(127); }},
     .on_function = FindTooMany},
    {.id = "ANE0112",
     .title = "two inputs of rank 4",
     .kind = AneClass::kUnsure,
     .known = kM1s,
     .needs_chip = true,
     .os = "macOS 26",
     .explanation =
         "On the M1 two runtime inputs of rank 4 were found not to work, while rank 3 did. Other "
         "projects bind several inputs of rank 4 on later chips.",
     .rewrite = "declare the inputs with rank 3, [1, channels, positions]",
     .evidence = {{kAneTrain, "two runtime inputs of rank 4 fail; rank 3 works",
                   Certainty::kMeasured},
                  {kFieldGuide, "add and mul of two inputs of rank 4 work", Certainty::kMeasured,
                   true}},
     .target = "ane:m1",
     .example = {.whole = R"(program(1.0)
[buildInfo = dict<tensor<string, []>, tensor<string, []>>({{"coremlc-version", "3505.4.1"}})]
{
    func main<ios16>(tensor<fp16, [1, 64, 1, 512]> A, tensor<fp16, [1, 64, 1, 512]> B) {
        tensor<fp16, [1, 64, 1, 512]> SUM = add(x = A, y = B);
    } -> (SUM);
}
)"},
     .mend = {.whole = R"(program(1.0)
[buildInfo = dict<tensor<string, []>, tensor<string, []>>({{"coremlc-version", "3505.4.1"}})]
{
    func main<ios16>(tensor<fp16, [1, 64, 512]> A, tensor<fp16, [1, 64, 512]> B) {
        tensor<fp16, [1, 64, 512]> SUM = add(x = A, y = B);
    } -> (SUM);
}
)"},
     .on_function = FindFourDimensional},
};

}  // namespace

std::span<const AneRule> AnePortRules() { return kRules; }

}  // namespace anex::mil
