// Real programs, with weights and inputs made up, run from start to end.
#include "tests/mil/corpus.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "server/device/cpu/cpu_device.h"
#include "server/mil/blob_references.h"
#include "server/mil/front_end.h"
#include "server/mil/render_text.h"
#include "tests/device/harness.h"

namespace anex::device::cpu {
namespace {

// Bytes that are small numbers in every type: fp16 0.0002 to 0.0036, int8 17.
void FillWeights(const mil::BlobReference& blob, std::span<std::byte> data) {
  const bool wide = blob.scalar.dtype == DType::kFp32;
  for (size_t i = 0; i < data.size(); ++i) {
    data[i] =
        static_cast<std::byte>(wide ? (i % 4 == 3 ? 0x3a : 0x11) : (i % 2 == 1 ? 0x11 : 0x1b));
  }
}

std::shared_ptr<const mil::Program> ReadFile(const std::filesystem::path& path) {
  ProgramSource source{.name = path.filename().string(), .text = mil::ReadWhole(path)};
  source.weights = mil::MakeUpWeights(mil::ListBlobReferences(source.text), FillWeights);
  const auto result = mil::Read(std::move(source));
  EXPECT_NE(result.program, nullptr) << mil::RenderText(result.diagnostics);
  return result.program;
}

TEST(CpuCorpusTest, EveryFunctionOfEveryProgramRuns) {
  const auto files = mil::CorpusFiles();
  if (files.empty()) GTEST_SKIP() << "no corpus beside the source tree";
  const auto device = MakeCpuDevice({.threads = 2});
  for (const auto& path : files) {
    SCOPED_TRACE(path.filename().string());
    const auto program = ReadFile(path);
    if (program == nullptr) continue;
    // Until the device has it.
    const std::string refusal(device->Compile(program, {}).status().message());
    if (refusal.find("operation 'lstm'") != std::string::npos) continue;
    for (const mil::Function& function : program->functions) {
      Bound bound(*device, program, {}, function.name);
      if (!bound.ok()) continue;
      Tensors inputs;
      uint32_t seed = 1;
      for (const mil::ValueId id : function.inputs) {
        const mil::Value& value = function.value(id);
        if (value.type.kind != mil::TypeKind::kTensor) continue;
        inputs[value.name] =
            NoiseTensor(value.type.tensor.dtype, value.type.tensor.shape, seed++, 0.5);
      }
      const Tensors outputs = bound.Run(inputs);
      EXPECT_EQ(outputs.size(), function.outputs.size());
    }
  }
}

}  // namespace
}  // namespace anex::device::cpu
