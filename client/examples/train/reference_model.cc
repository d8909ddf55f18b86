#include "client/examples/train/reference_model.h"

#include <algorithm>
#include <cmath>

namespace anex::train {
namespace {

// A matrix with one row per token.
struct Rows {
  Rows() = default;
  Rows(int rows, int columns)
      : columns(columns), data(static_cast<size_t>(rows) * static_cast<size_t>(columns)) {}
  double* operator[](int row) { return &data[static_cast<size_t>(row) * columns]; }
  const double* operator[](int row) const { return &data[static_cast<size_t>(row) * columns]; }
  int columns = 0;
  std::vector<double> data;
};

// What the backward pass needs of one layer's forward pass.
struct Trace {
  Rows x, n1, q, k, v, o, xm, n2, a, b, h;
  std::vector<double> probs;  // [batch][head][query][key]
};

// y[t] = W x[t], W[n][k] row-major
Rows Linear(const double* w, const Rows& x, int tokens, int n) {
  Rows y(tokens, n);
  for (int t = 0; t < tokens; ++t) {
    for (int i = 0; i < n; ++i) {
      double sum = 0;
      for (int j = 0; j < x.columns; ++j) sum += w[i * x.columns + j] * x[t][j];
      y[t][i] = sum;
    }
  }
  return y;
}

// dW += dy x^T, and returns W^T dy.
Rows LinearBackward(const double* w, double* dw, const Rows& x, const Rows& dy, int tokens) {
  Rows dx(tokens, x.columns);
  for (int t = 0; t < tokens; ++t) {
    for (int i = 0; i < dy.columns; ++i) {
      for (int j = 0; j < x.columns; ++j) {
        dw[i * x.columns + j] += dy[t][i] * x[t][j];
        dx[t][j] += dy[t][i] * w[i * x.columns + j];
      }
    }
  }
  return dx;
}

double InverseRms(const double* x, int columns) {
  double squares = 0;
  for (int j = 0; j < columns; ++j) squares += x[j] * x[j];
  return 1.0 / std::sqrt(squares / columns + kNormEpsilon);
}

Rows Norm(const double* gain, const Rows& x, int tokens) {
  Rows y(tokens, x.columns);
  for (int t = 0; t < tokens; ++t) {
    const double r = InverseRms(x[t], x.columns);
    for (int j = 0; j < x.columns; ++j) y[t][j] = x[t][j] * r * gain[j];
  }
  return y;
}

// dx += the gradient through Norm. From d(x_j r)/dx_i = r (i == j) - x_i x_j r^3 / columns.
void NormBackward(const double* gain, double* dgain, const Rows& x, const Rows& dy, Rows& dx,
                  int tokens) {
  for (int t = 0; t < tokens; ++t) {
    const double r = InverseRms(x[t], x.columns);
    double dot = 0;
    for (int j = 0; j < x.columns; ++j) {
      dgain[j] += dy[t][j] * x[t][j] * r;
      dot += dy[t][j] * gain[j] * x[t][j];
    }
    for (int j = 0; j < x.columns; ++j) {
      dx[t][j] += dy[t][j] * gain[j] * r - x[t][j] * r * r * r / x.columns * dot;
    }
  }
}

double Sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

// The model's run over one batch. Members are what both passes share.
class Run {
 public:
  Run(const ModelShape& shape, std::span<const double> weights, std::span<const int> inputs,
      std::span<const int> targets)
      : s_(shape), table_(shape), weights_(weights), inputs_(inputs), targets_(targets) {}

  double Forward();
  std::vector<double> Backward();

 private:
  const double* W(int layer, std::string_view part) const {
    return &weights_[table_.Find(ParameterTable::LayerName(layer, part)).offset];
  }
  double* D(int layer, std::string_view part) {
    return &gradient_[table_.Find(ParameterTable::LayerName(layer, part)).offset];
  }
  size_t ProbsAt(int window, int head, int query) const {
    return ((static_cast<size_t>(window) * s_.heads + head) * s_.seq + query) * s_.seq;
  }
  void Rotate(Rows& x, double direction) const;
  void Attention(Trace& trace) const;
  void AttentionBackward(const Trace& trace, const Rows& d_o, Rows& dq, Rows& dk, Rows& dv) const;
  Rows LayerForward(int layer, Rows x);
  Rows FfnBackward(int layer, const Rows& dy);
  Rows LayerBackward(int layer, const Rows& dy);
  double Softmax();

  const ModelShape& s_;
  const ParameterTable table_;
  std::span<const double> weights_;
  std::span<const int> inputs_, targets_;
  std::vector<Trace> traces_;
  Rows x_, xn_, probs_;  // classifier: input, normed input, softmax of the logits
  std::vector<double> gradient_;
};

void Run::Rotate(Rows& x, double direction) const {
  for (int t = 0; t < s_.tokens(); ++t) {
    for (int c = 0; c < s_.dim; c += 2) {
      const int in_head = c % s_.head_dim();
      const double angle = direction * (t % s_.seq) *
                           std::pow(kRopeBase, -static_cast<double>(in_head) / s_.head_dim());
      const double first = x[t][c], second = x[t][c + 1];
      x[t][c] = first * std::cos(angle) - second * std::sin(angle);
      x[t][c + 1] = first * std::sin(angle) + second * std::cos(angle);
    }
  }
}

void Run::Attention(Trace& trace) const {
  const int hd = s_.head_dim();
  trace.o = Rows(s_.tokens(), s_.dim);
  trace.probs.assign(ProbsAt(s_.batch, 0, 0), 0.0);
  for (int w = 0; w < s_.batch; ++w) {
    for (int h = 0; h < s_.heads; ++h) {
      for (int i = 0; i < s_.seq; ++i) {
        double* p = &trace.probs[ProbsAt(w, h, i)];
        const double* q = trace.q[w * s_.seq + i] + h * hd;
        double largest = -1e300, sum = 0;
        for (int j = 0; j <= i; ++j) {
          const double* k = trace.k[w * s_.seq + j] + h * hd;
          double dot = 0;
          for (int c = 0; c < hd; ++c) dot += q[c] * k[c];
          p[j] = dot / std::sqrt(static_cast<double>(hd));
          largest = std::max(largest, p[j]);
        }
        for (int j = 0; j <= i; ++j) sum += p[j] = std::exp(p[j] - largest);
        double* out = trace.o[w * s_.seq + i] + h * hd;
        for (int j = 0; j <= i; ++j) {
          p[j] /= sum;
          const double* v = trace.v[w * s_.seq + j] + h * hd;
          for (int c = 0; c < hd; ++c) out[c] += p[j] * v[c];
        }
      }
    }
  }
}

void Run::AttentionBackward(const Trace& trace, const Rows& d_o, Rows& dq, Rows& dk,
                            Rows& dv) const {
  const int hd = s_.head_dim();
  const double scale = 1.0 / std::sqrt(static_cast<double>(hd));
  for (int w = 0; w < s_.batch; ++w) {
    for (int h = 0; h < s_.heads; ++h) {
      for (int i = 0; i < s_.seq; ++i) {
        const double* p = &trace.probs[ProbsAt(w, h, i)];
        const int ti = w * s_.seq + i, at = h * hd;
        std::vector<double> dp(s_.seq);
        double dot = 0;
        for (int j = 0; j <= i; ++j) {
          const int tj = w * s_.seq + j;
          for (int c = 0; c < hd; ++c) {
            dp[j] += d_o[ti][at + c] * trace.v[tj][at + c];
            dv[tj][at + c] += p[j] * d_o[ti][at + c];
          }
          dot += dp[j] * p[j];
        }
        for (int j = 0; j <= i; ++j) {
          const int tj = w * s_.seq + j;
          const double ds = p[j] * (dp[j] - dot) * scale;
          for (int c = 0; c < hd; ++c) {
            dq[ti][at + c] += ds * trace.k[tj][at + c];
            dk[tj][at + c] += ds * trace.q[ti][at + c];
          }
        }
      }
    }
  }
}

Rows Run::LayerForward(int layer, Rows x) {
  const int tokens = s_.tokens();
  Trace t;
  t.x = std::move(x);
  t.n1 = Norm(W(layer, "norm1"), t.x, tokens);
  t.q = Linear(W(layer, "wq"), t.n1, tokens, s_.dim);
  t.k = Linear(W(layer, "wk"), t.n1, tokens, s_.dim);
  t.v = Linear(W(layer, "wv"), t.n1, tokens, s_.dim);
  Rotate(t.q, 1);
  Rotate(t.k, 1);
  Attention(t);
  t.xm = Linear(W(layer, "wo"), t.o, tokens, s_.dim);
  for (size_t i = 0; i < t.xm.data.size(); ++i) t.xm.data[i] += t.x.data[i];
  t.n2 = Norm(W(layer, "norm2"), t.xm, tokens);
  t.a = Linear(W(layer, "w1"), t.n2, tokens, s_.hidden);
  t.b = Linear(W(layer, "w3"), t.n2, tokens, s_.hidden);
  t.h = Rows(tokens, s_.hidden);
  for (size_t i = 0; i < t.h.data.size(); ++i) {
    t.h.data[i] = t.a.data[i] * Sigmoid(t.a.data[i]) * t.b.data[i];
  }
  Rows y = Linear(W(layer, "w2"), t.h, tokens, s_.dim);
  for (size_t i = 0; i < y.data.size(); ++i) y.data[i] += t.xm.data[i];
  traces_.push_back(std::move(t));
  return y;
}

// The gradient of the layer's middle, xm.
Rows Run::FfnBackward(int layer, const Rows& dy) {
  const Trace& t = traces_[layer];
  Rows dh = LinearBackward(W(layer, "w2"), D(layer, "w2"), t.h, dy, s_.tokens());
  Rows da = dh, db = dh;
  for (size_t i = 0; i < dh.data.size(); ++i) {
    const double a = t.a.data[i], s = Sigmoid(a);
    da.data[i] = dh.data[i] * t.b.data[i] * (s + a * s * (1 - s));
    db.data[i] = dh.data[i] * a * s;
  }
  Rows dn = LinearBackward(W(layer, "w1"), D(layer, "w1"), t.n2, da, s_.tokens());
  const Rows dn3 = LinearBackward(W(layer, "w3"), D(layer, "w3"), t.n2, db, s_.tokens());
  for (size_t i = 0; i < dn.data.size(); ++i) dn.data[i] += dn3.data[i];
  Rows dxm = dy;
  NormBackward(W(layer, "norm2"), D(layer, "norm2"), t.xm, dn, dxm, s_.tokens());
  return dxm;
}

Rows Run::LayerBackward(int layer, const Rows& dy) {
  const int tokens = s_.tokens();
  const Trace& t = traces_[layer];
  Rows dx = FfnBackward(layer, dy);
  const Rows d_o = LinearBackward(W(layer, "wo"), D(layer, "wo"), t.o, dx, tokens);
  Rows dq(tokens, s_.dim), dk(tokens, s_.dim), dv(tokens, s_.dim);
  AttentionBackward(t, d_o, dq, dk, dv);
  Rotate(dq, -1);
  Rotate(dk, -1);
  Rows dn = LinearBackward(W(layer, "wq"), D(layer, "wq"), t.n1, dq, tokens);
  const Rows from_k = LinearBackward(W(layer, "wk"), D(layer, "wk"), t.n1, dk, tokens);
  const Rows from_v = LinearBackward(W(layer, "wv"), D(layer, "wv"), t.n1, dv, tokens);
  for (size_t i = 0; i < dn.data.size(); ++i) dn.data[i] += from_k.data[i] + from_v.data[i];
  NormBackward(W(layer, "norm1"), D(layer, "norm1"), t.x, dn, dx, tokens);
  return dx;
}

// Turns the logits in probs_ into probabilities and returns the loss.
double Run::Softmax() {
  double loss = 0;
  for (int t = 0; t < s_.tokens(); ++t) {
    double* row = probs_[t];
    const double largest = *std::max_element(row, row + s_.vocab);
    double sum = 0;
    for (int c = 0; c < s_.vocab; ++c) sum += std::exp(row[c] - largest);
    loss += std::log(sum) + largest - row[targets_[t]];
    for (int c = 0; c < s_.vocab; ++c) row[c] = std::exp(row[c] - largest) / sum;
  }
  return loss / s_.tokens();
}

double Run::Forward() {
  const double* embed = &weights_[table_.Find("embed").offset];
  Rows x(s_.tokens(), s_.dim);
  for (int t = 0; t < s_.tokens(); ++t) {
    std::copy_n(embed + inputs_[t] * s_.dim, s_.dim, x[t]);
  }
  for (int layer = 0; layer < s_.layers; ++layer) x = LayerForward(layer, std::move(x));
  x_ = std::move(x);
  xn_ = Norm(&weights_[table_.Find("final_norm").offset], x_, s_.tokens());
  probs_ = Linear(embed, xn_, s_.tokens(), s_.vocab);
  return Softmax();
}

std::vector<double> Run::Backward() {
  gradient_.assign(table_.total(), 0.0);
  const size_t embed = table_.Find("embed").offset, norm = table_.Find("final_norm").offset;
  Rows dlogits = probs_;
  for (int t = 0; t < s_.tokens(); ++t) dlogits[t][targets_[t]] -= 1;
  for (double& value : dlogits.data) value /= s_.tokens();
  const Rows dn = LinearBackward(&weights_[embed], &gradient_[embed], xn_, dlogits, s_.tokens());
  Rows dx(s_.tokens(), s_.dim);
  NormBackward(&weights_[norm], &gradient_[norm], x_, dn, dx, s_.tokens());
  for (int layer = s_.layers - 1; layer >= 0; --layer) dx = LayerBackward(layer, dx);
  for (int t = 0; t < s_.tokens(); ++t) {
    for (int c = 0; c < s_.dim; ++c) gradient_[embed + inputs_[t] * s_.dim + c] += dx[t][c];
  }
  return std::move(gradient_);
}

}  // namespace

ReferenceResult RunReference(const ModelShape& shape, std::span<const double> weights,
                             std::span<const int> inputs, std::span<const int> targets,
                             bool with_gradient) {
  Run run(shape, weights, inputs, targets);
  ReferenceResult result;
  result.loss = run.Forward();
  if (with_gradient) result.gradient = run.Backward();
  return result;
}

}  // namespace anex::train
