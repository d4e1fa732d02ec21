// A team of threads that work together and synchronize at barriers.
//
// Threads live for one call (a slice of training, one block decoded): starting them costs tens of
// microseconds, and there is no pool that a fork or the simulation's own threads could disturb.
#pragma once

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace insitu {

// Where `size` threads wait for each other, again and again. Waits are short (microseconds), so a
// thread looks a while before it lets others run.
class Barrier {
 public:
  explicit Barrier(int size) : size_(size) {}

  void wait() {
    if (size_ == 1) return;
    const unsigned round = round_.load(std::memory_order_relaxed);
    if (waiting_.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
      waiting_.store(0, std::memory_order_relaxed);
      round_.store(round + 1, std::memory_order_release);
      return;
    }
    for (int looks = 0; round_.load(std::memory_order_acquire) == round; ++looks)
      if (looks > 4096) std::this_thread::yield();
  }

 private:
  const int size_;
  std::atomic<int> waiting_{0};
  std::atomic<unsigned> round_{0};
};

// Runs work(0) .. work(size - 1) at the same time; work(0) on the calling thread.
template <typename Work>
inline void run_team(int size, Work&& work) {
  std::vector<std::thread> others;
  for (int i = 1; i < size; ++i) others.emplace_back([&work, i] { work(i); });
  work(0);
  for (std::thread& other : others) other.join();
}

// Part `index` of n things shared out among `size`, in units of `unit`: [begin, end).
struct Part {
  long begin, end;
};

inline Part part_of(long n, int index, int size, long unit = 1) {
  const long units = (n + unit - 1) / unit;
  return {std::min(n, units * index / size * unit), std::min(n, units * (index + 1) / size * unit)};
}

}  // namespace insitu
