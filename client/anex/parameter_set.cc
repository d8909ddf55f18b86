#include "client/anex/parameter_set.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/anex/parameter_buffers.h"

namespace anex {
namespace {

// Elements per streamed chunk: 64 KiB of fp32, well below gRPC's default message bound of 4 MiB and
// large enough that the checksum and the copy, not the message, are the cost.
constexpr size_t kChunkElements = 16384;
constexpr size_t kChunksPerCall = 16;

WeightChunk MakeChunk(std::string_view parameter, uint64_t offset, std::span<const float> values) {
  WeightChunk chunk;
  chunk.parameter = std::string(parameter);
  chunk.element_offset = offset;
  chunk.dtype = DType::kFp32;
  chunk.data.assign(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  chunk.crc32 = Crc32Of(chunk.data);
  return chunk;
}

}  // namespace

uint32_t Crc32Of(std::string_view data) {
  // crc32_z takes a size_t: no 4 GiB wrap.
  return static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

WriteGuard::WriteGuard(internal::CorePtr core, std::shared_ptr<internal::ParameterBuffers> buffers,
                       WriteLease lease)
    : core_(std::move(core)), buffers_(std::move(buffers)), lease_(lease) {}

WriteGuard::WriteGuard(WriteGuard&& other) noexcept
    : core_(std::move(other.core_)),
      buffers_(std::move(other.buffers_)),
      lease_(std::exchange(other.lease_, WriteLease())),
      streamed_(std::move(other.streamed_)) {}

WriteGuard& WriteGuard::operator=(WriteGuard&& other) noexcept {
  if (this != &other) {
    Abort().IgnoreError();
    core_ = std::move(other.core_);
    buffers_ = std::move(other.buffers_);
    lease_ = std::exchange(other.lease_, WriteLease());
    streamed_ = std::move(other.streamed_);
  }
  return *this;
}

WriteGuard::~WriteGuard() { Abort().IgnoreError(); }

absl::StatusOr<internal::MappedTensor*> WriteGuard::Back(std::string_view parameter) const {
  if (!lease_.id || buffers_ == nullptr) return internal::EmptyObject();
  return buffers_->Find(parameter, lease_.buffer);
}

absl::Status WriteGuard::CopyFrom(std::string_view parameter, std::span<const float> values) const {
  const absl::StatusOr<internal::MappedTensor*> back = Back(parameter);
  return back.ok() ? (*back)->CopyFrom(values) : back.status();
}

absl::Status WriteGuard::Stream(std::string_view parameter, std::span<const float> values) {
  const absl::StatusOr<internal::MappedTensor*> back = Back(parameter);
  if (!back.ok()) return back.status();
  auto at = std::find_if(streamed_.begin(), streamed_.end(),
                         [&](const auto& each) { return each.first == parameter; });
  if (at == streamed_.end()) at = streamed_.insert(at, {std::string(parameter), 0});
  std::vector<WeightChunk> chunks;
  while (!values.empty()) {
    const size_t count = std::min(values.size(), kChunkElements);
    chunks.push_back(MakeChunk(parameter, at->second, values.first(count)));
    at->second += count;
    values = values.subspan(count);
    if (chunks.size() < kChunksPerCall && !values.empty()) continue;
    const absl::Status sent = Update(chunks);
    if (!sent.ok()) return sent;
    chunks.clear();
  }
  return absl::OkStatus();
}

absl::Status WriteGuard::Update(std::span<const WeightChunk> chunks) const {
  if (!lease_.id) return internal::EmptyObject();
  const absl::StatusOr<Transport*> transport = internal::LiveTransport(core_);
  return transport.ok() ? (*transport)->Update(lease_.id, chunks) : transport.status();
}

absl::StatusOr<uint64_t> WriteGuard::Publish(uint64_t expected_generation) {
  if (!lease_.id) return internal::EmptyObject();
  const absl::StatusOr<Transport*> transport = internal::LiveTransport(core_);
  if (!transport.ok()) return transport.status();
  absl::StatusOr<uint64_t> generation = (*transport)->Publish(lease_.id, expected_generation);
  if (generation.ok()) Detach();
  return generation;
}

absl::Status WriteGuard::Abort() {
  if (!lease_.id || core_ == nullptr) return absl::OkStatus();
  const absl::StatusOr<Transport*> transport = core_->Live();
  const LeaseId lease = Detach();
  return transport.ok() ? (*transport)->Abort(lease) : absl::OkStatus();
}

LeaseId WriteGuard::Detach() {
  const LeaseId lease = std::exchange(lease_, WriteLease()).id;
  core_ = nullptr;
  buffers_ = nullptr;
  streamed_.clear();
  return lease;
}

ParameterSet::ParameterSet(internal::CorePtr core, ParameterSetInfo info)
    : handle_(core, info.id),
      buffers_(std::make_shared<internal::ParameterBuffers>(std::move(core), std::move(info))) {}

const ParameterSetInfo& ParameterSet::info() const {
  static const ParameterSetInfo* const kEmpty = new ParameterSetInfo();
  return buffers_ == nullptr ? *kEmpty : buffers_->info();
}

absl::StatusOr<ParameterSetInfo> ParameterSet::Describe() const {
  const absl::StatusOr<Transport*> transport = handle_.Live();
  if (!transport.ok()) return transport.status();
  return (*transport)->DescribeParameterSet(id());
}

absl::StatusOr<WriteGuard> ParameterSet::BeginWrite(absl::Duration lease) const {
  const absl::StatusOr<Transport*> transport = handle_.Live();
  if (!transport.ok()) return transport.status();
  const absl::StatusOr<WriteLease> granted = (*transport)->BeginWrite(id(), lease);
  if (!granted.ok()) return granted.status();
  return WriteGuard(handle_.core(), buffers_, *granted);
}

absl::StatusOr<internal::MappedTensor*> ParameterSet::Front(std::string_view parameter) const {
  const absl::StatusOr<ParameterSetInfo> now = Describe();
  if (!now.ok()) return now.status();
  return buffers_->Find(parameter, now->front_buffer);
}

absl::Status ParameterSet::CopyTo(std::string_view parameter, std::span<float> values) const {
  const absl::StatusOr<internal::MappedTensor*> front = Front(parameter);
  return front.ok() ? (*front)->CopyTo(values) : front.status();
}

absl::Status ParameterSet::Release() {
  buffers_ = nullptr;
  return handle_.Release();
}

}  // namespace anex
