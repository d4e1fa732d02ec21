// The training loop: gradient of a batch, Adam, schedule.
//
// In: a network, its initial parameters, a block that gives targets, options. Out: trained
// parameters. All memory is allocated in the constructor; a step allocates nothing.
#pragma once

#include <chrono>
#include <cmath>
#include <limits>
#include <memory>

#include "batch.hpp"
#include "plateau.hpp"
#include "team.hpp"

namespace insitu {

struct TrainingOptions {
  int threads;
  double learning_rate;
  double final_rate;       // final rate / initial rate
  bool cosine;             // decay: cosine, else exponential
  long iterations;         // length of the schedule
  double approach;         // dB above error_threshold at which the rate starts to decay; 0: never
  double seconds;          // limit; the schedule follows whichever is used up first
  double loss_threshold;   // stop when the moving average of the L1 loss falls below this; 0: never
  double error_threshold;  // as above for the root mean square error times error_scale; 0: never
  double average;          // maximum decay of the moving averages
  double huber;            // threshold of the Huber loss, in [0,1]; 0: L1 loss
  double beta1, beta2, epsilon, l2;
  long candidates;  // samples that are evaluated in a step, at least `batch`
  long chosen;      // the hardest of them, which are learned from
  long plateau;     // steps without progress until the rate falls; 0: never
  Sampling sampling;
};

class Trainer {
 public:
  Trainer(std::shared_ptr<const Network> network, const float* params,
          std::shared_ptr<const GridSampler> target, const double* low, const double* extent,
          const double* error_scale, const TrainingOptions& options)
      : options(options),
        network_(std::move(network)),
        target_(std::move(target)),
        transposed_(*network_),
        plateau_(options.plateau),
        params_(network_->n_params),
        first_moment_(network_->n_params),
        second_moment_(network_->n_params) {
    std::memcpy(params_.data(), params, network_->n_params * sizeof(float));
    transposed_.load(*network_, params_.data());
    for (int c = 0; c < network_->n_outputs; ++c) {
      normalisation_.low.push_back(low[c]);
      // A constant component has nothing to learn: its normalized value is 0. So is one whose range
      // has no inverse in the precision of the data.
      const double least = target_->parts[c].is_double ? std::numeric_limits<double>::min()
                                                       : std::numeric_limits<float>::min();
      normalisation_.inverse_extent.push_back(extent[c] >= least ? 1.0 / extent[c] : 0.0);
      normalisation_.error_scale.push_back(error_scale[c]);
    }
    for (int i = 0; i < options.threads; ++i)
      parts_.push_back(std::make_unique<BatchPart>(*network_, *target_, normalisation_));
    if (options.chosen < options.candidates)
      hard_ =
          std::make_unique<HardSamples>(options.candidates, options.chosen, network_->n_outputs);
  }

  // Trains until the schedule, a threshold, or the slice of `seconds` ends.
  // Returns true when training is done.
  bool run(double slice_seconds) {
    using clock = std::chrono::steady_clock;
    const auto start = clock::now();
    const double before = elapsed;
    if (done()) return true;
    Barrier barrier(options.threads);
    bool more = true;
    run_team(options.threads, [&](int thread) {
      const FlushDenormals flush;
      while (more) {
        add_gradient(thread, barrier);
        barrier.wait();  // gradients are written until here, parameters read
        update(thread, rate());
        barrier.wait();  // parameters are written until here
        if (thread == 0) {
          average_loss();
          finish_step();
          const double now = std::chrono::duration<double>(clock::now() - start).count();
          elapsed = before + now;
          more = !done() && now < slice_seconds;
        }
        barrier.wait();
      }
    });
    return done();
  }

  bool exhausted() const {
    return iteration >= options.iterations || elapsed >= options.seconds || plateau_.ended();
  }

  bool done() const {
    if (exhausted()) return true;
    // Number of steps until the averages are reliable.
    if (iteration < 16) return false;
    return loss() < options.loss_threshold || root_mean_square() < options.error_threshold;
  }

  // One batch and one update.
  void step() {
    const double before = rate();  // as in `run`, by the averages before this batch
    compute_gradient();
    run_team(options.threads, [&](int thread) {
      const FlushDenormals flush;
      update(thread, before);
    });
    finish_step();
  }

  // Loss and gradient of the batch of this iteration, without updating.
  void compute_gradient() {
    Barrier barrier(options.threads);
    run_team(options.threads, [&](int thread) {
      const FlushDenormals flush;
      add_gradient(thread, barrier);
    });
    average_loss();
  }

  // NaN until a sample has been counted.
  double loss() const { return average(average_loss_); }
  double root_mean_square() const { return std::sqrt(average(average_squares_)); }

  const float* params() const { return params_.data(); }
  const Network& network() const { return *network_; }

  std::vector<float> gradient() const {
    std::vector<float> total(network_->n_params, 0.0f);
    for (const auto& part : parts_)
      for (std::size_t i = 0; i < total.size(); ++i) total[i] += part->gradient[i];
    return total;
  }

  TrainingOptions options;
  long iteration = 0;
  double elapsed = 0.0;  // seconds spent in run()

 private:
  void add_gradient(int thread, Barrier& barrier) {
    const Part part = part_of(options.candidates, thread, options.threads, kChunk);
    const bool moves = grids_move();
    if (hard_) add_hardest(thread, barrier, part, moves);
    else
      parts_[thread]->add(options.sampling, iteration, options.candidates, part.begin, part.end,
                          options.huber, moves, params_.data(), transposed_);
    if (moves) add_placement(thread, barrier);
  }

  // Of all threads' candidates the hardest, shared out anew.
  void add_hardest(int thread, Barrier& barrier, Part part, bool moves) {
    parts_[thread]->rate(options.sampling, iteration, part.begin, part.end, options.huber,
                         params_.data(), transposed_, *hard_);
    barrier.wait();
    if (thread == 0) hard_->choose();
    barrier.wait();
    const Part mine = part_of(hard_->n_chosen(), thread, options.threads, kChunk);
    parts_[thread]->add_chosen(*hard_, mine.begin, mine.end, options.huber, moves, params_.data(),
                               transposed_);
  }

  bool grids_move() const {
    return network_->n_moved > 0 && schedule_.active(iteration, options.iterations);
  }

  // What is summed over the parts of all threads is read by each of them, after a barrier.
  void add_placement(int thread, Barrier& barrier) {
    PlacementPart& mine = parts_[thread]->placement;
    const auto total = [&](auto member) {
      double sum = 0.0;
      for (const auto& part : parts_) sum += static_cast<double>(part->placement.*member);
      return sum;
    };
    mine.find_density(*network_, params_.data());
    barrier.wait();
    const double count = total(&PlacementPart::count);
    const double density = total(&PlacementPart::total_density);
    if (count > 0.0) mine.find_target(total(&PlacementPart::total_error) / count, density);
    barrier.wait();
    if (count > 0.0)
      mine.add_gradient(*network_, params_.data(), density, total(&PlacementPart::total_target),
                        parts_[thread]->gradient.data());
  }

  void average_loss() {
    BatchSums batch;
    for (const auto& part : parts_) batch += part->sums;
    if (batch.valid == 0) return;
    // After few steps, average over the last tenth only: the error still decreases fast.
    const double t = static_cast<double>(iteration);
    const double w = std::min(options.average, t / (t + 10.0));
    average_weight_ = w * average_weight_ + (1.0 - w);
    const double loss = batch.loss / static_cast<double>(batch.valid);
    average_loss_ = w * average_loss_ + (1.0 - w) * loss;
    plateau_.add(loss);
    // A batch with boundary samples only is not representative of the volume.
    const double squares = batch.uniform ? batch.squares / static_cast<double>(batch.uniform)
                                         : std::numeric_limits<double>::infinity();
    average_squares_ = w * average_squares_ + (1.0 - w) * squares;
  }

  double average(double sum) const {
    return average_weight_ > 0.0 ? sum / average_weight_ : std::numeric_limits<double>::quiet_NaN();
  }

  static double share(double used, double of) { return used >= of ? 1.0 : used / of; }

  double progress() const {
    return std::max(share(static_cast<double>(iteration), static_cast<double>(options.iterations)),
                    share(elapsed, options.seconds));
  }

  double rate() const {
    const double p = progress();
    const double factor = options.cosine ? options.final_rate + (1.0 - options.final_rate) * 0.5 *
                                                                    (1.0 + std::cos(M_PI * p))
                                         : std::pow(options.final_rate, p);
    return options.learning_rate * plateau_.factor() *
           std::min(factor, std::max(options.final_rate, approach()));
  }

  // Close to the target the rate decays with the square root of the missing dB: a schedule that
  // does not need to know its length.
  double approach() const {
    if (options.error_threshold <= 0.0 || options.approach <= 0.0) return 1.0;
    const double error = root_mean_square();
    // Adam's first step changes every weight by the whole rate, whatever its gradient: with nothing
    // known of the error yet, that would undo a warm start.
    if (std::isnan(error)) return 0.0;
    const double missing = 20.0 * std::log10(error / options.error_threshold);
    return std::sqrt(std::clamp(missing / options.approach, 0.0, 1.0));
  }

  // This thread's share of the parameters: Kingma and Ba 2015, algorithm 1; L2 regularization on
  // the MLP's weights only. The gradients become zero.
  void update(int thread, double rate) {
    const double t = static_cast<double>(iteration + 1);
    const auto step_size = static_cast<float>(rate / (1.0 - std::pow(options.beta1, t)));
    const auto correction = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(options.beta2, t)));
    const auto n_mlp = static_cast<long>(network_->n_mlp_params);
    const float moved_size =
        grids_move() ? static_cast<float>(PlacementSchedule::kRate) * step_size : 0.0f;
    constexpr long kBlock = 4096;  // stays in the cache between adding up and updating
    const Part share = part_of(static_cast<long>(network_->n_params), thread, options.threads, 16);
    for (long begin = share.begin; begin < share.end; begin += kBlock) {
      const long end = std::min(begin + kBlock, share.end);
      float* g = parts_[0]->gradient.data();
      for (std::size_t other = 1; other < parts_.size(); ++other) {
        float* more = parts_[other]->gradient.data();
        for (long i = begin; i < end; ++i) {
          g[i] += more[i];
          more[i] = 0.0f;
        }
      }
      for (long i = begin; i < std::min(end, n_mlp); ++i)
        g[i] += static_cast<float>(options.l2) * params_[i];
      // Transforms of grids lie between the MLP and the levels, and have a rate of their own.
      const long moved = std::clamp(n_mlp, begin, end);
      const long rest = std::clamp(n_mlp + 12L * network_->n_moved, begin, end);
      adam(begin, moved, step_size, correction);
      adam(moved, rest, moved_size, correction);
      adam(rest, end, step_size, correction);
    }
  }

  void adam(long begin, long end, float step_size, float correction) {
    const auto b1 = static_cast<float>(options.beta1), b2 = static_cast<float>(options.beta2);
    const auto eps = static_cast<float>(options.epsilon);
    float* __restrict__ p = params_.data();
    float* __restrict__ g = parts_[0]->gradient.data();
    float* __restrict__ m = first_moment_.data();
    float* __restrict__ v = second_moment_.data();
    for (long i = begin; i < end; ++i) {
      m[i] = b1 * m[i] + (1.0f - b1) * g[i];
      v[i] = b2 * v[i] + (1.0f - b2) * g[i] * g[i];
      p[i] -= step_size * m[i] / (std::sqrt(v[i]) * correction + eps);
      g[i] = 0.0f;
    }
  }

  // After all threads have updated their share.
  void finish_step() {
    if (grids_move()) {
      double objective = 0.0, count = 0.0;
      for (const auto& part : parts_) {
        objective += part->placement.objective;
        count += static_cast<double>(part->placement.count);
      }
      if (count > 0.0) schedule_.add(objective / count);
    }
    transposed_.load(*network_, params_.data());
    ++iteration;
  }

  std::shared_ptr<const Network> network_;
  std::shared_ptr<const GridSampler> target_;
  Normalisation normalisation_;
  Transposed transposed_;
  PlacementSchedule schedule_;
  Plateau plateau_;
  std::unique_ptr<HardSamples> hard_;
  Buffer<float> params_, first_moment_, second_moment_;
  // One per thread; the first one's gradient becomes that of the whole batch.
  std::vector<std::unique_ptr<BatchPart>> parts_;
  double average_loss_ = 0.0, average_squares_ = 0.0, average_weight_ = 0.0;
};

}  // namespace insitu
