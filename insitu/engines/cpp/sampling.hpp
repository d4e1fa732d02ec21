// Training samples of DVNR: uniform in the box, and close to its faces.
//
// In: seed, iteration, index in the batch. Out: a point of the unit cube.
#pragma once

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

// Returns the bits that the point was made of.
inline Hash3 uniform_point(const Sampling& sampling, uint32_t iteration, uint32_t index,
                           float* point) {
  const Hash3 h = pcg3d({index, iteration, sampling.seed});
  point[0] = uniform(h.x);
  point[1] = uniform(h.y);
  point[2] = uniform(h.z);
  return h;
}

inline void boundary_point(const Sampling& sampling, uint32_t iteration, uint32_t index,
                           float* point) {
  const Hash3 g = pcg3d(uniform_point(sampling, iteration, index, point));
  const uint32_t face = g.x % 6u;
  // Box-Muller; u1 is in (0, 1].
  const float u1 = (static_cast<float>(static_cast<int32_t>(g.y >> 8)) + 1.0f) / 16777216.0f;
  const float u2 = uniform(g.z);
  const float normal = std::sqrt(-2.0f * std::log(u1)) * std::cos(6.28318530718f * u2);
  const float distance = std::min(std::fabs(normal) * sampling.boundary_sigma, 1.0f);
  point[face >> 1] = face & 1u ? 1.0f - distance : distance;
}

}  // namespace insitu
