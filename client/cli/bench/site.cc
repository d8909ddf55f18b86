#include "client/cli/bench/site.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace anex::bench {
namespace {

constexpr char kClientName[] = "anectl bench";

}  // namespace

Site::Site(Connect connect, std::shared_ptr<const Workload> workload, std::string device,
           bool in_process)
    : connect_(std::move(connect)),
      workload_(std::move(workload)),
      device_(std::move(device)),
      in_process_(in_process) {}

absl::StatusOr<Rig*> Site::Main() {
  if (main_ == nullptr) {
    auto opened = Rig::Open(connect_, workload_, kClientName, device_, nullptr);
    if (!opened.ok()) return opened.status();
    main_ = *std::move(opened);
  }
  return main_.get();
}

absl::StatusOr<Rig*> Site::Client(int i) {
  const absl::StatusOr<Rig*> first = Main();
  if (!first.ok()) return first;
  while (clients_.size() <= static_cast<size_t>(i)) {
    auto opened =
        Rig::Open(connect_, workload_, absl::StrCat(kClientName, " client ", clients_.size() + 1),
                  device_, main_.get());
    if (!opened.ok()) return opened.status();
    clients_.push_back(*std::move(opened));
  }
  return clients_[static_cast<size_t>(i)].get();
}

}  // namespace anex::bench
