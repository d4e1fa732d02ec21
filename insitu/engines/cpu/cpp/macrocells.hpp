// Value ranges of a brick's macrocells, of which there are up to 4 x 4 x 4.
//
// In: a brick. Out: ranges; for a transfer function, which macrocells are visible.
#pragma once

#include <array>
#include <cstdint>
#include <limits>

#include "brick_source.hpp"

namespace insitu {

constexpr long kMacrocellsPerAxis = 4;
constexpr long kMacrocells = kMacrocellsPerAxis * kMacrocellsPerAxis * kMacrocellsPerAxis;

// Of finite values; lo > hi where there are none.
struct ValueRange {
  float lo = std::numeric_limits<float>::infinity();
  float hi = -std::numeric_limits<float>::infinity();
};

using MacrocellRanges = std::array<ValueRange, kMacrocells>;  // along x, then y, then z

// Number of cells of a macrocell along an axis with the given number of cells.
inline long macrocell_size(long cells) {
  return (cells + kMacrocellsPerAxis - 1) / kMacrocellsPerAxis;
}

// values: cells[a] + 1 points along each axis, strides between points along x, y, z. A macrocell
// has the points on its faces, so that nothing interpolated within it lies beyond its range.
inline MacrocellRanges macrocell_ranges(const float* values, const Index3& strides,
                                        const Index3& cells) {
  MacrocellRanges ranges;
  Index3 size;
  for (int a = 0; a < 3; ++a) size[a] = macrocell_size(cells[a]);
  for (long m = 0; m < kMacrocells; ++m) {
    const Index3 at{m % kMacrocellsPerAxis, m / kMacrocellsPerAxis % kMacrocellsPerAxis,
                    m / (kMacrocellsPerAxis * kMacrocellsPerAxis)};
    Index3 lo, hi;  // both included
    bool any = true;
    for (int a = 0; a < 3; ++a) {
      lo[a] = at[a] * size[a];
      hi[a] = std::min(lo[a] + size[a], cells[a]);
      any &= lo[a] < cells[a];
    }
    if (!any) continue;
    ValueRange range;
    for (long z = lo[2]; z <= hi[2]; ++z)
      for (long y = lo[1]; y <= hi[1]; ++y) {
        const float* row = values + z * strides[2] + y * strides[1];
        for (long x = lo[0]; x <= hi[0]; ++x) {
          const bool finite = row[x] - row[x] == 0.0f;
          range.lo = finite && row[x] < range.lo ? row[x] : range.lo;
          range.hi = finite && row[x] > range.hi ? row[x] : range.hi;
        }
      }
    ranges[m] = range;
  }
  return ranges;
}

// A bit for each macrocell of which visible(range) says that it shows.
template <typename Visible>
inline uint64_t visible_macrocells(const MacrocellRanges& ranges, Visible&& visible) {
  uint64_t bits = 0;
  for (long m = 0; m < kMacrocells; ++m)
    if (visible(ranges[m])) bits |= uint64_t{1} << m;
  return bits;
}

}  // namespace insitu
