#include "client/examples/train/mil_programs.h"

#include <cmath>
#include <vector>

#include "client/examples/train/mil_function.h"
#include "proto/wire/half.h"

namespace anex::train {
namespace {

// What the programs have in common: shapes of ports and pieces of formula.
class Writer {
 public:
  Writer(std::string_view name, const ModelShape& shape) : f(name), shape_(shape) {}

  MilFunction f;

  int64_t dim() const { return shape_.dim; }
  int64_t hidden() const { return shape_.hidden; }
  int64_t vocab() const { return shape_.vocab; }
  int64_t tokens() const { return shape_.tokens(); }

  Mil Activation(std::string_view port, int64_t channels) {
    return f.Input(port, {1, channels, 1, tokens()});
  }
  Mil Matrix(std::string_view port, int64_t rows, int64_t columns) {
    return f.Input(port, {1, rows, columns});
  }
  Mil Gain(std::string_view port) { return f.Input(port, {1, dim(), 1, 1}); }
  Mil Probabilities(std::string_view port) {
    return f.Input(port, {shape_.batch, shape_.heads, shape_.seq, shape_.seq});
  }

  // W @ x: [1, N, K] with [1, K, 1, T] gives [1, N, 1, T]. The reshapes move no byte.
  Mil Linear(const Mil& w, const Mil& x) { return Wide(f.Matmul(w, Narrow(x))); }
  // W^T @ dy: how the gradient goes back through Linear.
  Mil LinearBack(const Mil& w, const Mil& dy) { return Wide(f.Matmul(w, true, Narrow(dy), false)); }
  // dy @ x^T: what Linear's weight gets.
  Mil WeightGradient(const Mil& dy, const Mil& x) {
    return f.Matmul(Narrow(dy), false, Narrow(x), true);
  }

  struct Normed {
    Mil r;    // 1 / sqrt(mean of squares + epsilon), [1, 1, 1, T]
    Mil hat;  // x * r
  };
  // The mean is taken over the channels of a column. pow(-0.5), not rsqrt: the former is what
  // programs that run on the Neural Engine use after a reduction.
  Normed Norm(const Mil& x) {
    const Mil mean = f.ReduceMean(f.Mul(x, x), 1);
    const Mil r = f.Pow(f.Add(mean, f.Scalar(kNormEpsilon)), f.Scalar(-0.5f));
    return {r, f.Mul(x, r)};
  }
  // dx = r * (dhat - hat * mean(dhat * hat)), with dhat = dn * gain. Written with `hat` and not
  // with r^3 * x, which leaves the range of fp16 while activations are small.
  Mil NormBack(const Mil& x, const Mil& gain, const Mil& dn, std::string_view gain_gradient) {
    const Normed normed = Norm(x);
    const Mil product = f.Mul(dn, normed.hat);
    f.Output(gain_gradient, f.ReduceSum(product, 3));
    const Mil mean = f.ReduceMean(f.Mul(product, gain), 1);
    return f.Mul(f.Sub(f.Mul(dn, gain), f.Mul(normed.hat, mean)), normed.r);
  }

  struct Tables {
    Mil cos, sin;  // [1, head_dim / 2, 1, T]
  };
  Tables RopeTables() {
    const int half = shape_.head_dim() / 2;
    std::vector<float> cosines, sines;
    for (int pair = 0; pair < half; ++pair) {
      const double frequency = std::pow(kRopeBase, -2.0 * pair / shape_.head_dim());
      for (int column = 0; column < shape_.tokens(); ++column) {
        const double angle = (column % shape_.seq) * frequency;
        cosines.push_back(static_cast<float>(std::cos(angle)));
        sines.push_back(static_cast<float>(std::sin(angle)));
      }
    }
    const std::vector<int64_t> dims{1, half, 1, tokens()};
    return {f.Table("cos", dims, cosines), f.Table("sin", dims, sines)};
  }
  // Turns each pair of channels (2i, 2i + 1) of each head by its position's angle; `back` turns the
  // other way, which is the gradient.
  Mil Rotate(const Mil& x, const Tables& tables, bool back) {
    const int64_t heads = shape_.heads, half = shape_.head_dim() / 2;
    const Mil pairs = f.Reshape(x, {heads, half, 2, tokens()});
    const Mil even = f.Slice(pairs, {0, 0, 0, 0}, {heads, half, 1, tokens()});
    const Mil odd = f.Slice(pairs, {0, 0, 1, 0}, {heads, half, 1, tokens()});
    const Mil even_cos = f.Mul(even, tables.cos), even_sin = f.Mul(even, tables.sin);
    const Mil odd_cos = f.Mul(odd, tables.cos), odd_sin = f.Mul(odd, tables.sin);
    const Mil first = back ? f.Add(even_cos, odd_sin) : f.Sub(even_cos, odd_sin);
    const Mil second = back ? f.Sub(odd_cos, even_sin) : f.Add(even_sin, odd_cos);
    return f.Reshape(f.Concat({first, second}, 2), {1, dim(), 1, tokens()});
  }

  // [1, C, 1, T] <-> [batch, heads, head_dim, seq]
  Mil SplitHeads(const Mil& x) {
    return f.Transpose(f.Reshape(x, {shape_.heads, shape_.head_dim(), shape_.batch, shape_.seq}),
                       {2, 0, 1, 3});
  }
  Mil MergeHeads(const Mil& x) {
    return f.Reshape(f.Transpose(x, {1, 2, 0, 3}), {1, dim(), 1, tokens()});
  }
  Mil Scale() { return f.Scalar(1.0f / std::sqrt(static_cast<float>(shape_.head_dim()))); }
  // 0 where a query may look, else the lowest fp16: never infinity, which could meet another one.
  Mil CausalMask() {
    std::vector<float> mask;
    for (int query = 0; query < shape_.seq; ++query) {
      for (int key = 0; key < shape_.seq; ++key) mask.push_back(key <= query ? 0.0f : -kHalfMax);
    }
    return f.Table("mask", {1, 1, shape_.seq, shape_.seq}, mask);
  }

 private:
  Mil Narrow(const Mil& x) { return f.Reshape(x, {1, x.dims[1], tokens()}); }
  Mil Wide(const Mil& x) { return f.Reshape(x, {1, x.dims[1], 1, tokens()}); }

  const ModelShape& shape_;
};

ProgramSource QkvForward(const ModelShape& shape) {
  Writer w("qkv_fwd", shape);
  const Mil x = w.Activation("x", w.dim()), gain = w.Gain("norm1");
  const Mil wq = w.Matrix("wq", w.dim(), w.dim()), wk = w.Matrix("wk", w.dim(), w.dim()),
            wv = w.Matrix("wv", w.dim(), w.dim());
  const Writer::Tables tables = w.RopeTables();
  const Mil xn = w.f.Mul(w.Norm(x).hat, gain);
  w.f.Output("xn", xn);
  w.f.Output("q", w.Rotate(w.Linear(wq, xn), tables, false));
  w.f.Output("k", w.Rotate(w.Linear(wk, xn), tables, false));
  w.f.Output("v", w.Linear(wv, xn));
  return std::move(w.f).Finish();
}

// probs = softmax over keys of (q * scale)^T k + mask;  o = v probs^T.
ProgramSource AttentionForward(const ModelShape& shape) {
  Writer w("attention_fwd", shape);
  const Mil q = w.SplitHeads(w.Activation("q", w.dim()));
  const Mil k = w.SplitHeads(w.Activation("k", w.dim()));
  const Mil v = w.SplitHeads(w.Activation("v", w.dim()));
  const Mil scores = w.f.Matmul(w.f.Mul(q, w.Scale()), true, k, false);
  const Mil probs = w.f.Softmax(w.f.Add(scores, w.CausalMask()), -1);
  w.f.Output("probs", probs);
  w.f.Output("o", w.MergeHeads(w.f.Matmul(v, false, probs, true)));
  return std::move(w.f).Finish();
}

ProgramSource ProjectionForward(const ModelShape& shape) {
  Writer w("projection_fwd", shape);
  const Mil o = w.Activation("o", w.dim()), wo = w.Matrix("wo", w.dim(), w.dim());
  const Mil x = w.Activation("x", w.dim());
  w.f.Output("xm", w.f.Add(x, w.Linear(wo, o)));
  return std::move(w.f).Finish();
}

// y = xm + w2 @ (silu(a) * b), with a = w1 @ xn, b = w3 @ xn.
ProgramSource FfnForward(const ModelShape& shape) {
  Writer w("ffn_fwd", shape);
  const Mil xm = w.Activation("xm", w.dim()), gain = w.Gain("norm2");
  const Mil w1 = w.Matrix("w1", w.hidden(), w.dim()), w3 = w.Matrix("w3", w.hidden(), w.dim()),
            w2 = w.Matrix("w2", w.dim(), w.hidden());
  const Mil xn = w.f.Mul(w.Norm(xm).hat, gain);
  const Mil a = w.Linear(w1, xn), b = w.Linear(w3, xn);
  const Mil gated = w.f.Mul(w.f.Mul(a, w.f.Sigmoid(a)), b);
  w.f.Output("xn", xn);
  w.f.Output("a", a);
  w.f.Output("b", b);
  w.f.Output("y", w.f.Add(xm, w.Linear(w2, gated)));
  return std::move(w.f).Finish();
}

ProgramSource ClassifierForward(const ModelShape& shape) {
  Writer w("classifier_fwd", shape);
  const Mil x = w.Activation("x", w.dim()), gain = w.Gain("final_norm");
  const Mil embed = w.Matrix("embed", w.vocab(), w.dim());
  const Mil xn = w.f.Mul(w.Norm(x).hat, gain);
  w.f.Output("xn", xn);
  w.f.Output("logits", w.Linear(embed, xn));
  return std::move(w.f).Finish();
}

ProgramSource ClassifierBackward(const ModelShape& shape) {
  Writer w("classifier_bwd", shape);
  const Mil dlogits = w.Activation("dlogits", w.vocab());
  const Mil x = w.Activation("x", w.dim()), xn = w.Activation("xn", w.dim());
  const Mil gain = w.Gain("final_norm"), embed = w.Matrix("embed", w.vocab(), w.dim());
  const Mil dn = w.LinearBack(embed, dlogits);
  w.f.Output("dx", w.NormBack(x, gain, dn, "d_final_norm"));
  w.f.Output("d_embed", w.WeightGradient(dlogits, xn));
  return std::move(w.f).Finish();
}

// silu'(a) = s * (1 + a * (1 - s)), s = sigmoid(a).
ProgramSource FfnBackward(const ModelShape& shape) {
  Writer w("ffn_bwd", shape);
  MilFunction& f = w.f;
  const Mil dy = w.Activation("dy", w.dim()), xm = w.Activation("xm", w.dim()),
            xn = w.Activation("xn", w.dim());
  const Mil a = w.Activation("a", w.hidden()), b = w.Activation("b", w.hidden());
  const Mil gain = w.Gain("norm2");
  const Mil w1 = w.Matrix("w1", w.hidden(), w.dim()), w3 = w.Matrix("w3", w.hidden(), w.dim()),
            w2 = w.Matrix("w2", w.dim(), w.hidden());
  const Mil one = f.Scalar(1.0f);
  const Mil s = f.Sigmoid(a), silu = f.Mul(a, s);
  const Mil dh = w.LinearBack(w2, dy);
  const Mil slope = f.Mul(s, f.Add(f.Mul(a, f.Sub(one, s)), one));
  const Mil da = f.Mul(f.Mul(dh, b), slope), db = f.Mul(dh, silu);
  const Mil dn = f.Add(w.LinearBack(w1, da), w.LinearBack(w3, db));
  f.Output("dxm", f.Add(dy, w.NormBack(xm, gain, dn, "d_norm2")));
  f.Output("d_w1", w.WeightGradient(da, xn));
  f.Output("d_w3", w.WeightGradient(db, xn));
  f.Output("d_w2", w.WeightGradient(dy, f.Mul(silu, b)));
  return std::move(f).Finish();
}

ProgramSource ProjectionBackward(const ModelShape& shape) {
  Writer w("projection_bwd", shape);
  const Mil dxm = w.Activation("dxm", w.dim()), o = w.Activation("o", w.dim());
  const Mil wo = w.Matrix("wo", w.dim(), w.dim());
  w.f.Output("do", w.LinearBack(wo, dxm));
  w.f.Output("d_wo", w.WeightGradient(dxm, o));
  return std::move(w.f).Finish();
}

// dV = dO probs; dP = dO^T V; dS = probs * (dP - rowsum(dP * probs)); dQ = K dS^T * scale;
// dK = (Q * scale) dS. Every line is per head, channels by positions.
ProgramSource AttentionBackward(const ModelShape& shape) {
  Writer w("attention_bwd", shape);
  MilFunction& f = w.f;
  const Mil dout = w.SplitHeads(w.Activation("do", w.dim()));
  const Mil q = w.SplitHeads(w.Activation("q", w.dim()));
  const Mil k = w.SplitHeads(w.Activation("k", w.dim()));
  const Mil v = w.SplitHeads(w.Activation("v", w.dim()));
  const Mil probs = w.Probabilities("probs");
  const Mil scale = w.Scale();
  const Mil dprobs = f.Matmul(dout, true, v, false);
  const Mil row = f.ReduceSum(f.Mul(dprobs, probs), 3);
  const Mil dscores = f.Mul(probs, f.Sub(dprobs, row));
  f.Output("dq", w.MergeHeads(f.Mul(f.Matmul(k, false, dscores, true), scale)));
  f.Output("dk", w.MergeHeads(f.Matmul(f.Mul(q, scale), false, dscores, false)));
  f.Output("dv", w.MergeHeads(f.Matmul(dout, false, probs, false)));
  return std::move(f).Finish();
}

ProgramSource QkvBackward(const ModelShape& shape) {
  Writer w("qkv_bwd", shape);
  MilFunction& f = w.f;
  const Mil dq = w.Activation("dq", w.dim()), dk = w.Activation("dk", w.dim()),
            dv = w.Activation("dv", w.dim()), dxm = w.Activation("dxm", w.dim());
  const Mil x = w.Activation("x", w.dim()), xn = w.Activation("xn", w.dim());
  const Mil gain = w.Gain("norm1");
  const Mil wq = w.Matrix("wq", w.dim(), w.dim()), wk = w.Matrix("wk", w.dim(), w.dim()),
            wv = w.Matrix("wv", w.dim(), w.dim());
  const Writer::Tables tables = w.RopeTables();
  const Mil dq0 = w.Rotate(dq, tables, true), dk0 = w.Rotate(dk, tables, true);
  const Mil dn = f.Add(f.Add(w.LinearBack(wq, dq0), w.LinearBack(wk, dk0)), w.LinearBack(wv, dv));
  f.Output("dx", f.Add(dxm, w.NormBack(x, gain, dn, "d_norm1")));
  f.Output("d_wq", w.WeightGradient(dq0, xn));
  f.Output("d_wk", w.WeightGradient(dk0, xn));
  f.Output("d_wv", w.WeightGradient(dv, xn));
  return std::move(f).Finish();
}

}  // namespace

ProgramSource MakeProgram(Program program, const ModelShape& shape) {
  switch (program) {
    case Program::kQkvForward:
      return QkvForward(shape);
    case Program::kAttentionForward:
      return AttentionForward(shape);
    case Program::kProjectionForward:
      return ProjectionForward(shape);
    case Program::kFfnForward:
      return FfnForward(shape);
    case Program::kClassifierForward:
      return ClassifierForward(shape);
    case Program::kClassifierBackward:
      return ClassifierBackward(shape);
    case Program::kFfnBackward:
      return FfnBackward(shape);
    case Program::kProjectionBackward:
      return ProjectionBackward(shape);
    case Program::kAttentionBackward:
      return AttentionBackward(shape);
    case Program::kQkvBackward:
      return QkvBackward(shape);
  }
  return {};
}

}  // namespace anex::train
