// Sums of Gaussians: values, slopes, and the gradient by all parameters.
//
//   z = L (x - m),   w = max(0, 1 - |z|^2 / 8)^4,   y = sum_i w_i (v_i + g_i z_i) / (sum_i w_i + b)
//
// with L = diag(exp(-s)) K, K unit upper triangular. w is exp(-|z|^2 / 2) up to 0.03, and ends at
// 2.8 standard deviations. `insitu/models/gaussians/reference.py` has the same in NumPy.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "gaussian_tree.hpp"
#include "simd.hpp"
#include "team.hpp"

namespace insitu::gaussians {

constexpr float kReach = 8.0f;        // |z|^2 at which a weight ends
constexpr float kBackground = 1e-6f;  // b: the weight of 0, where nothing else is near
constexpr float kLeastSize = -16.0f, kMostSize = 4.0f;  // of s, which is cut off there
constexpr int kShape = 9;                               // position, size, shear: 3 numbers each

// Rows of the parameters (rows, n): position, size s, shear K01 K02 K12; then for each output the
// value v, and the slope g (3), where there are slopes.
struct Layout {
  int n, outputs, terms;  // terms: 1, or 4 with slopes
  int rows() const { return kShape + outputs * terms; }
};

// Gaussians with their sizes as factors exp(-s).
class Shapes {
 public:
  Shapes(const Layout& layout, const float* params) : layout(layout), params(params) {
    boxes.resize(layout.n);
    factor.resize(3 * static_cast<std::size_t>(layout.n));
    for (int i = 0; i < layout.n; ++i) {
      float variance[3];
      for (int a = 0; a < 3; ++a) {
        const float s = std::clamp(row(3 + a)[i], kLeastSize, kMostSize);
        factor[static_cast<std::size_t>(a) * layout.n + i] = std::exp(-s);
        variance[a] = std::exp(2 * s);
      }
      // The covariance's diagonal: that of K^-1 diag(exp(2 s)) K^-T.
      const float k01 = row(6)[i], k02 = row(7)[i], k12 = row(8)[i];
      const float far = k01 * k12 - k02;
      const float along[3] = {variance[0] + k01 * k01 * variance[1] + far * far * variance[2],
                              variance[1] + k12 * k12 * variance[2], variance[2]};
      for (int a = 0; a < 3; ++a) {
        const float half = std::sqrt(kReach * along[a]);
        boxes[i].low[a] = row(a)[i] - half;
        boxes[i].high[a] = row(a)[i] + half;
      }
    }
  }

  const float* row(int k) const { return params + static_cast<std::size_t>(k) * layout.n; }

  // Whether a Gaussian may reach a point of the box: in its own coordinates, the box lies within a
  // ball around its middle.
  bool may_reach(int i, const Box& box, float reach = kReach) const {
    float d[3], h[3];
    for (int a = 0; a < 3; ++a) {
      d[a] = 0.5f * (box.low[a] + box.high[a]) - row(a)[i];
      h[a] = 0.5f * (box.high[a] - box.low[a]);
    }
    const float k01 = row(6)[i], k02 = row(7)[i], k12 = row(8)[i];
    const float f[3] = {factor[i], factor[layout.n + i], factor[2 * layout.n + i]};
    const float z[3] = {f[0] * (d[0] + k01 * d[1] + k02 * d[2]), f[1] * (d[1] + k12 * d[2]),
                        f[2] * d[2]};
    const float r[3] = {f[0] * (h[0] + std::abs(k01) * h[1] + std::abs(k02) * h[2]),
                        f[1] * (h[1] + std::abs(k12) * h[2]), f[2] * h[2]};
    float least = 0;
    for (int a = 0; a < 3; ++a) {
      const float beyond = std::max(0.0f, std::abs(z[a]) - r[a]);
      least += beyond * beyond;
    }
    return least <= reach;
  }

  Layout layout;
  const float* params;
  std::vector<Box> boxes;
  std::vector<float> factor;  // (3, n)
};

// The Gaussians of one leaf, copied next to each other, and what is computed with them.
class Leaf {
 public:
  explicit Leaf(const Layout& layout) : layout_(layout), rows_(3 + layout.rows()) {}

  void take(const Shapes& shapes, const int* which, int count) {
    stride_ = (count + kLanes - 1) / kLanes * kLanes;
    which_ = which;
    count_ = count;
    const std::size_t needed = static_cast<std::size_t>(stride_) * rows_;
    if (data_.size() < needed) data_ = Buffer<float>(2 * needed);
    for (int k = 0; k < layout_.rows(); ++k) {
      const float* from = shapes.row(k);
      float* to = row(k);
      for (int i = 0; i < count; ++i) to[i] = from[which[i]];
      // Beyond the last one: so far away that it weighs nothing.
      for (int i = count; i < stride_; ++i) to[i] = k < 3 ? 1e9f : 0.0f;
    }
    for (int a = 0; a < 3; ++a) {
      const float* from = shapes.factor.data() + static_cast<std::size_t>(a) * layout_.n;
      float* to = row(layout_.rows() + a);
      for (int i = 0; i < count; ++i) to[i] = from[which[i]];
      for (int i = count; i < stride_; ++i) to[i] = 1.0f;
    }
  }

  // Outputs y (outputs,) at x -> the sum of the weights.
  float values(const float* x, float* y) const {
    vfloat total{}, sums[kMostOutputs];
    for (int c = 0; c < layout_.outputs; ++c) sums[c] = vfloat{};
    for (int j = 0; j < stride_; j += kLanes) {
      const At at = place(j, x);
      if (!at.any) continue;
      total += at.w;
      for (int c = 0; c < layout_.outputs; ++c) sums[c] += at.w * term(c, j, at);
    }
    const float weight = sum(total) + kBackground;
    for (int c = 0; c < layout_.outputs; ++c) y[c] = sum(sums[c]) / weight;
    return weight;
  }

  // Derivatives by x: slopes (outputs, 3).
  void slopes(const float* x, float* slopes) const {
    float y[kMostOutputs];
    const float inverse = 1 / values(x, y);
    for (int c = 0; c < layout_.outputs; ++c) {
      vfloat along[3] = {vfloat{}, vfloat{}, vfloat{}};
      for (int j = 0; j < stride_; j += kLanes) {
        const At at = place(j, x);
        if (!at.any) continue;
        const vfloat by_w = term(c, j, at) - splat(y[c]);
        vfloat dz[3];
        for (int a = 0; a < 3; ++a) {
          dz[a] = -at.cube * at.z[a] * by_w;
          if (layout_.terms > 1) dz[a] += at.w * load_row(slope_row(c) + a, j);
        }
        const vfloat first = dz[0] * factor(0, j), second = dz[1] * factor(1, j);
        along[0] += first;
        along[1] += first * load_row(6, j) + second;
        along[2] += first * load_row(7, j) + second * load_row(8, j) + dz[2] * factor(2, j);
      }
      for (int a = 0; a < 3; ++a) slopes[3 * c + a] = inverse * sum(along[a]);
    }
  }

  // Adds to gradient (rows, n), for points x (count, 3) with outputs y and derivatives of the loss
  // by them g, each (count, outputs), and the sums of weights (count,).
  void add_gradient(const float* x, const float* y, const float* g, const float* weights, int count,
                    float* gradient) {
    const int terms = layout_.terms, outputs = layout_.outputs;
    vfloat sums[kShape + 4 * kMostOutputs];
    for (int j = 0; j < stride_; j += kLanes) {
      for (int k = 0; k < layout_.rows(); ++k) sums[k] = vfloat{};
      bool any = false;
      for (int p = 0; p < count; ++p) {
        const At at = place(j, x + 3 * p);
        if (!at.any) continue;
        any = true;
        const float inverse = 1 / weights[p];
        vfloat by_w{}, dz[3] = {vfloat{}, vfloat{}, vfloat{}};
        for (int c = 0; c < outputs; ++c) {
          const vfloat above = splat(g[p * outputs + c] * inverse);
          const vfloat by_term = above * at.w;
          by_w += above * (term(c, j, at) - splat(y[p * outputs + c]));
          vfloat* own = sums + kShape + c * terms;
          own[0] += by_term;
          if (terms > 1)
            for (int a = 0; a < 3; ++a) {
              own[1 + a] += by_term * at.z[a];
              dz[a] += by_term * load_row(slope_row(c) + a, j);
            }
        }
        for (int a = 0; a < 3; ++a) {
          dz[a] -= at.cube * at.z[a] * by_w;
          sums[a] += dz[a];
          sums[3 + a] -= dz[a] * at.z[a];
        }
        sums[6] += dz[0] * at.d[1];
        sums[7] += dz[0] * at.d[2];
        sums[8] += dz[1] * at.d[2];
      }
      if (!any) continue;
      // From z to the parameters.
      const vfloat first = sums[0] * factor(0, j), second = sums[1] * factor(1, j);
      const vfloat third = sums[2] * factor(2, j);
      sums[0] = -first;
      sums[1] = -(first * load_row(6, j) + second);
      sums[2] = -(first * load_row(7, j) + second * load_row(8, j) + third);
      sums[6] *= factor(0, j);
      sums[7] *= factor(0, j);
      sums[8] *= factor(1, j);
      for (int a = 0; a < 3; ++a) {  // no derivative where the size is cut off
        const vfloat s = load_row(3 + a, j);
        sums[3 + a] = (s < splat(kLeastSize)) | (s > splat(kMostSize)) ? vfloat{} : sums[3 + a];
      }
      const int lanes = std::min(kLanes, count_ - j);
      for (int k = 0; k < layout_.rows(); ++k) {
        float* to = gradient + static_cast<std::size_t>(k) * layout_.n;
        for (int i = 0; i < lanes; ++i) to[which_[j + i]] += sums[k][i];
      }
    }
  }

  static constexpr int kMostOutputs = 16;

 private:
  // A point as kLanes Gaussians see it.
  struct At {
    vfloat d[3], z[3], w, cube;  // cube: (1 - |z|^2 / 8)^3
    bool any;
  };

  At place(int j, const float* x) const {
    At at;
    for (int a = 0; a < 3; ++a) at.d[a] = splat(x[a]) - load_row(a, j);
    at.z[0] = factor(0, j) * (at.d[0] + load_row(6, j) * at.d[1] + load_row(7, j) * at.d[2]);
    at.z[1] = factor(1, j) * (at.d[1] + load_row(8, j) * at.d[2]);
    at.z[2] = factor(2, j) * at.d[2];
    const vfloat q = at.z[0] * at.z[0] + at.z[1] * at.z[1] + at.z[2] * at.z[2];
    const vfloat t = most(splat(1.0f) - q * splat(1 / kReach), vfloat{});
    at.any = lanes_of(t > vfloat{}) != 0;
    at.cube = t * t * t;
    at.w = at.cube * t;
    return at;
  }

  vfloat term(int c, int j, const At& at) const {
    const int k = kShape + c * layout_.terms;
    vfloat u = load_row(k, j);
    if (layout_.terms > 1)
      for (int a = 0; a < 3; ++a) u += load_row(k + 1 + a, j) * at.z[a];
    return u;
  }

  int slope_row(int c) const { return kShape + c * layout_.terms + 1; }
  float* row(int k) { return data_.data() + static_cast<std::size_t>(k) * stride_; }
  vfloat load_row(int k, int j) const {
    return load(data_.data() + static_cast<std::size_t>(k) * stride_ + j);
  }
  vfloat factor(int a, int j) const { return load_row(layout_.rows() + a, j); }

  Layout layout_;
  int rows_, stride_ = 0, count_ = 0;
  const int* which_ = nullptr;
  Buffer<float> data_;
};

// Outputs (n, outputs), or with `slopes` their derivatives (n, outputs, 3), at points xyz (n, 3).
inline void evaluate(const Layout& layout, const float* params, const float* xyz, long n,
                     bool slopes, int threads, float* out) {
  const Shapes shapes(layout, params);
  const int width = layout.outputs * (slopes ? 3 : 1);
  run_team(threads, [&](int thread) {
    const FlushDenormals flush;
    const Part part = part_of(n, thread, threads);
    const float* from = xyz + 3 * part.begin;
    float* to = out + part.begin * width;
    const Tree tree(from, static_cast<int>(part.end - part.begin));
    Leaf leaf(layout);
    Descent(
        tree, shapes.boxes, [&](int i, const Box& box) { return shapes.may_reach(i, box); },
        [&](const Node& node, const int* candidates, int count) {
          leaf.take(shapes, candidates, count);
          for (int i = node.begin; i < node.end; ++i) {
            const long at = tree.order[i];
            if (slopes) leaf.slopes(from + 3 * at, to + at * width);
            else leaf.values(from + 3 * at, to + at * width);
          }
        });
  });
}

}  // namespace insitu::gaussians
