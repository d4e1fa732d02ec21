// Rounding of coefficients to whole steps, with regard to what they cost.
//
// In: coefficients, the step of a coefficient of norm 1. Out: whole numbers.
//
// A band's step is delta / (L2 norm of what one of its coefficients stands for), so that a step
// makes the same error in every band. |c| / step = r is rounded to the q that minimises
// (r - q)^2 + lambda * bits: small numbers are cheaper, and one that stands alone, away from others
// in its band and from a larger one in the level above, costs most.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "sparse_bands.hpp"

namespace insitu::sparse {

struct Rounding {
  float alone = 0.92f;   // smallest r of a 1 that stands alone
  float beside = 0.64f;  // and of one beside others
  float larger = 0.56f;  // fraction from which a larger number is rounded up
};

// Where a number is decoded, between it and the next smaller one: `one` for +-1, `more` beyond, in
// steps towards zero.
struct Points {
  float one = 0.0f, more = 0.0f;
};

class Quantiser {
 public:
  Quantiser(const Bands& bands, const Norms& norms, const Rounding& rounding)
      : bands_(bands), norms_(norms), rounding_(rounding) {}

  // -> where the numbers' coefficients lie on average
  Points run(const float* c, float delta, int32_t* q) const {
    const float least = rounding_.beside, up = 1.0f - rounding_.larger;
    for_each_run(bands_, norms_, [&](long begin, long end, double norm) {
      const float inverse = static_cast<float>(norm / delta);
      for (long i = begin; i < end; ++i) {  // without branches, so that it is vectorised
        const float r = std::fabs(c[i]) * inverse;
        const auto whole = static_cast<int32_t>(std::min(r + up, 3e7f));
        const int32_t magnitude = r < least ? 0 : std::max(whole, 1);
        q[i] = c[i] < 0 ? -magnitude : magnitude;
      }
    });
    std::vector<Kept> kept;
    drop_lonely(c, delta, q, kept);
    const auto inverse = static_cast<float>(norms_.coarsest(bands_) / delta);
    const Size3& n = bands_.coarsest;
    for (long z = 0; z < n[2]; ++z)
      for (long y = 0; y < n[1]; ++y) {
        const long first = bands_.index(0, y, z);
        for_each_other(q + first, n[0], [&](long x) { kept.push_back({first + x, inverse}); });
      }
    double sums[2] = {}, counts[2] = {};
    for (const Kept& one : kept) {
      const int magnitude = std::abs(q[one.index]);
      if (magnitude == 0) continue;
      const int kind = magnitude > 1;
      sums[kind] += magnitude - static_cast<double>(std::fabs(c[one.index])) * one.inverse;
      counts[kind] += 1;
    }
    return {static_cast<float>(counts[0] ? sums[0] / counts[0] : 0),
            static_cast<float>(counts[1] ? sums[1] / counts[1] : 0)};
  }

 private:
  struct Kept {
    long index;
    float inverse;  // from the coefficient to steps
  };

  // Zeros the ones below `alone` without company. kept: what was not zero before.
  void drop_lonely(const float* c, float delta, int32_t* q, std::vector<Kept>& kept) const {
    for (std::size_t j = 0; j < bands_.levels.size(); ++j) {
      const Level& level = bands_.levels[j];
      const Level* above = j + 1 < bands_.levels.size() ? &bands_.levels[j + 1] : nullptr;
      for (int band = 1; band < 8; ++band) {
        if (band & ~level.mask) continue;
        const auto inverse = static_cast<float>(norms_.of(level, band) / delta);
        bands_.for_each_row(level, band, [&](long first, long count, long y, long z) {
          for_each_other(q + first, count, [&](long x) {
            const long i = first + x;
            kept.push_back({i, inverse});
            if (q[i] != 1 && q[i] != -1) return;
            const float r = std::fabs(c[i]) * inverse;
            if (r >= rounding_.alone) return;
            const float share = company(level, above, band, x, y, z, q);
            if (r < rounding_.alone - share * (rounding_.alone - rounding_.beside)) q[i] = 0;
          });
        });
      }
    }
  }

  // 0: alone; 1: among others.
  float company(const Level& level, const Level* above, int band, long x, long y, long z,
                const int32_t* q) const {
    int sum = 0;
    for (int a = 0; a < 3; ++a)
      for (int side = -1; side <= 1; side += 2) {
        long p[3] = {x, y, z};
        p[a] += side;
        if (p[a] < 0 || p[a] >= level.low[a]) continue;
        const long i = bands_.at(level, band, p[0], p[1], p[2]);
        if (i >= 0) sum += std::min(std::abs(q[i]), 2);
      }
    for (int other = 1; other < 8; ++other) {
      if (other == band || (other & ~level.mask)) continue;
      const long i = bands_.at(level, other, x, y, z);
      if (i >= 0) sum += std::min(std::abs(q[i]), 2);
    }
    if (above && !(band & ~above->mask)) {
      long p[3] = {x, y, z};
      for (int a = 0; a < 3; ++a)
        if (above->mask >> a & 1) p[a] = std::min(p[a] / 2, above->low[a] - 1);
      const long i = bands_.at(*above, band, p[0], p[1], p[2]);
      if (i >= 0) sum += std::min(std::abs(q[i]), 3);
    }
    return std::min(sum, 5) / 5.0f;
  }

  const Bands& bands_;
  const Norms& norms_;
  Rounding rounding_;
};

// counts[k] += 1 for each coefficient of size c whose c * norm, as a float, begins with the bits of
// k: sign, exponent and the first kSizeBits of the mantissa. What is exactly zero is left out.
constexpr int kSizeBits = 4;
inline void count_sizes(const Bands& bands, const Norms& norms, const float* c, int64_t* counts) {
  for_each_run(bands, norms, [&](long begin, long end, double norm) {
    const auto factor = static_cast<float>(norm);
    for (long i = begin; i < end; ++i) {
      const float size = std::fabs(c[i]) * factor;
      uint32_t bits;
      std::memcpy(&bits, &size, sizeof(bits));
      ++counts[bits >> (23 - kSizeBits)];
    }
  });
  counts[0] = 0;
}

inline void dequantise(const Bands& bands, const Norms& norms, const int32_t* q, float delta,
                       const Points& points, float* c) {
  for_each_run(bands, norms, [&](long begin, long end, double norm) {
    const float step = static_cast<float>(delta / norm);
    std::fill(c + begin, c + end, 0.0f);
    for_each_other(q + begin, end - begin, [&](long at) {
      const int32_t v = q[begin + at];
      const float off = std::abs(v) == 1 ? points.one : points.more;
      c[begin + at] = step * (static_cast<float>(v) + (v > 0 ? -off : off));
    });
  });
}

}  // namespace insitu::sparse
