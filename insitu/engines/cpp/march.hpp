// Emission-absorption ray marching through the box of one partition.
//
// In: a sampler, the box's nodes, camera, transfer function. Out: premultiplied RGBA of a pixel
// rectangle, of which every rank's share adds up to what one rank with the whole domain makes.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "sampler.hpp"

namespace insitu {

using Vec3 = std::array<double, 3>;

// a * b + c, rounded once wherever the CPU can. Spelled out so that a position comes out the same
// in every loop that computes it, vectorised or not: ranks must agree on it to the last bit.
inline double fused(double a, double b, double c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return std::fma(a, b, c);
#else
  return a * b + c;
#endif
}

struct Box {
  Vec3 lo, hi;
};

struct View {
  Vec3 eye, forward;  // forward: unit
  Vec3 right, up;     // half the image's width and height at distance 1
  long width, height;
};

struct Rectangle {
  long y0, y1, x0, x1;  // half open, in pixels, row 0 at the top
};

// Rows of straight RGBA over [lo, hi]; the alpha of one step, not of the reference length.
struct TransferTable {
  const float* rgba;
  long rows;
  float lo, hi;
};

struct MarchOptions {
  double step;    // world length between samples
  int component;  // of the sampler's values; -1: magnitude
  float opaque;   // a ray ends when its alpha reaches this
};

// World to unit coordinate along one axis: piecewise linear through the nodes.
class Axis {
 public:
  Axis(const double* nodes, long count) : nodes_(nodes, nodes + count), cells_(count - 1) {
    lo_ = nodes_.front();
    inverse_ = 1.0 / (nodes_.back() - lo_);
    const double spacing = (nodes_.back() - lo_) / static_cast<double>(cells_);
    for (long i = 0; i < count; ++i)
      uniform_ &= std::abs(nodes_[i] - (lo_ + spacing * static_cast<double>(i))) < 1e-6 * spacing;
  }

  // cell: where the last search ended, the likely place of the next.
  float unit(double p, long& cell) const {
    double u = (p - lo_) * inverse_;
    if (!uniform_) {
      if (!(nodes_[cell] <= p && p < nodes_[cell + 1])) cell = find(p);
      const double within = (p - nodes_[cell]) / (nodes_[cell + 1] - nodes_[cell]);
      u = (static_cast<double>(cell) + within) / static_cast<double>(cells_);
    }
    return static_cast<float>(std::min(std::max(u, 0.0), 1.0));
  }

 private:
  long find(double p) const {
    const long above = std::upper_bound(nodes_.begin(), nodes_.end(), p) - nodes_.begin();
    return std::min(std::max(above - 1, 0L), cells_ - 1);
  }

  std::vector<double> nodes_;
  long cells_;
  double lo_ = 0.0, inverse_ = 1.0;
  bool uniform_ = true;
};

// One ray and its samples t_k = entry + (k + 0.5) * step, k in [next, end), that lie in the box.
struct Ray {
  Vec3 direction;
  double entry;  // distance from the eye to the whole domain, 0 when the eye is inside
  long next, end;
  long pixel;  // in the rectangle
  float rgba[4];
};

class Marcher {
 public:
  // domain: the box of all ranks together; box: this partition's, bounded by its nodes.
  Marcher(const Sampler& sampler, const std::array<Axis, 3>& axes, const Box& box,
          const Box& domain, const View& view, const TransferTable& table,
          const MarchOptions& options)
      : sampler_(sampler), axes_(axes), box_(box), domain_(domain), view_(view), table_(table),
        options_(options) {
    const float span = table.hi - table.lo;
    scale_ = span > 0.0f ? static_cast<float>(table.rows - 1) / span : 0.0f;
  }

  // out: (y1 - y0, x1 - x0, 4), zero on entry.
  void march(const Rectangle& area, float* out) const {
    Scratch scratch(sampler_.components());
    for (long y = area.y0; y < area.y1; y += kTile)
      for (long x = area.x0; x < area.x1; x += kTile) {
        const Rectangle tile{y, std::min(y + kTile, area.y1), x, std::min(x + kTile, area.x1)};
        march_tile(tile, area, scratch, out);
      }
  }

 private:
  static constexpr long kTile = 16;      // rays of a tile advance together
  static constexpr long kBatch = 4096;   // points handed to the sampler at once, at most
  static constexpr long kMinSteps = 16;  // of one ray in one batch
  static constexpr long kMaxSteps = 64;

  struct Scratch {
    explicit Scratch(int components)
        : points(3 * kBatch), values(static_cast<size_t>(components) * kBatch), scalars(kBatch) {
      rays.reserve(kTile * kTile);
    }
    std::vector<Ray> rays;
    std::vector<float> points, values, scalars;
  };

  void march_tile(const Rectangle& tile, const Rectangle& area, Scratch& s, float* out) const {
    s.rays.clear();
    for (long y = tile.y0; y < tile.y1; ++y)
      for (long x = tile.x0; x < tile.x1; ++x) {
        Ray ray;
        if (start(x, y, ray)) {
          ray.pixel = (y - area.y0) * (area.x1 - area.x0) + (x - area.x0);
          s.rays.push_back(ray);
        }
      }
    while (!s.rays.empty()) {
      const long active = static_cast<long>(s.rays.size());
      const long steps = std::min(std::max(kBatch / active, kMinSteps), kMaxSteps);
      const long n = gather(s, steps);
      sampler_.sample(s.points.data(), n, s.values.data());
      reduce(s.values.data(), n, s.scalars.data());
      blend(s, steps, out);
    }
  }

  // The ray through the centre of pixel (x, y); false when it has no sample in the box.
  bool start(long x, long y, Ray& ray) const {
    const double sx = 2.0 * (static_cast<double>(x) + 0.5) / static_cast<double>(view_.width) - 1.0;
    const double sy =
        1.0 - 2.0 * (static_cast<double>(y) + 0.5) / static_cast<double>(view_.height);
    Vec3& d = ray.direction;
    for (int a = 0; a < 3; ++a)
      d[a] = fused(sy, view_.up[a], fused(sx, view_.right[a], view_.forward[a]));
    const double length = std::sqrt(fused(d[0], d[0], fused(d[1], d[1], d[2] * d[2])));
    for (int a = 0; a < 3; ++a) d[a] /= length;

    double exit;
    intersect(domain_, d, ray.entry, exit);
    double near, far;
    intersect(box_, d, near, far);
    // An estimate, one sample wider at each end; which samples are really owned is decided on
    // their positions. Rounding is monotone, so the owned ones are consecutive.
    const double first = std::floor((near - ray.entry) / options_.step - 0.5) - 1.0;
    const double last = std::ceil((far - ray.entry) / options_.step - 0.5) + 1.0;
    if (!(first <= last)) return false;
    ray.next = std::max(0L, static_cast<long>(first));
    ray.end = static_cast<long>(last) + 1;
    while (ray.next < ray.end && !owned(position(ray, ray.next))) ++ray.next;
    while (ray.next < ray.end && !owned(position(ray, ray.end - 1))) --ray.end;
    std::fill(ray.rgba, ray.rgba + 4, 0.0f);
    return ray.next < ray.end;
  }

  // Distances at which a ray from the eye enters and leaves a box; near > far when it misses.
  void intersect(const Box& box, const Vec3& direction, double& near, double& far) const {
    near = 0.0;
    far = std::numeric_limits<double>::max();
    for (int a = 0; a < 3; ++a) {
      if (direction[a] == 0.0) {
        if (view_.eye[a] < box.lo[a] || view_.eye[a] > box.hi[a]) far = -1.0;
        continue;
      }
      const double t0 = (box.lo[a] - view_.eye[a]) / direction[a];
      const double t1 = (box.hi[a] - view_.eye[a]) / direction[a];
      near = std::max(near, std::min(t0, t1));
      far = std::min(far, std::max(t0, t1));
    }
  }

  Vec3 position(const Ray& ray, long k) const {
    const double t = fused(static_cast<double>(k) + 0.5, options_.step, ray.entry);
    return {fused(t, ray.direction[0], view_.eye[0]), fused(t, ray.direction[1], view_.eye[1]),
            fused(t, ray.direction[2], view_.eye[2])};
  }

  // Half open: a face between two boxes belongs to the upper one, the domain's upper face to the
  // box below it.
  bool owned(const Vec3& p) const {
    for (int a = 0; a < 3; ++a) {
      const bool below = p[a] < box_.hi[a] || (box_.hi[a] == domain_.hi[a] && p[a] == box_.hi[a]);
      if (p[a] < box_.lo[a] || !below) return false;
    }
    return true;
  }

  // The next `steps` samples of every ray, ray after ray, in unit coordinates. Returns how many.
  long gather(Scratch& s, long steps) const {
    float* out = s.points.data();
    for (const Ray& ray : s.rays) {
      long cell[3] = {0, 0, 0};
      const long end = std::min(ray.end, ray.next + steps);
      for (long k = ray.next; k < end; ++k) {
        const Vec3 p = position(ray, k);
        for (int a = 0; a < 3; ++a) *out++ = axes_[a].unit(p[a], cell[a]);
      }
    }
    return (out - s.points.data()) / 3;
  }

  // Values to the scalars that the transfer function maps: one component, or the magnitude.
  void reduce(const float* values, long n, float* scalars) const {
    const int components = sampler_.components();
    if (options_.component >= 0) {
      for (long i = 0; i < n; ++i) scalars[i] = values[i * components + options_.component];
      return;
    }
    for (long i = 0; i < n; ++i) {
      float sum = 0.0f;
      for (int c = 0; c < components; ++c)
        sum += values[i * components + c] * values[i * components + c];
      scalars[i] = std::sqrt(sum);
    }
  }

  // Front to back: C += (1 - A) a c, A += (1 - A) a. Rays that are done leave for the picture.
  void blend(Scratch& s, long steps, float* out) const {
    const float* scalar = s.scalars.data();
    size_t kept = 0;
    for (Ray& ray : s.rays) {
      const long count = std::min(steps, ray.end - ray.next);
      for (long j = 0; j < count && ray.rgba[3] < options_.opaque; ++j) add(scalar[j], ray.rgba);
      scalar += count;
      ray.next += count;
      if (ray.next < ray.end && ray.rgba[3] < options_.opaque)
        s.rays[kept++] = ray;
      else
        std::copy(ray.rgba, ray.rgba + 4, out + 4 * ray.pixel);
    }
    s.rays.resize(kept);
  }

  // One sample through the table, linear between its rows. A value that is not finite is
  // transparent.
  void add(float scalar, float* rgba) const {
    const float last = static_cast<float>(table_.rows - 1);
    if (!(std::abs(scalar) <= std::numeric_limits<float>::max())) return;
    const float row = std::min(std::max((scalar - table_.lo) * scale_, 0.0f), last);
    const long lower = std::min(static_cast<long>(row), table_.rows - 2);
    const float f = row - static_cast<float>(lower);
    const float* c = table_.rgba + 4 * lower;
    const float weight = (1.0f - rgba[3]) * (c[3] + f * (c[7] - c[3]));
    for (int i = 0; i < 3; ++i) rgba[i] += weight * (c[i] + f * (c[i + 4] - c[i]));
    rgba[3] += weight;
  }

  const Sampler& sampler_;
  const std::array<Axis, 3>& axes_;
  const Box box_, domain_;
  const View view_;
  const TransferTable table_;
  const MarchOptions options_;
  float scale_;
};

}  // namespace insitu
