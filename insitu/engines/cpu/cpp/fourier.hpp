// Fourier features of a position: sin and cos of pi 2^k x along each axis (fV-SRN, section 3.1).
//
// In: points of the unit cube, in chunks. Out: features, in panels (products.hpp), from `first` on:
// for each k the sines along x, y, z, then the cosines; their part of the points' gradient.
#pragma once

#include <cmath>

#include "products.hpp"

namespace insitu {

constexpr float kPi = 3.14159265358979f;

// sin(pi t), |t| <= 0.5: the series, which is exact to a unit in the last place or two.
inline float sin_pi(float t) {
  const float y = kPi * t, y2 = y * y;
  const float tail =
      y2 * (-1.0f / 6 + y2 * (1.0f / 120 +
                              y2 * (-1.0f / 5040 + y2 * (1.0f / 362880 - y2 * (1.0f / 39916800)))));
  return y + y * tail;
}

// Place of feature i of the first sample of a chunk.
inline long place_of(int i) { return static_cast<long>(i / kPanel) * kPanelSize + i % kPanel; }

// Writes the features of n <= kChunk samples.
inline void encode_fourier(int n_frequencies, int first, const float* x, const float* y,
                           const float* z, long n, float* out) {
  const float* axes[3] = {x, y, z};
  for (int k = 0; k < n_frequencies; ++k)
    for (int a = 0; a < 3; ++a) {
      alignas(64) float sine[kChunk], cosine[kChunk];
      const float factor = static_cast<float>(1 << k);
      for (long s = 0; s < n; ++s) {
        const float turned = axes[a][s] * factor;  // exact, and so is taking whole turns away
        const float half = static_cast<float>(static_cast<int32_t>(0.5f * turned));
        const float t = turned - 2.0f * half;     // 0..2
        const float r = t > 1.0f ? t - 2.0f : t;  // -1..1
        const float size = std::fabs(r), folded = size > 0.5f ? 1.0f - size : size;
        sine[s] = sin_pi(r < 0.0f ? -folded : folded);
        cosine[s] = sin_pi(0.5f - size);
      }
      float* to_sine = out + place_of(first + 6 * k + a);
      float* to_cosine = out + place_of(first + 6 * k + 3 + a);
      for (long s = 0; s < n; ++s) {
        to_sine[s * kPanel] = sine[s];
        to_cosine[s * kPanel] = cosine[s];
      }
    }
}

// Adds d(value)/d(point), given the features and d(value)/d(features). out: 3 rows of kChunk.
inline void add_fourier_slopes(int n_frequencies, int first, const float* encoded,
                               const float* gradient, float* out) {
  for (int k = 0; k < n_frequencies; ++k)
    for (int a = 0; a < 3; ++a) {
      const long sine = place_of(first + 6 * k + a), cosine = place_of(first + 6 * k + 3 + a);
      const float rate = kPi * static_cast<float>(1 << k);
      for (int s = 0; s < kChunk; ++s) {
        const long i = static_cast<long>(s) * kPanel;
        out[a * kChunk + s] += rate * (gradient[sine + i] * encoded[cosine + i] -
                                       gradient[cosine + i] * encoded[sine + i]);
      }
    }
}

}  // namespace insitu
