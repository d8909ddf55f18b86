#include "client/examples/train/step_plan.h"

#include "absl/strings/str_cat.h"

namespace anex::train {
namespace {

// Names of one layer's tensors.
class Layer {
 public:
  explicit Layer(int layer) : layer_(layer) {}

  std::string x() const { return absl::StrCat("x", layer_); }
  std::string y() const { return absl::StrCat("x", layer_ + 1); }
  std::string dx() const { return absl::StrCat("g.x", layer_ % 2); }
  std::string dy() const { return absl::StrCat("g.x", (layer_ + 1) % 2); }
  std::string Own(std::string_view part) const { return ParameterTable::LayerName(layer_, part); }
  std::string Gradient(std::string_view part) const { return absl::StrCat("d.", Own(part)); }

 private:
  int layer_;
};

void PlanForward(const Layer& l, std::vector<PlannedStep>& steps) {
  steps.push_back({Program::kQkvForward,
                   {{"x", l.x()},
                    {"norm1", l.Own("norm1")},
                    {"wq", l.Own("wq")},
                    {"wk", l.Own("wk")},
                    {"wv", l.Own("wv")},
                    {"xn", l.Own("xn1")},
                    {"q", l.Own("q")},
                    {"k", l.Own("k")},
                    {"v", l.Own("v")}}});
  steps.push_back({Program::kAttentionForward,
                   {{"q", l.Own("q")},
                    {"k", l.Own("k")},
                    {"v", l.Own("v")},
                    {"probs", l.Own("probs")},
                    {"o", l.Own("o")}}});
  steps.push_back({Program::kProjectionForward,
                   {{"o", l.Own("o")}, {"wo", l.Own("wo")}, {"x", l.x()}, {"xm", l.Own("xm")}}});
  steps.push_back({Program::kFfnForward,
                   {{"xm", l.Own("xm")},
                    {"norm2", l.Own("norm2")},
                    {"w1", l.Own("w1")},
                    {"w3", l.Own("w3")},
                    {"w2", l.Own("w2")},
                    {"xn", l.Own("xn2")},
                    {"a", l.Own("a")},
                    {"b", l.Own("b")},
                    {"y", l.y()}}});
}

void PlanFfnBackward(const Layer& l, std::vector<PlannedStep>& steps) {
  steps.push_back({Program::kFfnBackward,
                   {{"dy", l.dy()},
                    {"xm", l.Own("xm")},
                    {"xn", l.Own("xn2")},
                    {"a", l.Own("a")},
                    {"b", l.Own("b")},
                    {"norm2", l.Own("norm2")},
                    {"w1", l.Own("w1")},
                    {"w3", l.Own("w3")},
                    {"w2", l.Own("w2")},
                    {"dxm", "g.xm"},
                    {"d_norm2", l.Gradient("norm2")},
                    {"d_w1", l.Gradient("w1")},
                    {"d_w3", l.Gradient("w3")},
                    {"d_w2", l.Gradient("w2")}}});
}

void PlanAttentionBackward(const Layer& l, std::vector<PlannedStep>& steps) {
  steps.push_back({Program::kProjectionBackward,
                   {{"dxm", "g.xm"},
                    {"o", l.Own("o")},
                    {"wo", l.Own("wo")},
                    {"do", "g.o"},
                    {"d_wo", l.Gradient("wo")}}});
  steps.push_back({Program::kAttentionBackward,
                   {{"do", "g.o"},
                    {"q", l.Own("q")},
                    {"k", l.Own("k")},
                    {"v", l.Own("v")},
                    {"probs", l.Own("probs")},
                    {"dq", "g.q"},
                    {"dk", "g.k"},
                    {"dv", "g.v"}}});
  steps.push_back({Program::kQkvBackward,
                   {{"dq", "g.q"},
                    {"dk", "g.k"},
                    {"dv", "g.v"},
                    {"dxm", "g.xm"},
                    {"x", l.x()},
                    {"xn", l.Own("xn1")},
                    {"norm1", l.Own("norm1")},
                    {"wq", l.Own("wq")},
                    {"wk", l.Own("wk")},
                    {"wv", l.Own("wv")},
                    {"dx", l.dx()},
                    {"d_norm1", l.Gradient("norm1")},
                    {"d_wq", l.Gradient("wq")},
                    {"d_wk", l.Gradient("wk")},
                    {"d_wv", l.Gradient("wv")}}});
}

}  // namespace

StepPlan MakeStepPlan(const ModelShape& shape) {
  StepPlan plan;
  for (int layer = 0; layer < shape.layers; ++layer) PlanForward(Layer(layer), plan.forward);
  const std::string last = Layer(shape.layers).x();
  plan.forward.push_back({Program::kClassifierForward,
                          {{"x", last},
                           {"final_norm", "final_norm"},
                           {"embed", "embed"},
                           {"xn", "xn"},
                           {"logits", "logits"}}});
  plan.backward.push_back({Program::kClassifierBackward,
                           {{"dlogits", "dlogits"},
                            {"x", last},
                            {"xn", "xn"},
                            {"final_norm", "final_norm"},
                            {"embed", "embed"},
                            {"dx", Layer(shape.layers).dx()},
                            {"d_final_norm", "d.final_norm"},
                            {"d_embed", "d.embed"}}});
  for (int layer = shape.layers - 1; layer >= 0; --layer) {
    PlanFfnBackward(Layer(layer), plan.backward);
    PlanAttentionBackward(Layer(layer), plan.backward);
  }
  return plan;
}

}  // namespace anex::train
