// How many programs the engine takes: what ends it, a number of compiles or of loaded programs?
#include <utility>

#include "absl/strings/str_cat.h"
#import "server/device/apple/probe_parts.h"

namespace anex::device::apple {
namespace {

// Without asking for more: enough to see a slow growth, far from where a process is said to be
// refused (115 to 132 have been named).
constexpr int kFewPrograms = 16;
constexpr int kManyPrograms = 140;

struct Counted {
  std::vector<WeightRig> loaded;
  std::vector<double> compile_us, load_us;
  absl::Status why;  // of the first that failed

  std::map<std::string, double> Numbers() {
    std::map<std::string, double> numbers = {
        {"loaded_at_once", static_cast<double>(loaded.size())}};
    if (loaded.empty()) return numbers;
    numbers["last_compile_us"] = compile_us.back();
    numbers["compile_us"] = Median(compile_us);
    numbers["load_us"] = Median(load_us);
    return numbers;
  }
};

}  // namespace

absl::StatusOr<Answer> ProbeCompileBudget(const ProbeContext& context) {
  const int programs = context.thorough ? kManyPrograms : kFewPrograms;
  Counted counted;
  while (counted.why.ok() && static_cast<int>(counted.loaded.size()) < programs) {
    if (absl::Status going = context.control.Check(); !going.ok()) return going;
    absl::StatusOr<WeightRig> made = MakeWeightRig(context);
    counted.why = made.status();
    if (!made.ok()) break;
    counted.compile_us.push_back(made->rig->compile_us());
    counted.load_us.push_back(made->rig->load_us());
    counted.loaded.push_back(*std::move(made));
    context.control.Progress();
  }
  const std::map<std::string, double> numbers = counted.Numbers();
  const size_t at_once = counted.loaded.size();
  if (counted.why.ok()) {
    return Answer{absl::StrCat("at least ", at_once, " at once",
                               context.thorough ? "" : "; more are tried with --thorough"),
                  numbers};
  }
  counted.loaded.clear();
  context.control.Progress();
  const absl::Status again = MakeWeightRig(context).status();
  return Answer{absl::StrCat(at_once, " at once (", Words(counted.why), "); ",
                             again.ok() ? "one more once these are unloaded: loaded programs count"
                                        : absl::StrCat("none once these are unloaded either: ",
                                                       Words(again))),
                numbers};
}

}  // namespace anex::device::apple
