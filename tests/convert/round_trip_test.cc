// What goes in comes out: every field of every value of the contract, both ways.
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <string>
#include <type_traits>
#include <utility>

#include "proto/convert/execution_convert.h"
#include "proto/convert/kernel_convert.h"
#include "proto/convert/parameter_convert.h"
#include "proto/convert/status_convert.h"
#include "proto/convert/surface_convert.h"
#include "proto/convert/tensor_convert.h"
#include "tests/convert/fill_message.h"

namespace anex::convert {

// Becomes anything, where nothing is evaluated. Outside the namespace below, where clang would miss
// what it never needs.
struct Anything {
  template <typename T>
  operator T() const;
};

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;

constexpr int kVariants = 15;  // more than any enum or oneof has members

// Counts the members of an aggregate: the most initialisers that it takes.
template <typename T, typename... Args>
constexpr int CountMembers() {
  if constexpr (requires { T{Args{}..., Anything{}}; }) {
    return CountMembers<T, Args..., Anything>();
  } else {
    return sizeof...(Args);
  }
}

// A message and the value that it stands for.
template <typename MessageT, typename ValueT>
struct Pair {
  using MessageType = MessageT;
  using ValueType = ValueT;
};

// Keys for repeated attempts concern the call and not the thing that it makes.
void DropCallFields(Message& message) {
  if (const FieldDescriptor* key = message.GetDescriptor()->FindFieldByName("idempotency_key")) {
    message.GetReflection()->ClearField(&message, key);
  }
}

template <typename P>
class RoundTrip : public testing::Test {};

using Pairs = testing::Types<
    Pair<v1::TensorLayout, TensorLayout>, Pair<v1::Region, Region>, Pair<v1::PortRef, PortRef>,
    Pair<v1::CreateSurfaceRequest, SurfaceSpec>, Pair<v1::SurfaceInfo, SurfaceInfo>,
    Pair<v1::SurfaceStatus, SurfaceStatus>, Pair<v1::CompileOptions, CompileOptions>,
    Pair<v1::Diagnostic, Diagnostic>, Pair<v1::FunctionInfo, FunctionInfo>,
    Pair<v1::KernelInfo, KernelInfo>, Pair<v1::CheckResponse, CheckResult>,
    Pair<v1::CreateParameterSetRequest, ParameterSetSpec>,
    Pair<v1::ParameterSetInfo, ParameterSetInfo>, Pair<v1::WriteLease, WriteLease>,
    Pair<v1::WeightChunk, WeightChunk>, Pair<v1::Binding, Binding>,
    Pair<v1::PrepareInvocationRequest, InvocationSpec>, Pair<v1::DefineChainRequest, ChainSpec>,
    Pair<v1::CreateLaneRequest, LaneSpec>, Pair<v1::Submission, Submission>,
    Pair<v1::Completion, Completion>, Pair<v1::Prospect, Prospect>,
    Pair<v1::LaneStatus, LaneStatus>, Pair<v1::DaemonInfo, DaemonInfo>,
    Pair<v1::DeviceInfo, DeviceInfo>, Pair<v1::SessionStatus, SessionStatus>,
    Pair<v1::DaemonStatus, DaemonStatus>, Pair<v1::OpenSessionRequest, OpenSpec>,
    Pair<v1::OpenSessionResponse, SessionGrant>, Pair<v1::LimitInfo, LimitInfo>,
    Pair<v1::CacheEntry, CacheEntryInfo>, Pair<v1::ProbeResponse, ProbeReport>>;
TYPED_TEST_SUITE(RoundTrip, Pairs);

TYPED_TEST(RoundTrip, EveryFieldOfTheMessageSurvives) {
  for (int variant = 0; variant < kVariants; ++variant) {
    typename TypeParam::MessageType sent;
    Fill(sent, variant);
    typename TypeParam::MessageType copy = sent;  // weight chunks are taken out of their message
    auto value = FromProto(std::move(copy));
    ASSERT_TRUE(value.ok()) << value.status() << "\n" << sent.DebugString();
    typename TypeParam::MessageType back;
    ToProto(*value, &back);
    DropCallFields(sent);
    std::string difference;
    MessageDifferencer differencer;
    differencer.ReportDifferencesToString(&difference);
    EXPECT_TRUE(differencer.Compare(sent, back)) << "variant " << variant << ": " << difference;
  }
}

TYPED_TEST(RoundTrip, TheWireFormIsTheSameAfterTwoTrips) {
  typename TypeParam::MessageType sent;
  Fill(sent, 3);
  const std::string bytes = sent.SerializeAsString();
  typename TypeParam::MessageType parsed;
  ASSERT_TRUE(parsed.ParseFromString(bytes));  // also: everything that Fill writes is valid UTF-8
  EXPECT_TRUE(MessageDifferencer::Equals(sent, parsed));
}

// A member that is added to a value and not to its message fails here: the first test can't see it.
template <typename Value, typename MessageT>
void ExpectSameMembers(int only_in_value = 0, int only_in_message = 0) {
  EXPECT_EQ(CountMembers<Value>() - only_in_value,
            MessageT::descriptor()->field_count() - only_in_message)
      << MessageT::descriptor()->full_name() << " and its value have drifted apart";
}

TEST(Members, EveryMemberOfAValueHasItsField) {
  constexpr int kKey = 1;  // idempotency_key
  ExpectSameMembers<Region, v1::Region>();
  ExpectSameMembers<PortRef, v1::PortRef>();
  ExpectSameMembers<SurfaceSpec, v1::CreateSurfaceRequest>(0, kKey);
  ExpectSameMembers<SurfaceInfo, v1::SurfaceInfo>();
  ExpectSameMembers<SurfaceStatus, v1::SurfaceStatus>();
  ExpectSameMembers<CompileOptions, v1::CompileOptions>();
  ExpectSameMembers<PortInfo, v1::PortInfo>();
  ExpectSameMembers<FunctionInfo, v1::FunctionInfo>();
  ExpectSameMembers<CompileTimings, v1::CompileTimings>();
  ExpectSameMembers<Diagnostic, v1::Diagnostic>();
  ExpectSameMembers<KernelInfo, v1::KernelInfo>();
  ExpectSameMembers<CheckResult, v1::CheckResponse>();
  ExpectSameMembers<ParameterSpec, v1::ParameterSpec>();
  ExpectSameMembers<ParameterSetSpec, v1::CreateParameterSetRequest>(0, kKey);
  ExpectSameMembers<ParameterInfo, v1::ParameterInfo>(1);  // an array of two counts twice
  ExpectSameMembers<ParameterSetInfo, v1::ParameterSetInfo>();
  ExpectSameMembers<WriteLease, v1::WriteLease>();
  ExpectSameMembers<WeightChunk, v1::WeightChunk>();
  ExpectSameMembers<ParameterRef, v1::ParameterRef>();
  ExpectSameMembers<InvocationSpec, v1::PrepareInvocationRequest>(0, kKey);
  ExpectSameMembers<CopySpec, v1::CopyStep>();
  ExpectSameMembers<FenceSpec, v1::FenceStep>();
  ExpectSameMembers<LoopbackSpec, v1::Loopback>();
  ExpectSameMembers<ChainSpec, v1::DefineChainRequest>(0, kKey);
  ExpectSameMembers<LaneSpec, v1::CreateLaneRequest>(0, kKey);
  ExpectSameMembers<LaneStatus, v1::LaneStatus>();
  ExpectSameMembers<Prospect, v1::Prospect>();
  ExpectSameMembers<Completion, v1::Completion>();
  ExpectSameMembers<DaemonInfo, v1::DaemonInfo>();
  ExpectSameMembers<DeviceInfo, v1::DeviceInfo>();
  ExpectSameMembers<UsageCounters, v1::UsageCounters>();
  ExpectSameMembers<DeviceStatus, v1::DeviceStatus>();
  ExpectSameMembers<SessionStatus, v1::SessionStatus>();
  ExpectSameMembers<KernelStatus, v1::KernelStatus>();
  ExpectSameMembers<DaemonStatus, v1::DaemonStatus>();
  ExpectSameMembers<CacheEntryInfo, v1::CacheEntry>();
  ExpectSameMembers<LimitInfo, v1::LimitInfo>();
  ExpectSameMembers<ProbeReport, v1::ProbeResponse>();
  ExpectSameMembers<ProbeFinding, v1::ProbeResponse::Finding>();
  ExpectSameMembers<SessionGrant, v1::OpenSessionResponse>();
  ExpectSameMembers<OpenSpec, v1::OpenSessionRequest>(0, kKey);
  // A submission's kind is its oneof's case, and its argument and fence_signal are inside of that.
  EXPECT_EQ(CountMembers<Submission>(), 8);
}

// Enums are carried by arithmetic on their numbers: each pair must have as many members, and the
// names must agree one by one. The last member of each value enum is named here.
TEST(Enums, NumbersOfValuesAndMessagesAgree) {
  EXPECT_EQ(v1::DType_ARRAYSIZE, static_cast<int>(DType::kBool) + 1);
  for (int i = 1; i < v1::DType_ARRAYSIZE; ++i) {
    std::string name = "DTYPE_";
    for (char c : DTypeName(static_cast<DType>(i))) name += static_cast<char>(std::toupper(c));
    EXPECT_EQ(v1::DType_Name(static_cast<v1::DType>(i)), name);
  }
  EXPECT_EQ(static_cast<int>(QosClass::kRealTime) + 1, v1::QOS_CLASS_REAL_TIME);
  EXPECT_EQ(static_cast<int>(QosClass::kInteractive) + 1, v1::QOS_CLASS_INTERACTIVE);
  EXPECT_EQ(static_cast<int>(QosClass::kDefault) + 1, v1::QOS_CLASS_DEFAULT);
  EXPECT_EQ(static_cast<int>(QosClass::kUtility) + 1, v1::QOS_CLASS_UTILITY);
  EXPECT_EQ(static_cast<int>(QosClass::kBackground) + 1, v1::QOS_CLASS_BACKGROUND);
  EXPECT_EQ(static_cast<int>(PortDirection::kInput) + 1, v1::PORT_DIRECTION_INPUT);
  EXPECT_EQ(static_cast<int>(PortDirection::kOutput) + 1, v1::PORT_DIRECTION_OUTPUT);
  EXPECT_EQ(static_cast<int>(PortDirection::kState) + 1, v1::PORT_DIRECTION_STATE);
  EXPECT_EQ(static_cast<int>(Severity::kNote) + 1, v1::SEVERITY_NOTE);
  EXPECT_EQ(static_cast<int>(Severity::kWarning) + 1, v1::SEVERITY_WARNING);
  EXPECT_EQ(static_cast<int>(Severity::kError) + 1, v1::SEVERITY_ERROR);
  EXPECT_EQ(static_cast<int>(CompileOrigin::kCompiled) + 1, v1::COMPILE_ORIGIN_COMPILED);
  EXPECT_EQ(static_cast<int>(CompileOrigin::kCache) + 1, v1::COMPILE_ORIGIN_CACHE);
  EXPECT_EQ(static_cast<int>(CompileOrigin::kResident) + 1, v1::COMPILE_ORIGIN_RESIDENT);
  EXPECT_EQ(static_cast<int>(SurfaceOrigin::kCreated) + 1, v1::SURFACE_ORIGIN_CREATED);
  EXPECT_EQ(static_cast<int>(SurfaceOrigin::kImported) + 1, v1::SURFACE_ORIGIN_IMPORTED);
  EXPECT_EQ(static_cast<int>(SurfaceOrigin::kGranted) + 1, v1::SURFACE_ORIGIN_GRANTED);
  EXPECT_EQ(static_cast<int>(SurfaceOrigin::kParameter) + 1, v1::SURFACE_ORIGIN_PARAMETER);
  EXPECT_EQ(static_cast<int>(Health::kServing) + 1, v1::HEALTH_SERVING);
  EXPECT_EQ(static_cast<int>(Health::kDegraded) + 1, v1::HEALTH_DEGRADED);
  EXPECT_EQ(static_cast<int>(Health::kDraining) + 1, v1::HEALTH_DRAINING);
  EXPECT_EQ(static_cast<int>(Health::kUnavailable) + 1, v1::HEALTH_UNAVAILABLE);
  EXPECT_EQ(v1::ProbeResponse::Evidence_ARRAYSIZE, static_cast<int>(Evidence::kEmulated) + 1);
  for (int i = 1; i < v1::ProbeResponse::Evidence_ARRAYSIZE; ++i) {
    std::string name = "EVIDENCE_";
    for (char c : EvidenceName(static_cast<Evidence>(i)))
      name += static_cast<char>(std::toupper(c));
    EXPECT_EQ(v1::ProbeResponse::Evidence_Name(static_cast<v1::ProbeResponse::Evidence>(i)), name);
  }
}

// The meaning of what arithmetic carries, on one example each: a swap of two fields of one type
// would survive a round trip.
TEST(Meaning, FieldsLandWhereTheyBelong) {
  v1::Loopback* loopback = nullptr;
  v1::DefineChainRequest chain;
  chain.add_steps()->mutable_copy()->set_from_surface_id(11);
  chain.mutable_steps(0)->mutable_copy()->set_to_surface_id(12);
  loopback = chain.add_loopbacks();
  loopback->set_from_surface_id(21);
  loopback->set_to_surface_id(22);
  loopback->set_mode(v1::LOOPBACK_MODE_COPY);
  const auto spec = FromProto(chain);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(std::get<CopySpec>(spec->steps[0]).from, SurfaceId(11));
  EXPECT_EQ(std::get<CopySpec>(spec->steps[0]).to, SurfaceId(12));
  EXPECT_EQ(spec->loopbacks[0].from, SurfaceId(21));
  EXPECT_EQ(spec->loopbacks[0].to, SurfaceId(22));
  EXPECT_EQ(spec->loopbacks[0].mode, LoopbackMode::kCopy);

  v1::Completion completion;
  completion.set_queue_ns(1);
  completion.set_device_ns(2);
  completion.set_total_ns(3);
  completion.mutable_status()->set_code(8);
  completion.mutable_status()->set_message("lane_depth=256");
  const auto done = FromProto(completion);
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->queue_ns, 1);
  EXPECT_EQ(done->device_ns, 2);
  EXPECT_EQ(done->total_ns, 3);
  EXPECT_EQ(done->status, absl::ResourceExhaustedError("lane_depth=256"));
}

TEST(Meaning, AFindingKeepsItsWordsApart) {
  v1::ProbeResponse report;
  report.set_device("ane");
  report.set_description("a chip");
  v1::ProbeResponse::Finding* finding = report.add_findings();
  finding->set_claim("claim");
  finding->set_question("question?");
  finding->set_answer("answer");
  finding->set_evidence(v1::ProbeResponse::EVIDENCE_ASSUMED);
  (*finding->mutable_numbers())["median_us"] = 1.5;
  const auto read = FromProto(report);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->device, "ane");
  EXPECT_EQ(read->description, "a chip");
  ASSERT_EQ(read->findings.size(), 1u);
  EXPECT_EQ(read->findings[0].claim, "claim");
  EXPECT_EQ(read->findings[0].question, "question?");
  EXPECT_EQ(read->findings[0].answer, "answer");
  EXPECT_EQ(read->findings[0].evidence, Evidence::kAssumed);
  EXPECT_EQ(read->findings[0].numbers.at("median_us"), 1.5);
}

TEST(Meaning, NothingSaidMeansTheDefault) {
  const auto chain = FromProto(v1::DefineChainRequest());
  ASSERT_TRUE(chain.ok());
  EXPECT_EQ(chain->repeat, 1u) << "the contract says: 0 = 1";
  const auto open = FromProto(v1::OpenSessionRequest());
  ASSERT_TRUE(open.ok());
  EXPECT_EQ(open->weight, 1u);
  const auto lane = FromProto(v1::CreateLaneRequest());
  ASSERT_TRUE(lane.ok());
  EXPECT_EQ(lane->qos, QosClass::kDefault);
  const auto completion = FromProto(v1::Completion());
  ASSERT_TRUE(completion.ok());
  EXPECT_TRUE(completion->status.ok());
  const auto layout = FromProto(v1::TensorLayout());
  ASSERT_TRUE(layout.ok());
  EXPECT_EQ(layout->dtype, DType::kInvalid);
}

}  // namespace
}  // namespace anex::convert
