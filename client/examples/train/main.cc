// anex_trainer: one training run, or a gradient check, as a client of anexd (or with the engine in
// this process). Exit code 0 = done, 1 = failed, 2 = wrong flags.
#include <csignal>
#include <cstdio>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "client/anex/connect.h"
#include "client/anex/session.h"
#include "client/examples/train/generator.h"
#include "client/examples/train/gradient_check.h"
#include "client/examples/train/trainer_flags.h"
#include "client/inproc/inproc_transport.h"

namespace anex::train {
namespace {

constexpr int kReferenceSamples = 16;  // elements per parameter
constexpr size_t kPromptSymbols = 16;

absl::StatusOr<Session> Attach(const TrainerFlags& flags) {
  if (!flags.in_process) {
    return Connect(
        {.endpoint = flags.socket, .client_name = flags.name, .wait_for_daemon = absl::Seconds(5)});
  }
  auto engine = StartInprocEngine({.cpu_threads = flags.cpu_threads});
  if (!engine.ok()) return engine.status();
  return Session::Open(MakeInprocTransport(*std::move(engine)), {.client_name = flags.name});
}

// Prints one rung of the ladder; true if it holds.
bool PrintErrors(const char* title, const std::vector<TensorError>& errors, double gate) {
  std::printf("%s (gate %.0e)\n", title, gate);
  for (const TensorError& error : errors) {
    std::printf("  %-14s %.2e%s\n", error.parameter.c_str(), error.error,
                error.error <= gate ? "" : "  <-- too large");
  }
  const bool good = WorstError(errors) <= gate;  // false for NaN
  std::printf("  worst %.2e: %s\n", WorstError(errors), good ? "ok" : "FAILED");
  return good;
}

absl::Status CheckGradients(const TrainerFlags& flags) {
  const GradientProblem problem = MakeGradientProblem(flags.training.seed);
  bool good = PrintErrors("reference against central differences in double",
                          CheckReference(problem, kReferenceSamples), kReferenceGate);
  const absl::StatusOr<Session> session = Attach(flags);
  if (!session.ok()) return session.status();
  const auto model = DeviceModel::Create(*session, problem.shape, flags.submit, flags.device);
  if (!model.ok()) return model.status();
  const auto check = CheckDevice(problem, **model, flags.training.loss_scale);
  if (!check.ok()) return check.status();
  std::printf("loss: kernels %.6f, reference %.6f\n", check->loss, check->reference_loss);
  good = PrintErrors("kernels against the reference", check->errors, kDeviceGate) && good;
  return good ? absl::OkStatus() : absl::InternalError("a gradient is outside its gate");
}

absl::Status RunSteps(const TrainerFlags& flags, Trainer& trainer, Progress& progress,
                      TrainReport& report) {
  if (absl::Status started = trainer.Start(); !started.ok()) return started;
  const absl::Time start = absl::Now();
  for (int step = 1; step <= flags.training.steps; ++step) {
    const absl::StatusOr<double> loss = trainer.Step();
    if (!loss.ok()) return loss.status();
    absl::Status shown = progress.Step(step, flags.training.steps, *loss);
    if (!shown.ok()) return shown;
  }
  report.seconds = absl::ToDoubleSeconds(absl::Now() - start);
  report.tokens_per_s = flags.training.steps * flags.shape.tokens() / report.seconds;
  report.losses = trainer.losses();
  report.overflows = trainer.overflows();
  return absl::OkStatus();
}

absl::Status WriteSamples(const TrainerFlags& flags, const Corpus& corpus, const Trainer& trainer,
                          DeviceModel& model, TrainReport& report) {
  if (flags.generate == 0 || flags.samples == 0) return absl::OkStatus();
  const size_t length = std::min<size_t>(kPromptSymbols, model.shape().seq);
  std::vector<std::vector<int>> prompts;
  for (const Batch& batch : FixedBatches(corpus.validation, flags.samples, 1, model.shape().seq)) {
    prompts.emplace_back(batch.inputs.begin(), batch.inputs.begin() + static_cast<long>(length));
  }
  auto written = Generate(
      model, corpus.vocabulary, trainer.weights(), prompts,
      {.length = flags.generate, .temperature = flags.temperature, .seed = flags.training.seed});
  if (!written.ok()) return written.status();
  report.samples = *std::move(written);
  return absl::OkStatus();
}

absl::Status Train(TrainerFlags flags) {
  const absl::StatusOr<std::string> text = ReadText(flags.data);
  if (!text.ok()) return text.status();
  const absl::StatusOr<Corpus> corpus = MakeCorpus(*text, flags.shape.seq);
  if (!corpus.ok()) return corpus.status();
  flags.shape.vocab = corpus->vocabulary.size();
  const std::vector<Batch> judged = FixedBatches(corpus->validation, flags.validation_batches,
                                                 flags.shape.batch, flags.shape.seq);
  const absl::StatusOr<Session> session = Attach(flags);
  if (!session.ok()) return session.status();
  const auto model = DeviceModel::Create(*session, flags.shape, flags.submit, flags.device);
  if (!model.ok()) return model.status();

  TrainReport report{.name = flags.name,
                     .seed = flags.training.seed,
                     .steps = flags.training.steps,
                     .parameters = (*model)->parameters().total(),
                     .vocab = flags.shape.vocab};
  report.baselines = MeasureBaselines(corpus->training, judged, flags.shape.vocab);
  Progress progress(flags.progress, flags.shape.tokens());
  progress.Start(report);
  Trainer trainer(flags.training, *corpus, **model);
  if (absl::Status ran = RunSteps(flags, trainer, progress, report); !ran.ok()) return ran;
  const absl::StatusOr<double> validation = trainer.Evaluate(judged);
  if (!validation.ok()) return validation.status();
  report.val_loss = *validation;
  absl::Status written = WriteSamples(flags, *corpus, trainer, **model, report);
  if (!written.ok()) return written;
  report.evaluations = (*model)->evaluations();
  report.device_ns = (*model)->device_ns();
  progress.Done(report);
  return flags.json.empty() ? absl::OkStatus() : WriteReport(report, flags.json);
}

int Main(int argc, char** argv) {
  // As in anexd: see client/inproc/inproc_transport.h.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  std::signal(SIGPIPE, SIG_IGN);  // a driver that goes away ends us through Progress::Step
  auto parsed = ParseTrainerFlags({argv + 1, argv + argc});
  if (const auto* print = std::get_if<PrintAndExit>(&parsed)) {
    std::fputs(print->text.c_str(), print->code == 0 ? stdout : stderr);
    return print->code;
  }
  const TrainerFlags& flags = std::get<TrainerFlags>(parsed);
  const absl::Status done = flags.check_gradients ? CheckGradients(flags) : Train(flags);
  if (done.ok()) return 0;
  std::fprintf(stderr, "anex_trainer: %s\n", std::string(done.message()).c_str());
  return 1;
}

}  // namespace
}  // namespace anex::train

int main(int argc, char** argv) { return anex::train::Main(argc, argv); }
