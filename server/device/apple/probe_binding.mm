// Function parameters: are surfaces bound to what they are called, whatever their sizes and orders?
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#import "server/device/apple/probe_parts.h"
#include "server/device/apple/probe_programs.h"

namespace anex::device::apple {
namespace {

using Names = std::vector<std::string>;

// The inputs in the order in which the engine lists them.
std::string OrderOf(const ProbeRig& rig, const TestProgram& test) {
  const mil::Function& function = test.program->functions.front();
  Names listed, declared;
  for (const LiveTensor& tensor : rig.live().inputs) listed.push_back(tensor.name);
  for (const mil::ValueId id : function.inputs) declared.push_back(function.value(id).name);
  Names by_name = declared, by_size = declared;
  std::ranges::sort(by_name);
  std::ranges::sort(by_size, {},
                    [&](const std::string& name) { return test.inputs.at(name).size(); });
  if (listed == declared) return "as declared";
  if (listed == by_name) return "by name";
  if (listed == by_size) return "the smallest first";
  std::ranges::reverse(by_size);
  if (listed == by_size) return "the largest first";
  return absl::StrCat("in an order of its own: ", absl::StrJoin(listed, " "), " for ",
                      absl::StrJoin(declared, " "));
}

absl::StatusOr<std::unique_ptr<ProbeRig>> MakeRig(const ProbeContext& context,
                                                  const absl::StatusOr<TestProgram>& test) {
  if (!test.ok()) return test.status();
  return ProbeRig::Make(context.parts, *test, context.control);
}

}  // namespace

absl::StatusOr<Answer> ProbeFunctionParameters(const ProbeContext& context) {
  const absl::StatusOr<TestProgram> test = ThreeInputs();
  absl::StatusOr<std::unique_ptr<ProbeRig>> rig = MakeRig(context, test);
  if (!rig.ok()) return rig.status();
  const absl::Status right = (*rig)->TryRequest(*test);
  return Answer{absl::StrCat(right.ok() ? "right" : Words(right), "; the engine lists inputs ",
                             OrderOf(**rig, *test)),
                {}};
}

absl::StatusOr<Answer> ProbeInputBinding(const ProbeContext& context) {
  const absl::StatusOr<TestProgram> test = ThreeInputs();
  absl::StatusOr<std::unique_ptr<ProbeRig>> rig = MakeRig(context, test);
  if (!rig.ok()) return rig.status();
  if (absl::Status right = (*rig)->TryRequest(*test); !right.ok()) return right;
  const absl::Status backwards = (*rig)->TryRequest(*test, {.backwards = true});
  return Answer{backwards.ok()
                    ? "by symbol, whatever the order"
                    : absl::StrCat("by place: listed backwards it says ", Words(backwards)),
                {}};
}

absl::StatusOr<Answer> ProbeOutputOrder(const ProbeContext& context) {
  const absl::StatusOr<TestProgram> test = TwoOutputs();
  absl::StatusOr<std::unique_ptr<ProbeRig>> rig = MakeRig(context, test);
  if (!rig.ok()) return rig.status();
  const absl::Status right = (*rig)->TryRequest(*test);
  Names listed;
  for (const LiveTensor& tensor : (*rig)->live().outputs) listed.push_back(tensor.name);
  return Answer{
      absl::StrCat(right.ok() ? "right" : Words(right),
                   "; the engine lists what was declared as z y as ", absl::StrJoin(listed, " ")),
      {}};
}

absl::StatusOr<Answer> ProbeSmallTensors(const ProbeContext& context) {
  constexpr std::pair<int, int> kSizes[] = {{64, 32}, {8, 16}, {1, 16}, {1, 1}};
  Answer answer{"down to the smallest", {}};
  for (const auto& [channels, width] : kSizes) {
    const absl::StatusOr<TestProgram> test = Difference(channels, width);
    absl::StatusOr<std::unique_ptr<ProbeRig>> rig = MakeRig(context, test);
    const absl::Status right = rig.ok() ? (*rig)->TryRequest(*test) : rig.status();
    if (!right.ok()) {
      answer.answer =
          absl::StrCat("not from ", 2 * channels * width, " bytes down: ", Words(right));
      break;
    }
    answer.numbers["least_right_bytes"] = 2.0 * channels * width;
    context.control.Progress();
  }
  return answer;
}

absl::StatusOr<Answer> ProbeConcat(const ProbeContext& context) {
  const absl::StatusOr<TestProgram> test = Joined();
  absl::StatusOr<std::unique_ptr<ProbeRig>> rig = MakeRig(context, test);
  if (!rig.ok()) return Answer{absl::StrCat("no: ", Words(rig.status())), {}};
  const absl::Status right = (*rig)->TryRequest(*test);
  return Answer{right.ok() ? "yes" : absl::StrCat("no: ", Words(right)), {}};
}

}  // namespace anex::device::apple
