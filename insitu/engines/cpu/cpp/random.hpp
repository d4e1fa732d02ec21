// Counter-based random numbers: a sample depends on seed, iteration and index alone, so that
// training is deterministic, needs no state, and NumPy can draw the same samples.
//
// The hash is pcg3d of Jarzynski and Olano, "Hash Functions for GPU Rendering", JCGT 2020.
#pragma once

#include <cstdint>

namespace insitu {

struct Hash3 {
  uint32_t x, y, z;
};

inline Hash3 pcg3d(Hash3 v) {
  v.x = v.x * 1664525u + 1013904223u;
  v.y = v.y * 1664525u + 1013904223u;
  v.z = v.z * 1664525u + 1013904223u;
  v.x += v.y * v.z;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.x ^= v.x >> 16;
  v.y ^= v.y >> 16;
  v.z ^= v.z >> 16;
  v.x += v.y * v.z;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  return v;
}

// Uniform in [0, 1), 24 bits.
inline float uniform(uint32_t bits) {
  return static_cast<float>(static_cast<int32_t>(bits >> 8)) * (1.0f / 16777216.0f);
}

}  // namespace insitu
