// How adaptive grids move: the density of grids is trained to follow the error (AMGSRN,
// section 3.2).
//
// In: the points of a batch and their squared errors. Out: the gradient of the transforms. The
// equations are in insitu/models/adaptive_grid/placement.py.
#pragma once

#include <cmath>
#include <deque>
#include <limits>
#include <memory>
#include <numeric>
#include <vector>

#include "network.hpp"
#include "products.hpp"

namespace insitu {

// e^x for x <= 0, to 2e-7 of it; 0 below -87.
inline vfloat exp_of(vfloat x) {
  const vfloat lowest = splat(-87.0f);
  const vfloat kept = most(x, lowest);
  // x = k ln 2 + r, |r| <= ln(2) / 2; k is rounded by truncation, since k <= 0.
  const vint k = to_int(kept * splat(1.44269504f) - splat(0.5f));
  const vfloat kf = to_float(k);
  const vfloat r = kept - kf * splat(0.693359375f) + kf * splat(2.12194440e-4f);
  vfloat y = splat(1.0f / 720);
  for (const float c : {1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f}) y = y * r + splat(c);
  const vint power = (k + splat(127)) << 23;
  return x < lowest ? vfloat{} : y * reinterpret_cast<const vfloat&>(power);
}

// One thread's samples of a batch.
class PlacementPart {
 public:
  // Forgets the last batch.
  void clear() { size_ = 0; }

  // A chunk's points (3, kChunk), and squared errors (kChunk); those that are NaN do not count.
  void add(const float* points, const float* errors) {
    const std::size_t chunk = size_++;
    if (points_.size() < size_ * 3 * kChunk) {
      points_.resize(size_ * 3 * kChunk);
      errors_.resize(size_ * kChunk);
      density_.resize(size_ * kChunk);
    }
    for (int i = 0; i < 3 * kChunk; ++i) points_[chunk * 3 * kChunk + i] = 2.0f * points[i] - 1.0f;
    std::copy(errors, errors + kChunk, errors_.begin() + static_cast<long>(chunk * kChunk));
  }

  // The density of grids at each sample; sums for all that follows.
  void find_density(const Network& net, const float* params) {
    total_density = total_error = 0.0;
    count = 0;
    for (std::size_t c = 0; c < size_; ++c) {
      vfloat sums[kVectors] = {};
      for (const Level& level : net.levels) {
        const float* transform = params + level.transform;
        const vfloat amount = splat(amount_of(transform));
        for (int v = 0; v < kVectors; ++v)
          sums[v] += amount * bell(transform, points(c) + v * kLanes).value;
      }
      for (int v = 0; v < kVectors; ++v)
        for (int i = 0; i < kLanes; ++i) {
          const std::size_t s = c * kChunk + v * kLanes + i;
          density_[s] = sums[v][i];
          if (std::isnan(errors_[s])) continue;
          total_density += density_[s];
          total_error += errors_[s];
          ++count;
        }
    }
  }

  // The target, not normalized, by the mean error and the total density of the batch.
  void find_target(double mean_error, double density) {
    target_.resize(size_ * kChunk);
    total_target = 0.0;
    for (std::size_t s = 0; s < size_ * kChunk; ++s) {
      if (std::isnan(errors_[s])) continue;
      const double q = std::max(density_[s] / density, 0.0);
      target_[s] = std::exp(std::log(q + kTiny) * (mean_error / (errors_[s] + kTiny)));
      total_target += target_[s];
    }
  }

  // Adds the gradient of the transforms to that of all parameters; sums the objective.
  void add_gradient(const Network& net, const float* params, double density, double target,
                    float* gradient) {
    objective = 0.0;
    for (std::size_t c = 0; c < size_; ++c) {
      alignas(64) float by_density[kChunk];
      for (int i = 0; i < kChunk; ++i) {
        const std::size_t s = c * kChunk + i;
        by_density[i] = 0.0f;
        if (std::isnan(errors_[s])) continue;
        const double q = std::max(density_[s] / density, 0.0) + kTiny;
        const double t = target_[s] / target + kTiny;
        objective += t * (std::log(t) - std::log(q));
        by_density[i] = static_cast<float>(-t / q / density);
      }
      for (const Level& level : net.levels)
        add_level(params + level.transform, points(c), by_density, gradient + level.transform);
    }
  }

  double total_density = 0.0, total_error = 0.0, total_target = 0.0, objective = 0.0;
  long count = 0;

 private:
  static constexpr int kVectors = kChunk / kLanes;
  static constexpr double kTiny = 1e-16;
  static constexpr float kBeyond = 1.5f;  // where bells are 0, and larger powers would overflow

  struct Bell {
    vfloat value, slope[3];  // by local coordinates
  };

  const float* points(std::size_t chunk) const { return points_.data() + chunk * 3 * kChunk; }

  static float determinant(const float* t) {
    return t[0] * (t[5] * t[10] - t[6] * t[9]) - t[1] * (t[4] * t[10] - t[6] * t[8]) +
           t[2] * (t[4] * t[9] - t[5] * t[8]);
  }

  static constexpr float kNorm = 0.0634936359f;  // (2 pi)^-1.5

  static float amount_of(const float* transform) { return kNorm * determinant(transform); }

  // exp(-0.5 sum_a l_a^20) of a vector of samples.
  static Bell bell(const float* transform, const float* at) {
    const vfloat x = load_unaligned(at), y = load_unaligned(at + kChunk),
                 z = load_unaligned(at + 2 * kChunk);
    const vfloat beyond = splat(kBeyond);
    Bell bell;
    vfloat sum{};
    for (int a = 0; a < 3; ++a) {
      const float* row = transform + 4 * a;
      vfloat l = splat(row[0]) * x + splat(row[1]) * y + splat(row[2]) * z + splat(row[3]);
      l = most(least(l, beyond), -beyond);
      const vfloat l2 = l * l, l4 = l2 * l2, l8 = l4 * l4, l16 = l8 * l8;
      sum += l16 * l4;
      // At the cut, the bell is 0 and so is the slope.
      bell.slope[a] = splat(-10.0f) * (l16 * l2 * l);
    }
    bell.value = exp_of(splat(-0.5f) * sum);
    for (vfloat& slope : bell.slope) slope *= bell.value;
    return bell;
  }

  static void add_level(const float* transform, const float* at, const float* by_density,
                        float* gradient) {
    const vfloat amount = splat(amount_of(transform));
    vfloat rows[3][4] = {}, by_amount{};
    for (int v = 0; v < kVectors; ++v) {
      const float* here = at + v * kLanes;
      const vfloat w = load(by_density + v * kLanes);
      const Bell b = bell(transform, here);
      by_amount += w * b.value;
      for (int a = 0; a < 3; ++a) {
        const vfloat by_local = w * amount * b.slope[a];
        for (int c = 0; c < 3; ++c) rows[a][c] += by_local * load_unaligned(here + c * kChunk);
        rows[a][3] += by_local;
      }
    }
    const float scale = kNorm * sum(by_amount);
    for (int a = 0; a < 3; ++a) {
      const float *p = transform + 4 * ((a + 1) % 3), *q = transform + 4 * ((a + 2) % 3);
      for (int c = 0; c < 3; ++c) {
        const int d = (c + 1) % 3, e = (c + 2) % 3;
        gradient[4 * a + c] += sum(rows[a][c]) + scale * (p[d] * q[e] - p[e] * q[d]);
      }
      gradient[4 * a + 3] += sum(rows[a][3]);
    }
  }

  std::size_t size_ = 0;  // chunks
  std::vector<float> points_, errors_;
  std::vector<double> density_, target_;
};

// When the transforms move.
class PlacementSchedule {
 public:
  static constexpr double kRate = 0.025;  // of the learning rate

  bool active(long iteration, long iterations) const {
    return !ended_ && iteration >= 500 &&
           static_cast<double>(iteration) < 0.8 * static_cast<double>(iterations);
  }

  // Ends where the mean objective of 1000 steps has not fallen by 0.01 %.
  void add(double objective) {
    objectives_.push_back(objective);
    if (objectives_.size() < 2 * kWindow) return;
    if (objectives_.size() > 2 * kWindow) objectives_.pop_front();
    const auto middle = objectives_.begin() + kWindow;
    const double before = std::accumulate(objectives_.begin(), middle, 0.0);
    const double now = std::accumulate(middle, objectives_.end(), 0.0);
    ended_ = before - now < 1e-4 * before;
  }

 private:
  static constexpr long kWindow = 1000;
  std::deque<double> objectives_;
  bool ended_ = false;
};

}  // namespace insitu
