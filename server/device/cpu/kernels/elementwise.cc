#include <algorithm>
#include <cstring>
#include <vector>

#include "proto/wire/half.h"
#include "server/device/cpu/elementwise_op.h"
#include "server/device/cpu/kernels/kernels.h"
#include "server/device/cpu/kernels/reader.h"

namespace anex::device::cpu {
namespace {

// Operands are widened block by block: four blocks of this size stay in the first-level cache.
constexpr int64_t kBlock = 1024;
// A helper's share must be worth waking it for (about 5 us).
constexpr int64_t kChunk = 16 * kBlock;

struct Loop {
  ElementwiseLoop run;
  float a, b;
};

class ElementwiseKernel final : public Kernel {
 public:
  ElementwiseKernel(Loop loop, std::vector<Reader> readers, const mil::TensorType& result)
      : ops_(ActiveVectorOps()),
        loop_(loop),
        readers_(std::move(readers)),
        dtype_(result.dtype),
        count_(result.shape.ElementCount()) {}

  void Run(const RunContext& run) const override {
    const int64_t chunks = (count_ + kChunk - 1) / kChunk;
    run.pool->ParallelFor(chunks, [&](int64_t chunk, int) {
      const int64_t end = std::min(count_, (chunk + 1) * kChunk);
      RunRange(run, chunk * kChunk, end);
    });
  }

 private:
  void RunRange(const RunContext& run, int64_t begin, int64_t end) const {
    alignas(64) float blocks[3][kBlock];
    alignas(64) float result[kBlock];
    const float* in[3] = {};
    // An operand that is one number all over is spread out once.
    for (size_t i = 0; i < readers_.size(); ++i) {
      if (readers_[i].is_scalar()) in[i] = readers_[i].Load(run.in[i].data, 0, kBlock, blocks[i]);
    }
    for (int64_t at = begin; at < end; at += kBlock) {
      const auto n = static_cast<size_t>(std::min(kBlock, end - at));
      for (size_t i = 0; i < readers_.size(); ++i) {
        if (!readers_[i].is_scalar()) in[i] = readers_[i].Load(run.in[i].data, at, n, blocks[i]);
      }
      float* to = dtype_ == DType::kFp32 ? run.out[0].as<float>() + at : result;
      loop_.run(in[0], in[1], in[2], to, n, loop_.a, loop_.b);
      StoreFloats(ops_, dtype_, to, run.out[0].data, at, n);
    }
  }

  const VectorOps& ops_;
  const Loop loop_;
  const std::vector<Reader> readers_;
  const DType dtype_;
  const int64_t count_;
};

// The one number that a constant operand consists of, if it does.
bool OnlyNumber(const OpSite& site, std::string_view argument, float& number) {
  const std::byte* data = site.ConstantOf(argument);
  const mil::TensorType& type = site.TypeOf(argument);
  if (data == nullptr || type.shape.ElementCount() != 1) return false;
  if (type.dtype == DType::kFp16) {
    uint16_t half;
    std::memcpy(&half, data, sizeof half);
    number = HalfToFloat(half);
  } else {
    std::memcpy(&number, data, sizeof number);
  }
  return true;
}

// Powers by numbers that programs use have loops of their own; pow in general is a library call for
// every element.
ElementwiseLoop PowerLoop(const OpSite& site, const VectorOps& ops) {
  float exponent = 0;
  const auto general = ops.elementwise[static_cast<size_t>(ElementwiseOp::kPow)];
  if (!OnlyNumber(site, "y", exponent)) return general;
  if (exponent == -0.5f) return ops.power_minus_half;
  if (exponent == 0.5f) return ops.power_half;
  if (exponent == 1.0f) return ops.elementwise[static_cast<size_t>(ElementwiseOp::kCast)];
  if (exponent == 2.0f) return ops.elementwise[static_cast<size_t>(ElementwiseOp::kSquare)];
  return general;
}

// What floats cannot do to the last bit is left to the reference.
bool NeedsDouble(const OpSite& site, ElementwiseOp op) {
  if (op == ElementwiseOp::kMod) return true;
  const bool fp32 = site.ResultType().dtype == DType::kFp32;
  return op == ElementwiseOp::kFloorDiv && fp32;
}

bool AllFitFloat(const OpSite& site, std::span<const std::string_view> operands) {
  if (!FitsFloat(site.ResultType().dtype)) return false;
  return std::all_of(operands.begin(), operands.end(), [&](std::string_view operand) {
    return FitsFloat(site.TypeOf(operand).dtype);
  });
}

}  // namespace

MadeKernel MakeElementwise(OpSite& site) {
  absl::StatusOr<Elementwise> what = ReadElementwise(site);
  if (!what.ok()) return what.status();
  const std::span<const std::string_view> operands = OperandNames(*what);
  if (!AllFitFloat(site, operands) || NeedsDouble(site, what->op)) return nullptr;
  const VectorOps& ops = ActiveVectorOps();
  Loop loop{ops.elementwise[static_cast<size_t>(what->op)], static_cast<float>(what->params.a),
            static_cast<float>(what->params.b)};
  if (what->op == ElementwiseOp::kPow) loop.run = PowerLoop(site, ops);
  std::vector<Reader> readers;
  const Shape& result = site.ResultType().shape;
  for (size_t i = 0; i < operands.size(); ++i) {
    const View view = site.InputView(site.UseAsItLies(operands[i]));
    readers.emplace_back(BroadcastTo(BroadcastForm(*what, i, view, result.rank()), result));
  }
  return std::make_unique<ElementwiseKernel>(loop, std::move(readers), site.ResultType());
}

}  // namespace anex::device::cpu
