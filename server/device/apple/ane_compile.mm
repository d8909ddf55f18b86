#import "server/device/apple/ane_compile.h"

#include "server/device/apple/ane_lacking.h"
#include "server/device/apple/ane_source.h"
#include "server/device/apple/state_lowering.h"

namespace anex::device::apple {

absl::StatusOr<std::unique_ptr<Model>> CompileModel(const EngineParts& parts,
                                                    const mil::Program& program,
                                                    const CallControl& control) {
  if (const std::vector<Lacking> lacking = FindLackingPorts(program); !lacking.empty()) {
    return absl::UnimplementedError(lacking.front().what);
  }
  const StatelessProgram lowered = WithoutStates(program);
  AneSource source = MakeAneSource(lowered.program == nullptr ? program : *lowered.program,
                                   parts.framework->machine().architecture);
  absl::StatusOr<std::unique_ptr<Model>> model = MakeModel(
      parts.load_way, parts.framework, {source.digest, std::move(source.source)}, *parts.folders);
  if (!model.ok() || (*model)->IsCompiled()) return model;
  absl::Status compiled =
      parts.gate->Run(source.digest, control, [&] { return (*model)->Compile(); });
  if (!compiled.ok()) return compiled;
  return model;
}

}  // namespace anex::device::apple
