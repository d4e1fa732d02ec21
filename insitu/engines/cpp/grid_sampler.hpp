// A raw block of a structured grid, read in place: training targets and reference pictures.
//
// In: the simulation's own arrays, strided, float32 or float64. Out: values at points
// (trilinear, through at most one layer of ghost cells), and at the owned samples themselves.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "sampler.hpp"

namespace insitu {

// One component: a strided view. Axis order is z, y, x everywhere in this file.
struct Component {
  const char* data;
  std::ptrdiff_t stride[3];  // bytes
  bool is_double;

  float at(long z, long y, long x) const {
    const char* p = data + z * stride[0] + y * stride[1] + x * stride[2];
    return is_double ? static_cast<float>(*reinterpret_cast<const double*>(p))
                     : *reinterpret_cast<const float*>(p);
  }
  double exact(long z, long y, long x) const {
    const char* p = data + z * stride[0] + y * stride[1] + x * stride[2];
    return is_double ? *reinterpret_cast<const double*>(p)
                     : static_cast<double>(*reinterpret_cast<const float*>(p));
  }
};

class GridSampler : public Sampler {
 public:
  std::vector<Component> parts;
  long shape[3];      // samples, ghosts included
  long ghost_low[3];  // ghost layers below the owned samples
  long owned[3];      // owned samples: cells, or cells + 1 for vertex data
  long cells[3];      // owned cells
  bool vertex;

  int components() const override { return static_cast<int>(parts.size()); }

  // Sample position in index space of `shape`, along axis a, of unit coordinate u.
  float position(int a, float u) const {
    const float p = u * static_cast<float>(cells[a]) - (vertex ? 0.0f : 0.5f) +
                    static_cast<float>(ghost_low[a]);
    // Where no ghost layer continues the block, its outermost half cell is constant.
    return std::min(std::max(p, 0.0f), static_cast<float>(shape[a] - 1));
  }

  void sample(const float* unit_points, long n, float* out) const override {
    const int count = components();
    for (long i = 0; i < n; ++i) {
      long low[3], high[3];
      float t[3];
      for (int a = 0; a < 3; ++a) {
        const float p = position(a, unit_points[3 * i + 2 - a]);
        low[a] = std::min(static_cast<long>(p), shape[a] - 1);
        high[a] = std::min(low[a] + 1, shape[a] - 1);
        t[a] = p - static_cast<float>(low[a]);
      }
      for (int c = 0; c < count; ++c) out[i * count + c] = trilinear(parts[c], low, high, t);
    }
  }

 private:
  // A corner of weight zero is not read, so that a NaN does not reach beyond its own cells.
  static float mix(float a, float b, float t) {
    return t == 0.0f ? a : (1.0f - t) * a + t * b;
  }

  static float trilinear(const Component& part, const long* low, const long* high,
                         const float* t) {
    float plane[2];
    for (int k = 0; k < 2; ++k) {
      const long z = k ? high[0] : low[0];
      const float y0 = mix(part.at(z, low[1], low[2]), part.at(z, low[1], high[2]), t[2]);
      const float y1 = mix(part.at(z, high[1], low[2]), part.at(z, high[1], high[2]), t[2]);
      plane[k] = mix(y0, y1, t[1]);
    }
    return mix(plane[0], plane[1], t[0]);
  }
};

// What one pass over the owned samples of one component tells.
struct Statistics {
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
  long finite = 0, nan = 0, inf = 0;
};

inline Statistics statistics(const GridSampler& block, int component) {
  Statistics s;
  const Component& part = block.parts[component];
  for (long z = 0; z < block.owned[0]; ++z)
    for (long y = 0; y < block.owned[1]; ++y)
      for (long x = 0; x < block.owned[2]; ++x) {
        const double v = part.exact(z + block.ghost_low[0], y + block.ghost_low[1],
                                    x + block.ghost_low[2]);
        if (std::isfinite(v)) {
          s.min = std::min(s.min, v);
          s.max = std::max(s.max, v);
          ++s.finite;
        } else if (std::isnan(v)) {
          ++s.nan;
        } else {
          ++s.inf;
        }
      }
  return s;
}

}  // namespace insitu
