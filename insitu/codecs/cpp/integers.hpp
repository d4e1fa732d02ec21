// Arrays of integers near zero through the range coder, as insitu/codecs/entropy.py describes it.
//
// All of it is exact: the same words on every machine. Compile without contraction of a * b + c.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "range_coder.hpp"

namespace insitu::coding {

struct Shape {
  int shift;   // number of low bits that are coded uniformly
  int radius;  // largest magnitude of the remaining bits
  int mean;    // their mean magnitude, in sixteenths
};

constexpr int kLargestRadius = 2047;
constexpr double kUniformFrom = 12.0;  // mean magnitude beyond which low bits are coded uniformly

// The shape of integers of magnitudes up to 2^30.
inline Shape shape_of(const int32_t* values, std::size_t n) {
  if (n == 0) return {0, 0, 0};
  double total = 0;  // exact, like all sums below
  int32_t low = 0, high = 0;
  for (std::size_t i = 0; i < n; ++i) {
    total += std::abs(static_cast<double>(values[i]));
    low = std::min(low, values[i]);
    high = std::max(high, values[i]);
  }
  const double mean = std::max(total / static_cast<double>(n), 1e-9);
  int shift = std::max(0, static_cast<int>(std::ceil(std::log2(mean / kUniformFrom))));
  while (std::max(-(low >> shift), high >> shift) > kLargestRadius) ++shift;
  double left = 0;
  for (std::size_t i = 0; i < n; ++i) left += std::abs(static_cast<double>(values[i] >> shift));
  const double sixteenths = std::nearbyint(16 * (left / static_cast<double>(n)));
  return {shift, std::max(-(low >> shift), high >> shift),
          static_cast<int>(std::min(sixteenths, 255.0))};
}

// The size of integers in bits, by the entropy of their histogram.
inline double bits(std::vector<int32_t> values) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (std::size_t begin = 0, end = 0; begin < values.size(); begin = end) {
    while (end < values.size() && values[end] == values[begin]) ++end;
    const auto count = static_cast<double>(end - begin);
    sum += count * std::log2(n / count);
  }
  return sum;
}

constexpr double kPrior = 32.0, kFloor = 0.002;
constexpr std::size_t kFirst = 64;

// The distribution of the next symbols 0..2 radius, which adapts.
class Adaptive {
 public:
  explicit Adaptive(const Shape& shape) : weights_(2 * shape.radius + 1), counts_(weights_.size()) {
    const double mean = std::max(shape.mean, 1) / 16.0;
    const double ratio = mean / (1 + mean);
    double falling = 1, total = 0;
    for (int k = 0; k <= shape.radius; ++k, falling *= ratio) {
      const double side = std::floor(falling * 1073741824.0);
      weights_[shape.radius + k] = weights_[shape.radius - k] = side;
      total += k > 0 ? 2 * side : side;
    }
    const double spread = kFloor * total / static_cast<double>(weights_.size());
    const double unit = kPrior / total;
    for (double& weight : weights_) weight = (weight + spread) * unit;
    cumulative_.resize(weights_.size() + 1);
  }

  // Makes what was counted the distribution of the next run.
  void renew() {
    for (std::size_t i = 0; i < weights_.size(); ++i) weights_[i] += counts_[i];
    std::fill(counts_.begin(), counts_.end(), 0u);
    const double least = seen_ * 0x1p-22;
    const std::size_t n = weights_.size();
    float total = 0;
    for (const double weight : weights_) total += static_cast<float>(std::max(weight, least));
    const float scale = static_cast<float>(kWhole - static_cast<uint32_t>(n)) / total;
    float sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      cumulative_[i] = static_cast<uint32_t>(sum * scale) + static_cast<uint32_t>(i);
      sum += static_cast<float>(std::max(weights_[i], least));
    }
    cumulative_[n] = kWhole;
  }

  void count(std::size_t symbol) {
    ++counts_[symbol];
    ++seen_;
  }

  std::size_t size() const { return weights_.size(); }
  uint32_t left(std::size_t symbol) const { return cumulative_[symbol]; }
  uint32_t width(std::size_t symbol) const { return cumulative_[symbol + 1] - cumulative_[symbol]; }
  std::size_t at(uint32_t quantile) const {
    const auto above = std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, quantile);
    return static_cast<std::size_t>(above - cumulative_.begin()) - 1;
  }

 private:
  std::vector<double> weights_;
  std::vector<uint32_t> counts_, cumulative_;
  double seen_ = kPrior;
};

// Calls part(first bit, number of bits) for the pieces, of at most 16 bits, of the low bits.
template <typename Part>
void uniform_parts(int shift, Part part) {
  for (int at = 0; at < shift; at += 16) part(at, std::min(16, shift - at));
}

// Calls one(i, distribution) for i in 0..n, which renews itself after 64, 96, 144, ... values.
template <typename One>
void adaptively(const Shape& shape, std::size_t n, One one) {
  Adaptive model(shape);
  std::size_t begin = 0, length = kFirst;
  while (begin < n) {
    model.renew();
    const std::size_t end = std::min(begin + length, n);
    for (; begin < end; ++begin) one(begin, model);
    length += length / 2;
  }
}

inline void encode(RangeEncoder& coder, const int32_t* values, std::size_t n, const Shape& shape) {
  uniform_parts(shape.shift, [&](int at, int bits) {
    const uint32_t width = kWhole >> bits, mask = (uint32_t{1} << bits) - 1;
    for (std::size_t i = 0; i < n; ++i)
      coder.encode((static_cast<uint32_t>(values[i]) >> at & mask) * width, width);
  });
  if (shape.radius == 0) return;
  adaptively(shape, n, [&](std::size_t i, Adaptive& model) {
    const auto symbol = static_cast<std::size_t>((values[i] >> shape.shift) + shape.radius);
    if (symbol >= model.size()) throw std::invalid_argument("a value beyond its array's shape");
    coder.encode(model.left(symbol), model.width(symbol));
    model.count(symbol);
  });
}

inline void decode(RangeDecoder& coder, int32_t* values, std::size_t n, const Shape& shape) {
  std::vector<uint32_t> found(n, 0);
  uniform_parts(shape.shift, [&](int at, int bits) {
    const uint32_t width = kWhole >> bits;
    for (std::size_t i = 0; i < n; ++i) {
      const uint32_t symbol = coder.quantile() / width;
      coder.skip(symbol * width, width);
      found[i] |= symbol << at;
    }
  });
  if (shape.radius > 0) {
    adaptively(shape, n, [&](std::size_t i, Adaptive& model) {
      const std::size_t symbol = model.at(coder.quantile());
      coder.skip(model.left(symbol), model.width(symbol));
      model.count(symbol);
      found[i] += (static_cast<uint32_t>(symbol) - static_cast<uint32_t>(shape.radius))
                  << shape.shift;
    });
  }
  for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<int32_t>(found[i]);
}

}  // namespace insitu::coding
