#include "client/examples/train/generator.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "client/examples/train/random.h"

namespace anex::train {
namespace {

// The logits of one column of [vocab, tokens].
std::vector<float> Column(std::span<const float> logits, size_t tokens, size_t column) {
  std::vector<float> values;
  for (size_t at = column; at < logits.size(); at += tokens) values.push_back(logits[at]);
  return values;
}

int Draw(const std::vector<float>& logits, double temperature, Random& random) {
  const auto likeliest = std::max_element(logits.begin(), logits.end());
  if (temperature <= 0) return static_cast<int>(likeliest - logits.begin());
  std::vector<double> heights;
  double sum = 0;
  for (const float logit : logits) {
    sum += std::exp((static_cast<double>(logit) - *likeliest) / temperature);
    heights.push_back(sum);
  }
  const auto drawn = std::upper_bound(heights.begin(), heights.end(), random.Unit() * sum);
  return static_cast<int>(std::min<std::ptrdiff_t>(drawn - heights.begin(),
                                                   static_cast<std::ptrdiff_t>(logits.size()) - 1));
}

absl::Status CheckPrompts(const ModelShape& shape, const std::vector<std::vector<int>>& prompts) {
  const size_t batch = static_cast<size_t>(shape.batch), seq = static_cast<size_t>(shape.seq);
  if (prompts.empty() || prompts.size() > batch) {
    return absl::InvalidArgumentError(
        absl::StrCat(prompts.size(), " prompts; the model writes 1 to ", batch, " texts at once"));
  }
  for (const std::vector<int>& prompt : prompts) {
    if (prompt.empty() || prompt.size() > seq) {
      return absl::InvalidArgumentError(
          absl::StrCat("a prompt has ", prompt.size(), " symbols; it must have 1 to ", seq));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<std::string>> Generate(DeviceModel& model, const Vocabulary& vocabulary,
                                                  std::span<const float> weights,
                                                  const std::vector<std::vector<int>>& prompts,
                                                  const GenerateOptions& options) {
  const ModelShape& shape = model.shape();
  if (absl::Status good = CheckPrompts(shape, prompts); !good.ok()) return good;
  const size_t seq = static_cast<size_t>(shape.seq), tokens = static_cast<size_t>(shape.tokens());
  std::vector<std::vector<int>> texts = prompts;
  std::vector<float> logits(static_cast<size_t>(shape.vocab) * tokens);
  Random random(options.seed);
  for (int i = 0; i < options.length; ++i) {
    std::vector<int> inputs(tokens, 0);  // what stands after a text does not change it: causal
    for (size_t w = 0; w < texts.size(); ++w) {
      const size_t seen = std::min(texts[w].size(), seq);
      std::copy(texts[w].end() - static_cast<std::ptrdiff_t>(seen), texts[w].end(),
                inputs.begin() + static_cast<std::ptrdiff_t>(w * seq));
    }
    absl::Status status = model.Forward(inputs, weights);
    if (status.ok()) status = model.TakeLogits(logits);
    if (!status.ok()) return status;
    for (size_t w = 0; w < texts.size(); ++w) {
      const size_t last = w * seq + std::min(texts[w].size(), seq) - 1;
      texts[w].push_back(Draw(Column(logits, tokens, last), options.temperature, random));
    }
  }
  std::vector<std::string> written(texts.size());
  for (size_t w = 0; w < texts.size(); ++w) {
    for (const int symbol : texts[w]) written[w].push_back(vocabulary.ByteOf(symbol));
  }
  return written;
}

}  // namespace anex::train
