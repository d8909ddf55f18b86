// A source whose lane has no device yet: who asks it, before and after.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "server/engine/settling_source.h"
#include "tests/engine/run_fixture.h"

namespace anex::engine::testing {
namespace {

// Says which thread asked for each piece of work.
class TellingSource final : public WorkSource {
 public:
  void Put() {
    waiting_.fetch_add(1);
    if (asleep_.exchange(false)) bell_.Ring();
  }
  Taken Poll(size_t) override {
    if (waiting_.load() == 0) return {};
    waiting_.fetch_sub(1);
    absl::MutexLock lock(&mutex_);
    askers_.push_back(std::this_thread::get_id());
    return {1, false};
  }
  std::vector<std::thread::id> WaitForAskers(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [&] { return askers_.size() >= count; };
    mutex_.AwaitWithTimeout(absl::Condition(&enough), kSoon);
    return askers_;
  }
  bool HasWork() const override { return waiting_.load() > 0; }
  bool PrepareToSleep() override {
    asleep_.store(true);
    return !HasWork();
  }
  void Awake(bool rang) override {
    asleep_.store(false);
    if (rang) bell_.Drain();
  }
  int poll_descriptor() const override { return bell_.poll_descriptor(); }

 private:
  const shm::Doorbell bell_ = *shm::Doorbell::Create();
  std::atomic<bool> asleep_{false};
  std::atomic<int> waiting_{0};
  absl::Mutex mutex_;
  std::vector<std::thread::id> askers_;
};

class SettlingTest : public RunTest {
 protected:
  SettlingTest() : first_(std::move(dispatcher_)) { StartDispatcher(); }
  ~SettlingTest() override { first_.reset(); }
  Dispatcher& first() { return *first_; }
  Dispatcher& second() { return *dispatcher_; }

 private:
  std::unique_ptr<Dispatcher> first_;
};

TEST_F(SettlingTest, TheThreadOfTheLanesDeviceAsksOnceTheLaneHasOne) {
  std::atomic<Dispatcher*> home{nullptr};
  const auto source = std::make_shared<TellingSource>();
  const auto settling =
      std::make_shared<SettlingSource>(source, first(), [&] { return home.load(); });
  first().Attach(settling);
  source->Put();
  const std::thread::id first_thread = source->WaitForAskers(1).front();
  EXPECT_EQ(settling->moved_to(), nullptr) << "nothing has settled the lane";
  home = &second();
  source->Put();
  EXPECT_EQ(source->WaitForAskers(2).back(), first_thread) << "who brought it, asked";
  for (int i = 0; i < 10'000 && settling->moved_to() == nullptr; ++i) {
    absl::SleepFor(absl::Milliseconds(1));
  }
  ASSERT_EQ(settling->moved_to(), &second());
  for (size_t i = 3; i < 20; ++i) {
    source->Put();
    EXPECT_NE(source->WaitForAskers(i).back(), first_thread);
  }
  first().Detach(settling, /*last_look=*/false);
  second().Detach(source, /*last_look=*/false);
}

TEST_F(SettlingTest, OnTheFirstDeviceItStays) {
  const auto source = std::make_shared<TellingSource>();
  const auto settling = std::make_shared<SettlingSource>(source, first(), [&] { return &first(); });
  first().Attach(settling);
  for (size_t i = 1; i < 20; ++i) {
    source->Put();
    EXPECT_EQ(source->WaitForAskers(i).size(), i);
  }
  EXPECT_EQ(settling->moved_to(), nullptr);
  first().Detach(settling, /*last_look=*/false);
}

}  // namespace
}  // namespace anex::engine::testing
