// From few coefficients to samples: the transform of sparse_lifting.hpp backward, row by row.
//
// In: places and values of the coefficients that are not zero. Out: rows of samples, each once, to
// whoever consumes them; they are written nowhere else. Details are kept as rows ("segments"); of
// those without a detail, nothing is computed: samples there are interpolated from averages alone.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "sparse_lifting.hpp"

namespace insitu::sparse {

struct Entry {
  int32_t x, y, z;
  float value;
};

// Rows of floats, zero at first, none of which is ever given back.
class Segments {
 public:
  explicit Segments(long width) : width_((width + 7) / 8 * 8) {}

  float* add() {
    if (used_ == kTogether) {
      chunks_.emplace_back(new float[static_cast<std::size_t>(kTogether * width_)]());
      used_ = 0;
    }
    return chunks_.back().get() + width_ * used_++;
  }

 private:
  static constexpr long kTogether = 64;
  long width_, used_ = kTogether;
  std::vector<std::unique_ptr<float[]>> chunks_;
};

// One level backward.
class LevelJoin {
 public:
  // low: its averages, dense, which are overwritten. entries: its details.
  LevelJoin(const Level& level, float* low, const std::vector<Entry>& entries)
      : level_(level),
        halves_(level.mask & 1 ? 2 : 1),
        per_plane_(level.size[1] * halves_),
        rows_(static_cast<std::size_t>(level.size[2] * per_plane_)),
        details_(level.low[0]) {
    const Size3& l = level.low;
    for (long z = 0; z < l[2]; ++z)
      for (long y = 0; y < l[1]; ++y) row(z, y, 0) = low + l[0] * (y + l[1] * z);
    for (const Entry& e : entries) {
      const int half = e.x >= l[0];
      float*& at = row(e.z, e.y, half);
      if (!at) at = details_.add();
      at[half ? e.x - l[0] : e.x] = e.value;
    }
  }

  // consume(z, y, row): each row of the level's box, `size[0]` floats, once, plane by plane.
  template <typename Consume>
  void run(Consume&& consume) {
    const Size3& size = level_.size;
    const Lifting& along = level_.lifting[2];
    const bool split = level_.mask >> 2 & 1;
    if (split) undo_update_of_planes();
    const auto width = static_cast<std::size_t>((level_.low[0] + 7) / 8 * 8);
    std::vector<float> own(width * static_cast<std::size_t>(per_plane_)), between(2 * width);
    std::vector<float> out(static_cast<std::size_t>(size[0]) + 8);
    std::vector<float*> plane(static_cast<std::size_t>(per_plane_));
    std::vector<char> ours(plane.size());
    const auto make = [&](long i) {
      return own.data() + i * static_cast<long>(width);
    };
    const long evens = split ? along.even : size[2];
    for (long k = 0; k < size[2]; ++k) {
      const bool odd = k >= evens;
      for (long i = 0; i < per_plane_; ++i) {
        ours[i] = odd;
        plane[i] = rows_[k * per_plane_ + i];
        if (odd)
          plane[i] = sum(along.predict[k - evens], rows_.data() + i, per_plane_, plane[i], 1,
                         make(i), width_of(i % halves_));
      }
      const long z = !split ? k : odd ? along.odds[k - evens] : along.evens[k];
      rows_of(plane, ours, make, between.data(), between.data() + width, out.data(),
              [&](long y, const float* row) { consume(z, y, row); });
    }
  }

 private:
  float*& row(long z, long y, long half) { return rows_[z * per_plane_ + y * halves_ + half]; }
  long width_of(long half) const { return half ? level_.size[0] - level_.low[0] : level_.low[0]; }

  // base + sign * (weighted sum of rows `from`, `stride` pointers apart) to `out`, which may be
  // `base`; null, where all of these are.
  static float* sum(const Taps& taps, float* const* from, long stride, const float* base,
                    float sign, float* out, long width) {
    const float* in[Taps::kMost];
    float weight[Taps::kMost];
    int count = 0;
    for (int j = 0; j < taps.count; ++j)
      if (const float* one = from[(taps.first + j) * stride]) {
        in[count] = one;
        weight[count++] = sign * taps.weight[j];
      }
    if (!count && !base) return nullptr;
    if (count == 4 && !base) {
      const float *a = in[0], *b = in[1], *c = in[2], *d = in[3];
      float* __restrict to = out;
      for (long i = 0; i < width; ++i)
        to[i] = weight[0] * a[i] + weight[1] * b[i] + weight[2] * c[i] + weight[3] * d[i];
      return out;
    }
    if (!base) std::fill_n(out, width, 0.0f);
    else if (base != out) std::copy_n(base, width, out);
    for (int j = 0; j < count; ++j) {
      const float *a = in[j], w = weight[j];
      float* __restrict to = out;
      for (long i = 0; i < width; ++i) to[i] += w * a[i];
    }
    return out;
  }

  static bool any(const Taps& taps, float* const* from, long stride) {
    for (int j = 0; j < taps.count; ++j)
      if (from[(taps.first + j) * stride]) return true;
    return false;
  }

  void undo_update_of_planes() {
    const Lifting& along = level_.lifting[2];
    float* const* high = rows_.data() + along.even * per_plane_;
    for (long k = 0; along.odd && k < along.even; ++k)
      for (long i = 0; i < per_plane_; ++i) {
        const Taps& taps = along.update[k];
        if (!any(taps, high + i, per_plane_)) continue;
        float*& low = rows_[k * per_plane_ + i];
        if (!low) low = details_.add();
        sum(taps, high + i, per_plane_, low, -1, low, width_of(i % halves_));
      }
  }

  // The rows of a plane. plane: averages and details along y; ours: whether these may be
  // overwritten; make(i): room for row i of them.
  template <typename Make, typename Consume>
  void rows_of(std::vector<float*>& plane, std::vector<char>& ours, Make&& make, float* low,
               float* high, float* out, Consume&& consume) {
    const Lifting& along = level_.lifting[1];
    const bool split = level_.mask >> 1 & 1;
    if (split && along.odd)
      for (long k = 0; k < along.even; ++k)
        for (long h = 0; h < halves_; ++h) {
          float* const* of = plane.data() + along.even * halves_ + h;
          if (!any(along.update[k], of, halves_)) continue;
          float*& at = plane[k * halves_ + h];
          float* to = at && ours[k * halves_ + h] ? at : make(k * halves_ + h);
          at = sum(along.update[k], of, halves_, at, -1, to, width_of(h));
          ours[k * halves_ + h] = true;
        }
    const long evens = split ? along.even : level_.size[1];
    float* const room[2] = {low, high};
    for (long k = 0; k < level_.size[1]; ++k) {
      float* part[2] = {};
      for (long h = 0; h < halves_; ++h) {
        part[h] = plane[k * halves_ + h];
        if (k >= evens)
          part[h] = sum(along.predict[k - evens], plane.data() + h, halves_, part[h], 1, room[h],
                        width_of(h));
      }
      const long y = !split ? k : k >= evens ? along.odds[k - evens] : along.evens[k];
      consume(y, line(part, room, out));
    }
  }

  // A row of samples from its averages and details along x; `room` is used.
  const float* line(float* const* part, float* const* room, float* out) const {
    const Lifting& along = level_.lifting[0];
    const float* low = part[0];
    if (halves_ == 1) {
      if (low) return low;
      std::fill_n(out, level_.size[0], 0.0f);
      return out;
    }
    float* high = room[1];
    if (part[1]) {
      if (part[1] != high) std::copy_n(part[1], along.odd, high);
      if (!low) std::fill_n(room[0], along.even, 0.0f);
      else if (low != room[0]) std::copy_n(low, along.even, room[0]);
      join_row(along, room[0], high, out);
      return out;
    }
    if (!low) {
      std::fill_n(out, along.n, 0.0f);
      return out;
    }
    std::fill_n(high, along.odd, 0.0f);
    lift_row(along.predict, along.regular_predict, Lifting::kPredictShift, kPredict, low, high, 1);
    interleave(along, low, high, out);
    return out;
  }

  const Level& level_;
  long halves_, per_plane_;
  std::vector<float*> rows_;  // of coefficients: at z, y, half of x; null where all are zero
  Segments details_;
};

// consume(z, y, row): each row of samples of a block once. places: increasing, in the block's array
// of coefficients.
template <typename Consume>
inline void synthesise_rows(const Bands& bands, const int32_t* places, const float* values,
                            long count, Consume&& consume) {
  const std::size_t levels = bands.levels.size();
  std::vector<std::vector<Entry>> details(levels);
  const Size3& coarsest = bands.coarsest;
  std::vector<float> low(static_cast<std::size_t>(coarsest[0] * coarsest[1] * coarsest[2]), 0.0f);
  const auto nx = static_cast<uint32_t>(bands.shape[0]), ny = static_cast<uint32_t>(bands.shape[1]);
  for (long i = 0; i < count; ++i) {
    const auto at = static_cast<uint32_t>(places[i]), line = at / nx;
    const Entry e{static_cast<int32_t>(at - line * nx), static_cast<int32_t>(line % ny),
                  static_cast<int32_t>(line / ny), values[i]};
    std::size_t j = 0;
    const auto in_low = [&](const Level& level) {
      return e.x < level.low[0] && e.y < level.low[1] && e.z < level.low[2];
    };
    while (j < levels && in_low(bands.levels[j])) ++j;
    if (j < levels) details[j].push_back(e);
    else low[e.x + coarsest[0] * (e.y + coarsest[1] * e.z)] = e.value;
  }
  for (std::size_t j = levels; j-- > 1;) {
    const Size3& size = bands.levels[j].size;
    std::vector<float> finer(static_cast<std::size_t>(size[0] * size[1] * size[2]));
    LevelJoin(bands.levels[j], low.data(), details[j]).run([&](long z, long y, const float* row) {
      std::copy_n(row, size[0], finer.data() + size[0] * (y + size[1] * z));
    });
    low = std::move(finer);
  }
  if (levels) {
    LevelJoin(bands.levels[0], low.data(), details[0]).run(consume);
    return;
  }
  for (long z = 0; z < coarsest[2]; ++z)
    for (long y = 0; y < coarsest[1]; ++y)
      consume(z, y, low.data() + coarsest[0] * (y + coarsest[1] * z));
}

}  // namespace insitu::sparse
