// The screens of anectl: values in, text out. Pure functions, any thread.
#ifndef ANEX_CLIENT_CLI_OUTPUT_VIEWS_H_
#define ANEX_CLIENT_CLI_OUTPUT_VIEWS_H_

#include <string>
#include <vector>

#include "client/cli/output/style.h"
#include "proto/values/kernel_values.h"
#include "proto/values/status_values.h"

namespace anex::cli {

// One screen: healthy? who is on it? how busy? how long do they wait?
std::string RenderStatus(const DaemonStatus& status, const Style& style);
std::string RenderDevices(const std::vector<DeviceInfo>& devices, const Style& style);
std::string RenderSessions(const std::vector<SessionStatus>& sessions, const Style& style);
std::string RenderKernels(const std::vector<KernelStatus>& kernels, const Style& style);
std::string RenderSurfaces(const std::vector<SurfaceStatus>& surfaces, const Style& style);
std::string RenderCache(const std::vector<CacheEntryInfo>& entries, bool verified,
                        const Style& style);
std::string RenderLimits(const std::vector<LimitInfo>& limits, const Style& style);
std::string RenderFunctions(const std::vector<FunctionInfo>& functions, const Style& style);
// Digest, device, where it came from and how long each step took.
std::string RenderKernel(const KernelInfo& kernel, const Style& style);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_OUTPUT_VIEWS_H_
