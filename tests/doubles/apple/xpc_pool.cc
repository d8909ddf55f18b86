#include "tests/doubles/apple/xpc_pool.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace anex::xpc_double {
namespace {

constexpr int kThreads = 3;

class Pool {
 public:
  Pool() {
    for (int i = 0; i < kThreads; ++i) std::thread([this] { Loop(); }).detach();
  }
  void Add(std::function<void()> task, Instant when) {
    const std::lock_guard lock(mutex_);
    tasks_.emplace(when, std::move(task));
    changed_.notify_all();
  }

 private:
  void Loop() {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (tasks_.empty()) {
        changed_.wait(lock);
      } else if (const Instant when = tasks_.begin()->first;
                 when > std::chrono::steady_clock::now()) {
        changed_.wait_until(lock, when);
      } else {
        std::function<void()> task = std::move(tasks_.begin()->second);
        tasks_.erase(tasks_.begin());
        lock.unlock();
        task();
        task = nullptr;
        lock.lock();
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Instant, std::function<void()>> tasks_;
};

}  // namespace

void RunLater(std::function<void()> task, Instant when) {
  static Pool& pool = *new Pool;
  pool.Add(std::move(task), when);
}

}  // namespace anex::xpc_double
