// Rounding of coefficients to whole steps, with regard to what they cost.
//
// In: coefficients, the step of a coefficient of norm 1. Out: whole numbers.
//
// A band's step is delta / (L2 norm of what one of its coefficients stands for), so that a step
// makes the same error in every band. |c| / step = r is rounded to the q that minimises
// (r - q)^2 + lambda * bits: small numbers are cheaper, and one that stands alone, away from others
// in its band and from a larger one in the level above, costs most.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "sparse_bands.hpp"

namespace insitu::sparse {

// Most numbers are small: together, they are only squared and summed.
class SmallOnes {
 public:
  static constexpr long kTogether = 32;

  // least: as a size; of 0 or less, none is small.
  SmallOnes(float factor, float least) : factor_(factor) {
    std::memcpy(&least_, &least, sizeof(least));
  }

  // Whether all of kTogether numbers are smaller; then they are added.
  bool take(const float* c) {
    Floats sum = squares_;
    Bits any{};
    for (long i = 0; i < kTogether; i += 8) {
      const Floats one = *reinterpret_cast<const Floats*>(c + i);
      // As bits, which are in the order of sizes; no number is larger than any.
      any |= (*reinterpret_cast<const Bits*>(c + i) & 0x7fffffff) >= least_;
      sum += (one * factor_) * (one * factor_);
    }
    if (any[0] | any[1] | any[2] | any[3] | any[4] | any[5] | any[6] | any[7]) return false;
    squares_ = sum;
    return true;
  }

  // Of numbers times the factor.
  double squares() const {
    double total = 0.0;
    for (int i = 0; i < 8; ++i) total += squares_[i];
    return total;
  }

 private:
  struct Eight {  // since template arguments lose attributes
    typedef float floats __attribute__((vector_size(32), aligned(4), may_alias));
    typedef int32_t bits __attribute__((vector_size(32), aligned(4), may_alias));
  };
  using Floats = Eight::floats;
  using Bits = Eight::bits;

  Floats squares_{};
  float factor_;
  int32_t least_;
};

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

// Of a rounding: where its numbers' coefficients lie on average, and the sum of squares of what it
// loses, in steps.
struct Rounded {
  Points points;
  double squares = 0.0;
};

class Quantiser {
 public:
  Quantiser(const Bands& bands, const Norms& norms, const Rounding& rounding)
      : bands_(bands), norms_(norms), rounding_(rounding) {}

  // q: zeros at first.
  Rounded run(const float* c, float delta, int32_t* q) const {
    std::vector<Kept> kept;
    std::vector<Run> runs;
    double lost = 0.0;
    for (std::size_t j = 0; j < bands_.levels.size(); ++j) {
      const Level& level = bands_.levels[j];
      const Level* above = j + 1 < bands_.levels.size() ? &bands_.levels[j + 1] : nullptr;
      for (int band = 1; band < 8; ++band) {
        if (band & ~level.mask) continue;
        const auto inverse = static_cast<float>(norms_.of(level, band) / delta);
        runs.push_back({&level, above, band, inverse, kept.size(), 0});
        bands_.for_each_row(level, band, [&](long first, long count, long y, long z) {
          lost += round_row(c, first, count, y, z, inverse, q, kept);
        });
        runs.back().end = kept.size();
      }
    }
    drop_lonely(c, kept, runs, q);
    const auto inverse = static_cast<float>(norms_.coarsest(bands_) / delta);
    runs.push_back({nullptr, nullptr, 0, inverse, kept.size(), 0});
    const Size3& n = bands_.coarsest;
    for (long z = 0; z < n[2]; ++z)
      for (long y = 0; y < n[1]; ++y)
        lost += round_row(c, bands_.index(0, y, z), n[0], y, z, inverse, q, kept);
    runs.back().end = kept.size();
    return decoded(c, kept, runs, q, lost);
  }

 private:
  struct Kept {
    int32_t x, y, z;
  };
  struct Run {  // of what is kept of a band; level: null for the averages
    const Level *level, *above;
    int band;
    float inverse;  // from coefficients to steps
    std::size_t begin, end;
  };

  long index(const Run& run, const Kept& at) const {
    return run.level ? bands_.at(*run.level, run.band, at.x, at.y, at.z)
                     : bands_.index(at.x, at.y, at.z);
  }

  // lost: squares of what was zero from the start.
  Rounded decoded(const float* c, const std::vector<Kept>& kept, const std::vector<Run>& runs,
                  const int32_t* q, double lost) const {
    double sums[2] = {}, counts[2] = {};
    for (const Run& run : runs)
      for (std::size_t k = run.begin; k < run.end; ++k) {
        const long i = index(run, kept[k]);
        const int magnitude = std::abs(q[i]);
        const double off = magnitude - static_cast<double>(std::fabs(c[i])) * run.inverse;
        lost += off * off;
        if (magnitude == 0) continue;
        const int kind = magnitude > 1;
        sums[kind] += off;
        counts[kind] += 1;
      }
    double means[2] = {};
    for (int kind = 0; kind < 2; ++kind) {
      if (!counts[kind]) continue;
      means[kind] = sums[kind] / counts[kind];
      lost -= sums[kind] * means[kind];
    }
    return {{static_cast<float>(means[0]), static_cast<float>(means[1])}, std::max(lost, 0.0)};
  }

  // -> squares of what is zero. kept: what is not is added. Most rows are zero for long stretches.
  double round_row(const float* c, long first, long count, long y, long z, float inverse,
                   int32_t* q, std::vector<Kept>& kept) const {
    const float least = rounding_.beside, up = 1.0f - rounding_.larger;
    SmallOnes small(inverse, least / inverse * (1 - 1e-6f));  // whatever was rounded in between
    double lost = 0.0;
    const auto one = [&](long x) {
      const long i = first + x;
      const float r = std::fabs(c[i]) * inverse;
      if (r < least) {
        lost += static_cast<double>(r) * r;
        return;
      }
      const int32_t magnitude = std::max(static_cast<int32_t>(std::min(r + up, 3e7f)), 1);
      q[i] = c[i] < 0 ? -magnitude : magnitude;
      kept.push_back({static_cast<int32_t>(x), static_cast<int32_t>(y), static_cast<int32_t>(z)});
    };
    long x = 0;
    for (; x + SmallOnes::kTogether <= count; x += SmallOnes::kTogether)
      if (!small.take(c + first + x))
        for (long j = x; j < x + SmallOnes::kTogether; ++j) one(j);
    for (; x < count; ++x) one(x);
    return lost + small.squares();
  }

  // Zeros the ones below `alone` without company.
  void drop_lonely(const float* c, const std::vector<Kept>& kept, const std::vector<Run>& runs,
                   int32_t* q) const {
    for (const Run& run : runs)
      for (std::size_t k = run.begin; k < run.end; ++k) {
        const Kept& one = kept[k];
        const long i = index(run, one);
        if (q[i] != 1 && q[i] != -1) continue;
        const float r = std::fabs(c[i]) * run.inverse;
        if (r >= rounding_.alone) continue;
        const float share = company(*run.level, run.above, run.band, one.x, one.y, one.z, q);
        if (r < rounding_.alone - share * (rounding_.alone - rounding_.beside)) q[i] = 0;
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
// -> the sum of squares of those below `least`, some of which are not counted then.
constexpr int kSizeBits = 4;
inline double count_sizes(const Bands& bands, const Norms& norms, const float* c, float least,
                          int64_t* counts) {
  double squares = 0.0;
  for_each_run(bands, norms, [&](long begin, long end, double norm) {
    const auto factor = static_cast<float>(norm);
    SmallOnes small(factor, least / factor);
    const auto one = [&](long i) {
      const float size = std::fabs(c[i]) * factor;
      uint32_t bits;
      std::memcpy(&bits, &size, sizeof(bits));
      ++counts[bits >> (23 - kSizeBits)];
    };
    long i = begin;
    for (; i + SmallOnes::kTogether <= end; i += SmallOnes::kTogether)
      if (!small.take(c + i))
        for (long j = i; j < i + SmallOnes::kTogether; ++j) one(j);
    for (; i < end; ++i) one(i);
    squares += small.squares();
  });
  counts[0] = 0;
  return squares;
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

// visit(index, coefficient): the same, of the numbers that are not zero alone, by index.
template <typename Visit>
inline void dequantise_each(const Bands& bands, const Norms& norms, const int32_t* q, float delta,
                            const Points& points, Visit&& visit) {
  std::vector<std::array<float, 8>> steps;  // of a level and band
  for (const Level& level : bands.levels) {
    steps.push_back({});
    for (int band = 1; band < 8; ++band)
      if (!(band & ~level.mask))
        steps.back()[band] = static_cast<float>(delta / norms.of(level, band));
  }
  const auto coarsest = static_cast<float>(delta / norms.coarsest(bands));
  const auto step_at = [&](long x, long y, long z) {
    for (std::size_t j = 0; j < bands.levels.size(); ++j) {
      const Size3& low = bands.levels[j].low;
      const int band = (x >= low[0]) | (y >= low[1]) << 1 | (z >= low[2]) << 2;
      if (band) return steps[j][band];
    }
    return coarsest;
  };
  for (long z = 0; z < bands.shape[2]; ++z)
    for (long y = 0; y < bands.shape[1]; ++y) {
      const long first = bands.index(0, y, z);
      for_each_other(q + first, bands.shape[0], [&](long x) {
        const int32_t v = q[first + x];
        const float off = std::abs(v) == 1 ? points.one : points.more;
        visit(first + x, step_at(x, y, z) * (static_cast<float>(v) + (v > 0 ? -off : off)));
      });
    }
}

}  // namespace insitu::sparse
