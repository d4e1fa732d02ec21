// The training loop: sample, forward, Huber loss, backward, Adam.
//
// In: a network, its first parameters, a Sampler that gives targets; per output, the range that
// maps to [0,1] (`low`, `extent`) and the factor from there to the units of `error_threshold`
// (`error_scale`). Out: trained parameters.
// All memory is taken in the constructor; a step allocates nothing.
#pragma once

#include <chrono>
#include <cmath>
#include <limits>
#include <memory>

#include "mlp.hpp"
#include "sampler.hpp"
#include "sampling.hpp"

namespace insitu {

struct TrainingOptions {
  long batch;
  double learning_rate;
  double final_rate;       // last rate / first rate
  bool cosine;             // decay: cosine, else exponential
  long iterations;         // length of the schedule
  double approach;         // dB above error_threshold where the rate starts to fall; 0: never
  double seconds;          // budget; the schedule runs on whichever is used up first
  double loss_threshold;   // stop when the moving average of the L1 loss falls below; 0: never
  double error_threshold;  // the same for the root mean square error, times error_scale; 0: never
  double average;          // most weight of the past in the moving averages
  double huber;            // errors below this, in [0,1], count by their square; 0: none, so L1
  double beta1, beta2, epsilon, l2;
  Sampling sampling;
};

class Trainer {
 public:
  Trainer(std::shared_ptr<const Network> network, const float* params,
          std::shared_ptr<const Sampler> target, const double* low, const double* extent,
          const double* error_scale, const TrainingOptions& options)
      : options(options), network_(std::move(network)), target_(std::move(target)),
        work_(*network_, true), params_(network_->n_params), gradient_(network_->n_params),
        first_moment_(network_->n_params), second_moment_(network_->n_params),
        points_(3 * kChunk), truth_(static_cast<std::size_t>(network_->n_outputs) * kChunk) {
    std::memcpy(params_.data(), params, network_->n_params * sizeof(float));
    for (int c = 0; c < network_->n_outputs; ++c) {
      low_.push_back(low[c]);
      // A constant component has nothing to learn: its normalised value is 0.
      inverse_extent_.push_back(extent[c] > 0.0 ? 1.0 / extent[c] : 0.0);
      error_scale_.push_back(error_scale[c]);
    }
  }

  // Trains until the schedule, a threshold, or the slice of `seconds` ends.
  // Returns true when training is done.
  bool run(double slice_seconds) {
    using clock = std::chrono::steady_clock;
    const auto start = clock::now();
    const double before = elapsed;
    while (!done()) {
      step();
      const double now = std::chrono::duration<double>(clock::now() - start).count();
      elapsed = before + now;
      if (now >= slice_seconds) break;
    }
    return done();
  }

  bool exhausted() const {
    return iteration >= options.iterations || elapsed >= options.seconds;
  }

  bool done() const {
    if (exhausted()) return true;
    // The averages need some steps before they mean anything.
    if (iteration < 16) return false;
    return loss() < options.loss_threshold || root_mean_square() < options.error_threshold;
  }

  // One batch and one update.
  void step() {
    compute_gradient();
    adam();
    ++iteration;
  }

  // Loss and gradient of the batch of this iteration, without updating.
  void compute_gradient() {
    batch_loss_ = batch_squares_ = 0.0;
    batch_valid_ = batch_uniform_ = 0;
    with_features(network_->features, [&](auto features) {
      for (long begin = 0; begin < options.batch; begin += kChunk)
        chunk<features.value>(begin, std::min<long>(kChunk, options.batch - begin));
    });
    if (batch_valid_ == 0) return;
    // Of few steps, only the last tenth or so: the error still falls too fast.
    const double t = static_cast<double>(iteration);
    const double w = std::min(options.average, t / (t + 10.0));
    average_weight_ = w * average_weight_ + (1.0 - w);
    average_loss_ = w * average_loss_ + (1.0 - w) * batch_loss_ / static_cast<double>(batch_valid_);
    // A batch of boundary samples alone says nothing about the volume.
    const double squares = batch_uniform_ ? batch_squares_ / static_cast<double>(batch_uniform_)
                                          : std::numeric_limits<double>::infinity();
    average_squares_ = w * average_squares_ + (1.0 - w) * squares;
  }

  double loss() const { return average_loss_ / average_weight_; }
  double root_mean_square() const { return std::sqrt(average_squares_ / average_weight_); }

  const float* params() const { return params_.data(); }
  const float* gradient() const { return gradient_.data(); }
  const Network& network() const { return *network_; }

  TrainingOptions options;
  long iteration = 0;
  double elapsed = 0.0;  // seconds spent in run()

 private:
  template <int F>
  void chunk(long begin, long count) {
    draw_points(begin);
    target_->sample(points_.data(), count, truth_.data());
    forward<F>(*network_, params_.data(), work_);
    loss_gradient(count, boundary_samples(options.sampling, options.batch) - begin);
    const float* encoding_gradient =
        backward_mlp(*network_, params_.data(), work_, gradient_.data());
    scatter_levels<F>(*network_, work_.corners.data(), encoding_gradient, gradient_.data());
  }

  // Points of the chunk, as rows for the network and as (kChunk, 3) for the target.
  void draw_points(long begin) {
    float* x = work_.points.data();
    draw(options.sampling, static_cast<uint32_t>(iteration), begin, kChunk,
         boundary_samples(options.sampling, options.batch), x, x + kChunk, x + 2 * kChunk);
    to_samples<3>(x, points_.data());
  }

  // Huber (1964): the gradient is (y - t) / huber, cut off at -1 and 1 (L1 beyond huber), averaged
  // over the batch's values. A sample whose target is not finite has no part in it, so that NaN and Inf in the data never reach the weights; nor
  // have those beyond `count`, which only fill the chunk.
  void loss_gradient(long count, long first_uniform) {
    const int outputs = network_->n_outputs;
    const float unit = 1.0f / static_cast<float>(options.batch * outputs);
    for (long s = count; s < kChunk; ++s)
      for (int o = 0; o < outputs; ++o)
        truth_[s * outputs + o] = std::numeric_limits<float>::quiet_NaN();
    for (int o = 0; o < outputs; ++o) {
      alignas(64) float targets[kChunk];
      const auto low = static_cast<float>(low_[o]), scale = static_cast<float>(inverse_extent_[o]);
      for (int s = 0; s < kChunk; ++s) targets[s] = (truth_[s * outputs + o] - low) * scale;
      output_loss(work_.output.data() + o * kChunk, targets, unit, error_scale_[o], first_uniform,
                  work_.output_gradient.data() + o * kChunk);
    }
  }

  // One output of the chunk: y, t, gradient (kChunk).
  void output_loss(const float* y, const float* t, float unit, double error_scale,
                   long first_uniform, float* gradient) {
    const vfloat zero{}, one = splat(1.0f), up = splat(unit), down = splat(-unit);
    // So steep that only an error of exactly 0 has no sign: L1.
    const vfloat slope = splat(options.huber > 0.0 ? unit / static_cast<float>(options.huber) : 1e30f);
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
    batch_loss_ += sum(loss);
    batch_squares_ += sum(squares) * error_scale * error_scale;
    batch_valid_ += std::lround(sum(valid));
    batch_uniform_ += std::lround(sum(uniform));
  }

  double progress() const {
    const double by_iteration =
        static_cast<double>(iteration) / static_cast<double>(options.iterations);
    return std::min(1.0, std::max(by_iteration, elapsed / options.seconds));
  }

  double rate() const {
    const double p = progress();
    const double factor =
        options.cosine
            ? options.final_rate + (1.0 - options.final_rate) * 0.5 * (1.0 + std::cos(M_PI * p))
            : std::pow(options.final_rate, p);
    return options.learning_rate * std::min(factor, std::max(options.final_rate, approach()));
  }

  // Close to the target the rate falls with the square root of what is missing, in dB: a schedule
  // of which nobody has to know the length.
  double approach() const {
    if (options.error_threshold <= 0.0 || options.approach <= 0.0) return 1.0;
    const double missing = 20.0 * std::log10(root_mean_square() / options.error_threshold);
    return std::sqrt(std::clamp(missing / options.approach, 0.0, 1.0));
  }

  // Kingma and Ba 2015, algorithm 1; L2 regularisation on the MLP's weights only.
  void adam() {
    const double t = static_cast<double>(iteration + 1);
    const auto step_size = static_cast<float>(rate() / (1.0 - std::pow(options.beta1, t)));
    const auto correction = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(options.beta2, t)));
    const auto l2 = static_cast<float>(options.l2);
    for (std::size_t i = 0; i < network_->n_mlp_params; ++i) gradient_[i] += l2 * params_[i];
    update(step_size, correction);
  }

  void update(float step_size, float correction) {
    const auto b1 = static_cast<float>(options.beta1), b2 = static_cast<float>(options.beta2);
    const auto eps = static_cast<float>(options.epsilon);
    float* __restrict__ p = params_.data();
    float* __restrict__ g = gradient_.data();
    float* __restrict__ m = first_moment_.data();
    float* __restrict__ v = second_moment_.data();
    const std::size_t n = network_->n_params;
    for (std::size_t i = 0; i < n; ++i) {
      m[i] = b1 * m[i] + (1.0f - b1) * g[i];
      v[i] = b2 * v[i] + (1.0f - b2) * g[i] * g[i];
      p[i] -= step_size * m[i] / (std::sqrt(v[i]) * correction + eps);
      g[i] = 0.0f;
    }
  }

  std::shared_ptr<const Network> network_;
  std::shared_ptr<const Sampler> target_;
  Workspace work_;
  Buffer<float> params_, gradient_, first_moment_, second_moment_;
  Buffer<float> points_;  // (kChunk, 3)
  Buffer<float> truth_;   // (kChunk, n_outputs)
  std::vector<double> low_, inverse_extent_, error_scale_;
  double batch_loss_ = 0.0, batch_squares_ = 0.0;
  long batch_valid_ = 0, batch_uniform_ = 0;
  double average_loss_ = 0.0, average_squares_ = 0.0, average_weight_ = 0.0;
};

}  // namespace insitu
