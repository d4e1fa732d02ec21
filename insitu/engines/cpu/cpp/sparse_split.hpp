// From samples to bands: the transform of sparse_lifting.hpp forward, a level in one pass over
// memory.
//
// In: rows of samples, as they are or made on the fly. Out: averages and details as laid out by
// `Bands`. A row is split along x where it is read; rows of a plane, then planes, are lifted as
// soon as those that they need are there, while they are still in the cache.
#pragma once

#include <algorithm>
#include <vector>

#include "sparse_lifting.hpp"

namespace insitu::sparse {

// One axis of a level: where a sample goes, and which lifting steps have become possible.
class LiftingOrder {
 public:
  LiftingOrder(const Lifting& lifting, bool split) : lifting_(lifting), split_(split) {
    place_.resize(static_cast<std::size_t>(split ? lifting.n : 0));
    if (!split) return;
    const long even = lifting.even, odd = lifting.odd;
    for (long k = 0; k < even; ++k) place_[lifting.evens[k]] = k;
    for (long k = 0; k < odd; ++k) place_[lifting.odds[k]] = even + k;
    needed_.resize(static_cast<std::size_t>(odd));
    last_.assign(static_cast<std::size_t>(even), -1);
    for (long k = 0; k < odd; ++k) {
      const Taps& taps = lifting.predict[k];
      needed_[k] = lifting.odds[k];
      for (long j = taps.first; j < taps.first + taps.count; ++j) {
        needed_[k] = std::max<long>(needed_[k], lifting.evens[j]);
        last_[j] = k;
      }
    }
    for (long k = 0; odd && k < even; ++k) {
      const Taps& taps = lifting.update[k];
      last_[k] = std::max<long>(last_[k], taps.count ? taps.first + taps.count - 1 : -1);
    }
  }

  long place(long sample) const { return split_ ? place_[sample] : sample; }

  void start() { predicted_ = updated_ = 0; }

  // predict(k), update(k): what became possible with this sample, in order.
  template <typename Predict, typename Update>
  void arrived(long sample, Predict&& predict, Update&& update) {
    if (!split_) return;
    for (; predicted_ < lifting_.odd && needed_[predicted_] <= sample; ++predicted_)
      predict(predicted_);
    const bool all = sample + 1 == lifting_.n;
    for (; updated_ < lifting_.even && lifting_.odd; ++updated_) {
      if (!all && (last_[updated_] >= predicted_ || lifting_.evens[updated_] > sample)) break;
      update(updated_);
    }
  }

 private:
  const Lifting& lifting_;
  bool split_;
  std::vector<long> place_;   // of a sample among averages and details
  std::vector<long> needed_;  // last sample that detail k needs
  std::vector<long> last_;    // last detail that average k is needed for, or needs
  long predicted_ = 0, updated_ = 0;
};

// load(z, y, to): writes a row of samples of the level's box.
template <typename Load>
inline void split_level(const Level& level, Load&& load, float* to, const Size3& shape) {
  const Size3& size = level.size;
  const long row = shape[0], plane = shape[0] * shape[1];
  LiftingOrder ys(level.lifting[1], level.mask >> 1 & 1), zs(level.lifting[2], level.mask >> 2 & 1);
  const Lifting& along = level.lifting[0];
  const bool split_x = level.mask & 1;
  std::vector<float> samples(static_cast<std::size_t>(size[0]));
  const auto lift_rows = [&](const Taps& taps, long from, long at, float sign, float* of) {
    lift_one(taps, of + from * row, of + at * row, sign, size[0], row);
  };
  const bool whole = size[0] == shape[0];  // rows of a plane follow each other
  const auto lift_planes = [&](const Taps& taps, long from, long at, float sign) {
    const long lines = whole ? 1 : size[1], width = whole ? size[0] * size[1] : size[0];
    for (long y = 0; y < lines; ++y)
      lift_one(taps, to + from * plane + y * row, to + at * plane + y * row, sign, width, plane);
  };
  zs.start();
  for (long z = 0; z < size[2]; ++z) {
    float* here = to + zs.place(z) * plane;
    ys.start();
    for (long y = 0; y < size[1]; ++y) {
      float* out = here + ys.place(y) * row;
      if (split_x) {
        load(z, y, samples.data());
        split_row(along, samples.data(), out);
      } else {
        load(z, y, out);
      }
      const Lifting& rows = level.lifting[1];
      ys.arrived(
          y, [&](long k) { lift_rows(rows.predict[k], 0, rows.even + k, -1, here); },
          [&](long k) { lift_rows(rows.update[k], rows.even, k, 1, here); });
    }
    const Lifting& planes = level.lifting[2];
    zs.arrived(
        z, [&](long k) { lift_planes(planes.predict[k], 0, planes.even + k, -1); },
        [&](long k) { lift_planes(planes.update[k], planes.even, k, 1); });
  }
}

// load(z, y, to): writes a row of samples of the block. out: an array of its shape.
template <typename Load>
inline void analyse(const Bands& bands, Load&& load, float* out) {
  const Size3& shape = bands.shape;
  const auto copy = [&](const Size3& size, auto&& from) {
    for (long z = 0; z < size[2]; ++z)
      for (long y = 0; y < size[1]; ++y) from(z, y);
  };
  if (bands.levels.empty()) {
    copy(shape, [&](long z, long y) { load(z, y, out + bands.index(0, y, z)); });
    return;
  }
  split_level(bands.levels[0], load, out, shape);
  std::vector<float> averages;
  for (std::size_t j = 1; j < bands.levels.size(); ++j) {
    const Size3& size = bands.levels[j].size;
    averages.resize(static_cast<std::size_t>(size[0] * size[1] * size[2]));
    copy(size, [&](long z, long y) {
      std::copy_n(out + bands.index(0, y, z), size[0],
                  averages.data() + size[0] * (y + size[1] * z));
    });
    split_level(
        bands.levels[j],
        [&](long z, long y, float* to) {
          std::copy_n(averages.data() + size[0] * (y + size[1] * z), size[0], to);
        },
        out, shape);
  }
}

}  // namespace insitu::sparse
