// A raw block of a structured grid, read in place: training targets and reference pictures.
//
// In: the simulation's own arrays, strided, float32 or float64. Out: values at points
// (trilinear, through at most one layer of ghost cells), and at the owned samples themselves.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "sampler.hpp"

namespace insitu {

// One component: a strided view. Axis order is z, y, x everywhere in this file.
struct Component {
  const char* data;
  std::ptrdiff_t stride[3];  // bytes
  bool is_double;

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

  void sample(const float* unit_points, long n, float* out) const override {
    constexpr long kBatch = 128;
    const int count = components();
    Stencil stencils[kBatch];
    for (long begin = 0; begin < n; begin += kBatch) {
      const long size = std::min(kBatch, n - begin);
      locate(unit_points + 3 * begin, size, stencils);
      for (int c = 0; c < count; ++c) {
        float* to = out + begin * count + c;
        if (parts[c].is_double) interpolate<double>(parts[c], stencils, size, to, count);
        else interpolate<float>(parts[c], stencils, size, to, count);
      }
    }
  }

 private:
  // The 8 samples around a point: index of the lowest, step to the next, weight of the next; per
  // axis z, y, x. Where there is no next sample the step is 0.
  struct Stencil {
    int32_t low[3], step[3];
    float t[3];
  };

  void locate(const float* points, long n, Stencil* stencils) const {
    for (int a = 0; a < 3; ++a) {
      const auto scale = static_cast<float>(cells[a]), last = static_cast<float>(shape[a] - 1);
      const float shift = static_cast<float>(ghost_low[a]) - (vertex ? 0.0f : 0.5f);
      const auto end = static_cast<int32_t>(shape[a] - 1);
      for (long i = 0; i < n; ++i) {
        // Where no ghost layer continues the block, its outermost half cell is constant.
        const float p = std::min(std::max(points[3 * i + 2 - a] * scale + shift, 0.0f), last);
        const auto low = static_cast<int32_t>(p);
        stencils[i].low[a] = low;
        stencils[i].step[a] = low < end ? 1 : 0;
        stencils[i].t[a] = p - static_cast<float>(low);
      }
    }
  }

  // A corner of weight zero is not read, so that a NaN does not reach beyond its own cells.
  static float mix(float a, float b, float t) {
    return t == 0.0f ? a : (1.0f - t) * a + t * b;
  }

  template <typename T>
  static void interpolate(const Component& part, const Stencil* stencils, long n, float* out,
                          int out_stride) {
    const std::ptrdiff_t sz = part.stride[0], sy = part.stride[1], sx = part.stride[2];
    const auto read = [](const char* p) {
      return static_cast<float>(*reinterpret_cast<const T*>(p));
    };
    for (long i = 0; i < n; ++i) {
      const Stencil& s = stencils[i];
      const char* p = part.data + s.low[0] * sz + s.low[1] * sy + s.low[2] * sx;
      const std::ptrdiff_t z = s.step[0] * sz, y = s.step[1] * sy, x = s.step[2] * sx;
      const float a = mix(read(p), read(p + x), s.t[2]);
      const float b = mix(read(p + y), read(p + y + x), s.t[2]);
      const float c = mix(read(p + z), read(p + z + x), s.t[2]);
      const float d = mix(read(p + z + y), read(p + z + y + x), s.t[2]);
      out[i * out_stride] = mix(mix(a, b, s.t[1]), mix(c, d, s.t[1]), s.t[0]);
    }
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
