// The rays of an image through one block, and which samples on them the block owns.
//
// In: camera, boxes, distance between samples. Out: per pixel, the consecutive samples that the
// block owns.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

// For the sanitizers: marks functions whose divisions by zero are intended, because comparisons
// with the infinities give the right result.
#define INSITU_DIVIDES_BY_ZERO __attribute__((no_sanitize("float-divide-by-zero")))

namespace insitu {

using Vec3 = std::array<double, 3>;

// a * b + c, rounded once if the CPU supports it. Explicit, so that a position has the same bits in
// every loop that computes it, vectorized or not: all ranks must agree on it exactly.
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

  long width() const { return x1 - x0; }
  long height() const { return y1 - y0; }
};

// Samples begin .. begin + count - 1 of a ray.
struct Samples {
  uint16_t begin, count;
};

constexpr int kWide = 16;  // pixels of a row whose rays are set up together

constexpr double kMostSamples = 65000.0;  // on a ray

// Sample k of a ray lies at entry + (k + offset) * step. The ray enters `domain`, the box of all
// blocks, at `entry`; this is 0 if the eye is inside.
class Rays {
 public:
  // frame: of the jitter, which shifts the samples of each pixel by less than a step; -1: none.
  Rays(const Box& box, const Box& domain, const View& view, double step, long frame)
      : box_(box), domain_(domain), view_(view), step_(step), frame_(frame) {}

  const View& view() const { return view_; }
  double step() const { return step_; }

  // Unit direction of the ray through the centre of pixel (x, y).
  Vec3 direction(long x, long y) const {
    const double sx = 2.0 * (static_cast<double>(x) + 0.5) / static_cast<double>(view_.width) - 1.0;
    const double sy =
        1.0 - 2.0 * (static_cast<double>(y) + 0.5) / static_cast<double>(view_.height);
    Vec3 d;
    for (int a = 0; a < 3; ++a)
      d[a] = fused(sy, view_.up[a], fused(sx, view_.right[a], view_.forward[a]));
    const double length = std::sqrt(fused(d[0], d[0], fused(d[1], d[1], d[2] * d[2])));
    for (int a = 0; a < 3; ++a) d[a] /= length;
    return d;
  }

  // For kWide pixels starting at (x, y): directions, and the distances of samples begin[i], in
  // vectors. Equal to `direction`, `entry` and `offset` up to rounding.
  INSITU_DIVIDES_BY_ZERO
  void packet(long x, long y, const int* begin, double (*d)[kWide],
              double (*position)[kWide]) const {
    const double sy =
        1.0 - 2.0 * (static_cast<double>(y) + 0.5) / static_cast<double>(view_.height);
    const double across = 2.0 / static_cast<double>(view_.width);
    double shift[kWide], length[kWide] = {}, t[kWide] = {};
    for (int i = 0; i < kWide; ++i) shift[i] = frame_ < 0 ? 0.5 : offset(x + i, y);
    for (int a = 0; a < 3; ++a) {
      const double middle = fused(sy, view_.up[a], view_.forward[a]) - view_.right[a];
      for (int i = 0; i < kWide; ++i) {
        const double sx = (static_cast<double>(x + i) + 0.5) * across;
        d[a][i] = fused(sx, view_.right[a], middle);
        length[i] += d[a][i] * d[a][i];
      }
    }
    for (int i = 0; i < kWide; ++i) length[i] = 1.0 / std::sqrt(length[i]);
    for (int a = 0; a < 3; ++a) {
      const double low = domain_.lo[a] - view_.eye[a], high = domain_.hi[a] - view_.eye[a];
      for (int i = 0; i < kWide; ++i) {
        d[a][i] *= length[i];
        const double inverse = 1.0 / d[a][i], t0 = low * inverse, t1 = high * inverse;
        const double least = t1 < t0 ? t1 : t0;
        t[i] = d[a][i] != 0.0 && least > t[i] ? least : t[i];
      }
    }
    for (int i = 0; i < kWide; ++i) t[i] += (begin[i] + shift[i]) * step_;
    for (int a = 0; a < 3; ++a)
      for (int i = 0; i < kWide; ++i) position[a][i] = fused(t[i], d[a][i], view_.eye[a]);
  }

  // Distance at which the ray enters the domain.
  double entry(const Vec3& direction) const {
    double near, far;
    intersect(domain_, direction, near, far);
    return near;
  }

  // Offset of a pixel's samples, as a fraction 0 .. 1 of the step.
  double offset(long x, long y) const {
    if (frame_ < 0) return 0.5;
    uint32_t h = static_cast<uint32_t>(x) * 0x9e3779b1u ^ static_cast<uint32_t>(y) * 0x85ebca77u ^
                 static_cast<uint32_t>(frame_) * 0xc2b2ae3du;
    for (const uint32_t factor : {0x7feb352du, 0x846ca68bu}) h = (h ^ (h >> 16)) * factor;
    return static_cast<double>((h ^ (h >> 16)) >> 8) / static_cast<double>(1u << 24);
  }

  // The block's samples that are nearer than `depth`.
  Samples owned(long x, long y, double depth) const {
    const Vec3 d = direction(x, y);
    const double from = entry(d), shift = offset(x, y);
    double near, far;
    intersect(box_, d, near, far);
    far = std::min(far, depth);
    // An estimate, one sample wider at each end; positions decide which samples are owned. Rounding
    // is monotonic, so the owned samples are consecutive.
    const double first = std::floor((near - from) / step_ - shift) - 1.0;
    const double last = std::ceil((far - from) / step_ - shift) + 1.0;
    if (!(first <= last)) return {0, 0};
    const auto mine = [&](long k) {
      const double t = fused(static_cast<double>(k) + shift, step_, from);
      return t < depth && owns(at(t, d));
    };
    long begin = std::max(0L, static_cast<long>(first));
    long end = static_cast<long>(last) + 1;
    while (begin < end && !mine(begin)) ++begin;
    while (begin < end && !mine(end - 1)) --end;
    return {static_cast<uint16_t>(begin), static_cast<uint16_t>(std::max(end - begin, 0L))};
  }

  // Position at a distance from the eye.
  Vec3 at(double t, const Vec3& d) const {
    return {fused(t, d[0], view_.eye[0]), fused(t, d[1], view_.eye[1]),
            fused(t, d[2], view_.eye[2])};
  }

 private:
  // Distances at which a ray from the eye enters and leaves a box; near > far for a miss. A ray
  // in the plane of a face (0 / 0) counts as inside.
  INSITU_DIVIDES_BY_ZERO
  void intersect(const Box& box, const Vec3& direction, double& near, double& far) const {
    near = 0.0;
    far = std::numeric_limits<double>::max();
    for (int a = 0; a < 3; ++a) {
      const double t0 = (box.lo[a] - view_.eye[a]) / direction[a];
      const double t1 = (box.hi[a] - view_.eye[a]) / direction[a];
      const double least = t1 < t0 ? t1 : t0, most = t1 < t0 ? t0 : t1;
      const bool parallel = direction[a] == 0.0;
      const bool beside = view_.eye[a] < box.lo[a] || view_.eye[a] > box.hi[a];
      near = !parallel && least > near ? least : near;
      far = !parallel && most < far ? most : far;
      far = parallel && beside ? -1.0 : far;
    }
  }

  // Half open: a face shared by two boxes belongs to the upper one; the upper face of the domain
  // belongs to the last box.
  bool owns(const Vec3& p) const {
    for (int a = 0; a < 3; ++a) {
      const bool below = p[a] < box_.hi[a] || (box_.hi[a] == domain_.hi[a] && p[a] == box_.hi[a]);
      if (p[a] < box_.lo[a] || !below) return false;
    }
    return true;
  }

  const Box box_, domain_;
  const View view_;
  const double step_;
  const long frame_;
};

}  // namespace insitu
