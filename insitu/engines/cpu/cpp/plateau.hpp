// When a loss no longer falls: `insitu.engines.training_loop.Plateau` in C++.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

namespace insitu {

class Plateau {
 public:
  static constexpr double kFall = 1e-4;  // least fall of the loss, as a fraction of it
  static constexpr int kTimes = 3;

  // steps: length of a window; 0: never a plateau.
  explicit Plateau(long steps) : steps_(steps) {}

  // The mean loss of the next batch.
  void add(double loss) {
    if (steps_ == 0) return;
    sum_ += loss;
    if (++count_ < steps_) return;
    const double mean = sum_ / static_cast<double>(count_);
    if (mean >= lowest_ * (1.0 - kFall)) ++times_;
    lowest_ = std::min(lowest_, mean);
    sum_ = 0.0;
    count_ = 0;
  }

  double factor() const { return std::pow(10.0, -times_); }
  bool ended() const { return times_ >= kTimes; }

 private:
  long steps_, count_ = 0;
  int times_ = 0;
  double sum_ = 0.0, lowest_ = std::numeric_limits<double>::infinity();
};

}  // namespace insitu
