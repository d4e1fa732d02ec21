// Ranges of a brick's macrocells.
#include "macrocells.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using insitu::Index3;
using insitu::kMacrocells;
using insitu::macrocell_ranges;
using insitu::MacrocellRanges;
using insitu::visible_macrocells;

TEST_CASE("a macrocell's range has the points on its faces, and finite values only") {
  const Index3 cells{8, 8, 8}, strides{1, 9, 81};
  std::vector<float> values(9 * 9 * 9, 0.0f);
  values[2 + 9 * 0 + 81 * 0] = 5.0f;  // on the face between the first two macrocells along x
  values[1] = NAN;
  values[3] = INFINITY;
  const MacrocellRanges ranges = macrocell_ranges(values.data(), strides, cells);
  CHECK(ranges[0].hi == 5.0f);
  CHECK(ranges[1].hi == 5.0f);
  CHECK(ranges[2].hi == 0.0f);
  CHECK(ranges[0].lo == 0.0f);
  const uint64_t bits = visible_macrocells(ranges, [](const auto& range) { return range.hi > 1; });
  CHECK(bits == 3u);
}

TEST_CASE("a brick of few cells has few macrocells") {
  const Index3 cells{1, 1, 1}, strides{1, 2, 4};
  const std::vector<float> values(8, 2.0f);
  const MacrocellRanges ranges = macrocell_ranges(values.data(), strides, cells);
  CHECK(ranges[0].lo == 2.0f);
  for (long m = 1; m < kMacrocells; ++m) CHECK(ranges[m].lo > ranges[m].hi);
}
