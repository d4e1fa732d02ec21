// Rasterization: the triangle that each pixel's ray hits first, and its shading there.
//
// In: triangles in world coordinates, a camera, colors. Out: premultiplied RGBA and distances of a
// pixel rectangle. One ray per pixel, through its center; there is no partial coverage.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "march.hpp"
#include "team.hpp"

namespace insitu {

struct Triangles {
  const double* points;  // (n_points, 3), world
  long n_points;
  const int64_t* corners;  // (count, 3), indices of points
  long count;
  const float* normals;  // (n_points, 3); null: use those of the triangles
  const float* values;   // (n_points,); null: one colour for all
};

struct Paint {
  std::array<float, 3> color;  // of all triangles, or where values are not finite
  const float* table;          // (rows, 4) straight RGBA over [lo, hi]; alpha is not used
  long rows;
  float lo, hi;
  bool lit;  // false: unshaded colors
};

// The light is beside the eye: this shows shapes better than a light at the eye.
struct Light {
  float ambient = 0.28f, diffuse = 0.72f, specular = 0.22f, shininess = 32.0f;
  float to_the_left = 0.35f, above = 0.5f;  // fractions of the distance from the surface to the eye
};

// Rasterization in homogeneous coordinates (Olano and Greer, "Triangle scan conversion using 2D
// homogeneous coordinates", 1997): a pixel (x, y) is inside where e_i = (p_j x p_k) . (x, y, 1) has
// the sign of the determinant for all three edges. Triangles that extend behind the eye are not
// clipped.
class Rasterizer {
 public:
  // near: distance of the near plane along the view direction.
  Rasterizer(const Triangles& triangles, const Paint& paint, const View& view, double near)
      : triangles_(triangles),
        paint_(paint),
        view_(view),
        near_(near),
        points_(static_cast<size_t>(triangles.n_points)) {
    const double right = dot(view.right, view.right), up = dot(view.up, view.up);
    right_length_ = std::sqrt(right);
    up_length_ = std::sqrt(up);
    for (long i = 0; i < triangles.n_points; ++i) {
      const double* p = triangles.points + 3 * i;
      const Vec3 d{p[0] - view.eye[0], p[1] - view.eye[1], p[2] - view.eye[2]};
      const double w = dot(d, view.forward);
      const double x = dot(d, view.right) / right, y = dot(d, view.up) / up;
      points_[i] = {(x + w) * (0.5 * static_cast<double>(view.width)),
                    (w - y) * (0.5 * static_cast<double>(view.height)), w};
    }
  }

  // rgba (h, w, 4) and depth (h, w) of the area: geometry that is nearer than depth is drawn over
  // them. depth is the distance from the eye, infinite for empty pixels. The result does not depend
  // on the number of threads.
  void draw(const Rectangle& area, int threads, float* rgba, float* depth) const {
    const long bands = (area.y1 - area.y0 + kBand - 1) / kBand;
    std::vector<std::vector<long>> found(static_cast<size_t>(std::max(bands, 0L)));
    for (long i = 0; i < triangles_.count; ++i) {
      Rectangle box;
      if (!bound(i, area, box)) continue;
      const long last = (box.y1 - 1 - area.y0) / kBand;
      for (long b = (box.y0 - area.y0) / kBand; b <= last; ++b) found[b].push_back(i);
    }
    threads = static_cast<int>(std::min<long>(threads, std::max(bands, 1L)));
    const auto work = [&](int thread) {
      std::vector<double> nearest;
      std::vector<long> hit;
      for (long b = thread; b < bands; b += threads) {
        const Rectangle band{area.y0 + b * kBand, std::min(area.y0 + (b + 1) * kBand, area.y1),
                             area.x0, area.x1};
        const long offset = b * kBand * (area.x1 - area.x0);
        draw_band(band, found[b], nearest, hit, rgba + 4 * offset, depth + offset);
      }
    };
    run_team(threads, work);
  }

 private:
  static constexpr long kBand = 32;  // rows per work item of a thread

  // An edge function e = a (x - x0) + b (y - y0) + c, and whether pixels with e = 0 are inside:
  // true for exactly one of the two triangles that share an edge (the top-left rule, y downwards).
  struct Edge {
    double a, b, c, x0, y0;
    bool closed;

    double at(double x, double y) const { return fused(a, x - x0, fused(b, y - y0, c)); }
    bool inside(double e) const { return e > 0.0 || (e == 0.0 && closed); }
  };

  struct Setup {
    Edge edges[3];  // edge i is opposite to corner i
    double determinant;
  };

  static double dot(const Vec3& a, const Vec3& b) {
    return fused(a[0], b[0], fused(a[1], b[1], a[2] * b[2]));
  }

  static Vec3 cross(const Vec3& a, const Vec3& b) {
    return {fused(a[1], b[2], -(a[2] * b[1])), fused(a[2], b[0], -(a[0] * b[2])),
            fused(a[0], b[1], -(a[1] * b[0]))};
  }

  static Vec3 minus(const Vec3& a, const Vec3& b) {
    return {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
  }

  // The end points of an edge are sorted, so that both triangles that share it, on any rank, get
  // the same numbers up to the sign. Differences of the end points, and distances from one of them,
  // stay accurate for triangles much smaller than a pixel; otherwise their edges would be dominated
  // by rounding errors, and they could appear a pixel away.
  static Edge edge(const Vec3& from, const Vec3& to) {
    const bool turned = to < from;
    const Vec3 &first = turned ? to : from, &second = turned ? from : to;
    const Vec3 n = cross(first, minus(second, first));
    const double sign = turned ? -1.0 : 1.0;
    const Vec3& anchor = second[2] > first[2] ? second : first;
    if (anchor[2] > 0.0)  // in front of the eye: the line passes through it
      return {sign * n[0], sign * n[1], 0.0, anchor[0] / anchor[2], anchor[1] / anchor[2], false};
    return {sign * n[0], sign * n[1], sign * n[2], 0.0, 0.0, false};
  }

  // False if the projected triangle has no area, or is not finite.
  bool prepare(long i, Setup& setup) const {
    const int64_t* corner = triangles_.corners + 3 * i;
    const Vec3 &p0 = points_[corner[0]], &p1 = points_[corner[1]], &p2 = points_[corner[2]];
    setup.edges[0] = edge(p1, p2);
    setup.edges[1] = edge(p2, p0);
    setup.edges[2] = edge(p0, p1);
    const double determinant = dot(p0, cross(minus(p1, p0), minus(p2, p0)));
    if (!(std::abs(determinant) > 0.0)) return false;
    const double sign = determinant < 0.0 ? -1.0 : 1.0;
    setup.determinant = sign * determinant;
    for (Edge& side : setup.edges) {
      side.a *= sign;
      side.b *= sign;
      side.c *= sign;
      side.closed = side.a > 0.0 || (side.a == 0.0 && side.b > 0.0);
    }
    return true;
  }

  // The pixels around the part of a triangle beyond the near plane; false if there are none.
  bool bound(long triangle, const Rectangle& area, Rectangle& box) const {
    const int64_t* corner = triangles_.corners + 3 * triangle;
    const double most = std::numeric_limits<double>::max();
    double x0 = most, x1 = -most, y0 = most, y1 = -most;
    const auto add = [&](double u, double v, double w) {
      x0 = std::min(x0, u / w);
      x1 = std::max(x1, u / w);
      y0 = std::min(y0, v / w);
      y1 = std::max(y1, v / w);
    };
    for (int i = 0; i < 3; ++i) {
      const Vec3 &a = points_[corner[i]], &b = points_[corner[(i + 1) % 3]];
      if (a[2] >= near_) add(a[0], a[1], a[2]);
      if ((a[2] >= near_) != (b[2] >= near_)) {
        const double f = (near_ - a[2]) / (b[2] - a[2]);
        add(a[0] + f * (b[0] - a[0]), a[1] + f * (b[1] - a[1]), near_);
      }
    }
    // One pixel of margin for rounding; clamped as doubles, as near corners may be very far out.
    const auto within = [](double v, long low, long high) {
      return static_cast<long>(
          std::min(std::max(v, static_cast<double>(low)), static_cast<double>(high)));
    };
    box = {within(std::floor(y0) - 1.0, area.y0, area.y1),
           within(std::ceil(y1) + 1.0, area.y0, area.y1),
           within(std::floor(x0) - 1.0, area.x0, area.x1),
           within(std::ceil(x1) + 1.0, area.x0, area.x1)};
    return box.y0 < box.y1 && box.x0 < box.x1;
  }

  // First finds the nearest triangle of every pixel, then shades the visible ones. Of triangles at
  // the same distance, the first is visible.
  void draw_band(const Rectangle& band, const std::vector<long>& found,
                 std::vector<double>& nearest, std::vector<long>& hit, float* rgba,
                 float* depth) const {
    if (found.empty()) return;
    const long width = band.x1 - band.x0;
    const size_t size = static_cast<size_t>(width * (band.y1 - band.y0));
    nearest.resize(size);
    hit.assign(size, -1);
    for (long y = band.y0; y < band.y1; ++y)
      for (long x = band.x0; x < band.x1; ++x) {
        const size_t pixel = static_cast<size_t>((y - band.y0) * width + x - band.x0);
        nearest[pixel] = depth[pixel] / length(direction(x, y));
      }
    for (long i : found) {
      Setup s;
      Rectangle box;
      if (!prepare(i, s) || !bound(i, band, box)) continue;
      for (long y = box.y0; y < box.y1; ++y)
        for (long x = box.x0; x < box.x1; ++x) {
          const double px = static_cast<double>(x) + 0.5, py = static_cast<double>(y) + 0.5;
          const double e0 = s.edges[0].at(px, py);
          if (!s.edges[0].inside(e0)) continue;
          const double e1 = s.edges[1].at(px, py);
          if (!s.edges[1].inside(e1)) continue;
          const double e2 = s.edges[2].at(px, py);
          if (!s.edges[2].inside(e2)) continue;
          const double sum = e0 + e1 + e2;
          if (!(sum > 0.0)) continue;  // on all three edges: infinitely far
          const double w = s.determinant / sum;
          const size_t pixel = static_cast<size_t>((y - band.y0) * width + x - band.x0);
          if (!(w >= near_ && w < nearest[pixel])) continue;
          nearest[pixel] = w;
          hit[pixel] = i;
        }
    }
    for (size_t pixel = 0; pixel < size; ++pixel)
      if (hit[pixel] >= 0) {
        const long x = band.x0 + static_cast<long>(pixel) % width;
        const long y = band.y0 + static_cast<long>(pixel) / width;
        const Vec3 ray = direction(x, y);
        depth[pixel] = static_cast<float>(nearest[pixel] * length(ray));
        shade(hit[pixel], x, y, ray, rgba + 4 * pixel);
      }
  }

  // Vector from the eye through the center of a pixel, with length 1 along the view direction.
  Vec3 direction(long x, long y) const {
    const double sx = 2.0 * (static_cast<double>(x) + 0.5) / static_cast<double>(view_.width) - 1.0;
    const double sy =
        1.0 - 2.0 * (static_cast<double>(y) + 0.5) / static_cast<double>(view_.height);
    Vec3 d;
    for (int a = 0; a < 3; ++a)
      d[a] = fused(sy, view_.up[a], fused(sx, view_.right[a], view_.forward[a]));
    return d;
  }

  static double length(const Vec3& v) { return std::sqrt(dot(v, v)); }

  // Lambert shading and Blinn highlights, two-sided.
  void shade(long i, long x, long y, const Vec3& ray, float* out) const {
    const int64_t* corner = triangles_.corners + 3 * i;
    const std::array<double, 3> share = shares(i, x, y);
    const std::array<float, 3> color = color_of(corner, share);
    out[3] = 1.0f;
    if (!paint_.lit) {
      std::copy(color.begin(), color.end(), out);
      return;
    }
    const Vec3 n = normal(corner, share);
    const double far = length(ray), facing = -dot(n, ray) / far;
    const double side = facing < 0.0 ? -1.0 : 1.0;  // turns the normal towards the eye
    Vec3 to_light, half;
    for (int a = 0; a < 3; ++a)
      to_light[a] = -ray[a] / far - light_.to_the_left * view_.right[a] / right_length_ +
                    light_.above * view_.up[a] / up_length_;
    const double light_length = length(to_light);
    for (int a = 0; a < 3; ++a) half[a] = to_light[a] / light_length - ray[a] / far;
    const double lit = std::max(0.0, side * dot(n, to_light) / light_length);
    const double shine = std::max(0.0, side * dot(n, half) / length(half));
    const float diffuse = light_.ambient + light_.diffuse * static_cast<float>(lit);
    const float specular =
        lit > 0.0 ? light_.specular * std::pow(static_cast<float>(shine), light_.shininess) : 0.0f;
    for (int a = 0; a < 3; ++a) out[a] = std::min(1.0f, diffuse * color[a] + specular);
  }

  // Barycentric coordinates in the triangle itself, not in its projection.
  std::array<double, 3> shares(long i, long x, long y) const {
    Setup s;
    prepare(i, s);
    std::array<double, 3> share;
    double sum = 0.0;
    for (int k = 0; k < 3; ++k)
      sum += share[k] = s.edges[k].at(static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5);
    for (double& part : share) part /= sum;
    return share;
  }

  Vec3 normal(const int64_t* corner, const std::array<double, 3>& share) const {
    Vec3 n{0.0, 0.0, 0.0};
    if (triangles_.normals)
      for (int k = 0; k < 3; ++k)
        for (int a = 0; a < 3; ++a) n[a] += share[k] * triangles_.normals[3 * corner[k] + a];
    double size = length(n);
    if (!(size > 1e-6)) {
      const double* p[3];
      for (int k = 0; k < 3; ++k) p[k] = triangles_.points + 3 * corner[k];
      n = cross({p[1][0] - p[0][0], p[1][1] - p[0][1], p[1][2] - p[0][2]},
                {p[2][0] - p[0][0], p[2][1] - p[0][1], p[2][2] - p[0][2]});
      size = length(n);
    }
    for (double& component : n) component /= size > 0.0 ? size : 1.0;
    return n;
  }

  std::array<float, 3> color_of(const int64_t* corner, const std::array<double, 3>& share) const {
    if (!triangles_.values) return paint_.color;
    double value = 0.0;
    for (int k = 0; k < 3; ++k) value += share[k] * triangles_.values[corner[k]];
    if (!std::isfinite(value)) return paint_.color;
    const double span = static_cast<double>(paint_.hi) - paint_.lo;
    const double last = static_cast<double>(paint_.rows - 1);
    const double row =
        span > 0.0 ? std::min(std::max((value - paint_.lo) / span * last, 0.0), last) : 0.0;
    const long lower = std::min(static_cast<long>(row), paint_.rows - 2);
    const float f = static_cast<float>(row - static_cast<double>(lower));
    const float* c = paint_.table + 4 * lower;
    return {c[0] + f * (c[4] - c[0]), c[1] + f * (c[5] - c[1]), c[2] + f * (c[6] - c[2])};
  }

  const Triangles triangles_;
  const Paint paint_;
  const View view_;
  const Light light_{};
  const double near_;
  double right_length_, up_length_;
  std::vector<Vec3> points_;  // in pixels and depth: (x w, y w, w)
};

}  // namespace insitu
