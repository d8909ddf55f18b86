#include "client/cli/bench/stages.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace anex::bench {
namespace {

std::string KernelName(int i) { return absl::StrCat("kernel ", i + 1, " of ", kKernels); }

// Keys of copies' sources are none of the inputs'.
constexpr uint64_t kCopySources = InputPattern::kPeriod / 2;

}  // namespace

absl::Status Stages::AddSurface(const Kernel& kernel, std::string_view port) {
  absl::StatusOr<Surface> surface = kernel.CreateSurface(port);
  if (!surface.ok()) return surface.status();
  absl::StatusOr<ChannelRows> rows = ChannelRows::Of(*surface);
  if (!rows.ok()) return rows.status();
  surfaces_.push_back(*std::move(surface));
  rows_.push_back(*rows);
  return absl::OkStatus();
}

absl::StatusOr<Stages> Stages::Make(const Workload& workload,
                                    const std::vector<const Kernel*>& kernels, Wiring wiring,
                                    const BindMore& bind) {
  Stages stages(workload);
  for (int i = 0; i < kKernels; ++i) {
    const Kernel& kernel = *kernels[kernels.size() == 1 ? 0 : Index(i)];
    if (i == 0 || wiring == Wiring::kApart) {
      if (absl::Status added = stages.AddSurface(kernel, "x"); !added.ok()) return added;
    }
    stages.in_.push_back(stages.surfaces_.size() - 1);
    if (absl::Status added = stages.AddSurface(kernel, "y"); !added.ok()) return added;
    stages.out_.push_back(stages.surfaces_.size() - 1);
    InvocationBuilder builder = kernel.Prepare();
    builder.Bind("x", stages.in(i)).Bind("y", stages.out(i));
    if (bind) bind(builder);
    absl::StatusOr<Invocation> invocation = builder.Build();
    if (!invocation.ok()) return invocation.status();
    stages.invocations_.push_back(*std::move(invocation));
  }
  return stages;
}

std::span<const uint16_t> Stages::Input(uint64_t pass, int i) const {
  return workload_->inputs().Values(pass * kKernels + static_cast<uint64_t>(i),
                                    workload_->elements());
}

std::span<const uint16_t> Stages::Made(int kernel, std::span<const uint16_t> from,
                                       std::vector<uint16_t>& to) const {
  to.resize(from.size());
  workload_->weights(kernel).Apply(from, workload_->columns(), to);
  return to;
}

void Stages::FillInputs(uint64_t pass, Feed feed) const {
  const int fed = feed == Feed::kEach ? kKernels : 1;
  for (int i = 0; i < fed; ++i) rows_[in_[Index(i)]].Fill(Input(pass, i));
}

void Stages::FillOutputs(uint64_t pass) const {
  for (int i = 0; i + 1 < kKernels; ++i) {
    rows_[out_[Index(i)]].Fill(Input(pass + kCopySources, i));
  }
}

absl::Status Stages::VerifyCopies(uint64_t pass) const {
  for (int i = 0; i + 1 < kKernels; ++i) {
    absl::Status same = rows_[in_[Index(i + 1)]].ExpectEqual(
        Input(pass + kCopySources, i), absl::StrCat("copy ", i + 1, " of ", kKernels - 1));
    if (!same.ok()) return same;
  }
  return absl::OkStatus();
}

absl::Status Stages::Verify(uint64_t pass, Feed feed) const {
  std::vector<uint16_t> made, next;
  for (int i = 0; i < kKernels; ++i) {
    const bool fed = i == 0 || feed == Feed::kEach;
    Made(i, fed ? Input(pass, i) : std::span<const uint16_t>(made), next);
    std::swap(made, next);
    absl::Status same = rows_[out_[Index(i)]].ExpectEqual(made, KernelName(i));
    if (!same.ok()) return same;
  }
  return absl::OkStatus();
}

std::string Stages::InputBytes(uint64_t pass, int i) const {
  const std::span<const uint16_t> values = Input(pass, i);
  return std::string(reinterpret_cast<const char*>(values.data()), values.size_bytes());
}

absl::Status Stages::VerifyBytes(uint64_t pass, int i, std::string_view found) const {
  std::vector<uint16_t> made;
  return ExpectEqualBytes(found, Made(i, Input(pass, i), made), workload_->columns(),
                          KernelName(i));
}

}  // namespace anex::bench
