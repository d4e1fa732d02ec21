// The counter-based random numbers.
#include "random.hpp"

#include <doctest/doctest.h>

#include <cmath>

using insitu::pcg3d;
using insitu::uniform;

TEST_CASE("numbers are uniform in [0, 1)") {
  CHECK(uniform(0) == 0.0f);
  CHECK(uniform(0xffffffffu) < 1.0f);
  constexpr int kCount = 100000;
  double mean = 0.0, square = 0.0;
  for (uint32_t i = 0; i < kCount; ++i) {
    const double u = uniform(pcg3d({i, 7, 42}).y);
    mean += u / kCount;
    square += u * u / kCount;
  }
  // Five standard deviations of the mean of so many uniform numbers.
  CHECK(std::abs(mean - 0.5) < 5.0 / std::sqrt(12.0 * kCount));
  CHECK(std::abs(square - mean * mean - 1.0 / 12.0) < 0.002);
}
