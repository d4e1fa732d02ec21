// Samples along one axis of a sparse grid: which are averaged, which predicted, and from what; the
// equations are in insitu/models/sparse_grid/lifting.py.
//
// In: where samples lie, and whether the first and the last one are kept: shared with a neighbor,
// and never updated. Out: weights of both lifting steps, the line of the next level.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace insitu::sparse {

// Bits of a block's ends: 2 a for the low and 2 a + 1 for the high end of axis a (x, y, z) that are
// kept; kHalf: what is kept lies half a cell beyond the next sample.
constexpr int kHalfCells = 64;

// A weighted sum of consecutive elements of the other kind (even or odd) along an axis.
struct Taps {
  static constexpr int kMost = 8;
  int first = 0, count = 0;
  float weight[kMost] = {};
};

struct Line {
  std::vector<double> places;
  bool keep_low = false, keep_high = false;

  static Line of(long n, int ends, int axis) {
    Line line{std::vector<double>(static_cast<std::size_t>(n)), (ends >> 2 * axis & 1) != 0,
              (ends >> (2 * axis + 1) & 1) != 0};
    const bool half = ends & kHalfCells;
    double place = 0.0;
    for (long i = 0; i < n; ++i) {
      const bool first = i == 1 && line.keep_low, last = i == n - 1 && line.keep_high;
      if (i > 0) place += half && (first || last) ? 0.5 : 1.0;
      line.places[i] = place;
    }
    return line;
  }

  long size() const { return static_cast<long>(places.size()); }
  bool kept() const { return keep_low || keep_high; }
  // Whether the kept ends can both be averages.
  bool splits() const { return size() > (keep_low && keep_high ? 2 : 1); }
};

// One level of one axis.
struct Lifting {
  long n, even, odd;
  std::vector<int> evens, odds;  // samples that become averages, details
  std::vector<Taps> predict, update;

  // begin .. end - 1 of a step's taps: (-1, 9, 9, -1) `unit` on four that begin at k + shift.
  struct Regular {
    long begin = 0, end = 0;
  };
  static constexpr int kPredictShift = -1, kUpdateShift = -2;
  Regular regular_predict, regular_update;

  explicit Lifting(const Line& line)
      : n(line.size()), even((n + 1) / 2), odd(n / 2), evens(even), odds(odd) {
    for (int k = 0; k < even; ++k) evens[k] = 2 * k;
    for (int k = 0; k < odd; ++k) odds[k] = 2 * k + 1;
    if (line.keep_high && n % 2 == 0) {  // the last two before the end are both predicted
      evens.back() = static_cast<int>(n - 1);
      odds.back() = static_cast<int>(n - 2);
    }
    if (odd == 0) return;
    weigh(line);
    regular_predict = regular(predict, kPredictShift, 1.0f / 16);
    regular_update = regular(update, kUpdateShift, 1.0f / 32);
  }

  Line coarser(const Line& line) const {
    Line out{{}, line.keep_low, line.keep_high};
    for (int i : evens) out.places.push_back(line.places[i]);
    return out;
  }

 private:
  static constexpr double kWeights[4] = {-1, 9, 9, -1};

  void weigh(const Line& line) {
    if (line.kept()) {
      for (int i : odds) predict.push_back(beside_kept(line, i));
      transpose(line);
    } else {
      for (long k = 0; k < odd; ++k) predict.push_back(mirrored(2 * k + 1, even, 1.0 / 16));
      for (long k = 0; k < even; ++k) update.push_back(mirrored(2 * k, odd, 1.0 / 32));
    }
  }

  // Where the taps are those of the middle of a regular line, which need no tables.
  static Regular regular(const std::vector<Taps>& taps, int shift, float unit) {
    const auto same = [&](long k) {
      const Taps& t = taps[k];
      if (t.count != 4 || t.first != k + shift) return false;
      for (int i = 0; i < 4; ++i)
        if (t.weight[i] != unit * static_cast<float>(kWeights[i])) return false;
      return true;
    };
    const auto n = static_cast<long>(taps.size());
    Regular found{n / 2, n / 2};
    while (found.begin > 0 && same(found.begin - 1)) --found.begin;
    while (found.end < n && same(found.end)) ++found.end;
    return found;
  }

  // (-1, 9, 9, -1) times `unit` on the samples at -3, -1, 1, 3 from `place`, which are `available`
  // of the other kind; beyond the ends, samples are mirrored.
  Taps mirrored(long place, long available, double unit) const {
    Taps out;
    out.first =
        static_cast<int>(std::clamp<long>((place - 3) / 2, 0, std::max<long>(available - 4, 0)));
    out.count = static_cast<int>(std::min<long>(4, available - out.first));
    for (int i = 0; i < 4; ++i) {
      long at = place + 2 * i - 3;
      while (at < 0 || at >= n) at = at < 0 ? -at : 2 * (n - 1) - at;
      out.weight[at / 2 - out.first] += static_cast<float>(unit * kWeights[i]);
    }
    return out;
  }

  // The same weights where samples are regular; else the polynomial through the averages next to
  // sample i, two on either side as far as there are.
  Taps beside_kept(const Line& line, int i) const {
    const auto& p = line.places;
    const auto right = std::lower_bound(evens.begin(), evens.end(), i) - evens.begin();
    Taps out;
    out.first = static_cast<int>(std::max<long>(right - 2, 0));
    out.count = static_cast<int>(std::min<long>(right + 2, even) - out.first);
    if (regular(line, i)) {
      for (int k = 0; k < 4; ++k) {
        long at = i + 2 * k - 3;
        at = at < 0 ? -at : at >= n ? 2 * (n - 1) - at : at;
        const auto found = std::lower_bound(evens.begin(), evens.end(), at) - evens.begin();
        out.weight[found - out.first] += static_cast<float>(kWeights[k] / 16);
      }
      return out;
    }
    for (int j = 0; j < out.count; ++j) {
      double weight = 1.0;
      for (int k = 0; k < out.count; ++k)
        if (k != j)
          weight *= (p[i] - p[evens[out.first + k]]) /
                    (p[evens[out.first + j]] - p[evens[out.first + k]]);
      out.weight[j] = static_cast<float>(weight);
    }
    return out;
  }

  // Whether averages lie at -3, -1, 1, 3 from sample i at equal distances, mirrored at ends that
  // are not kept.
  bool regular(const Line& line, int i) const {
    const auto& p = line.places;
    double unit = 0.0;
    for (int k = 0; k < 4; ++k) {
      const int offset = 2 * k - 3;
      long at = i + offset;
      double place;
      if (at < 0) {
        at = -at;
        if (line.keep_low || at >= n) return false;
        place = 2 * p[0] - p[at];
      } else if (at >= n) {
        at = 2 * (n - 1) - at;
        if (line.keep_high || at < 0) return false;
        place = 2 * p[n - 1] - p[at];
      } else {
        place = p[at];
      }
      if (!std::binary_search(evens.begin(), evens.end(), static_cast<int>(at))) return false;
      const double distance = (place - p[i]) / offset;
      if (k == 0) unit = distance;
      if (std::fabs(distance - unit) > 1e-9 * unit) return false;
    }
    return true;
  }

  // Half the transpose of `predict`: details are added to the averages that predict them, so that
  // no detail changes a sum. What is kept gets none.
  void transpose(const Line& line) {
    update.resize(static_cast<std::size_t>(even));
    for (int k = 0; k < odd; ++k)
      for (int j = 0; j < predict[k].count; ++j) {
        const float weight = predict[k].weight[j];
        Taps& taps = update[predict[k].first + j];
        if (weight == 0.0f) continue;
        if (taps.count == 0) taps.first = k;
        taps.count = k - taps.first + 1;
        taps.weight[k - taps.first] = weight / 2;
      }
    if (line.keep_low) update.front() = {};
    if (line.keep_high) update.back() = {};
  }
};

}  // namespace insitu::sparse
