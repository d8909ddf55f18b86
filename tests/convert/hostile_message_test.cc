// Messages as a lying peer sends them: refused with a reason, never a crash, never a wrong value.
#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "proto/convert/execution_convert.h"
#include "proto/convert/kernel_convert.h"
#include "proto/convert/parameter_convert.h"
#include "proto/convert/status_convert.h"
#include "proto/convert/surface_convert.h"
#include "proto/convert/tensor_convert.h"
#include "tests/convert/fill_message.h"

namespace anex::convert {
namespace {

template <typename Result>
void ExpectRefused(const Result& result, const std::string& part_of_message) {
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(result.status().message().find(part_of_message), absl::string_view::npos)
      << result.status();
}

v1::TensorLayout GoodLayout() {
  v1::TensorLayout layout;
  Fill(layout, 2);
  return layout;
}

TEST(HostileLayout, RefusesWhatNoTensorHas) {
  struct Case {
    const char* what;
    std::function<void(v1::TensorLayout&)> spoil;
  };
  const std::vector<Case> cases = {
      {"unknown dtype", [](auto& l) { l.set_dtype(static_cast<v1::DType>(14)); }},
      {"negative dtype", [](auto& l) { l.set_dtype(static_cast<v1::DType>(-1)); }},
      {"dtype that wraps to a known one",
       [](auto& l) { l.set_dtype(static_cast<v1::DType>(257)); }},
      {"nothing but a shape", [](auto& l) { l.set_dtype(v1::DTYPE_UNSPECIFIED); }},
      {"dimension of 0", [](auto& l) { l.set_shape(0, 0); }},
      {"negative dimension", [](auto& l) { l.set_shape(1, -7); }},
      {"more elements than memory", [](auto& l) { l.set_shape(0, INT64_MAX); }},
      {"stride missing", [](auto& l) { l.mutable_stride_bytes()->RemoveLast(); }},
      {"stride too many", [](auto& l) { l.add_stride_bytes(2); }},
      {"stride of 0", [](auto& l) { l.set_stride_bytes(1, 0); }},
      {"negative stride", [](auto& l) { l.set_stride_bytes(0, -64); }},
      {"stride inside an element", [](auto& l) { l.set_stride_bytes(1, 1); }},
      {"stride that overflows", [](auto& l) { l.set_stride_bytes(0, INT64_MAX - 1); }},
      {"rows that overlap", [](auto& l) { l.set_stride_bytes(0, 2); }},
      {"allocation too small", [](auto& l) { l.set_allocation_bytes(16); }},
      {"allocation of everything", [](auto& l) { l.set_allocation_bytes(UINT64_MAX); }},
      {"nine axes",
       [](auto& l) {
         for (int i = 0; i < 7; ++i) {
           l.add_shape(1);
           l.add_stride_bytes(2);
         }
       }},
  };
  ASSERT_TRUE(FromProto(GoodLayout()).ok());
  for (const Case& c : cases) {
    v1::TensorLayout layout = GoodLayout();
    c.spoil(layout);
    const auto result = FromProto(layout);
    EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument) << c.what;
  }
}

TEST(HostileLayout, IsRefusedWhereverItHides) {
  v1::SurfaceInfo surface;
  Fill(surface, 1);
  surface.mutable_layout()->set_shape(0, -1);
  EXPECT_FALSE(FromProto(surface).ok());
  v1::KernelInfo kernel;
  Fill(kernel, 1);
  kernel.mutable_functions(1)->mutable_ports(1)->mutable_layout()->set_allocation_bytes(1);
  EXPECT_FALSE(FromProto(kernel).ok());
  v1::ParameterSetInfo set;
  Fill(set, 1);
  set.mutable_parameters(1)->mutable_layout()->clear_stride_bytes();
  EXPECT_FALSE(FromProto(set).ok());
}

TEST(HostileRegion, NeedsOneBeginAndOneSizePerAxis) {
  v1::Region region;
  region.add_begin(1);
  ExpectRefused(FromProto(region), "1 begins and 0 sizes");
  region.add_size(1);
  EXPECT_TRUE(FromProto(region).ok());
  for (int i = 0; i < 8; ++i) {
    region.add_begin(0);
    region.add_size(1);
  }
  ExpectRefused(FromProto(region), "at most 8");
}

TEST(HostileEnums, AreRefusedWhereAChoiceIsNeeded) {
  for (int bad : {0, -1, 77, std::numeric_limits<int>::max()}) {
    EXPECT_FALSE(FromProto(static_cast<v1::Access>(bad)).ok()) << bad;
    v1::SurfaceInfo surface;
    Fill(surface, 0);
    surface.set_origin(static_cast<v1::SurfaceOrigin>(bad));
    EXPECT_FALSE(FromProto(surface).ok()) << bad;
    v1::FunctionInfo function;
    Fill(function, 0);
    function.mutable_ports(0)->set_direction(static_cast<v1::PortDirection>(bad));
    EXPECT_FALSE(FromProto(function).ok()) << bad;
    v1::KernelInfo kernel;
    Fill(kernel, 0);
    kernel.set_origin(static_cast<v1::CompileOrigin>(bad));
    EXPECT_FALSE(FromProto(kernel).ok()) << bad;
    v1::Diagnostic diagnostic;
    Fill(diagnostic, 0);
    diagnostic.mutable_notes(0)->set_severity(static_cast<v1::Severity>(bad));
    EXPECT_FALSE(FromProto(diagnostic).ok()) << bad;
    v1::CreateParameterSetRequest set;
    Fill(set, 0);
    set.set_mode(static_cast<v1::ParameterMode>(bad));
    EXPECT_FALSE(FromProto(set).ok()) << bad;
    v1::DefineChainRequest chain;
    Fill(chain, 0);
    chain.mutable_loopbacks(1)->set_mode(static_cast<v1::LoopbackMode>(bad));
    EXPECT_FALSE(FromProto(chain).ok()) << bad;
    v1::DeviceInfo device;
    Fill(device, 0);
    device.set_health(static_cast<v1::Health>(bad));
    EXPECT_FALSE(FromProto(device).ok()) << bad;
    v1::DaemonStatus status;
    Fill(status, 0);
    status.set_health(static_cast<v1::Health>(bad));
    EXPECT_FALSE(FromProto(status).ok()) << bad;
    v1::ProbeResponse probe;
    Fill(probe, 0);
    probe.mutable_findings(1)->set_evidence(static_cast<v1::ProbeResponse::Evidence>(bad));
    EXPECT_FALSE(FromProto(probe).ok()) << bad;
  }
  v1::CreateLaneRequest lane;
  lane.set_qos(static_cast<v1::QosClass>(6));
  ExpectRefused(FromProto(lane), "scheduling class 6");
}

TEST(HostileOneofs, MustSaySomething) {
  v1::Binding binding;
  binding.set_port("x");
  ExpectRefused(FromProto(binding), "'x'");
  v1::PrepareInvocationRequest prepare;
  prepare.add_bindings();
  EXPECT_FALSE(FromProto(prepare).ok());
  v1::Submission submission;
  submission.set_lane_id(1);
  ExpectRefused(FromProto(submission), "nothing to do");
  v1::DefineChainRequest chain;
  chain.add_steps();
  ExpectRefused(FromProto(chain), "says nothing");
}

TEST(HostileSizes, AreBounded) {
  v1::CreateSurfaceRequest surface;
  for (int i = 0; i < 257; ++i) surface.add_fits();
  ExpectRefused(FromProto(surface), "257");
  v1::CreateSurfaceRequest nine;
  nine.set_dtype(v1::DTYPE_FP16);
  for (int i = 0; i < 9; ++i) nine.add_shape(1);
  EXPECT_FALSE(FromProto(nine).ok());
  v1::CreateParameterSetRequest set;
  set.set_mode(v1::PARAMETER_MODE_FENCED);
  for (int i = 0; i < 257; ++i) {
    if (i == 0) set.add_parameters();
    set.mutable_parameters(0)->add_fits();
  }
  ExpectRefused(FromProto(set), "257");
  v1::CompileOptions options;
  for (int i = 0; i < 65; ++i) (*options.mutable_options())["key" + std::to_string(i)] = "v";
  ExpectRefused(FromProto(options), "65");
  v1::Submission submission;
  submission.set_chain_id(1);
  submission.set_deadline_ns(-1);
  ExpectRefused(FromProto(submission), "-1 ns");
  v1::WriteLease lease;
  lease.set_buffer(2);
  ExpectRefused(FromProto(lease), "buffer");
  v1::ParameterSetInfo info;
  Fill(info, 0);
  info.mutable_parameters(0)->add_buffer_ids(3);
  ExpectRefused(FromProto(info), "3 buffers");
}

TEST(HostileStatus, CodesOutsideOfTheCanonicalOnesAreUnknown) {
  for (int code : {-1, 17, 999, std::numeric_limits<int>::min()}) {
    v1::Status status;
    status.set_code(code);
    status.set_message("strange");
    EXPECT_EQ(FromProto(status).code(), absl::StatusCode::kUnknown) << code;
    EXPECT_EQ(FromProto(status).message(), "strange");
  }
}

TEST(HostileText, BecomesValidUtf8) {
  const struct {
    std::string text, expected;
  } cases[] = {{"plain", "plain"},
               {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
               {"\xFFx", "?x"},
               {"x\xC3", "x?"},               // cut inside a character
               {"\xC0\xAF", "??"},            // overlong
               {"\xE0\x80\xAF", "???"},       // overlong
               {"\xED\xA0\x80", "???"},       // a surrogate
               {"\xF4\x90\x80\x80", "????"},  // beyond the last code point
               {"\xF0\x9F\x98", "???"},
               {std::string("a\0b", 3), std::string("a\0b", 3)}};
  for (const auto& c : cases) EXPECT_EQ(ToUtf8(c.text), c.expected);
}

// A message with text that is not UTF-8 is refused by the reader's parser as a whole: the client
// would not even learn that its program was bad.
TEST(HostileText, OfAProgramStillReachesTheClient) {
  Diagnostic diagnostic;
  diagnostic.code = "MIL0001";
  diagnostic.message = "stray \x80";
  diagnostic.file = "\xFFmodel.mil";
  diagnostic.source_line = "tensor<fp16> \xC3( = x;";
  diagnostic.help = "\xED\xA0\x80";
  diagnostic.notes.push_back(diagnostic);
  v1::Diagnostic message;
  ToProto(diagnostic, &message);
  v1::Diagnostic received;
  EXPECT_TRUE(received.ParseFromString(message.SerializeAsString()));
  EXPECT_EQ(received.source_line(), "tensor<fp16> ?( = x;");

  KernelInfo kernel;
  kernel.name = "\xFEmodel";
  kernel.functions.push_back({"ma\x80in", {{"po\xC0rt", PortDirection::kInput, {}}}});
  v1::KernelInfo kernel_message, kernel_received;
  ToProto(kernel, &kernel_message);
  EXPECT_TRUE(kernel_received.ParseFromString(kernel_message.SerializeAsString()));

  Completion completion;
  completion.status = absl::InternalError("device said \xFF\xFE");
  v1::Completion completion_message, completion_received;
  ToProto(completion, &completion_message);
  EXPECT_TRUE(completion_received.ParseFromString(completion_message.SerializeAsString()));
}

TEST(HostileNesting, NotesOfNotesAreDropped) {
  v1::Diagnostic outer;
  outer.set_severity(v1::SEVERITY_ERROR);
  v1::Diagnostic* at = &outer;
  for (int i = 0; i < 50; ++i) {
    at = at->add_notes();
    at->set_severity(v1::SEVERITY_NOTE);
  }
  const auto diagnostic = FromProto(outer);
  ASSERT_TRUE(diagnostic.ok());
  ASSERT_EQ(diagnostic->notes.size(), 1u);
  EXPECT_TRUE(diagnostic->notes[0].notes.empty());
}

// Bytes that once were a good message: whatever parses is converted or refused, and what is
// accepted is accepted again after a trip.
template <typename MessageT>
void Mutate(unsigned seed) {
#if GOOGLE_PROTOBUF_VERSION < 4022000
  const google::protobuf::LogSilencer silence;  // it tells of each bad string
#endif
  std::mt19937 random(seed);
  MessageT good;
  Fill(good, static_cast<int>(seed % 7));
  const std::string bytes = good.SerializeAsString();
  int accepted = 0, refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string spoiled = bytes;
    for (int flips = 1 + static_cast<int>(random() % 3); flips > 0; --flips) {
      spoiled[random() % spoiled.size()] = static_cast<char>(random());
    }
    MessageT message;
    if (!message.ParseFromString(spoiled)) continue;
    auto value = FromProto(std::move(message));
    if (!value.ok()) {
      ++refused;
      continue;
    }
    ++accepted;
    MessageT again;
    ToProto(*value, &again);
    EXPECT_TRUE(FromProto(std::move(again)).ok());
  }
  EXPECT_GT(accepted, 0);
  EXPECT_GT(refused + accepted, 100);
}

TEST(HostileBytes, NeverCrashAConversion) {
  Mutate<v1::TensorLayout>(1);
  Mutate<v1::CreateSurfaceRequest>(2);
  Mutate<v1::SurfaceInfo>(3);
  Mutate<v1::KernelInfo>(4);
  Mutate<v1::CreateParameterSetRequest>(5);
  Mutate<v1::ParameterSetInfo>(6);
  Mutate<v1::PrepareInvocationRequest>(7);
  Mutate<v1::DefineChainRequest>(8);
  Mutate<v1::Submission>(9);
  Mutate<v1::WeightChunk>(10);
  Mutate<v1::DaemonStatus>(11);
}

}  // namespace
}  // namespace anex::convert
