// Vectors of floats.
#include "simd.hpp"

#include <doctest/doctest.h>

using insitu::kLanes;
using insitu::store_lanes;
using insitu::vfloat;

TEST_CASE("lanes that are kept are packed") {
  vfloat v{};
  for (int i = 0; i < kLanes; ++i) v[i] = static_cast<float>(i + 1);
  for (unsigned lanes = 0; lanes < (1u << kLanes); lanes += kLanes > 8 ? 37 : 1) {
    alignas(64) float out[2 * kLanes] = {};
    store_lanes(out, v, lanes);
    int at = 0;
    for (int i = 0; i < kLanes; ++i)
      if (lanes >> i & 1) CHECK(out[at++] == v[i]);
  }
}
