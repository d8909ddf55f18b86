// What the end-to-end suites share: a real daemon, sessions on it, and one small job whose answer
// is known, to show that the daemon serves the next request.
#ifndef ANEX_TESTS_E2E_FIXTURE_H_
#define ANEX_TESTS_E2E_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "client/transport/transport.h"
#include "tests/e2e/process.h"

namespace anex::test {

// Compact-dialect program text around one function body. `parameters` and `body` are MIL.
std::string MilProgram(const std::string& parameters, const std::string& body,
                       const std::string& outputs);
// y[2,3] = W[2,4] @ x[4,3]; every operand has its own shape.
ProgramSource MatmulProgram();
// y[1,3,1,5] = conv(x[1,2,1,5]) with weights [3,2,1,1] at offset 64 of weights/w.bin, without the
// file.
ProgramSource ConvProgramWithoutWeights();
// A weight file in the official layout that holds `values` as fp16.
std::shared_ptr<const std::string> WeightFile(const std::vector<float>& values);

// A transport without a session; fails the test if the daemon does not answer.
std::unique_ptr<Transport> ConnectTransport(const std::string& socket);
// The same with a session open.
std::unique_ptr<Transport> OpenSession(const std::string& socket, const std::string& name);

// Runs MatmulProgram in a session of its own with fixed asymmetric data; OK if every value is
// right.
absl::Status RunsMatmul(const std::string& socket);

// Where element `number` in row-major order lies: devices may want gaps between rows.
int64_t OffsetOf(const TensorLayout& layout, size_t number);

// Copies floats into a surface as fp16 and back, through the mapping.
void WriteHalves(Transport& transport, SurfaceId surface, const std::vector<float>& values);
std::vector<float> ReadHalves(Transport& transport, SurfaceId surface, size_t count);

// One daemon for the suite; each test ends by showing that it still serves.
class ServingTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void TearDown() override;
  static const std::string& socket() { return daemon_->socket(); }

  static std::unique_ptr<DaemonProcess> daemon_;
};

}  // namespace anex::test

#endif  // ANEX_TESTS_E2E_FIXTURE_H_
