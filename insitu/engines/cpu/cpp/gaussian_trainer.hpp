// Training of Gaussians on points: the gradient of a batch, and Adam's update.
//
// The points lie in a k-d tree; a batch is a share of its leaves, in another order each time. Which
// Gaussians may reach a leaf is found anew every few steps, with something to spare, as they move.
#pragma once

#include <cstdint>
#include <memory>

#include "gaussians.hpp"
#include "random.hpp"

namespace insitu::gaussians {

struct BatchErrors {
  double loss = 0.0, squares = 0.0;  // of absolute and of squared errors
  long count = 0;                    // values
};

class PointTrainer {
 public:
  // points (n, 3), targets (n, outputs), parameters and their rates (rows, gaussians), error_scale
  // (outputs,): copied.
  PointTrainer(const Layout& layout, const float* params, const float* points, const float* targets,
               int n, const float* rates, const float* error_scale, int batch, unsigned seed,
               int threads)
      : layout_(layout),
        n_params_(static_cast<std::size_t>(layout.rows()) * layout.n),
        points_(points, points + 3 * static_cast<std::size_t>(n)),
        tree_(points_.data(), n),
        rates_(rates, rates + n_params_),
        error_scale_(error_scale, error_scale + layout.outputs),
        seed_(seed),
        threads_(threads),
        params_(n_params_),
        first_(n_params_),
        second_(n_params_) {
    std::copy_n(params, n_params_, params_.data());
    std::vector<float> sorted(points_.size());
    targets_.resize(static_cast<std::size_t>(n) * layout.outputs);
    for (int i = 0; i < n; ++i) {
      const std::size_t from = tree_.order[i];
      std::copy_n(points + 3 * from, 3, sorted.data() + 3 * static_cast<std::size_t>(i));
      std::copy_n(targets + from * layout.outputs, layout.outputs,
                  targets_.data() + static_cast<std::size_t>(i) * layout.outputs);
    }
    points_.swap(sorted);
    batches_ = std::max(1, n / std::max(batch, 1));
    for (int i = 0; i < threads; ++i) parts_.push_back(std::make_unique<ThreadPart>(layout));
  }

  // Adds the gradient of the next batch, by the mean of squared errors.
  BatchErrors compute_gradient() {
    if (leaves_.empty() || age_ >= std::max(kKept, batches_)) find_candidates();
    const long leaves = static_cast<long>(leaves_.size());
    const long turn = step_ % batches_;
    if (turn == 0) shuffle(leaves);
    const long begin = leaves * turn / batches_, end = leaves * (turn + 1) / batches_;
    long count = 0;
    for (long i = begin; i < end; ++i) {
      const Node& node = *leaves_[order_[i]].node;
      count += node.end - node.begin;
    }
    const Shapes shapes(layout_, params_.data());
    run_team(threads_, [&](int thread) {
      const FlushDenormals flush;
      const Part part = part_of(end - begin, thread, threads_);
      parts_[thread]->errors = {};
      for (long i = begin + part.begin; i < begin + part.end; ++i)
        add(shapes, order_[i], 1.0f / static_cast<float>(count * layout_.outputs), *parts_[thread]);
    });
    BatchErrors total;
    for (const auto& part : parts_) {
      total.loss += part->errors.loss;
      total.squares += part->errors.squares;
      total.count += part->errors.count;
    }
    ++step_;
    ++age_;
    return total;
  }

  // Kingma and Ba 2015, algorithm 1, with each parameter's own rate. The gradient becomes zero.
  void update(float step_size, float correction, float b1, float b2, float epsilon) {
    const FlushDenormals flush;
    float* __restrict__ g = parts_[0]->gradient.data();
    for (std::size_t other = 1; other < parts_.size(); ++other) {
      float* __restrict__ more = parts_[other]->gradient.data();
      for (std::size_t i = 0; i < n_params_; ++i) {
        g[i] += more[i];
        more[i] = 0.0f;
      }
    }
    float* __restrict__ p = params_.data();
    float* __restrict__ m = first_.data();
    float* __restrict__ v = second_.data();
    const float* __restrict__ rate = rates_.data();
    for (std::size_t i = 0; i < n_params_; ++i) {
      m[i] = b1 * m[i] + (1.0f - b1) * g[i];
      v[i] = b2 * v[i] + (1.0f - b2) * g[i] * g[i];
      p[i] -= step_size * rate[i] * m[i] / (std::sqrt(v[i]) * correction + epsilon);
      g[i] = 0.0f;
    }
  }

  const float* params() const { return params_.data(); }
  std::size_t n_params() const { return n_params_; }

  std::vector<float> gradient() const {
    std::vector<float> total(n_params_, 0.0f);
    for (const auto& part : parts_)
      for (std::size_t i = 0; i < n_params_; ++i) total[i] += part->gradient[i];
    return total;
  }

 private:
  static constexpr int kKept = 16;       // steps for which candidates are kept
  static constexpr float kSpare = 0.1f;  // share by which boxes are larger than Gaussians

  struct ThreadPart {
    explicit ThreadPart(const Layout& layout)
        : leaf(layout), gradient(static_cast<std::size_t>(layout.rows()) * layout.n) {}
    Leaf leaf;
    Buffer<float> gradient;
    BatchErrors errors;
  };

  // A leaf, and its candidates: candidates_[begin .. end - 1].
  struct TreeLeaf {
    const Node* node;
    std::size_t begin, end;
  };

  void find_candidates() {
    Shapes shapes(layout_, params_.data());
    for (Box& box : shapes.boxes)
      for (int a = 0; a < 3; ++a) {
        const float spare = kSpare * (box.high[a] - box.low[a]);
        box.low[a] -= spare;
        box.high[a] += spare;
      }
    leaves_.clear();
    candidates_.clear();
    constexpr float kLarger = 1.0f + 2 * kSpare;
    Descent(
        tree_, shapes.boxes,
        [&](int i, const Box& box) { return shapes.may_reach(i, box, kLarger * kLarger * kReach); },
        [&](const Node& node, const int* found, int count) {
          const std::size_t begin = candidates_.size();
          candidates_.insert(candidates_.end(), found, found + count);
          leaves_.push_back({&node, begin, candidates_.size()});
        });
    age_ = 0;
    if (order_.empty()) {
      order_.resize(leaves_.size());
      std::iota(order_.begin(), order_.end(), 0);
    }
  }

  void shuffle(long leaves) {
    for (long i = leaves - 1; i > 0; --i) {
      const Hash3 drawn = pcg3d({seed_, static_cast<uint32_t>(step_), static_cast<uint32_t>(i)});
      const long other = drawn.x % static_cast<uint32_t>(i + 1);
      std::swap(order_[i], order_[other]);
    }
  }

  void add(const Shapes& shapes, int which, float share, ThreadPart& part) {
    const TreeLeaf& at = leaves_[which];
    const Node& node = *at.node;
    const int n = node.end - node.begin, outputs = layout_.outputs;
    float y[kLeaf * Leaf::kMostOutputs], g[kLeaf * Leaf::kMostOutputs], weights[kLeaf];
    const float* x = points_.data() + 3 * static_cast<std::size_t>(node.begin);
    const float* targets = targets_.data() + static_cast<std::size_t>(node.begin) * outputs;
    part.leaf.take(shapes, candidates_.data() + at.begin, static_cast<int>(at.end - at.begin));
    for (int p = 0; p < n; ++p) {
      weights[p] = part.leaf.values(x + 3 * p, y + p * outputs);
      for (int c = 0; c < outputs; ++c) {
        const float difference = y[p * outputs + c] - targets[p * outputs + c];
        g[p * outputs + c] = 2 * share * difference;
        part.errors.loss += std::abs(difference);
        const double scaled = static_cast<double>(difference) * error_scale_[c];
        part.errors.squares += scaled * scaled;
      }
    }
    part.errors.count += static_cast<long>(n) * outputs;
    part.leaf.add_gradient(x, y, g, weights, n, part.gradient.data());
  }

  const Layout layout_;
  const std::size_t n_params_;
  std::vector<float> points_, targets_;
  const Tree tree_;
  const std::vector<float> rates_, error_scale_;
  const unsigned seed_;
  const int threads_;
  int batches_ = 1;
  long step_ = 0, age_ = 0;
  std::vector<TreeLeaf> leaves_;
  std::vector<int> candidates_;
  std::vector<int> order_;  // in which batches take the leaves
  Buffer<float> params_, first_, second_;
  std::vector<std::unique_ptr<ThreadPart>> parts_;
};

}  // namespace insitu::gaussians
