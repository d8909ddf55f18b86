// The flags of anex_trainer, parsed and checked. Pure, any thread.
#ifndef ANEX_CLIENT_EXAMPLES_TRAIN_TRAINER_FLAGS_H_
#define ANEX_CLIENT_EXAMPLES_TRAIN_TRAINER_FLAGS_H_

#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "client/examples/train/device_model.h"
#include "client/examples/train/report.h"
#include "client/examples/train/trainer.h"

namespace anex::train {

struct TrainerFlags {
  std::string socket;       // "" = the default one
  bool in_process = false;  // no daemon: the engine in this process
  int cpu_threads = 0;      // of the in-process engine
  std::string device;
  std::string name = "trainer";
  std::string data = ".";
  std::string json;  // "" = no file
  ProgressStyle progress = ProgressStyle::kPlain;
  SubmitWay submit = SubmitWay::kChain;
  ModelShape shape;  // vocab is set from the text
  TrainOptions training;
  int validation_batches = 16;
  int generate = 120;  // symbols; 0 = none
  int samples = 2;     // texts
  double temperature = 0.8;
  bool check_gradients = false;
};

// What to do: the flags, or only to print a text (help) and leave with a code.
struct PrintAndExit {
  std::string text;
  int code = 0;
};
std::variant<TrainerFlags, PrintAndExit> ParseTrainerFlags(
    const std::vector<std::string>& arguments);

}  // namespace anex::train

#endif  // ANEX_CLIENT_EXAMPLES_TRAIN_TRAINER_FLAGS_H_
