// A raw block of a structured grid, read in place: training targets and reference images.
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

namespace insitu {

// One component: a strided view. Axis order is z, y, x everywhere in this file.
struct Component {
  const char* data;
  std::ptrdiff_t stride[3];  // bytes
  bool is_double;

  const char* at(long z, long y, long x) const {
    return data + z * stride[0] + y * stride[1] + x * stride[2];
  }

  double read(const char* p) const {
    return is_double ? *reinterpret_cast<const double*>(p)
                     : static_cast<double>(*reinterpret_cast<const float*>(p));
  }
};

class GridSampler {
 public:
  std::vector<Component> parts;
  long shape[3];      // samples, ghosts included
  long ghost_low[3];  // ghost layers below the owned samples
  long owned[3];      // owned samples: cells, or cells + 1 for vertex data
  long cells[3];      // owned cells
  bool vertex;

  long samples() const { return owned[0] * owned[1] * owned[2]; }

  int components() const { return static_cast<int>(parts.size()); }

  // unit_points: n x 3 (x, y, z) in [0,1]; out: n x components(). Thread-safe and re-entrant.
  void sample(const float* unit_points, long n, float* out) const {
    for_each_part(unit_points, n, [&](long begin, int c, auto type, const Cells& at, long size) {
      using T = decltype(type);
      interpolate<T>(
          parts[c], at, size, [](T v) { return static_cast<float>(v); },
          out + begin * components() + c);
    });
  }

  // (value - low) * scale, in double precision where the data are: a field may vary little around
  // a large mean. low, scale: one per component.
  void sample_normalised(const float* unit_points, long n, const double* low, const double* scale,
                         float* out) const {
    for_each_part(unit_points, n, [&](long begin, int c, auto type, const Cells& at, long size) {
      using T = decltype(type);
      const T from = static_cast<T>(low[c]), times = static_cast<T>(scale[c]);
      interpolate<T>(
          parts[c], at, size, [=](T v) { return static_cast<float>((v - from) * times); },
          out + begin * components() + c);
    });
  }

 private:
  static constexpr long kBatch = 128;

  // The cells around a batch of points: index of the lowest sample per axis z, y, x; how far the
  // point is from it.
  struct Cells {
    int32_t low[3][kBatch];
    float t[3][kBatch];
  };

  // f(first point, component, a value of its type, cells, count) for points in batches.
  template <typename Function>
  void for_each_part(const float* unit_points, long n, Function&& f) const {
    Cells at;
    for (long begin = 0; begin < n; begin += kBatch) {
      const long size = std::min(kBatch, n - begin);
      locate(unit_points + 3 * begin, size, at);
      for (int c = 0; c < components(); ++c) {
        if (parts[c].is_double) f(begin, c, double{}, at, size);
        else f(begin, c, float{}, at, size);
      }
    }
  }

  void locate(const float* points, long n, Cells& at) const {
    for (int a = 0; a < 3; ++a) {
      const auto scale = static_cast<float>(cells[a]), last = static_cast<float>(shape[a] - 1);
      const float shift = static_cast<float>(ghost_low[a]) - (vertex ? 0.0f : 0.5f);
      for (long i = 0; i < n; ++i) {
        // Without a ghost layer, the outermost half cell is constant.
        const float p = std::min(std::max(points[3 * i + 2 - a] * scale + shift, 0.0f), last);
        at.low[a][i] = static_cast<int32_t>(p);
        at.t[a][i] = p - static_cast<float>(at.low[a][i]);
      }
    }
  }

  // Corners of weight 0 are not read, so that a NaN affects only its own cells.
  static float mix(float a, float b, float t) { return t == 0.0f ? a : (1.0f - t) * a + t * b; }

  // First the corners' values, one by one; then arithmetic, in vectors. out: components() apart.
  template <typename T, typename Convert>
  void interpolate(const Component& part, const Cells& at, long n, Convert&& convert,
                   float* out) const {
    const int out_stride = components();
    float corner[8][kBatch];
    std::ptrdiff_t from[kBatch], step[3][kBatch];
    for (long i = 0; i < n; ++i) from[i] = 0;
    for (int a = 0; a < 3; ++a) {
      const auto last = static_cast<int32_t>(shape[a] - 1);
      for (long i = 0; i < n; ++i) {
        from[i] += at.low[a][i] * part.stride[a];
        step[a][i] = at.low[a][i] < last ? part.stride[a] : 0;
      }
    }
    for (long i = 0; i < n; ++i) {
      const char* p = part.data + from[i];
      for (int c = 0; c < 8; ++c) {
        const std::ptrdiff_t more =
            (c & 1 ? step[2][i] : 0) + (c & 2 ? step[1][i] : 0) + (c & 4 ? step[0][i] : 0);
        corner[c][i] = convert(*reinterpret_cast<const T*>(p + more));
      }
    }
    for (long i = 0; i < n; ++i) {
      const float x = at.t[2][i], y = at.t[1][i], z = at.t[0][i];
      float edge[4];
      for (int j = 0; j < 4; ++j) edge[j] = mix(corner[2 * j][i], corner[2 * j + 1][i], x);
      out[i * out_stride] = mix(mix(edge[0], edge[1], y), mix(edge[2], edge[3], y), z);
    }
  }
};

// What one pass over the owned samples of one component tells.
struct Statistics {
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
  long finite = 0, nan = 0, inf = 0;
};

// Smallest and largest of n numbers, if all are finite; else nothing happens.
template <typename T>
inline bool finite_range(const T* values, long n, double& low, double& high) {
  constexpr long kWide = 16;
  if (n < kWide) return false;
  T least[kWide], most[kWide];
  bool nothing = true;  // v - v is 0 for finite numbers alone
  std::copy_n(values, kWide, least);
  std::copy_n(values, kWide, most);
  const auto take = [&](const T* v) {
    T other = 0;
    for (long i = 0; i < kWide; ++i) {
      least[i] = v[i] < least[i] ? v[i] : least[i];
      most[i] = v[i] > most[i] ? v[i] : most[i];
      other += v[i] - v[i];
    }
    nothing &= other == 0;
  };
  for (long x = 0; x + kWide <= n; x += kWide) take(values + x);
  take(values + n - kWide);
  if (!nothing) return false;
  low = std::min(low, static_cast<double>(*std::min_element(least, least + kWide)));
  high = std::max(high, static_cast<double>(*std::max_element(most, most + kWide)));
  return true;
}

inline Statistics statistics(const GridSampler& block, int component) {
  constexpr int kWide = 8;  // independent results, so that they are vectors
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double low[kWide], high[kWide];
  std::fill(low, low + kWide, kInfinity);
  std::fill(high, high + kWide, -kInfinity);
  long finite[kWide] = {}, nan[kWide] = {};
  const Component& part = block.parts[component];
  for (long z = 0; z < block.owned[0]; ++z)
    for (long y = 0; y < block.owned[1]; ++y) {
      const char* p = part.at(z + block.ghost_low[0], y + block.ghost_low[1], block.ghost_low[2]);
      const long plain = part.is_double ? sizeof(double) : sizeof(float), n_row = block.owned[2];
      if (part.stride[2] == plain &&
          (part.is_double
               ? finite_range(reinterpret_cast<const double*>(p), n_row, low[0], high[0])
               : finite_range(reinterpret_cast<const float*>(p), n_row, low[0], high[0]))) {
        finite[0] += n_row;
        continue;
      }
      for (long x = 0; x < block.owned[2]; x += kWide) {
        const long n = std::min<long>(kWide, block.owned[2] - x);
        double v[kWide];
        for (long i = 0; i < n; ++i, p += part.stride[2]) v[i] = part.read(p);
        for (long i = n; i < kWide; ++i) v[i] = kInfinity;  // counts as nothing
        for (int i = 0; i < kWide; ++i) {
          const bool counts = v[i] - v[i] == 0.0;
          low[i] = counts && v[i] < low[i] ? v[i] : low[i];
          high[i] = counts && v[i] > high[i] ? v[i] : high[i];
          finite[i] += counts;
          nan[i] += v[i] != v[i];
        }
      }
    }
  Statistics s;
  for (int i = 0; i < kWide; ++i) {
    s.min = std::min(s.min, low[i]);
    s.max = std::max(s.max, high[i]);
    s.finite += finite[i];
    s.nan += nan[i];
  }
  s.inf = block.samples() - s.finite - s.nan;
  return s;
}

}  // namespace insitu
