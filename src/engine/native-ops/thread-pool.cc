#include "thread-pool.h"

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <system_error>
#include <thread>

#ifdef __linux__
#include <sched.h>
#endif

namespace softshard {
namespace {

constexpr int kMostThreads = 256;

int usableThreads() {
  if (const char* asked = std::getenv("TF_NUM_INTRAOP_THREADS")) {
    const int count = std::atoi(asked);
    if (count > 0) return count < kMostThreads ? count : kMostThreads;
  }
#ifdef __linux__
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    const int count = CPU_COUNT(&set);
    if (count > 0) return count < kMostThreads ? count : kMostThreads;
  }
#endif
  const int count = static_cast<int>(std::thread::hardware_concurrency());
  return count > 0 ? count : 1;
}

class Pool {
 public:
  explicit Pool(int threads) {
    for (int i = 1; i < threads; i++) {
      try {
        std::thread([this] { serve(); }).detach();
      } catch (const std::system_error&) {
        break;
      }
      workers_++;
    }
  }

  void run(int64_t parts, PartFunction function, void* work) {
    std::unique_lock<std::mutex> turn(turn_, std::try_to_lock);
    if (parts <= 1 || workers_ == 0 || !turn.owns_lock()) {
      for (int64_t part = 0; part < parts; part++) function(work, part);
      return;
    }
    {
      std::lock_guard<std::mutex> lock(mutex_);
      function_ = function;
      work_ = work;
      parts_ = parts;
      next_.store(0, std::memory_order_relaxed);
      wanted_ = static_cast<int>(parts - 1 < workers_ ? parts - 1 : workers_);
      busy_ = 0;
    }
    if (wanted_ == 1) start_.notify_one();
    else start_.notify_all();
    take(function, work, parts);
    // A worker that has not begun yet need not: its parts are done.
    std::unique_lock<std::mutex> lock(mutex_);
    wanted_ = 0;
    done_.wait(lock, [this] { return busy_ == 0; });
  }

 private:
  void take(PartFunction function, void* work, int64_t parts) {
    for (int64_t part = next_++; part < parts; part = next_++) function(work, part);
  }

  void serve() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      start_.wait(lock, [this] { return wanted_ > 0; });
      wanted_--;
      busy_++;
      const PartFunction function = function_;
      void* const work = work_;
      const int64_t parts = parts_;
      lock.unlock();
      take(function, work, parts);
      lock.lock();
      if (--busy_ == 0) done_.notify_one();
    }
  }

  int workers_ = 0;
  std::mutex turn_;  // held by the caller whose parts are run
  std::mutex mutex_;
  std::condition_variable start_;
  std::condition_variable done_;
  PartFunction function_ = nullptr;
  void* work_ = nullptr;
  int64_t parts_ = 0;
  std::atomic<int64_t> next_{0};
  int wanted_ = 0;  // workers that shall still begin
  int busy_ = 0;    // workers that have begun and not ended
};

// Never destroyed: its threads sleep until the process ends.
Pool& pool() {
  static Pool* const instance = new Pool(usableThreads());
  return *instance;
}

}  // namespace

int threadCount() {
  static const int count = usableThreads();
  return count;
}

void forEachPart(int64_t parts, PartFunction run, void* work) { pool().run(parts, run, work); }

}  // namespace softshard
