// Wraps another device and makes it fail on order. The switches are shared by all devices of one
// factory, so a test can turn them while an engine holds the device, and after a hang the fresh
// device obeys the same switches.
//
// Threads: any.
#ifndef ANEX_TESTS_DOUBLES_FAULT_DEVICE_H_
#define ANEX_TESTS_DOUBLES_FAULT_DEVICE_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/device/device.h"

namespace anex::device {

// What to do wrong. Everything is off until it is switched on.
class Faults {
 public:
  ~Faults();  // releases whatever still hangs

  // The next calls answer this; an OK status switches the fault off.
  void FailMake(absl::Status status) { Set(make_, std::move(status)); }
  void FailCompile(absl::Status status) { Set(compile_, std::move(status)); }
  void FailLoad(absl::Status status) { Set(load_, std::move(status)); }
  void FailPrepare(absl::Status status) { Set(prepare_, std::move(status)); }
  void FailRun(absl::Status status) { Set(run_, std::move(status)); }
  // Calls take at least this long.
  void SlowCompile(absl::Duration each) { Set(compile_time_, each); }
  void SlowRun(absl::Duration each) { Set(run_time_, each); }
  // Inverts the bits of the first byte of each output after a run.
  void WrongAnswers(bool on) { Set(wrong_, on); }
  // Of `every` runs one does nothing and says that all went well; 0 = none.
  void SkipRuns(int every) { Set(skip_every_, every); }

  // Runs (or compiles) that begin from now on stay inside until ReleaseRuns (ReleaseCompiles).
  void HangRuns() { Set(hang_runs_, true); }
  void ReleaseRuns() { Set(hang_runs_, false); }
  void HangCompiles() { Set(hang_compiles_, true); }
  void ReleaseCompiles() { Set(hang_compiles_, false); }

  // True once `count` runs in all have begun, or ended, or that many are inside now; false after
  // `patience`.
  bool WaitForRunStarted(int count = 1, absl::Duration patience = absl::Seconds(10));
  bool WaitForRunEnded(int count = 1, absl::Duration patience = absl::Seconds(10));
  bool WaitForRunsInside(int count, absl::Duration patience = absl::Seconds(10));
  bool WaitForCompileStarted(int count = 1, absl::Duration patience = absl::Seconds(10));

  int devices_made() const { return Get(devices_made_); }
  int compiles_started() const { return Get(compiles_started_); }
  int runs_started() const { return Get(runs_started_); }
  int runs_ended() const { return Get(runs_ended_); }
  int executables_alive() const { return Get(executables_alive_); }

 private:
  friend class FaultDevice;
  friend class FaultExecutable;
  friend class FaultRequest;

  template <typename T>
  void Set(T& field, T value) {
    absl::MutexLock lock(&mutex_);
    field = std::move(value);
  }
  int Get(const int& field) const {
    absl::MutexLock lock(&mutex_);
    return field;
  }
  void Add(int& field, int by) {
    absl::MutexLock lock(&mutex_);
    field += by;
  }
  absl::Status BeginMake();
  absl::Status BeginCompile();
  absl::Status Answer(const absl::Status& fault) const {
    absl::MutexLock lock(&mutex_);
    return fault;
  }
  absl::Status BeginRun();
  void EndRun() { Add(runs_ended_, 1); }
  bool SkipsThisRun();
  bool answers_wrong() const {
    absl::MutexLock lock(&mutex_);
    return wrong_;
  }

  mutable absl::Mutex mutex_;
  // Guarded by mutex_ through the helpers above.
  absl::Status make_, compile_, load_, prepare_, run_;
  absl::Duration compile_time_, run_time_;
  bool wrong_ = false, hang_runs_ = false, hang_compiles_ = false;
  int skip_every_ = 0, until_skip_ = 0;
  int devices_made_ = 0, compiles_started_ = 0, runs_started_ = 0, runs_ended_ = 0;
  int executables_alive_ = 0;
};

// `inner` with faults; it keeps the name. `faults` is shared with the test.
std::unique_ptr<Device> MakeFaultDevice(std::unique_ptr<Device> inner,
                                        std::shared_ptr<Faults> faults);
DeviceFactory FaultDeviceFactory(DeviceFactory inner, std::shared_ptr<Faults> faults);

}  // namespace anex::device

#endif  // ANEX_TESTS_DOUBLES_FAULT_DEVICE_H_
