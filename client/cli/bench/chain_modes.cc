// Modes that hand a whole pass over in one submission, of one client or of several at once.
#include <algorithm>
#include <optional>
#include <utility>

#include "client/anex/chain.h"
#include "client/cli/bench/crew.h"
#include "client/cli/bench/lane_way.h"
#include "client/cli/bench/mode_makers.h"

namespace anex::bench {
namespace {

absl::StatusOr<Chain> DefineCopies(const Rig& rig, const Stages& stages, Plan plan) {
  ChainBuilder builder = rig.session().NewChain("bench with copies");
  for (const int i : plan) {
    builder.Run(stages.invocation(i));
    if (i + 1 < kKernels) builder.Copy(stages.out(i), stages.in(i + 1));
  }
  return builder.Build();
}

absl::StatusOr<Chain> DefineAliased(const Rig& rig, const Stages& stages, Plan plan) {
  ChainBuilder builder = rig.session().NewChain("bench aliased");
  for (const int i : plan) builder.Run(stages.invocation(i));
  return builder.Build();
}

// What chain modes of one client share: the whole chain once, a spoilt one when it is asked for.
class ChainMode : public Mode {
 public:
  ChainMode(Rig& rig, bool in_process) : rig_(rig), in_process_(in_process) {}

  absl::Status Begin() override { return way_.Open(rig_); }
  void End() override { way_.Close(); }
  absl::StatusOr<PassTiming> Run(Plan plan) override {
    if (!std::ranges::equal(plan, plan_)) {
      absl::StatusOr<Chain> defined = Define(plan);
      if (!defined.ok()) return defined.status();
      std::swap(chain_, *defined);
      plan_.assign(plan.begin(), plan.end());
    }
    if (absl::Status primed = way_.Prime(rig_); !primed.ok()) return primed;
    if (in_process_) {
      SetWay("in-process");
    } else {
      SetWay(std::string(SubmitModeName(way_.lane().path())), way_.lane().note());
    }
    PassTiming timing;
    const int64_t start = NowNs();
    if (absl::Status run = way_.Run(chain_, timing.device_ns); !run.ok()) return run;
    timing.ns = NowNs() - start;
    Claim(kKernels + LaneWay::kPrimes);
    return timing;
  }
  absl::StatusOr<uint64_t> CountRuns() const override { return rig_.CountRuns(); }

 protected:
  virtual absl::StatusOr<Chain> Define(Plan plan) = 0;

  Rig& rig_;

 private:
  const bool in_process_;
  LaneWay way_;
  std::vector<int> plan_;  // of chain_
  Chain chain_;
};

class CopyingChain final : public ChainMode {
 public:
  CopyingChain(Rig& rig, bool in_process, const Stages& stages)
      : ChainMode(rig, in_process), stages_(stages) {}
  void Feed(uint64_t pass) override { stages_.FillInputs(pass, bench::Feed::kFirst); }
  absl::Status Verify(uint64_t pass) override { return stages_.Verify(pass, bench::Feed::kFirst); }

 private:
  absl::StatusOr<Chain> Define(Plan plan) override { return DefineCopies(rig_, stages_, plan); }
  const Stages& stages_;
};

class AliasedChain final : public ChainMode {
 public:
  AliasedChain(Rig& rig, bool in_process, const Stages& stages)
      : ChainMode(rig, in_process), stages_(stages) {}
  void Feed(uint64_t pass) override { stages_.FillInputs(pass, bench::Feed::kFirst); }
  absl::Status Verify(uint64_t pass) override { return stages_.Verify(pass, bench::Feed::kFirst); }

 private:
  absl::StatusOr<Chain> Define(Plan plan) override { return DefineAliased(rig_, stages_, plan); }
  const Stages& stages_;
};

// Kernel 0 as often as the others have kernels. After an even number of iterations the last value
// lies where the first was, so that nothing needs to be copied to have it there.
class LoopbackChain final : public ChainMode {
 public:
  static MadeMode Make(Rig& rig, bool in_process) {
    auto mode = std::make_unique<LoopbackChain>(rig, in_process);
    absl::StatusOr<SurfaceMap> surfaces = rig.kernel(0).CreateSurfaces();
    if (!surfaces.ok()) return surfaces.status();
    mode->surfaces_ = *std::move(surfaces);
    absl::StatusOr<ChannelRows> rows = ChannelRows::Of(mode->surfaces_.at("x"));
    if (!rows.ok()) return rows.status();
    mode->rows_ = *rows;
    absl::StatusOr<Invocation> step = rig.kernel(0).Prepare().Bind(mode->surfaces_).Build();
    if (!step.ok()) return step.status();
    mode->step_ = *std::move(step);
    return mode;
  }
  using ChainMode::ChainMode;

  void Feed(uint64_t pass) override { rows_.Fill(Input(pass)); }
  absl::Status Verify(uint64_t pass) override {
    const Workload& workload = rig_.workload();
    const std::span<const uint16_t> input = Input(pass);
    std::vector<uint16_t> value(input.begin(), input.end()), next(value.size());
    for (int i = 0; i < kKernels; ++i) {
      workload.weights(0).Apply(value, workload.columns(), next);
      std::swap(value, next);
    }
    return rows_.ExpectEqual(value, "the last of 12 iterations");
  }

 private:
  absl::StatusOr<Chain> Define(Plan plan) override {
    const Surface &x = surfaces_.at("x"), &y = surfaces_.at("y");
    return rig_.session()
        .NewChain("bench loopback")
        .Run(step_)
        .Repeat(static_cast<uint32_t>(plan.size()))
        .Loopback(y, x, LoopbackMode::kSwap)
        .Result(x)
        .Build();
  }
  std::span<const uint16_t> Input(uint64_t pass) const {
    return rig_.workload().inputs().Values(pass, rig_.workload().elements());
  }

  SurfaceMap surfaces_;
  ChannelRows rows_;  // of "x"
  Invocation step_;
};

// Several sessions, a thread each, that begin a chain with copies at the same moment.
class Clients final : public Mode {
 public:
  struct Client {
    Rig* rig;
    const Stages* stages;
    LaneWay way;
    Chain chain;
    int64_t device_ns = 0;
  };
  Clients(std::vector<Client> clients, bool in_process)
      : in_process_(in_process), clients_(std::move(clients)) {
    for (int i = 0; i < kKernels; ++i) whole_.push_back(i);
  }

  absl::Status Begin() override {
    for (Client& client : clients_) {
      if (absl::Status opened = client.way.Open(*client.rig); !opened.ok()) return opened;
      absl::StatusOr<Chain> chain = DefineCopies(*client.rig, *client.stages, whole_);
      if (!chain.ok()) return chain.status();
      client.chain = *std::move(chain);
    }
    crew_.emplace(
        static_cast<int>(clients_.size()), [this](int i) { return At(i).way.Prime(*At(i).rig); },
        [this](int i) {
          return At(i).way.Run(spoilt_ && i == 0 ? *spoilt_ : At(i).chain, At(i).device_ns);
        });
    return absl::OkStatus();
  }
  void End() override {
    crew_.reset();
    for (Client& client : clients_) {
      client.chain = Chain();
      client.way.Close();
    }
  }
  void Feed(uint64_t pass) override {
    for (size_t i = 0; i < clients_.size(); ++i) {
      clients_[i].stages->FillInputs(PassOf(pass, i), bench::Feed::kFirst);
    }
  }
  absl::StatusOr<PassTiming> Run(Plan plan) override {
    spoilt_.reset();
    if (!std::ranges::equal(plan, whole_)) {
      absl::StatusOr<Chain> chain = DefineCopies(*clients_[0].rig, *clients_[0].stages, plan);
      if (!chain.ok()) return chain.status();
      spoilt_ = *std::move(chain);
    }
    for (Client& client : clients_) client.device_ns = 0;
    absl::StatusOr<std::vector<int64_t>> taken = crew_->Go();
    if (!taken.ok()) return taken.status();
    Claim(clients_.size() * (kKernels + LaneWay::kPrimes));
    const Lane& first = clients_[0].way.lane();
    if (in_process_) {
      SetWay("in-process");
    } else {
      SetWay(std::string(SubmitModeName(first.path())), first.note());
    }
    PassTiming timing{.ns = *std::ranges::max_element(*taken)};
    for (const Client& client : clients_) timing.device_ns += client.device_ns;
    timing.client_ns = *std::move(taken);
    return timing;
  }
  absl::Status Verify(uint64_t pass) override {
    for (size_t i = 0; i < clients_.size(); ++i) {
      absl::Status same = clients_[i].stages->Verify(PassOf(pass, i), bench::Feed::kFirst);
      if (!same.ok()) {
        return absl::DataLossError("client " + std::to_string(i + 1) + ": " +
                                   std::string(same.message()));
      }
    }
    return absl::OkStatus();
  }
  absl::StatusOr<uint64_t> CountRuns() const override {
    uint64_t runs = 0;
    for (const Client& client : clients_) {
      const absl::StatusOr<uint64_t> counted = client.rig->CountRuns();
      if (!counted.ok()) return counted;
      runs += *counted;
    }
    return runs;
  }

 private:
  Client& At(int i) { return clients_[static_cast<size_t>(i)]; }
  // No client gets what another got: a surface that reached the wrong one would be seen.
  static uint64_t PassOf(uint64_t pass, size_t client) { return pass + 37 * client; }

  const bool in_process_;
  std::vector<Client> clients_;
  std::vector<int> whole_;
  std::optional<Chain> spoilt_;  // of client 0, for one pass
  std::optional<Crew> crew_;
};

template <typename Made>
MadeMode MakeWired(Rig& rig, bool in_process, absl::StatusOr<const Stages*> stages) {
  if (!stages.ok()) return stages.status();
  return std::make_unique<Made>(rig, in_process, **stages);
}

}  // namespace

MadeMode MakeChain(Site& site, ChainKind kind) {
  const absl::StatusOr<Rig*> rig = site.Main();
  if (!rig.ok()) return rig.status();
  switch (kind) {
    case ChainKind::kCopies:
      return MakeWired<CopyingChain>(**rig, site.in_process(), (*rig)->Apart());
    case ChainKind::kAliased:
      return MakeWired<AliasedChain>(**rig, site.in_process(), (*rig)->Shared());
    case ChainKind::kLoopback:
      return LoopbackChain::Make(**rig, site.in_process());
  }
  return absl::InternalError("no such kind of chain");
}

MadeMode MakeClients(Site& site, int clients) {
  std::vector<Clients::Client> all;
  for (int i = 0; i < clients; ++i) {
    const absl::StatusOr<Rig*> rig = site.Client(i);
    if (!rig.ok()) return rig.status();
    const absl::StatusOr<const Stages*> stages = (*rig)->Apart();
    if (!stages.ok()) return stages.status();
    all.push_back({.rig = *rig, .stages = *stages});
  }
  return std::make_unique<Clients>(std::move(all), site.in_process());
}

}  // namespace anex::bench
