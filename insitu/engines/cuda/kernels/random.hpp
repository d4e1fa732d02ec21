// Sample points of training: uniform in the unit cube, and near its faces (DVNR, eq. (2)).
//
// In: seed, iteration, index in the batch. Out: a point; counter-based, the same on every engine.
#pragma once

#include "device.hpp"

struct Point {
  float x, y, z;
};

struct Words {
  unsigned x, y, z;
};

// Jarzynski and Olano, "Hash Functions for GPU Rendering", JCGT 2020.
DEVICE Words pcg3d(Words v) {
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
DEVICE float uniform(unsigned bits) { return static_cast<float>(bits >> 8) * (1.0f / 16777216); }

struct Sampling {
  unsigned seed;
  int boundary;  // number of samples of a batch, the first ones, that are near the faces
  float sigma;   // standard deviation of their distance, in units of the box
};

DEVICE Point draw(const Sampling& sampling, unsigned iteration, int sample) {
  const Words bits = pcg3d({static_cast<unsigned>(sample), iteration, sampling.seed});
  Point p{uniform(bits.x), uniform(bits.y), uniform(bits.z)};
  if (sample < sampling.boundary) {
    const Words more = pcg3d(bits);
    // Box-Muller; the logarithm's argument is in (0, 1].
    const float radius = sqrtf(-2.0f * logf(uniform(more.y) + 1.0f / 16777216));
    const float angle = 2.0f * uniform(more.z);
    const float half_normal = radius * fabsf(cospif(angle));
    const float distance = fminf(half_normal * sampling.sigma, 1.0f);
    const unsigned face = more.x % 6;
    const float place = face & 1 ? 1.0f - distance : distance;
    if (face / 2 == 0) p.x = place;
    if (face / 2 == 1) p.y = place;
    if (face / 2 == 2) p.z = place;
  }
  return p;
}
