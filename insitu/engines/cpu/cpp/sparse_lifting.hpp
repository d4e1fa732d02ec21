// The 4-point Deslauriers-Dubuc wavelet, by lifting, in place; the equations are in
// insitu/models/sparse_grid/lifting.py.
//
// In: samples of a block. Out: averages and details as laid out by `Bands`, and back.
#pragma once

#include <algorithm>
#include <vector>

#include "sparse_bands.hpp"

namespace insitu::sparse {

// to[k] += sign * (weighted sum of from) for `count` elements, each a row of `width` floats.
inline void lift(const std::vector<Taps>& taps, const float* from, float* to, float sign,
                 long width) {
  for (std::size_t k = 0; k < taps.size(); ++k) {
    const Taps& t = taps[k];
    float* out = to + static_cast<long>(k) * width;
    const float* in = from + t.first * width;
    if (t.count == 4) {
      const float a = sign * t.weight[0], b = sign * t.weight[1], c = sign * t.weight[2],
                  d = sign * t.weight[3];
      for (long i = 0; i < width; ++i)
        out[i] += a * in[i] + b * in[width + i] + c * in[2 * width + i] + d * in[3 * width + i];
    } else {
      for (int j = 0; j < t.count; ++j)
        for (long i = 0; i < width; ++i) out[i] += sign * t.weight[j] * in[j * width + i];
    }
  }
}

// One lifting step along an axis of the low box of `size` in an array of `shape`.
class AxisTransform {
 public:
  AxisTransform(float* values, const Size3& shape, const Level& level, int axis, bool inverse)
      : values_(values), lifting_(level.lifting[axis]) {
    const Size3& size = level.size;
    const long strides[3] = {1, shape[0], shape[0] * shape[1]};
    if (axis == 0) {
      // Several rows at a time, transposed, so that the innermost loop has a width.
      for (long z = 0; z < size[2]; ++z)
        for (long y = 0; y < size[1]; y += kRows)
          run(z * strides[2] + y * strides[1], 1, strides[1], std::min(kRows, size[1] - y),
              inverse);
    } else {
      const int other = 3 - axis;
      for (long i = 0; i < size[other]; ++i)
        run(i * strides[other], strides[axis], 1, size[0], inverse);
    }
  }

 private:
  static constexpr long kRows = 16;

  // `width` lines side by side: element k of line i is at begin + k * along + i * beside.
  void run(long begin, long along, long beside, long width, bool inverse) {
    const long n = lifting_.n, even = lifting_.even, odd = lifting_.odd;
    buffer_.resize(static_cast<std::size_t>(n * width));
    float *low = buffer_.data(), *high = low + even * width;
    const auto line = [&](long k) {
      return values_ + begin + k * along;
    };
    const auto load = [&](long k, float* to) {
      const float* from = line(k);
      for (long i = 0; i < width; ++i) to[i] = from[i * beside];
    };
    const auto store = [&](long k, const float* from) {
      float* to = line(k);
      for (long i = 0; i < width; ++i) to[i * beside] = from[i];
    };
    if (!inverse) {
      for (long k = 0; k < even; ++k) load(lifting_.evens[k], low + k * width);
      for (long k = 0; k < odd; ++k) load(lifting_.odds[k], high + k * width);
      lift(lifting_.predict, low, high, -1, width);
      lift(lifting_.update, high, low, 1, width);
      for (long k = 0; k < n; ++k) store(k, low + k * width);
    } else {
      for (long k = 0; k < n; ++k) load(k, low + k * width);
      lift(lifting_.update, high, low, -1, width);
      lift(lifting_.predict, low, high, 1, width);
      for (long k = 0; k < even; ++k) store(lifting_.evens[k], low + k * width);
      for (long k = 0; k < odd; ++k) store(lifting_.odds[k], high + k * width);
    }
  }

  float* values_;
  const Lifting& lifting_;
  std::vector<float> buffer_;
};

inline void split(float* values, const Size3& shape, const Level& level) {
  for (int a = 0; a < 3; ++a)
    if (level.mask >> a & 1) AxisTransform(values, shape, level, a, false);
}

inline void join(float* values, const Size3& shape, const Level& level) {
  for (int a = 2; a >= 0; --a)
    if (level.mask >> a & 1) AxisTransform(values, shape, level, a, true);
}

inline void analyse(float* values, const Bands& bands) {
  for (const Level& level : bands.levels) split(values, bands.shape, level);
}

// The averages after `until` levels; 0: the samples.
inline void synthesise(float* values, const Bands& bands, std::size_t until = 0) {
  for (std::size_t j = bands.levels.size(); j-- > until;)
    join(values, bands.shape, bands.levels[j]);
}

}  // namespace insitu::sparse
