// Hard samples: of the candidates of a step those with the largest errors, which are learned from.
//
// In: points, targets and errors of the candidates, by all threads. Out: the hardest ones,
// gathered.
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "network.hpp"

namespace insitu {

class HardSamples {
 public:
  // n: candidates of a step, of which `chosen` are learned from.
  HardSamples(long n, long chosen, int n_outputs)
      : outputs_(n_outputs), chosen_(chosen), points_(3 * n), truth_(n * n_outputs), errors_(n) {
    order_.resize(n);
  }

  long size() const { return static_cast<long>(order_.size()); }
  long n_chosen() const { return chosen_; }

  // point (3,), truth (n_outputs,). Each candidate is written by one thread.
  void keep(long index, const float* point, const float* truth, float error) {
    std::copy(point, point + 3, &points_[3 * index]);
    std::copy(truth, truth + outputs_, &truth_[outputs_ * index]);
    errors_[index] = error;
  }

  // Of equal errors the first ones; in the order of the candidates, so that sums are the same.
  void choose() {
    std::iota(order_.begin(), order_.end(), 0L);
    const auto harder = [&](long a, long b) {
      return errors_[a] > errors_[b] || (errors_[a] == errors_[b] && a < b);
    };
    std::nth_element(order_.begin(), order_.begin() + (chosen_ - 1), order_.end(), harder);
    std::sort(order_.begin(), order_.begin() + chosen_);
  }

  // Chosen candidates begin .. begin + count - 1: points (3, kChunk), filled up with the last one,
  // truth (count, n_outputs).
  void load(long begin, long count, float* points, float* truth) const {
    for (long s = 0; s < kChunk; ++s) {
      const long index = order_[begin + std::min(s, count - 1)];
      for (long a = 0; a < 3; ++a) points[a * kChunk + s] = points_[3 * index + a];
      if (s < count)
        std::copy(&truth_[outputs_ * index], &truth_[outputs_ * index] + outputs_,
                  truth + outputs_ * s);
    }
  }

 private:
  const long outputs_, chosen_;
  Buffer<float> points_;  // (n, 3)
  Buffer<float> truth_;   // (n, n_outputs), normalized
  Buffer<float> errors_;  // (n,), squares summed over the outputs
  std::vector<long> order_;
};

}  // namespace insitu
