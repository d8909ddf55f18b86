#include "client/examples/train/trainer_flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <sstream>

#include "absl/strings/str_cat.h"

namespace anex::train {
namespace {

// Flags as they are written; sizes only if given, because a preset provides the others.
struct Written {
  std::string preset = "demo", submit = "chain", progress = "plain";
  std::optional<int> dim, hidden, layers, heads, seq, batch;
};

void AddConnectionFlags(CLI::App& app, TrainerFlags& flags) {
  app.add_option("--socket", flags.socket, "socket of the daemon (default: $ANEXD_SOCKET, ...)");
  app.add_flag("--in-process", flags.in_process, "run the engine in this process, no daemon");
  app.add_option("--cpu-threads", flags.cpu_threads, "of the in-process engine; 0 = all");
  app.add_option("--device", flags.device, "device to train on (default: the daemon's)");
  app.add_option("--name", flags.name, "name shown to everybody on the daemon")
      ->capture_default_str();
}

void AddModelFlags(CLI::App& app, Written& written) {
  app.add_option("--preset", written.preset, "sizes: demo or small")->capture_default_str();
  app.add_option("--dim", written.dim, "channels");
  app.add_option("--hidden", written.hidden, "channels of the feed-forward layer");
  app.add_option("--layers", written.layers, "layers");
  app.add_option("--heads", written.heads, "attention heads");
  app.add_option("--seq", written.seq, "symbols of a window");
  app.add_option("--batch", written.batch, "windows of a step");
}

void AddTrainingFlags(CLI::App& app, TrainerFlags& flags, Written& written) {
  TrainOptions& training = flags.training;
  app.add_option("--data", flags.data, "a text, or a folder of sources and documents")
      ->capture_default_str();
  app.add_option("--seed", training.seed, "decides weights and windows")->capture_default_str();
  app.add_option("--steps", training.steps, "optimiser steps")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000000));
  app.add_option("--learning-rate", training.optimizer.learning_rate, "the peak")
      ->capture_default_str()
      ->check(CLI::Range(0.0f, 1.0f));
  app.add_option("--loss-scale", training.loss_scale, "of the fp16 backward pass")
      ->capture_default_str()
      ->check(CLI::Range(1.0f, 65536.0f));
  app.add_option("--submit", written.submit,
                 "how passes are submitted: unary, stream, chain or ring")
      ->capture_default_str();
}

void AddOutputFlags(CLI::App& app, TrainerFlags& flags, Written& written) {
  app.add_option("--validation-batches", flags.validation_batches, "batches of the final judgement")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  app.add_option("--generate", flags.generate, "symbols to write at the end; 0 = none")
      ->capture_default_str()
      ->check(CLI::Range(0, 100000));
  app.add_option("--samples", flags.samples, "texts to write")->capture_default_str();
  app.add_option("--temperature", flags.temperature, "0 = always the likeliest symbol")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 100.0));
  app.add_option("--json", flags.json, "write a report with every step's loss to this file");
  app.add_option("--progress", written.progress, "plain, or json for a driver")
      ->capture_default_str();
  app.add_flag("--check-gradients", flags.check_gradients,
               "do not train: compare gradients with a reference in double");
}

absl::Status ApplySizes(const Written& written, ModelShape& shape) {
  const absl::StatusOr<ModelShape> preset = PresetShape(written.preset);
  if (!preset.ok()) return preset.status();
  shape = *preset;
  shape.dim = written.dim.value_or(shape.dim);
  shape.hidden = written.hidden.value_or(shape.hidden);
  shape.layers = written.layers.value_or(shape.layers);
  shape.heads = written.heads.value_or(shape.heads);
  shape.seq = written.seq.value_or(shape.seq);
  shape.batch = written.batch.value_or(shape.batch);
  return Validate(shape);
}

absl::Status Apply(const Written& written, TrainerFlags& flags) {
  if (absl::Status sizes = ApplySizes(written, flags.shape); !sizes.ok()) return sizes;
  const absl::StatusOr<SubmitWay> way = SubmitWayFromName(written.submit);
  if (!way.ok()) return way.status();
  flags.submit = *way;
  if (written.progress != "plain" && written.progress != "json") {
    return absl::InvalidArgumentError("--progress takes plain or json");
  }
  flags.progress = written.progress == "json" ? ProgressStyle::kJson : ProgressStyle::kPlain;
  flags.samples = std::clamp(flags.samples, 0, flags.shape.batch);
  TrainOptions& training = flags.training;
  training.optimizer.warmup = std::min(training.optimizer.warmup, std::max(1, training.steps / 10));
  return absl::OkStatus();
}

}  // namespace

std::variant<TrainerFlags, PrintAndExit> ParseTrainerFlags(
    const std::vector<std::string>& arguments) {
  TrainerFlags flags;
  Written written;
  CLI::App app(
      "Trains a small llama-style decoder on bytes of text; matmuls and attention, forward and\n"
      "backward, run as kernels on anexd's device.\n"
      "Example: anex_trainer --data book.txt --steps 500 --seed 2",
      "anex_trainer");
  AddConnectionFlags(app, flags);
  AddModelFlags(app, written);
  AddTrainingFlags(app, flags, written);
  AddOutputFlags(app, flags, written);
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 wants them
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out, err;
    const int code = app.exit(error, out, err);
    return PrintAndExit{out.str() + err.str(), code == 0 ? 0 : 2};
  }
  if (const absl::Status applied = Apply(written, flags); !applied.ok()) {
    return PrintAndExit{absl::StrCat("anex_trainer: ", std::string(applied.message()), "\n"), 2};
  }
  return flags;
}

}  // namespace anex::train
