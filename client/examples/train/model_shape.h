// The sizes of the decoder that the trainer trains, and the list of its parameters.
//
// The model is a small llama: token embedding, `layers` times (RMSNorm, rotary causal attention,
// residual, RMSNorm, SwiGLU, residual), a last RMSNorm, and a classifier that is tied to the
// embedding. There are no biases. Values only, any thread.
//
// All parameters live in one flat float array (the fp32 master copy, its gradient, the optimiser's
// moments); ParameterTable says which part is which tensor. Matrices are W[N, K] row-major, used as
// y[N, T] = W @ x[K, T] with activations channel-first: this is the layout that the device binds,
// so that nothing is ever transposed on the host.
#ifndef ANEX_CLIENT_EXAMPLES_TRAIN_MODEL_SHAPE_H_
#define ANEX_CLIENT_EXAMPLES_TRAIN_MODEL_SHAPE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace anex::train {

struct ModelShape {
  int dim = 64;
  int hidden = 172;
  int layers = 2;
  int heads = 4;
  int seq = 64;    // tokens of one window
  int batch = 8;   // windows of one step
  int vocab = 65;  // set from the text

  int head_dim() const { return dim / heads; }
  int tokens() const { return seq * batch; }  // columns of every activation
};

inline constexpr float kNormEpsilon = 1e-5f;
inline constexpr double kRopeBase = 10000.0;

// INVALID_ARGUMENT says which size does not fit (a head needs an even number of channels, ...).
absl::Status Validate(const ModelShape& shape);

// "demo" or "small". NOT_FOUND names those there are.
absl::StatusOr<ModelShape> PresetShape(std::string_view preset);

struct Parameter {
  std::string name;           // "embed", "layer0.wq", "final_norm"
  std::vector<int64_t> dims;  // as the device sees it: [1, N, K], norms [1, C, 1, 1]
  size_t offset = 0;          // of the first element in the flat array
  size_t size = 0;            // elements
  bool decays = true;         // weight decay: matrices yes, norms no
};

class ParameterTable {
 public:
  explicit ParameterTable(const ModelShape& shape);

  const std::vector<Parameter>& all() const& { return all_; }
  const std::vector<Parameter>& all() && = delete;  // would dangle
  size_t total() const { return total_; }
  const Parameter& Find(std::string_view name) const&;  // REQUIRES: it exists
  const Parameter& Find(std::string_view name) && = delete;
  // "layer3.wq"
  static std::string LayerName(int layer, std::string_view part);

 private:
  void Matrix(std::string name, int64_t rows, int64_t columns);
  void Norm(std::string name, int64_t channels);

  std::vector<Parameter> all_;
  size_t total_ = 0;
};

// Fresh weights for `seed`: norms 1, matrices uniform with the variance 1 / columns, the two that
// end in the residual stream (wo, w2) smaller by sqrt(2 * layers), the embedding +-0.05. The order
// of draws is that of the table, so equal seeds give equal weights.
std::vector<float> InitialWeights(const ModelShape& shape, uint64_t seed);

}  // namespace anex::train

#endif  // ANEX_CLIENT_EXAMPLES_TRAIN_MODEL_SHAPE_H_
