// Training samples of DVNR: uniform in the box, and close to its faces.
//
// In: seed, iteration, index in the batch. Out: points of the unit cube.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>

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
  return static_cast<long>(
      static_cast<double>(sampling.boundary_share) * static_cast<double>(batch) + 0.5);
}

// -ln(u) for u in (0, 1], relative error below 1e-6; written to be vectorized, as the C library's
// is not without -ffast-math.
inline float minus_log(float u) {
  uint32_t bits;
  std::memcpy(&bits, &u, sizeof(bits));
  // u = m 2^e with m in [sqrt(1/2), sqrt(2)); 0x3f3504f3 is sqrt(1/2).
  const int32_t e = static_cast<int32_t>(bits - 0x3f3504f3u) >> 23;
  bits -= static_cast<uint32_t>(e) << 23;
  float m;
  std::memcpy(&m, &bits, sizeof(m));
  const float t = (m - 1.0f) / (m + 1.0f), t2 = t * t;
  const float series = 2.0f / 3 + t2 * (2.0f / 5 + t2 * (2.0f / 7 + t2 * (2.0f / 9)));
  const float log_m = t * (2.0f + t2 * series);
  return -log_m - static_cast<float>(e) * 0.693147181f;
}

// |cos(2 pi u)| for u in [0, 1): the sine of the distance, in half turns, from where it is zero.
inline float abs_cos(float u) {
  const float turns = 2.0f * u;
  const float f = turns - static_cast<float>(static_cast<int32_t>(turns));
  const float x = 3.14159265f * std::fabs(f - 0.5f), x2 = x * x;
  const float high = -1.0f / 5040 + x2 * (1.0f / 362880 - x2 / 39916800);
  return x * (1.0f + x2 * (-1.0f / 6 + x2 * (1.0f / 120 + x2 * high)));
}

// Draws samples first .. first + n - 1 of a batch of which the first `boundary` lie next to the
// faces. x, y, z: n each.
inline void draw(const Sampling& sampling, uint32_t iteration, long first, long n, long boundary,
                 float* __restrict__ x, float* __restrict__ y, float* __restrict__ z) {
  const auto bits = [&](long s) {
    return pcg3d({static_cast<uint32_t>(first + s), iteration, sampling.seed});
  };
  const long near = std::clamp(boundary - first, 0L, n);
  for (long s = 0; s < near; ++s) {
    const Hash3 h = bits(s), g = pcg3d(h);
    const uint32_t face = g.x % 6u, axis = face >> 1;
    // Box-Muller; u1 is in (0, 1].
    const float u1 = (static_cast<float>(static_cast<int32_t>(g.y >> 8)) + 1.0f) / 16777216.0f;
    const float half_normal = std::sqrt(2.0f * minus_log(u1)) * abs_cos(uniform(g.z));
    const float distance = std::min(half_normal * sampling.boundary_sigma, 1.0f);
    const float place = face & 1u ? 1.0f - distance : distance;
    x[s] = axis == 0 ? place : uniform(h.x);
    y[s] = axis == 1 ? place : uniform(h.y);
    z[s] = axis == 2 ? place : uniform(h.z);
  }
  for (long s = near; s < n; ++s) {
    const Hash3 h = bits(s);
    x[s] = uniform(h.x);
    y[s] = uniform(h.y);
    z[s] = uniform(h.z);
  }
}

}  // namespace insitu
