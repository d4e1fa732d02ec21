// Loss and gradient of a part of a batch: sample, forward, Huber loss, backward.
//
// In: network, parameters, a block that gives targets, their normalization. Out: gradient of all
// parameters, sums over the samples. One per thread.
#pragma once

#include <cmath>
#include <limits>

#include "grid_sampler.hpp"
#include "hard_samples.hpp"
#include "mlp.hpp"
#include "placement.hpp"
#include "sampling.hpp"

namespace insitu {

// Per output: `low` maps to 0, low + extent to 1; `error_scale` leads from there to the units of
// the error threshold.
struct Normalisation {
  std::vector<double> low, inverse_extent, error_scale;
};

// Error statistics of a batch.
struct BatchSums {
  double loss = 0.0, squares = 0.0;  // absolute values; squares, of the uniform samples only
  long valid = 0, uniform = 0;       // values that count for either

  void operator+=(const BatchSums& other) {
    loss += other.loss;
    squares += other.squares;
    valid += other.valid;
    uniform += other.uniform;
  }
};

class BatchPart {
 public:
  BatchPart(const Network& network, const GridSampler& target, const Normalisation& normalisation)
      : gradient(network.n_params),
        network_(network),
        target_(target),
        normalisation_(normalisation),
        work_(network, true),
        points_(3 * kChunk),
        truth_(static_cast<std::size_t>(network.n_outputs) * kChunk) {}

  // Adds the gradient of samples begin .. end - 1 of a batch; `begin` is a multiple of kChunk.
  // huber: errors below it count by their square; 0: none. keep: samples and errors are kept for
  // `placement`.
  void add(const Sampling& sampling, long iteration, long batch, long begin, long end, double huber,
           bool keep, const float* params, const Transposed& transposed) {
    sums = {};
    huber_ = huber;
    keep_ = keep;
    placement.clear();
    with_features(network_.features, [&](auto features) {
      for (; begin < end; begin += kChunk)
        chunk<features.value>(sampling, iteration, batch, begin, params, transposed);
    });
  }

  // Evaluates candidates begin .. end - 1 and keeps their errors; `sums` are over them.
  void rate(const Sampling& sampling, long iteration, long begin, long end, double huber,
            const float* params, const Transposed& transposed, HardSamples& candidates) {
    sums = {};
    huber_ = huber;
    const long outputs = network_.n_outputs, n = candidates.size();
    with_features(network_.features, [&](auto features) {
      for (; begin < end; begin += kChunk) {
        const long count = std::min<long>(kChunk, n - begin);
        draw_chunk(sampling, iteration, n, begin, count);
        forward<features.value>(network_, params, transposed, work_);
        loss_gradient(n, count, boundary_samples(sampling, n) - begin);
        for (long s = 0; s < count; ++s) {
          float error = 0.0f;
          for (long o = 0; o < outputs; ++o) {
            const float d = work_.output[o * kChunk + s] - truth_[s * outputs + o];
            error += std::isfinite(d) ? d * d : 0.0f;
          }
          candidates.keep(begin + s, points_.data() + 3 * s, truth_.data() + outputs * s, error);
        }
      }
    });
  }

  // As `add`, of the chosen candidates begin .. end - 1; `sums` stay those of `rate`.
  void add_chosen(const HardSamples& candidates, long begin, long end, double huber, bool keep,
                  const float* params, const Transposed& transposed) {
    const BatchSums all = sums;
    huber_ = huber;
    keep_ = keep;
    placement.clear();
    with_features(network_.features, [&](auto features) {
      for (; begin < end; begin += kChunk) {
        const long count = std::min<long>(kChunk, candidates.n_chosen() - begin);
        candidates.load(begin, count, work_.points.data(), truth_.data());
        learn<features.value>(candidates.n_chosen(), count, 0, params, transposed);
      }
    });
    sums = all;
  }

  Buffer<float> gradient;
  BatchSums sums;
  PlacementPart placement;

 private:
  template <int F>
  void chunk(const Sampling& sampling, long iteration, long batch, long begin, const float* params,
             const Transposed& transposed) {
    const long count = std::min<long>(kChunk, batch - begin);
    draw_chunk(sampling, iteration, batch, begin, count);
    learn<F>(batch, count, boundary_samples(sampling, batch) - begin, params, transposed);
  }

  // Points and targets of a batch from sample `begin` on.
  void draw_chunk(const Sampling& sampling, long iteration, long batch, long begin, long count) {
    float* x = work_.points.data();
    draw(sampling, static_cast<uint32_t>(iteration), begin, kChunk,
         boundary_samples(sampling, batch), x, x + kChunk, x + 2 * kChunk);
    for (int s = 0; s < kChunk; ++s)
      for (int a = 0; a < 3; ++a) points_[3 * s + a] = x[a * kChunk + s];
    target_.sample_normalised(points_.data(), count, normalisation_.low.data(),
                              normalisation_.inverse_extent.data(), truth_.data());
  }

  // Adds the gradient of the points and targets that were drawn.
  template <int F>
  void learn(long batch, long count, long first_uniform, const float* params,
             const Transposed& transposed) {
    forward<F>(network_, params, transposed, work_);
    loss_gradient(batch, count, first_uniform);
    if (keep_) keep_errors();
    const float* encoding_gradient = backward_mlp(network_, params, work_, gradient.data());
    scatter_levels<F>(network_, work_.corners.data(), encoding_gradient, gradient.data());
  }

  // Huber (1964): the gradient is (y - t) / huber, cut off at -1 and 1 (so L1 beyond huber),
  // averaged over the batch's values. A sample whose target is not finite has no part in it, so
  // that NaN and Inf in the data never reach the weights; nor have those beyond `count`, which only
  // fill the chunk.
  void loss_gradient(long batch, long count, long first_uniform) {
    const int outputs = network_.n_outputs;
    const float unit = 1.0f / static_cast<float>(batch * outputs);
    for (long s = count; s < kChunk; ++s)
      for (int o = 0; o < outputs; ++o)
        truth_[s * outputs + o] = std::numeric_limits<float>::quiet_NaN();
    for (int o = 0; o < outputs; ++o) {
      alignas(64) float targets[kChunk];
      for (int s = 0; s < kChunk; ++s) targets[s] = truth_[s * outputs + o];
      output_loss(work_.output.data() + o * kChunk, targets, unit, normalisation_.error_scale[o],
                  first_uniform, work_.output_gradient.data() + o * kChunk);
    }
  }

  // Squared errors, summed over the outputs; NaN where a target is not finite.
  void keep_errors() {
    alignas(64) float errors[kChunk] = {};
    for (int o = 0; o < network_.n_outputs; ++o)
      for (int s = 0; s < kChunk; ++s) {
        const float d = work_.output[o * kChunk + s] - truth_[s * network_.n_outputs + o];
        errors[s] += std::isfinite(d) ? d * d : std::numeric_limits<float>::quiet_NaN();
      }
    placement.add(work_.points.data(), errors);
  }

  // One output of the chunk: y, t, gradient (kChunk).
  void output_loss(const float* y, const float* t, float unit, double error_scale,
                   long first_uniform, float* gradient) {
    const vfloat zero{}, one = splat(1.0f), up = splat(unit), down = splat(-unit);
    // Without huber so steep that only an error of exactly 0 has no sign.
    const vfloat slope = splat(huber_ > 0.0 ? unit / static_cast<float>(huber_) : 1e30f);
    vfloat loss{}, squares{}, valid{}, uniform{};
    alignas(64) float lanes[kLanes];
    for (int s = 0; s < kChunk; s += kLanes) {
      const vfloat target = load(t + s);
      const auto finite = target - target == zero;
      const vfloat d = finite ? load(y + s) - target : zero;
      const vfloat g = d * slope;
      store(gradient + s, g > up ? up : (g < down ? down : g));
      loss += d > zero ? d : -d;
      for (int i = 0; i < kLanes; ++i) lanes[i] = s + i >= first_uniform ? 1.0f : 0.0f;
      const vfloat counted = finite ? load(lanes) : zero;
      valid += finite ? one : zero;
      uniform += counted;
      squares += counted * d * d;
    }
    sums.loss += sum(loss);
    sums.squares += sum(squares) * error_scale * error_scale;
    sums.valid += std::lround(sum(valid));
    sums.uniform += std::lround(sum(uniform));
  }

  const Network& network_;
  const GridSampler& target_;
  const Normalisation& normalisation_;
  Workspace work_;
  double huber_ = 0.0;
  bool keep_ = false;
  Buffer<float> points_;  // (kChunk, 3)
  Buffer<float> truth_;   // (kChunk, n_outputs), normalized
};

}  // namespace insitu
