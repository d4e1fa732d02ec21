// The bands of a sparse grid's coefficients: which box of the array holds which details.
//
// In: the shape of a block, for each level the axes that it splits (bit 0: x, 1: y, 2: z), fine to
// coarse, and which ends are kept. Out: boxes. A split axis of n samples becomes (n + 1) / 2
// averages, which the next level splits, and n / 2 details. Averages stay at the low end, so all
// bands lie in one array of the block's shape.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "sparse_line.hpp"

namespace insitu::sparse {

using Size3 = std::array<long, 3>;  // x, y, z

// visit(i): each number of `count` that is not zero, in order. Nearly all are.
template <typename Visit>
inline void for_each_other(const int32_t* numbers, long count, Visit&& visit) {
  constexpr long kTogether = 16;
  long i = 0;
  for (; i + kTogether <= count; i += kTogether) {
    int32_t any = 0;
    for (long j = 0; j < kTogether; ++j) any |= numbers[i + j];
    if (!any) continue;
    for (long j = i; j < i + kTogether; ++j)
      if (numbers[j]) visit(j);
  }
  for (; i < count; ++i)
    if (numbers[i]) visit(i);
}

struct Level {
  int mask;    // axes that are split
  Size3 size;  // of the box that is split
  Size3 low;   // averages, and positions: where a position lies, every band may have a detail
  Size3 steps_before;            // how often each axis was split by finer levels
  std::vector<Lifting> lifting;  // of each axis, x, y, z: how it is split
};

struct Bands {
  Size3 shape;
  std::vector<Level> levels;  // fine to coarse
  Size3 coarsest;             // of the averages that are left
  Size3 steps{};              // how often each axis was split altogether

  // ends: see `kHalfCells`.
  Bands(const Size3& shape_, const std::vector<int>& splits, int ends = 0)
      : shape(shape_), coarsest(shape_) {
    for (long n : shape)
      if (n < 1) throw std::invalid_argument("shape: every axis needs at least one sample");
    if (ends < 0 || ends > 127) throw std::invalid_argument("ends: expected 0..127");
    std::array<Line, 3> lines;
    for (int a = 0; a < 3; ++a) lines[a] = Line::of(shape[a], ends, a);
    if (splits.size() > 64) throw std::invalid_argument("splits: more than 64 levels");
    for (int mask : splits) {
      if (mask < 1 || mask > 7) throw std::invalid_argument("splits: expected 1..7");
      Level level{mask, coarsest, coarsest, steps, {}};
      for (int a = 0; a < 3; ++a) {
        const bool split = mask >> a & 1;
        if (split && !lines[a].splits())
          throw std::invalid_argument("splits: an axis of one sample, or of two that are kept");
        level.lifting.emplace_back(split ? lines[a] : Line{});
        if (!split) continue;
        level.low[a] = (coarsest[a] + 1) / 2;
        ++steps[a];
        lines[a] = level.lifting.back().coarser(lines[a]);
      }
      coarsest = level.low;
      levels.push_back(level);
    }
  }

  long count() const { return shape[0] * shape[1] * shape[2]; }

  long index(long x, long y, long z) const { return x + shape[0] * (y + shape[1] * z); }

  // Index of band `band` (the axes along which it holds details) of a level at a position; -1
  // where the band has none: an odd number of samples has one detail less than averages.
  long at(const Level& level, int band, long x, long y, long z) const {
    const long p[3] = {x, y, z};
    long where[3];
    for (int a = 0; a < 3; ++a) {
      where[a] = p[a];
      if (band >> a & 1) {
        where[a] += level.low[a];
        if (where[a] >= level.size[a]) return -1;
      }
    }
    return index(where[0], where[1], where[2]);
  }

  // visit(first index, count, y, z) for each row of details of a band, along x.
  template <typename Visit>
  void for_each_row(const Level& level, int band, Visit&& visit) const {
    const long count = (band & 1) ? level.size[0] - level.low[0] : level.low[0];
    for (long z = 0; z < level.low[2]; ++z)
      for (long y = 0; y < level.low[1]; ++y) {
        const long first = at(level, band, 0, y, z);
        if (first >= 0) visit(first, count, y, z);
      }
  }
};

// L2 norms, over the samples, of what one average (low) and one detail (high) stand for after 1, 2,
// .. steps along an axis (insitu.models.sparse_grid.lifting.norms); [0]: no step.
struct Norms {
  std::vector<double> low, high;

  double of(const Level& level, int band) const {
    double norm = 1.0;
    for (int a = 0; a < 3; ++a) {
      const long k = level.steps_before[a] + (level.mask >> a & 1);
      norm *= (band >> a & 1) ? high.at(k) : low.at(k);
    }
    return norm;
  }

  double coarsest(const Bands& bands) const {
    double norm = 1.0;
    for (long k : bands.steps) norm *= low.at(k);
    return norm;
  }
};

// visit(begin, end, norm): runs of consecutive coefficients that have one norm; together they are
// all coefficients, band by band from the finest level.
template <typename Visit>
inline void for_each_run(const Bands& bands, const Norms& norms, Visit&& visit) {
  const auto box = [&](const Size3& low, const Size3& high, double norm) {
    for (long z = low[2]; z < high[2]; ++z)
      for (long y = low[1]; y < high[1]; ++y)
        if (low[0] < high[0]) visit(bands.index(low[0], y, z), bands.index(high[0], y, z), norm);
  };
  for (const Level& level : bands.levels)
    for (int band = 1; band < 8; ++band) {
      if (band & ~level.mask) continue;
      Size3 low{}, high{};
      for (int a = 0; a < 3; ++a) {
        low[a] = (band >> a & 1) ? level.low[a] : 0;
        high[a] = (band >> a & 1) ? level.size[a] : level.low[a];
      }
      box(low, high, norms.of(level, band));
    }
  box({}, bands.coarsest, norms.coarsest(bands));
}

}  // namespace insitu::sparse
