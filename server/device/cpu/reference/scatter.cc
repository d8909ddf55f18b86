#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "server/device/cpu/reference/mover.h"
#include "server/device/cpu/reference/reference.h"

namespace anex::device::cpu::reference {
namespace {

enum class Mode { kUpdate, kAdd, kSub, kMul, kDiv, kMax, kMin };

absl::StatusOr<Mode> ReadMode(const OpSite& site) {
  const std::string mode = site.Has("mode") ? site.Text("mode") : "add";
  constexpr std::pair<const char*, Mode> kModes[] = {
      {"update", Mode::kUpdate}, {"add", Mode::kAdd}, {"sub", Mode::kSub}, {"mul", Mode::kMul},
      {"div", Mode::kDiv},       {"max", Mode::kMax}, {"min", Mode::kMin}};
  for (const auto& [name, value] : kModes) {
    if (mode == name) return value;
  }
  return site.Unsupported("unknown mode " + mode);
}

double Combined(Mode mode, double old, double update) {
  switch (mode) {
    case Mode::kAdd:
      return old + update;
    case Mode::kSub:
      return old - update;
    case Mode::kMul:
      return old * update;
    case Mode::kDiv:
      return old / update;
    case Mode::kMax:
      return std::isnan(old) || old > update ? old : update;
    case Mode::kMin:
      return std::isnan(old) || old < update ? old : update;
    case Mode::kUpdate:
      break;
  }
  return update;
}

// T is int64_t, or uint64_t for the type of that name. Computed without a sign, so that what is too
// large wraps. A quotient is a float's, as everywhere.
template <typename T>
T Combined(Mode mode, T old, T update) {
  const auto x = static_cast<uint64_t>(old), y = static_cast<uint64_t>(update);
  switch (mode) {
    case Mode::kAdd:
      return static_cast<T>(x + y);
    case Mode::kSub:
      return static_cast<T>(x - y);
    case Mode::kMul:
      return static_cast<T>(x * y);
    case Mode::kMax:
      return std::max(old, update);
    case Mode::kMin:
      return std::min(old, update);
    case Mode::kDiv:
    case Mode::kUpdate:
      break;
  }
  return update;
}

uint64_t GetUint(const TensorRef& tensor, int64_t i) {
  return static_cast<uint64_t>(GetInt(tensor, i));
}
void PutSigned(const TensorRef& tensor, int64_t i, int64_t value) { PutInt(tensor, i, value); }
void PutUint(const TensorRef& tensor, int64_t i, uint64_t value) {
  PutInt(tensor, i, static_cast<int64_t>(value), true);
}

// Everything is gathered wide and rounded once in the end, however many updates meet in an element.
// `place(indices, index of the update)` says where an update goes, or -1: outside, it is dropped.
// Of updates of one element in mode `update` the last one stays.
template <typename F>
class ScatterKernel final : public Kernel {
 public:
  ScatterKernel(Mode mode, int64_t elements, F place)
      : mode_(mode), elements_(elements), place_(std::move(place)) {}

  uint64_t scratch_bytes(int) const override {
    return mode_ == Mode::kUpdate ? 0 : static_cast<uint64_t>(elements_) * sizeof(double);
  }

  void Run(const RunContext& run) const override {
    if (mode_ == Mode::kUpdate) {
      std::memcpy(run.out[0].data, run.in[0].data, run.out[0].view->bytes());
      ForUpdates(run, [&](int64_t at, int64_t from) { Move(run.in[2], from, run.out[0], at); });
    } else if (HoldsFloats(run.out[0])) {
      RunWide<double>(run, GetDouble, PutDouble);
    } else if (HoldsUint64(run.out[0])) {
      RunWide<uint64_t>(run, GetUint, PutUint);
    } else {
      RunWide<int64_t>(run, GetInt, PutSigned);
    }
  }

 private:
  template <typename G>
  void ForUpdates(const RunContext& run, G g) const {
    Index index{};
    int64_t from = 0;
    do {
      const int64_t at = place_(run.in[1], index);
      if (at >= 0) g(at, from);
      ++from;
    } while (Advance(run.in[2].view->shape, index));
  }

  template <typename T>
  void RunWide(const RunContext& run, T (*get)(const TensorRef&, int64_t),
               void (*put)(const TensorRef&, int64_t, T)) const {
    T* wide = reinterpret_cast<T*>(run.scratch);
    for (int64_t i = 0; i < elements_; ++i) wide[i] = get(run.in[0], i);
    ForUpdates(run, [&](int64_t at, int64_t from) {
      wide[at] = Apply(wide[at], get(run.in[2], from), run.out[0]);
    });
    for (int64_t i = 0; i < elements_; ++i) put(run.out[0], i, wide[i]);
  }

  double Apply(double old, double update, const TensorRef&) const {
    return Combined(mode_, old, update);
  }
  template <typename T>
  T Apply(T old, T update, const TensorRef& out) const {
    if (mode_ != Mode::kDiv) return Combined(mode_, old, update);
    View one = PackedView(out.view->dtype, {});  // rounds and stops as a cast does
    std::byte bytes[sizeof(int64_t)];
    const TensorRef quotient{bytes, &one};
    PutDouble(quotient, 0, static_cast<double>(old) / static_cast<double>(update));
    return static_cast<T>(GetInt(quotient, 0));
  }

  const Mode mode_;
  const int64_t elements_;
  const F place_;
};

template <typename F>
MadeKernel MakeScatterKernel(OpSite& site, F place) {
  const absl::StatusOr<Mode> mode = ReadMode(site);
  if (!mode.ok()) return mode.status();
  site.Use("data");
  site.Use("indices");
  site.Use("updates");
  const int64_t elements = site.TypeOf("data").shape.ElementCount();
  return std::make_unique<ScatterKernel<F>>(*mode, elements, std::move(place));
}

bool Inside(int64_t index, int64_t size) { return index >= 0 && index < size; }

}  // namespace

// out[before..., indices[which...], after...] <- updates[before..., which..., after...]
MadeKernel MakeScatter(OpSite& site) {
  const Shape &data = site.TypeOf("data").shape, &indices = site.TypeOf("indices").shape;
  const int axis = FromZero(site.IntOr("axis", 0), data.rank());
  return MakeScatterKernel(site, [=](const TensorRef& list, const Index& index) {
    Index which{}, to{};
    for (int i = 0; i < indices.rank(); ++i) which[i] = index[axis + i];
    for (int i = 0; i < axis; ++i) to[i] = index[i];
    for (int i = axis + 1; i < data.rank(); ++i) to[i] = index[i + indices.rank() - 1];
    to[axis] = WrappedIndex(list, Position(indices, which, indices.rank()), data[axis]);
    return Inside(to[axis], data[axis]) ? Position(data, to, data.rank()) : -1;
  });
}

MadeKernel MakeScatterAlongAxis(OpSite& site) {
  const Shape &data = site.TypeOf("data").shape, &indices = site.TypeOf("indices").shape;
  const int axis = FromZero(site.IntOr("axis", 0), data.rank());
  return MakeScatterKernel(site, [=](const TensorRef& list, const Index& index) {
    Index to = index;
    to[axis] = WrappedIndex(list, Position(indices, index, indices.rank()), data[axis]);
    return Inside(to[axis], data[axis]) ? Position(data, to, data.rank()) : -1;
  });
}

// out[indices[which..., :], after...] <- updates[which..., after...]
MadeKernel MakeScatterNd(OpSite& site) {
  const Shape &data = site.TypeOf("data").shape, &indices = site.TypeOf("indices").shape;
  const int lists = indices.rank() - 1;
  const int depth = static_cast<int>(indices[lists]);
  return MakeScatterKernel(site, [=](const TensorRef& list, const Index& index) {
    Index which = index, to{};
    which[lists] = 0;
    const int64_t first = Position(indices, which, indices.rank());
    for (int i = 0; i < depth; ++i) {
      to[i] = WrappedIndex(list, first + i, data[i]);
      if (!Inside(to[i], data[i])) return int64_t{-1};
    }
    for (int i = depth; i < data.rank(); ++i) to[i] = index[i - depth + lists];
    return Position(data, to, data.rank());
  });
}

}  // namespace anex::device::cpu::reference
