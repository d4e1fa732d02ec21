// The 4-point Deslauriers-Dubuc wavelet, by lifting, in place; the equations are in
// insitu/models/sparse_grid/lifting.py.
//
// In: samples of a block. Out: averages and details as laid out by `Bands`, and back.
#pragma once

#include <algorithm>
#include <vector>

#include "sparse_bands.hpp"

namespace insitu::sparse {

// to += sign * (weighted sum of elements of `from`, from the first tap's): one element, a row of
// `width` floats. Elements of `from` lie `stride` floats apart.
inline void lift_one(const Taps& t, const float* from, float* __restrict to, float sign, long width,
                     long stride) {
  const float* in = from + t.first * stride;
  if (t.count == 4) {
    const float a = sign * t.weight[0], b = sign * t.weight[1], c = sign * t.weight[2],
                d = sign * t.weight[3];
    const float *p = in, *q = in + stride, *r = q + stride, *s = r + stride;
    for (long i = 0; i < width; ++i) to[i] += a * p[i] + b * q[i] + c * r[i] + d * s[i];
  } else {
    for (int j = 0; j < t.count; ++j)
      for (long i = 0; i < width; ++i) to[i] += sign * t.weight[j] * in[j * stride + i];
  }
}

// to[k] += sign * (weighted sum of from) for elements that follow each other.
inline void lift(const std::vector<Taps>& taps, const float* from, float* to, float sign,
                 long width) {
  for (std::size_t k = 0; k < taps.size(); ++k)
    lift_one(taps[k], from, to + static_cast<long>(k) * width, sign, width, width);
}

// The same for `count` single numbers in a row: neighbors along x.
inline void lift_row(const std::vector<Taps>& taps, const Lifting::Regular& regular, int shift,
                     float unit, const float* from, float* __restrict to, float sign) {
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

constexpr float kPredict = 1.0f / 16, kUpdate = 1.0f / 32;  // of the regular weights

inline void interleave(const Lifting& lifting, const float* low, const float* high,
                       float* __restrict out) {
  const long even = lifting.even, odd = lifting.odd;
  for (long k = 0; k < odd; ++k) {
    out[2 * k] = low[k];
    out[2 * k + 1] = high[k];
  }
  out[lifting.evens[even - 1]] = low[even - 1];
  if (odd) out[lifting.odds[odd - 1]] = high[odd - 1];
}

// Samples along x to averages, then details; out: another array.
inline void split_row(const Lifting& lifting, const float* __restrict row, float* __restrict out) {
  const long even = lifting.even, odd = lifting.odd;
  float *low = out, *high = out + even;
  for (long k = 0; k < odd; ++k) {
    low[k] = row[2 * k];
    high[k] = row[2 * k + 1];
  }
  // The last average and detail need not be those at 2 k and 2 k + 1.
  low[even - 1] = row[lifting.evens[even - 1]];
  if (odd) high[odd - 1] = row[lifting.odds[odd - 1]];
  lift_row(lifting.predict, lifting.regular_predict, Lifting::kPredictShift, kPredict, low, high,
           -1);
  lift_row(lifting.update, lifting.regular_update, Lifting::kUpdateShift, kUpdate, high, low, 1);
}

// The inverse. low, high: averages and details, which are overwritten; `out` is another array.
inline void join_row(const Lifting& lifting, float* low, float* high, float* __restrict out) {
  lift_row(lifting.update, lifting.regular_update, Lifting::kUpdateShift, kUpdate, high, low, -1);
  lift_row(lifting.predict, lifting.regular_predict, Lifting::kPredictShift, kPredict, low, high,
           1);
  interleave(lifting, low, high, out);
}

// The inverse along an axis of the low box of `size` in an array of `shape`, in place.
class AxisJoin {
 public:
  AxisJoin(float* values, const Size3& shape, const Level& level, int axis)
      : lifting_(level.lifting[axis]) {
    const Size3& size = level.size;
    const long row = shape[0], plane = shape[0] * shape[1];
    if (axis == 0) {
      buffer_.resize(static_cast<std::size_t>(lifting_.n));
      for (long z = 0; z < size[2]; ++z)
        for (long y = 0; y < size[1]; ++y) {
          float* at = values + z * plane + y * row;
          std::copy_n(at, lifting_.n, buffer_.data());
          join_row(lifting_, buffer_.data(), buffer_.data() + lifting_.even, at);
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
        run(values + i * across + x, along, std::min(kWidth, width - x));
  }

 private:
  static constexpr long kWidth = 256;

  // `width` lines side by side, element k of them at first + k * along.
  void run(float* first, long along, long width) {
    const long n = lifting_.n, even = lifting_.even, odd = lifting_.odd;
    buffer_.resize(static_cast<std::size_t>(n * width));
    float *low = buffer_.data(), *high = low + even * width;
    const auto store = [&](long k, const float* from) {
      std::copy_n(from, width, first + k * along);
    };
    for (long k = 0; k < n; ++k) std::copy_n(first + k * along, width, low + k * width);
    lift(lifting_.update, high, low, -1, width);
    lift(lifting_.predict, low, high, 1, width);
    for (long k = 0; k < even; ++k) store(lifting_.evens[k], low + k * width);
    for (long k = 0; k < odd; ++k) store(lifting_.odds[k], high + k * width);
  }

  const Lifting& lifting_;
  std::vector<float> buffer_;
};

inline void join(float* values, const Size3& shape, const Level& level) {
  for (int a = 2; a >= 0; --a)
    if (level.mask >> a & 1) AxisJoin(values, shape, level, a);
}

// The averages after `until` levels; 0: the samples.
inline void synthesise(float* values, const Bands& bands, std::size_t until = 0) {
  for (std::size_t j = bands.levels.size(); j-- > until;)
    join(values, bands.shape, bands.levels[j]);
}

}  // namespace insitu::sparse
