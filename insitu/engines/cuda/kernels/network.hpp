// A network's shape, fixed at compilation, and its encoding: a hash grid (Mueller et al. 2022,
// section 3) or one dense grid with Fourier features (fV-SRN).
//
// In: LEVELS, FEATURES, FREQUENCIES, ALIGNED, WIDTH, HIDDEN, OUTPUTS; points. Out: features, their
// gradients by the point.
#pragma once

#include "random.hpp"

constexpr int kLevels = LEVELS, kFeatures = FEATURES, kFrequencies = FREQUENCIES;
constexpr bool kAligned = ALIGNED;  // vertices lie on the faces, with a resolution per axis
constexpr int kWidth = WIDTH, kHidden = HIDDEN, kOutputs = OUTPUTS;

DEVICE constexpr int padded(int n) { return (n + 15) / 16 * 16; }

constexpr int kGridFeatures = kLevels * kFeatures;
constexpr int kEncoded = kGridFeatures + 6 * kFrequencies;
constexpr int kInputs = padded(kEncoded);
// Parameters of the MLP: matrices row-major (outputs, inputs), the last with padded rows.
constexpr int kHiddenOffset = kWidth * kInputs;
constexpr int kLastOffset = kHiddenOffset + (kHidden - 1) * kWidth * kWidth;
constexpr int kMlp = kLastOffset + padded(kOutputs) * kWidth;

struct Level {
  uint64 offset;           // of its first value in the parameter vector
  float scale[3];          // x, y, z: position in the grid is u * scale, + 0.5 unless aligned
  unsigned resolution[3];  // vertices
  unsigned size;           // entries
  unsigned hashed;
};

// The cell of a level around a point.
struct Corners {
  unsigned low[3];
  float t[3];  // place in it, 0..1; x, y, z
};

DEVICE Corners corners_of(const Level& level, Point p) {
  const float u[3] = {p.x, p.y, p.z};
  Corners corners;
  UNROLL
  for (int a = 0; a < 3; ++a) {
    const float place = u[a] * level.scale[a] + (kAligned ? 0.0f : 0.5f);
    unsigned cell = static_cast<unsigned>(static_cast<int>(place));
    if (kAligned && cell > level.resolution[a] - 2) cell = level.resolution[a] - 2;
    corners.low[a] = cell;
    corners.t[a] = place - static_cast<float>(static_cast<int>(cell));
  }
  return corners;
}

// Entry of corner c, at x + (c & 1), y + (c >> 1 & 1), z + (c >> 2).
DEVICE unsigned entry_of(const Level& level, const Corners& corners, int c) {
  const unsigned x = corners.low[0] + (c & 1), y = corners.low[1] + (c >> 1 & 1),
                 z = corners.low[2] + (c >> 2);
  if (!kAligned && level.hashed) return (x ^ y * 2654435761u ^ z * 805459861u) & (level.size - 1);
  const unsigned i = x + level.resolution[0] * (y + level.resolution[kAligned ? 1 : 0] * z);
  // The half-cell offset lets the last corner leave the grid by one: tiny-cuda-nn wraps it.
  return i < level.size ? i : i - level.size;
}

DEVICE float weight_of(const Corners& corners, int c) {
  return (c & 1 ? corners.t[0] : 1.0f - corners.t[0]) *
         (c & 2 ? corners.t[1] : 1.0f - corners.t[1]) *
         (c & 4 ? corners.t[2] : 1.0f - corners.t[2]);
}

// One table entry in loads as wide as possible. kCurrent: while other multiprocessors train.
template <typename V, bool kCurrent>
DEVICE V load(const V* p) {
  if constexpr (kCurrent) return load_current(p);
  else return *p;
}

template <bool kCurrent>
DEVICE void load_entry(const float* p, float* entry) {
  if constexpr (kFeatures == 1) {
    entry[0] = load<float, kCurrent>(p);
  } else if constexpr (kFeatures == 2) {
    const float2 v = load<float2, kCurrent>(reinterpret_cast<const float2*>(p));
    entry[0] = v.x;
    entry[1] = v.y;
  } else {
    UNROLL
    for (int f = 0; f < kFeatures; f += 4) {
      const float4 v = load<float4, kCurrent>(reinterpret_cast<const float4*>(p + f));
      entry[f] = v.x;
      entry[f + 1] = v.y;
      entry[f + 2] = v.z;
      entry[f + 3] = v.w;
    }
  }
}

// Adds weight * values to an entry, atomically.
DEVICE void add_entry(float* p, const float* values, float weight) {
  if constexpr (kFeatures == 1) {
    add(p, weight * values[0]);
  } else if constexpr (kFeatures == 2) {
    add(reinterpret_cast<float2*>(p), float2{weight * values[0], weight * values[1]});
  } else {
    UNROLL
    for (int f = 0; f < kFeatures; f += 4)
      add(reinterpret_cast<float4*>(p + f), float4{weight * values[f], weight * values[f + 1],
                                                   weight * values[f + 2], weight * values[f + 3]});
  }
}

// The features of one level.
template <bool kCurrent>
DEVICE void encode_level(const Level& level, const float* params, Point p, float* features) {
  const Corners corners = corners_of(level, p);
  const float* table = params + level.offset;
  float entry[8][kFeatures];
  UNROLL
  for (int c = 0; c < 8; ++c)
    load_entry<kCurrent>(table + static_cast<uint64>(entry_of(level, corners, c)) * kFeatures,
                         entry[c]);
  UNROLL
  for (int f = 0; f < kFeatures; ++f) features[f] = 0.0f;
  UNROLL
  for (int c = 0; c < 8; ++c) {
    const float weight = weight_of(corners, c);
    UNROLL
    for (int f = 0; f < kFeatures; ++f) features[f] = fmaf(weight, entry[c][f], features[f]);
  }
}

// Adds the gradient of one level's table, given that of its features.
DEVICE void scatter_level(const Level& level, float* gradient, Point p, const float* features) {
  const Corners corners = corners_of(level, p);
  float* table = gradient + level.offset;
  UNROLL
  for (int c = 0; c < 8; ++c)
    add_entry(table + static_cast<uint64>(entry_of(level, corners, c)) * kFeatures, features,
              weight_of(corners, c));
}

// Adds the derivatives by x, y, z, given those by one level's features.
DEVICE void add_level_slopes(const Level& level, const float* params, Point p,
                             const float* features, float* slopes) {
  const Corners corners = corners_of(level, p);
  const float* table = params + level.offset;
  float along[8];
  UNROLL
  for (int c = 0; c < 8; ++c) {
    float entry[kFeatures];
    load_entry<false>(table + static_cast<uint64>(entry_of(level, corners, c)) * kFeatures, entry);
    along[c] = 0.0f;
    UNROLL
    for (int f = 0; f < kFeatures; ++f) along[c] = fmaf(entry[f], features[f], along[c]);
  }
  const float x = corners.t[0], y = corners.t[1], z = corners.t[2];
  float across[4], value[4];  // along each edge in x: its difference, its value at the point
  UNROLL
  for (int j = 0; j < 4; ++j) {
    across[j] = along[2 * j + 1] - along[2 * j];
    value[j] = fmaf(x, across[j], along[2 * j]);
  }
  const float y_low = value[1] - value[0], y_high = value[3] - value[2];
  const float z_low = value[2] - value[0], z_high = value[3] - value[1];
  const float x_low = fmaf(y, across[1] - across[0], across[0]);
  const float x_high = fmaf(y, across[3] - across[2], across[2]);
  slopes[0] += level.scale[0] * fmaf(z, x_high - x_low, x_low);
  slopes[1] += level.scale[1] * fmaf(z, y_high - y_low, y_low);
  slopes[2] += level.scale[2] * fmaf(y, z_high - z_low, z_low);
}

// sin and cos of 2^k pi u, for each k the sines along x, y, z, then the cosines.
DEVICE void encode_waves(Point p, float* features) {
  const float u[3] = {p.x, p.y, p.z};
  UNROLL
  for (int k = 0; k < kFrequencies; ++k) UNROLL
  for (int a = 0; a < 3; ++a) {
    const float turned = u[a] * static_cast<float>(1 << k);
    features[6 * k + a] = sinpif(turned);
    features[6 * k + 3 + a] = cospif(turned);
  }
}

DEVICE void add_wave_slopes(const float* waves, const float* gradient, float* slopes) {
  UNROLL
  for (int k = 0; k < kFrequencies; ++k) UNROLL
  for (int a = 0; a < 3; ++a) {
    const float rate = 3.14159265358979f * static_cast<float>(1 << k);
    const float by_sine = gradient[6 * k + a] * waves[6 * k + 3 + a];
    const float by_cosine = gradient[6 * k + 3 + a] * waves[6 * k + a];
    slopes[a] += rate * (by_sine - by_cosine);
  }
}
