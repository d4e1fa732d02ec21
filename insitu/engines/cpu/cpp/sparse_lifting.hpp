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

// The same for `count` single numbers in a row: neighbors along x.
inline void lift_row(const std::vector<Taps>& taps, const Lifting::Regular& regular, int shift,
                     float unit, const float* from, float* to, float sign) {
  const auto ends = [&](long begin, long end) {
    for (long k = begin; k < end; ++k) {
      const Taps& t = taps[k];
      float sum = 0.0f;
      for (int j = 0; j < t.count; ++j) sum += t.weight[j] * from[t.first + j];
      to[k] += sign * sum;
    }
  };
  ends(0, regular.begin);
  const float near = 9 * sign * unit, far = -sign * unit;
  const float* in = from + shift;
  for (long k = regular.begin; k < regular.end; ++k)
    to[k] += near * (in[k + 1] + in[k + 2]) + far * (in[k] + in[k + 3]);
  ends(regular.end, static_cast<long>(taps.size()));
}

// One lifting step along an axis of the low box of `size` in an array of `shape`.
class AxisTransform {
 public:
  AxisTransform(float* values, const Size3& shape, const Level& level, int axis, bool inverse)
      : lifting_(level.lifting[axis]) {
    const Size3& size = level.size;
    const long row = shape[0], plane = shape[0] * shape[1];
    if (axis == 0) {
      buffer_.resize(static_cast<std::size_t>(lifting_.n));
      for (long z = 0; z < size[2]; ++z)
        for (long y = 0; y < size[1]; ++y) {
          if (inverse) join_row(values + z * plane + y * row);
          else split_row(values + z * plane + y * row);
        }
      return;
    }
    const long along = axis == 1 ? row : plane, across = axis == 1 ? plane : row;
    long lines = size[3 - axis], width = size[0];
    if (axis == 2 && size[0] == row) {  // rows that follow each other are one
      width *= lines;
      lines = 1;
    }
    for (long i = 0; i < lines; ++i)
      for (long x = 0; x < width; x += kWidth)
        run(values + i * across + x, along, std::min(kWidth, width - x), inverse);
  }

 private:
  static constexpr long kWidth = 256;
  static constexpr float kPredict = 1.0f / 16, kUpdate = 1.0f / 32;

  void predict_row(const float* low, float* high, float sign) const {
    lift_row(lifting_.predict, lifting_.regular_predict, Lifting::kPredictShift, kPredict, low,
             high, sign);
  }
  void update_row(const float* high, float* low, float sign) const {
    lift_row(lifting_.update, lifting_.regular_update, Lifting::kUpdateShift, kUpdate, high, low,
             sign);
  }

  void split_row(float* row) {
    const long even = lifting_.even, odd = lifting_.odd;
    float *low = buffer_.data(), *high = low + even;
    for (long k = 0; k < odd; ++k) {
      low[k] = row[2 * k];
      high[k] = row[2 * k + 1];
    }
    correct_ends(row, low, high);
    predict_row(low, high, -1);
    update_row(high, low, 1);
    std::copy_n(low, even + odd, row);
  }

  void join_row(float* row) {
    const long even = lifting_.even, odd = lifting_.odd;
    float *low = buffer_.data(), *high = low + even;
    std::copy_n(row, even + odd, low);
    update_row(high, low, -1);
    predict_row(low, high, 1);
    for (long k = 0; k < odd; ++k) {
      row[2 * k] = low[k];
      row[2 * k + 1] = high[k];
    }
    row[lifting_.evens[even - 1]] = low[even - 1];
    if (odd) row[lifting_.odds[odd - 1]] = high[odd - 1];
  }

  // The last average and detail need not be those at 2 k and 2 k + 1.
  void correct_ends(const float* row, float* low, float* high) const {
    low[lifting_.even - 1] = row[lifting_.evens[lifting_.even - 1]];
    if (lifting_.odd) high[lifting_.odd - 1] = row[lifting_.odds[lifting_.odd - 1]];
  }

  // `width` lines side by side, element k of them at first + k * along.
  void run(float* first, long along, long width, bool inverse) {
    const long n = lifting_.n, even = lifting_.even, odd = lifting_.odd;
    buffer_.resize(static_cast<std::size_t>(n * width));
    float *low = buffer_.data(), *high = low + even * width;
    const auto load = [&](long k, float* to) {
      std::copy_n(first + k * along, width, to);
    };
    const auto store = [&](long k, const float* from) {
      std::copy_n(from, width, first + k * along);
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
