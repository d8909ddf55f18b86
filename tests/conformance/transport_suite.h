// What every transport must do, written once against the SDK and the interface below it: the engine
// in this process and a real daemon pass the same tests.
//
// A test program compiles transport_suite*.cc, and registers its transport:
//   INSTANTIATE_TEST_SUITE_P(Inproc, TransportSuite, ::testing::Values(TransportMaker{...}),
//                            TransportMakerName);
// All transports that one maker makes lead to the same engine or daemon. A transport that cannot do
// something gives its reason in `cannot`; the test is then skipped with that reason. One transport
// is registered once for each way in which its submissions can travel.
#ifndef ANEX_TESTS_CONFORMANCE_TRANSPORT_SUITE_H_
#define ANEX_TESTS_CONFORMANCE_TRANSPORT_SUITE_H_

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "client/anex/session.h"
#include "client/anex/submission_queue.h"
#include "client/transport/transport.h"

namespace anex::test {

struct TransportMaker {
  std::string name;  // letters and digits
  std::function<absl::StatusOr<std::shared_ptr<Transport>>()> make;
  std::map<std::string, std::string> cannot;  // test name -> reason
  SubmitMode mode = SubmitMode::kStream;      // how queues travel
};

inline absl::StatusCode CodeOf(const absl::Status& status) { return status.code(); }
template <typename T>
absl::StatusCode CodeOf(const absl::StatusOr<T>& result) {
  return result.status().code();
}

inline void PrintTo(const TransportMaker& maker, std::ostream* out) { *out << maker.name; }
inline std::string TransportMakerName(const ::testing::TestParamInfo<TransportMaker>& info) {
  return info.param.name;
}

class TransportSuite : public ::testing::TestWithParam<TransportMaker> {
 protected:
  void SetUp() override;

  std::shared_ptr<Transport> NewTransport();
  Session NewSession(const std::string& name);
  // In the maker's mode.
  SubmissionQueue OpenQueue(const Lane& lane, uint32_t credits);
  // y[2,3] = W[2,4] @ x[4,3], fp16; no two operands have one shape.
  static const char* MatmulText();
  // y[2,3] = x + b, for chains.
  static const char* AddText();

  // A matmul with surfaces for all ports, x and W filled, in `session`.
  struct Matmul {
    Kernel kernel;
    Surface x, w, y;
    Invocation invocation;
    Lane lane;
  };
  Matmul PrepareMatmul(const Session& session);
  static std::vector<float> Xs();
  static std::vector<float> Ws();
  // W @ x by plain loops in double.
  static std::vector<float> Product(const std::vector<float>& w, const std::vector<float>& x);
  static std::vector<float> Read(const Surface& surface);
  // Another one each time, and printed; ANEX_SEED repeats a run.
  static uint32_t RandomSeed();

  Session session_;
};

}  // namespace anex::test

#endif  // ANEX_TESTS_CONFORMANCE_TRANSPORT_SUITE_H_
