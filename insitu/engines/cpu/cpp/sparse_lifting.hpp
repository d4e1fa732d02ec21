// The 4-point Deslauriers-Dubuc wavelet, by lifting, in place; the equations are in
// insitu/models/sparse_grid/lifting.py.
//
// In: samples of a block. Out: averages and details as laid out by `Bands`, and back.
#pragma once

#include <algorithm>
#include <vector>

#include "sparse_bands.hpp"

namespace insitu::sparse {

// A weighted sum of up to four elements of the other kind (even or odd) along an axis.
struct Taps {
  long first;
  float weight[4];
};

// Weights of both lifting steps for n samples.
struct Lifting {
  long n, even, odd;
  std::vector<Taps> predict, update;

  Lifting(long n_, bool keep_low, bool keep_high) : n(n_), even((n_ + 1) / 2), odd(n_ / 2) {
    if (odd == 0) return;
    for (long k = 0; k < odd; ++k) predict.push_back(taps(2 * k + 1, even, 1.0f / 16));
    for (long k = 0; k < even; ++k) update.push_back(taps(2 * k, odd, 1.0f / 32));
    if (keep_low) update.front() = {0, {}};
    if (keep_high && n % 2) update.back() = {0, {}};
  }

 private:
  // (-1, 9, 9, -1) times `unit` on the samples at -3, -1, 1, 3 from `place`, which are `available`
  // of the other kind; beyond the ends, samples are mirrored.
  Taps taps(long place, long available, float unit) const {
    constexpr float weight[4] = {-1, 9, 9, -1};
    Taps out{std::clamp<long>((place - 3) / 2, 0, std::max<long>(available - 4, 0)), {}};
    for (int i = 0; i < 4; ++i) {
      long at = place + 2 * i - 3;
      while (at < 0 || at >= n) at = at < 0 ? -at : 2 * (n - 1) - at;
      out.weight[at / 2 - out.first] += unit * weight[i];
    }
    return out;
  }
};

// to[k] += sign * (weighted sum of from) for `count` elements, each a row of `width` floats.
inline void lift(const std::vector<Taps>& taps, const float* from, long available, float* to,
                 float sign, long width) {
  for (std::size_t k = 0; k < taps.size(); ++k) {
    const Taps& t = taps[k];
    float* out = to + static_cast<long>(k) * width;
    const int count = static_cast<int>(std::min<long>(4, available - t.first));
    const float* in = from + t.first * width;
    if (count == 4) {
      const float a = sign * t.weight[0], b = sign * t.weight[1], c = sign * t.weight[2],
                  d = sign * t.weight[3];
      for (long i = 0; i < width; ++i)
        out[i] += a * in[i] + b * in[width + i] + c * in[2 * width + i] + d * in[3 * width + i];
    } else {
      for (int j = 0; j < count; ++j)
        for (long i = 0; i < width; ++i) out[i] += sign * t.weight[j] * in[j * width + i];
    }
  }
}

// One lifting step along an axis of the low box of `size` in an array of `shape`.
class AxisTransform {
 public:
  AxisTransform(float* values, const Size3& shape, const Size3& size, int axis, bool inverse,
                bool keep_low, bool keep_high)
      : values_(values), size_(size), lifting_(size[axis], keep_low, keep_high) {
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
      for (long k = 0; k < even; ++k) load(2 * k, low + k * width);
      for (long k = 0; k < odd; ++k) load(2 * k + 1, high + k * width);
      lift(lifting_.predict, low, even, high, -1, width);
      lift(lifting_.update, high, odd, low, 1, width);
      for (long k = 0; k < n; ++k) store(k, low + k * width);
    } else {
      for (long k = 0; k < n; ++k) load(k, low + k * width);
      lift(lifting_.update, high, odd, low, -1, width);
      lift(lifting_.predict, low, even, high, 1, width);
      for (long k = 0; k < even; ++k) store(2 * k, low + k * width);
      for (long k = 0; k < odd; ++k) store(2 * k + 1, high + k * width);
    }
  }

  float* values_;
  Size3 size_;
  Lifting lifting_;
  std::vector<float> buffer_;
};

// keep: bit 2 a for the low, 2 a + 1 for the high end of axis a: samples that are never updated.
inline void split(float* values, const Size3& shape, const Level& level, int keep) {
  for (int a = 0; a < 3; ++a)
    if (level.mask >> a & 1)
      AxisTransform(values, shape, level.size, a, false, keep >> 2 * a & 1,
                    keep >> (2 * a + 1) & 1);
}

inline void join(float* values, const Size3& shape, const Level& level, int keep) {
  for (int a = 2; a >= 0; --a)
    if (level.mask >> a & 1)
      AxisTransform(values, shape, level.size, a, true, keep >> 2 * a & 1, keep >> (2 * a + 1) & 1);
}

inline void analyse(float* values, const Bands& bands, int keep) {
  for (const Level& level : bands.levels) split(values, bands.shape, level, keep);
}

// The averages after `until` levels; 0: the samples.
inline void synthesise(float* values, const Bands& bands, int keep, std::size_t until = 0) {
  for (std::size_t j = bands.levels.size(); j-- > until;)
    join(values, bands.shape, bands.levels[j], keep);
}

}  // namespace insitu::sparse
