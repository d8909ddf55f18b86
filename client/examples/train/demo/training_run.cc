#include "client/examples/train/demo/training_run.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace anex::train {

using nlohmann::json;

bool TakeProgressLine(std::string_view line, RunState& state) {
  const json value = json::parse(line, nullptr, false);
  if (!value.is_object() || !value.contains("event")) return false;
  try {
    const std::string event = value.at("event");
    if (event == "start") {
      state.seed = value.at("seed");
      state.steps = value.at("steps");
    } else if (event == "step") {
      state.step = value.at("step");
      state.steps = value.at("steps");
      state.loss = value.at("loss");
      state.tokens_per_s = value.at("tokens_per_s");
    } else if (event == "done") {
      state.tokens_per_s = value.at("tokens_per_s");
      state.done = true;
    } else {
      return false;
    }
  } catch (const json::exception&) {
    return false;
  }
  return true;
}

absl::StatusOr<RunReport> ParseRunReport(std::string_view text) {
  const json value = json::parse(text, nullptr, false);
  if (value.is_discarded()) return absl::InvalidArgumentError("a trainer's report is no JSON");
  RunReport report;
  try {
    report.name = value.at("name");
    report.seed = value.at("seed");
    report.steps = value.at("steps");
    report.val_loss = value.at("val_loss");
    report.unigram = value.at("unigram");
    report.bigram = value.at("bigram");
    report.tokens_per_s = value.at("tokens_per_s");
    report.losses = value.at("losses");
    report.samples = value.at("samples");
  } catch (const json::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat("a trainer's report: ", error.what()));
  }
  if (static_cast<int>(report.losses.size()) != report.steps) {
    return absl::InvalidArgumentError(absl::StrCat("a trainer's report has ", report.losses.size(),
                                                   " losses for ", report.steps, " steps"));
  }
  return report;
}

}  // namespace anex::train
