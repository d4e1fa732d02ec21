// Training samples of DVNR: uniform in the box, and close to its faces.
//
// In: seed, iteration, place in the batch. Out: points of the unit cube.
#pragma once

#include <algorithm>
#include <cmath>

#include "random.hpp"

namespace insitu {

struct Sampling {
  uint32_t seed;
  float boundary_share;  // lambda: share of the batch drawn next to the faces
  float boundary_sigma;  // sigma of the half-Gaussian, in units of the owned box
};

// The first `share` of a batch lies next to the faces: a face is drawn, the distance from it is
// half-Gaussian (DVNR eq. (2)), the other two coordinates are uniform.
inline long boundary_samples(const Sampling& sampling, long batch) {
  return static_cast<long>(static_cast<double>(sampling.boundary_share) *
                               static_cast<double>(batch) + 0.5);
}

// Draws samples first .. first + n - 1 of a batch of which the first `boundary` lie next to the
// faces. x, y, z: n each.
inline void draw(const Sampling& sampling, uint32_t iteration, long first, long n, long boundary,
                 float* x, float* y, float* z) {
  for (long s = 0; s < n; ++s) {
    const Hash3 h = pcg3d({static_cast<uint32_t>(first + s), iteration, sampling.seed});
    x[s] = uniform(h.x);
    y[s] = uniform(h.y);
    z[s] = uniform(h.z);
  }
  float* axes[3] = {x, y, z};
  for (long s = 0; s < n && first + s < boundary; ++s) {
    const auto index = static_cast<uint32_t>(first + s);
    const Hash3 g = pcg3d(pcg3d({index, iteration, sampling.seed}));
    const uint32_t face = g.x % 6u;
    // Box-Muller; u1 is in (0, 1].
    const float u1 = (static_cast<float>(static_cast<int32_t>(g.y >> 8)) + 1.0f) / 16777216.0f;
    const float u2 = uniform(g.z);
    const float normal = std::sqrt(-2.0f * std::log(u1)) * std::cos(6.28318530718f * u2);
    const float distance = std::min(std::fabs(normal) * sampling.boundary_sigma, 1.0f);
    axes[face >> 1][s] = face & 1u ? 1.0f - distance : distance;
  }
}

}  // namespace insitu
