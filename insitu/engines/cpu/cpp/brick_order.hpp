// Bricks front to back, on several threads: a brick starts when those in front of it are done.
//
// In: a grid of bricks, the brick nearest to the eye. Out: each brick once, in visibility order.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <exception>
#include <mutex>
#include <vector>

#include "brick_source.hpp"
#include "team.hpp"

namespace insitu {

// A ray from the eye goes through the bricks of a grid so that along each axis it only gets farther
// from the eye's. So a brick has to wait for at most three, its neighbours towards the eye, and
// what those waited for; bricks that do not wait for each other share no ray.
class BrickOrder {
 public:
  // eye: the place in the grid, clamped, of the brick that the eye is in or nearest to.
  BrickOrder(const Index3& count, const Index3& eye)
      : count_(count),
        eye_(eye),
        waits_(static_cast<std::size_t>(count[0] * count[1] * count[2])),
        left_(waits_.size()) {
    for (long i = 0; i < static_cast<long>(waits_.size()); ++i) {
      const Index3 at = place(i);
      for (int a = 0; a < 3; ++a) waits_[i] += at[a] != eye_[a];
    }
    ready_.push_back(number(eye_));
  }

  // visit(brick, thread) of all of them; the first exception of any thread ends it.
  template <typename Visit>
  void run(int threads, Visit&& visit) {
    run_team(threads, [&](int thread) {
      for (long brick; (brick = next()) >= 0;) {
        try {
          visit(brick, thread);
        } catch (...) {
          std::lock_guard<std::mutex> lock(mutex_);
          if (!error_) error_ = std::current_exception();
          changed_.notify_all();
          return;
        }
        done(brick);
      }
    });
    if (error_) std::rethrow_exception(error_);
  }

 private:
  long number(const Index3& at) const { return at[0] + count_[0] * (at[1] + count_[1] * at[2]); }
  Index3 place(long i) const {
    return {i % count_[0], i / count_[0] % count_[1], i / (count_[0] * count_[1])};
  }

  // The next brick that may be begun; -1 when there is nothing more to do.
  long next() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return error_ || left_ == 0 || !ready_.empty(); });
    if (error_ || left_ == 0) return -1;
    const long brick = ready_.front();
    ready_.pop_front();
    --left_;
    if (left_ == 0) changed_.notify_all();
    return brick;
  }

  void done(long brick) {
    const Index3 at = place(brick);
    std::lock_guard<std::mutex> lock(mutex_);
    for (int a = 0; a < 3; ++a)
      for (const long away : {-1L, 1L}) {
        Index3 behind = at;
        behind[a] += away;
        const bool farther = std::labs(behind[a] - eye_[a]) > std::labs(at[a] - eye_[a]);
        if (!farther || behind[a] < 0 || behind[a] >= count_[a]) continue;
        if (--waits_[number(behind)] == 0) {
          ready_.push_back(number(behind));
          changed_.notify_one();
        }
      }
  }

  const Index3 count_, eye_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<int> waits_;  // neighbours towards the eye that are not done
  std::size_t left_;        // not begun
  std::deque<long> ready_;
  std::exception_ptr error_;
};

}  // namespace insitu
