// Reading a sparse grid at points, without decoding the block.
//
// In: coefficients that are not zero, and where they are. Out: the trilinear function between the
// block's samples, exactly what decoding and interpolating would give.
//
// On opening, the levels up to a middle one are summed: its averages are a dense, small array. What
// the finer levels add is zero nearly everywhere; where it is not, it is kept as bricks of 4^3
// intervals. The middle level is the one that takes fewest bytes. A sample is a product of at most
// six averages along each axis (the refinement of Deslauriers and Dubuc), so is any point between
// two samples, with interpolated weights.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "sparse_lifting.hpp"

namespace insitu::sparse {

constexpr int kLanes8 = 8;
// In structures, since template arguments lose their attributes, and with them their alignment.
struct Row {
  typedef float type __attribute__((vector_size(32), aligned(4), may_alias));
};
struct Quad {
  typedef float type __attribute__((vector_size(16), aligned(4), may_alias));
};

// Between samples i and i + 1 of an axis: their weights on `width` averages of the middle level.
struct Interval {
  long first;
  float at[kLanes8], next[kLanes8];
};

// One axis of a block: from unit coordinates to averages of the middle level.
class ReadAxis {
 public:
  long samples, averages;
  int width = 1;
  std::vector<Interval> intervals;

  // finer: the liftings of the axis below the middle level, fine to coarse.
  ReadAxis(long samples_, const std::vector<const Lifting*>& finer, bool vertex, const Line& line)
      : samples(samples_), averages(finer.empty() ? samples_ : finer.back()->even) {
    low_ = line.keep_low && !vertex;
    cells_ = static_cast<float>(vertex ? samples - 1 : samples - low_ - line.keep_high);
    first_ = vertex ? 0.0f : 0.5f;
    high_ = line.keep_high && !vertex;
    std::vector<std::array<float, kMost>> weights(static_cast<std::size_t>(samples));
    std::vector<long> begins(static_cast<std::size_t>(samples));
    for (long i = 0; i < samples; ++i) begins[i] = weigh(finer, i, weights[i]);
    std::vector<std::array<long, 2>> reach;
    for (long i = 0; i < std::max<long>(samples - 1, 1); ++i) {
      long low = averages, high = 0;
      for (long s = i; s <= std::min(i + 1, samples - 1); ++s)
        for (long j = 0; j < kMost; ++j)
          if (weights[s][j] != 0.0f) {
            low = std::min(low, begins[s] + j);
            high = std::max(high, begins[s] + j + 1);
          }
      reach.push_back({low, high});
      width = std::max(width, static_cast<int>(high - low));
    }
    if (width > kLanes8) throw std::logic_error("sparse grid: a sample of too many averages");
    width = static_cast<int>(std::min<long>(width <= 4 ? 4 : width <= 6 ? 6 : 8, averages));
    for (long i = 0; i < static_cast<long>(reach.size()); ++i) {
      Interval interval{std::clamp<long>(reach[i][0], 0, averages - width), {}, {}};
      for (int j = 0; j < width; ++j) {
        const long average = interval.first + j;
        const auto weight = [&](long s) {
          const long at = average - begins[s];
          return at >= 0 && at < kMost ? weights[s][at] : 0.0f;
        };
        interval.at[j] = weight(i);
        interval.next[j] = weight(std::min(i + 1, samples - 1));
      }
      intervals.push_back(interval);
    }
  }

  // Intervals of n unit coordinates, three numbers apart, and the places in them, 0..1.
  void locate(const float* u, long n, int32_t* interval, float* t) const {
    const float shift = (low_ ? 1.0f : 0.0f) - first_, top = static_cast<float>(samples - 1);
    const float near = low_ ? 0.5f : -1.0f, far = high_ ? cells_ - 0.5f : 2.0f * cells_ + 1.0f;
    const auto last = static_cast<int32_t>(std::max<long>(samples - 2, 0));
    for (long k = 0; k < n; ++k) {  // without branches, so that it is vectorised
      const float place = u[3 * k] * cells_;
      float inside = place + shift;
      inside = place < near ? 2 * place : place > far ? inside + (place - far) : inside;
      inside = inside > 0.0f ? inside : 0.0f;
      inside = inside < top ? inside : top;
      const auto whole = static_cast<int32_t>(inside);
      interval[k] = whole < last ? whole : last;
      t[k] = inside - static_cast<float>(interval[k]);
    }
  }

  // Interval of a unit coordinate, and the place in it, 0..1; slope: by the coordinate.
  long locate(float u, float& t, float& slope) const {
    const float place = u * cells_;
    float inside = place - first_ + (low_ ? 1.0f : 0.0f);  // where samples are one cell apart
    slope = cells_;
    if (low_ && place < 0.5f) {  // to the face, half a cell
      inside = 2 * place;
      slope = 2 * cells_;
    } else if (high_ && place > cells_ - 0.5f) {
      inside += place - (cells_ - 0.5f);
      slope = 2 * cells_;
    }
    const float within = std::clamp(inside, 0.0f, static_cast<float>(samples - 1));
    if (within != inside) slope = 0.0f;
    const long i = std::clamp<long>(static_cast<long>(within), 0, std::max<long>(samples - 2, 0));
    t = within - static_cast<float>(i);
    return i;
  }

 private:
  static constexpr long kMost = 16;  // averages that reach a sample, 9 at most
  bool low_ = false, high_ = false;  // whether there is a sample on the face
  float cells_ = 1.0f, first_ = 0.0f;

  // weight[j]: what average begin + j of the middle level adds to a sample; returns begin. Few
  // averages reach one, so time and memory grow with the axis, not with its square.
  static long weigh(const std::vector<const Lifting*>& finer, long sample,
                    std::array<float, kMost>& weight) {
    weight = {1.0f};
    long begin = sample;
    for (const Lifting* lifting : finer) {
      std::array<float, kMost> coarser{};
      long lowest = lifting->even;
      const auto each = [&](auto&& add) {
        for (long i = 0; i < kMost; ++i) {
          if (weight[i] == 0.0f) continue;
          const int at = static_cast<int>(begin + i);
          const auto& evens = lifting->evens;
          const auto k = std::lower_bound(evens.begin(), evens.end(), at) - evens.begin();
          if (k < lifting->even && evens[k] == at) {
            add(k, weight[i]);
            continue;
          }
          const Taps& taps = lifting->predict[at - k];  // as many details as not averages
          for (long j = 0; j < taps.count; ++j)
            if (taps.weight[j] != 0.0f) add(taps.first + j, weight[i] * taps.weight[j]);
        }
      };
      each([&](long k, float) { lowest = std::min(lowest, k); });
      each([&](long k, float w) { coarser.at(k - lowest) += w; });
      weight = coarser;
      begin = lowest;
    }
    return begin;
  }
};

class Reader {
 public:
  // indices: of coefficients in the arrays of all components, one after the other, increasing.
  Reader(const Bands& bands, bool vertex, int ends, int components, const int32_t* indices,
         const float* values, long count)
      : components_(components), middle_(choose(bands, components, indices, count)) {
    for (int a = 0; a < 3; ++a) {
      std::vector<const Lifting*> finer;
      for (std::size_t j = 0; j < middle_; ++j)
        if (bands.levels[j].mask >> a & 1) finer.push_back(&bands.levels[j].lifting[a]);
      axes_.emplace_back(bands.shape[a], finer, vertex, Line::of(bands.shape[a], ends, a));
    }
    for (int a = 0; a < 3; ++a) bricks_[a] = (axes_[a].samples + kSide - 1) / kSide;
    dense_size_ = axes_[0].averages * axes_[1].averages * axes_[2].averages;
    dense_.assign(static_cast<std::size_t>(components_ * dense_size_ + kLanes8), 0.0f);
    if (middle_) directory_.assign(static_cast<std::size_t>(components_ * brick_count()), -1);
    std::vector<float> whole(static_cast<std::size_t>(bands.count()));
    for (long i = 0, c = 0; c < components_; ++c) {
      std::fill(whole.begin(), whole.end(), 0.0f);
      const long base = c * bands.count();
      for (; i < count && indices[i] < base + bands.count(); ++i)
        whole[indices[i] - base] = values[i];
      open(bands, c, whole);
    }
  }

  int components() const { return components_; }
  std::size_t nbytes() const { return 4 * (dense_.size() + directory_.size() + samples_.size()); }

  // Values at n points (n, 3); out: (n, components). In groups: first where they lie, then what the
  // middle level gives, then the bricks, which are on their way from memory by then and of which
  // nobody knows beforehand which points have one.
  void values(const float* points, long n, float* out) const {
    for (long begin = 0; begin < n; begin += kGroup)
      group(points + 3 * begin, std::min(kGroup, n - begin), out + begin * components_);
  }

  // out: (components); slopes, if not null: (components, 3) by x, y, z.
  void at(const float* point, float* out, float* slopes) const {
    float t[3], slope[3];
    const Interval* in[3];
    long i[3];
    for (int a = 0; a < 3; ++a) {
      i[a] = axes_[a].locate(point[a], t[a], slope[a]);
      in[a] = &axes_[a].intervals[i[a]];
    }
    for (int c = 0; c < components_; ++c) {
      out[c] = value(c, in, i, t);
      if (!slopes) continue;
      // Linear in t along each axis: the difference over the interval.
      for (int a = 0; a < 3; ++a) {
        const float kept = t[a];
        t[a] = 1.0f;
        const float high = value(c, in, i, t);
        t[a] = 0.0f;
        const float low = value(c, in, i, t);
        t[a] = kept;
        slopes[3 * c + a] = axes_[a].samples > 1 ? (high - low) * slope[a] : 0.0f;
      }
    }
  }

  // Values at the points of rows zy.begin .. zy.end - 1 of a grid, numbered along y, then z.
  // out: (rows, nx, components).
  void grid(const float* xs, long nx, const float* ys, long ny, const float* zs, long begin,
            long end, float* out) const {
    const long row = axes_[0].averages, plane = row * axes_[1].averages;
    std::vector<Cell> along(static_cast<std::size_t>(nx));
    for (long x = 0; x < nx; ++x) along[x] = cell(axes_[0], xs[x]);
    std::vector<float> layer(static_cast<std::size_t>(plane)), line(row + kLanes8, 0.0f);
    for (int c = 0; c < components_; ++c) {
      long last_z = -1;
      for (long n = begin; n < end; ++n) {
        const Cell y = cell(axes_[1], ys[n % ny]), z = cell(axes_[2], zs[n / ny]);
        if (n / ny != last_z) {
          last_z = n / ny;
          mix(dense_.data() + c * dense_size_, plane, z, axes_[2].width, plane, layer.data());
        }
        mix(layer.data(), row, y, axes_[1].width, row, line.data());
        float* to = out + (n - begin) * nx * components_ + c;
        for (long x = 0; x < nx; ++x) {
          const float* from = line.data() + along[x].first;
          float sum = 0.0f;
          for (int j = 0; j < axes_[0].width; ++j) sum += along[x].weight[j] * from[j];
          to[x * components_] = sum;
        }
        if (middle_) add_bricks(c, along, y, z, to);
      }
    }
  }

 private:
  static constexpr long kGroup = 64;        // points
  static constexpr double kMore = 1.25;     // bytes for a faster middle level
  static constexpr long kSide = 4;          // cells of a brick along an axis
  static constexpr long kEdge = kSide + 1;  // samples
  static constexpr long kVolume = kEdge * kEdge * kEdge;

  struct Cell {  // of a coordinate: weights on averages, and the interval between samples
    long first, interval;
    float t, weight[kLanes8];
  };

  static Cell cell(const ReadAxis& axis, float u) {
    Cell cell{};
    float slope;
    cell.interval = axis.locate(u, cell.t, slope);
    const Interval& in = axis.intervals[cell.interval];
    cell.first = in.first;
    for (int j = 0; j < kLanes8; ++j) cell.weight[j] = in.at[j] + cell.t * (in.next[j] - in.at[j]);
    return cell;
  }

  static void mix(const float* from, long stride, const Cell& cell, int width, long count,
                  float* to) {
    std::fill_n(to, count, 0.0f);
    for (int j = 0; j < width; ++j) {
      const float w = cell.weight[j];
      if (w == 0.0f) continue;
      const float* in = from + (cell.first + j) * stride;
      for (long i = 0; i < count; ++i) to[i] += w * in[i];
    }
  }

  long brick_count() const { return bricks_[0] * bricks_[1] * bricks_[2]; }

  const float* brick(long c, long x, long y, long z) const {
    const int32_t at = directory_[c * brick_count() + x + bricks_[0] * (y + bricks_[1] * z)];
    return at < 0 ? nullptr : samples_.data() + at * kVolume;
  }

  static float trilinear(const float* b, long x, long y, long z, float tx, float ty, float tz) {
    const float* p = b + x + kEdge * (y + kEdge * z);
    const auto line = [&](const float* q) {
      return q[0] + tx * (q[1] - q[0]);
    };
    const auto face = [&](const float* q) {
      const float low = line(q);
      return low + ty * (line(q + kEdge) - low);
    };
    const float low = face(p);
    return low + tz * (face(p + kEdge * kEdge) - low);
  }

  void group(const float* points, long n, float* out) const {
    int32_t i[3][kGroup];
    float t[3][kGroup];
    for (int a = 0; a < 3; ++a) axes_[a].locate(points + a, n, i[a], t[a]);
    const float* bricks[kGroup];
    int32_t with[kGroup];
    for (int c = 0; c < components_; ++c) {
      int count = 0;
      for (long p = 0; middle_ && p < n; ++p) {
        const float* b = brick(c, i[0][p] / kSide, i[1][p] / kSide, i[2][p] / kSide);
        bricks[p] = b ? b + i[0][p] % kSide + kEdge * (i[1][p] % kSide + kEdge * (i[2][p] % kSide))
                      : nullptr;
        __builtin_prefetch(bricks[p]);
        with[count] = static_cast<int32_t>(p);
        count += b != nullptr;
      }
      for (long p = 0; p < n; ++p) {
        const Interval* const in[3] = {&axes_[0].intervals[i[0][p]], &axes_[1].intervals[i[1][p]],
                                       &axes_[2].intervals[i[2][p]]};
        const float at[3] = {t[0][p], t[1][p], t[2][p]};
        out[p * components_ + c] = middle(c, in, at);
      }
      for (int k = 0; k < count; ++k) {
        const int32_t p = with[k];
        out[p * components_ + c] += trilinear(bricks[p], 0, 0, 0, t[0][p], t[1][p], t[2][p]);
      }
    }
  }

  // What the middle level adds.
  float middle(int c, const Interval* const* in, const float* t) const {
    const int wx = axes_[0].width, wy = axes_[1].width, wz = axes_[2].width;
    if (wx == 4 && wy == 4 && wz == 4) return dense<Quad, 4>(c, in, t, 4, 4);
    if (wx <= 8 && wy == 6 && wz == 6) return dense<Row, 6>(c, in, t, 6, 6);
    return dense<Row, 0>(c, in, t, wy, wz);
  }

  float value(int c, const Interval* const* in, const long* i, const float* t) const {
    float total = middle(c, in, t);
    if (middle_) {
      const float* b = brick(c, i[0] / kSide, i[1] / kSide, i[2] / kSide);
      if (b) total += trilinear(b, i[0] % kSide, i[1] % kSide, i[2] % kSide, t[0], t[1], t[2]);
    }
    return total;
  }

  // The same. Vector: as many averages along x as it has; Width: of y and z,
  // 0 where it is not known before.
  template <typename Vector, int Width>
  float dense(int c, const Interval* const* in, const float* t, int width_y, int width_z) const {
    using Lanes = typename Vector::type;
    if (Width) width_y = width_z = Width;
    const long row = axes_[0].averages, plane = row * axes_[1].averages;
    const float* from =
        dense_.data() + c * dense_size_ + in[0]->first + row * in[1]->first + plane * in[2]->first;
    const auto weights = [&](int a) {
      const Lanes at = *reinterpret_cast<const Lanes*>(in[a]->at),
                  next = *reinterpret_cast<const Lanes*>(in[a]->next);
      return at + t[a] * (next - at);
    };
    const Lanes wy = weights(1), wz = weights(2), wx = weights(0);
    Lanes sum{};
    for (int k = 0; k < width_z; ++k) {
      Lanes part{};
      for (int j = 0; j < width_y; ++j)
        part += wy[j] * *reinterpret_cast<const Lanes*>(from + k * plane + j * row);
      sum += wz[k] * part;
    }
    sum *= wx;
    float total = 0.0f;
    for (std::size_t j = 0; j < sizeof(Lanes) / sizeof(float); ++j) total += sum[j];
    return total;
  }

  void add_bricks(int c, const std::vector<Cell>& along, const Cell& y, const Cell& z,
                  float* to) const {
    long known = -1;
    const float* b = nullptr;
    for (std::size_t x = 0; x < along.size(); ++x) {
      const long i = along[x].interval;
      if (i / kSide != known) {
        known = i / kSide;
        b = brick(c, known, y.interval / kSide, z.interval / kSide);
      }
      if (b)
        to[static_cast<long>(x) * components_] +=
            trilinear(b, i % kSide, y.interval % kSide, z.interval % kSide, along[x].t, y.t, z.t);
    }
  }

  // Sums the levels of one component; whole: its coefficients, which are overwritten.
  void open(const Bands& bands, long c, std::vector<float>& whole) {
    synthesise(whole.data(), bands, middle_);
    const Size3 low{axes_[0].averages, axes_[1].averages, axes_[2].averages};
    float* dense = dense_.data() + c * dense_size_;
    bool finer = false;
    for (long z = 0; z < low[2]; ++z)
      for (long y = 0; y < low[1]; ++y) {
        float* from = whole.data() + bands.index(0, y, z);
        std::copy_n(from, low[0], dense + low[0] * (y + low[1] * z));
        std::fill_n(from, low[0], 0.0f);
      }
    if (!middle_) return;
    for (const float v : whole) finer |= v != 0.0f;
    if (!finer) return;
    // The averages are replaced by zero: what is left are the samples that finer levels add.
    for (std::size_t j = middle_; j-- > 0;) join(whole.data(), bands.shape, bands.levels[j]);
    for (long z = 0; z < bricks_[2]; ++z)
      for (long y = 0; y < bricks_[1]; ++y)
        for (long x = 0; x < bricks_[0]; ++x) keep_brick(bands, c, whole, x, y, z);
  }

  void keep_brick(const Bands& bands, long c, const std::vector<float>& whole, long x, long y,
                  long z) {
    float samples[kVolume];
    bool any = false;
    for (long k = 0; k < kEdge; ++k)
      for (long j = 0; j < kEdge; ++j)
        for (long i = 0; i < kEdge; ++i) {
          const float v = whole[bands.index(std::min(x * kSide + i, bands.shape[0] - 1),
                                            std::min(y * kSide + j, bands.shape[1] - 1),
                                            std::min(z * kSide + k, bands.shape[2] - 1))];
          samples[i + kEdge * (j + kEdge * k)] = v;
          any |= v != 0.0f;
        }
    if (!any) return;
    directory_[c * brick_count() + x + bricks_[0] * (y + bricks_[1] * z)] =
        static_cast<int32_t>(samples_.size() / kVolume);
    samples_.insert(samples_.end(), samples, samples + kVolume);
  }

  // Sets all bytes that are at most `reach` from one that is set, along an axis of n bytes that are
  // `stride` apart.
  static void widen(std::vector<uint8_t>& set, long n, long stride, long reach) {
    std::vector<uint8_t> line(static_cast<std::size_t>(n));
    for (long i = 0; i < static_cast<long>(set.size()); ++i) {
      if (i / stride % n) continue;
      uint8_t* from = set.data() + i;
      for (long k = 0; k < n; ++k) line[k] = from[k * stride];
      long last = -1 - reach;  // that was set
      for (long k = 0; k < n; ++k) {
        if (line[k]) last = k;
        from[k * stride] = k - last <= reach;
      }
      last = n + reach;
      for (long k = n; k-- > 0;) {
        if (line[k]) last = k;
        from[k * stride] |= last - k <= reach;
      }
    }
  }

  // The finest middle level, which is the fastest, with not many more bytes than the fewest; bricks
  // are counted by the boxes that coefficients reach.
  static std::size_t choose(const Bands& bands, int components, const int32_t* indices,
                            long count) {
    const long n = bands.count();
    std::vector<long> needed{n * components};  // floats, by the middle level
    Size3 side{};
    for (int a = 0; a < 3; ++a) side[a] = (bands.shape[a] + kSide - 1) / kSide;
    std::vector<uint8_t> marked(static_cast<std::size_t>(side[0] * side[1] * side[2] * components));
    Size3 steps{};
    for (std::size_t j = 0; j < bands.levels.size() && j < 4; ++j) {
      const Level& level = bands.levels[j];
      for (int a = 0; a < 3; ++a) steps[a] += level.mask >> a & 1;
      std::vector<uint8_t> reached(marked.size());
      for (long i = 0; i < count; ++i) {
        const long within = indices[i] % n;
        const Size3 p{within % bands.shape[0], within / bands.shape[0] % bands.shape[1],
                      within / (bands.shape[0] * bands.shape[1])};
        bool here = true, detail = false;
        Size3 at{};
        for (int a = 0; a < 3; ++a) {
          here &= p[a] < level.size[a];
          const bool high = (level.mask >> a & 1) && p[a] >= level.low[a];
          detail |= high;
          at[a] = std::min(((high ? p[a] - level.low[a] : p[a]) << steps[a]) / kSide, side[a] - 1);
        }
        if (here && detail)
          reached[at[0] + side[0] * (at[1] + side[1] * (at[2] + indices[i] / n * side[2]))] = 1;
      }
      // A coefficient reaches four of its level's intervals.
      widen(reached, side[0], 1, 1L << steps[0]);
      widen(reached, side[1], side[0], 1L << steps[1]);
      widen(reached, side[2], side[0] * side[1], 1L << steps[2]);
      long bricks = 0;
      for (std::size_t i = 0; i < marked.size(); ++i) bricks += marked[i] |= reached[i];
      const long floats = components * (level.low[0] * level.low[1] * level.low[2]) +
                          static_cast<long>(marked.size()) + bricks * kVolume / 3;
      needed.push_back(floats);
    }
    const double most =
        kMore * static_cast<double>(*std::min_element(needed.begin(), needed.end()));
    std::size_t best = 0;
    while (static_cast<double>(needed[best]) > most) ++best;
    return best;
  }

  int components_;
  std::size_t middle_;
  std::vector<ReadAxis> axes_;
  Size3 bricks_{};
  long dense_size_ = 0;
  std::vector<float> dense_, samples_;
  std::vector<int32_t> directory_;
};

}  // namespace insitu::sparse
