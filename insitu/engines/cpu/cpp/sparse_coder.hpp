// Entropy coding of a sparse grid's rounded coefficients, in integers only.
//
// In: coefficients (an array laid out by `Bands`), and up to two arrays that resemble them: the
// step before, and another component. Out: decisions for an `Encoder`, or from a `Decoder`. The
// reference is insitu/models/sparse_grid/coder.py, which explains the contexts.
//
// Levels go from coarse to fine. At each, an octree over the positions says where some band has a
// coefficient that is not zero; there each band's zero flag, sign, exponent and mantissa follow.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#include "sparse_bands.hpp"
#include "sparse_mixing.hpp"

namespace insitu::sparse {

inline int bit_length(uint32_t v) { return v ? 32 - __builtin_clz(v) : 0; }

// Coarse (0..7) and fine (0..15) logarithmic classes of a sum of magnitudes.
struct Classes {
  std::array<uint8_t, 256> coarse, fine;

  Classes() {
    for (int v = 0; v < 256; ++v) {
      const int k = bit_length(static_cast<uint32_t>(v)) - 1;
      coarse[v] = static_cast<uint8_t>(v < 3    ? v
                                       : v < 5  ? 3
                                       : v < 7  ? 4
                                       : v < 11 ? 5
                                       : v < 19 ? 6
                                                : 7);
      fine[v] = static_cast<uint8_t>(v < 4 ? v : std::min(15, 2 * k + (v >> (k - 1) & 1)));
    }
  }
};
inline const Classes kClasses;
inline int coarse(int v) { return kClasses.coarse[std::min(v, 255)]; }
inline int fine(int v) { return kClasses.fine[std::min(v, 255)]; }
// A logarithmic class 0..63, four to an octave.
inline int quarter(int v) {
  if (v < 4) return v;
  const int k = bit_length(static_cast<uint32_t>(v)) - 1;
  return std::min(4 * (k - 1) + (v >> (k - 2) & 3), 63);
}
inline int sign_class(int v) { return v == 0 ? 0 : v > 0 ? 1 : 2; }

inline int size_of(int32_t v) { return std::min(std::abs(v), 1 << 16); }

// Which contexts a payload was coded with (insitu.models.sparse_grid.coding).
constexpr int kFirstCoding = 1, kLatestCoding = 2;

constexpr int kMostExponent = 24;  // magnitudes below 2^25

// An octree over positions: [0] has one byte per position, each next half as many along each axis.
// Around each lies a layer of zeros, so that neighbors are read without regard to the ends.
struct Pyramid {
  std::vector<Size3> size;
  std::vector<std::vector<uint8_t>> at;

  explicit Pyramid(const Size3& positions) {
    for (Size3 n = positions;; n = {(n[0] + 1) / 2, (n[1] + 1) / 2, (n[2] + 1) / 2}) {
      size.push_back(n);
      at.emplace_back(static_cast<std::size_t>((n[0] + 2) * (n[1] + 2) * (n[2] + 2)), 0);
      if (n[0] == 1 && n[1] == 1 && n[2] == 1) break;
    }
  }

  int depths() const { return static_cast<int>(size.size()); }

  // From a node to its neighbors along x, y, z.
  Size3 strides(int d) const { return {1, size[d][0] + 2, (size[d][0] + 2) * (size[d][1] + 2)}; }
  long index(int d, long x, long y, long z) const {
    return x + 1 + (size[d][0] + 2) * (y + 1 + (size[d][1] + 2) * (z + 1));
  }

  uint8_t& operator()(int d, long x, long y, long z) { return at[d][index(d, x, y, z)]; }
  const uint8_t* node(int d, long x, long y, long z) const {
    return at[d].data() + index(d, x, y, z);
  }
  // Up to one beyond the ends.
  int get(int d, long x, long y, long z) const { return *node(d, x, y, z); }
  int faces(int d, long x, long y, long z) const {
    const uint8_t* p = node(d, x, y, z);
    const Size3 s = strides(d);
    return p[-1] + p[1] + p[-s[1]] + p[s[1]] + p[-s[2]] + p[s[2]];
  }

  // The maximum of each node's children.
  void build() {
    for (int d = 1; d < depths(); ++d)
      for (long z = 0; z < size[d - 1][2]; ++z)
        for (long y = 0; y < size[d - 1][1]; ++y) {
          const uint8_t* from = node(d - 1, 0, y, z);  // and what is behind the end is 0
          uint8_t* to = &(*this)(d, 0, y / 2, z / 2);
          for (long x = 0; x < size[d][0]; ++x)
            to[x] = std::max(to[x], std::max(from[2 * x], from[2 * x + 1]));
        }
  }
};

// Bits of all bands' magnitudes at each position of a level.
inline Pyramid energy(const Bands& bands, const Level& level, const int32_t* q) {
  Pyramid tree(level.low);
  for (int band = 1; band < 8; ++band) {
    if (band & ~level.mask) continue;
    bands.for_each_row(level, band, [&](long first, long count, long y, long z) {
      const int32_t* row = q + first;
      for_each_other(row, count, [&](long x) {
        uint8_t& e = tree(0, x, y, z);
        e = static_cast<uint8_t>(
            std::min(255, e + bit_length(static_cast<uint32_t>(std::abs(row[x])))));
      });
    });
  }
  tree.build();
  return tree;
}

template <typename Coder, int kCoding = kLatestCoding>
class CoefficientCoder {
 public:
  CoefficientCoder(const Bands& bands, Coder& coder) : bands_(bands), coder_(coder) {}

  using Numbers = std::conditional_t<Coder::kDecodes, int32_t*, const int32_t*>;
  static constexpr bool kLatest = kCoding == kLatestCoding;

  // Codes q, which a decoder fills in; zeros at first. before, beside: null where there is none.
  void component(Numbers q, const int32_t* before, const int32_t* beside) {
    q_ = q;
    hints_[0] = before;
    hints_[1] = beside;
    average_band();
    const Pyramid nothing({1, 1, 1});
    Pyramid above = nothing;
    const Level* parent = nullptr;
    for (std::size_t j = bands_.levels.size(); j-- > 0;) {
      const Level& level = bands_.levels[j];
      const Pyramid hint[2] = {before ? energy(bands_, level, before) : nothing,
                               beside ? energy(bands_, level, beside) : nothing};
      enter(level);
      parent_ = parent;
      above_ = parent ? &above : nullptr;
      class_ = static_cast<int>(std::min<std::size_t>(j, 7));
      Pyramid known(level.low);
      if (kLatest && !beside) coded_.assign(known.at[0].size(), 0);
      Pyramid truth = Coder::kDecodes ? nothing : energy(bands_, level, q);
      positions(known, truth, hint);
      details(known, hint);
      above = Coder::kDecodes ? energy(bands_, level, q) : std::move(truth);
      parent = &level;
    }
  }

 private:
  // First context of each kind of decision; also its first set of weights.
  enum : int { kOther = 2048 };  // of those that stand for an array that is not given
  enum : int { kNode = 0, kZero = 4096, kSign = 12288, kExponent = 14336, kMantissa = 24576 };
  enum : int { kNodeSet = 0, kZeroSet = 8, kSignSet = 16, kExponentSet = 24, kMantissaSet = 40 };

  struct Band {
    int axes;    // along which it holds details
    long first;  // index of its first coefficient
    Size3 size;
  };

  struct Near {
    int x, y, z;    // coded neighbors of the same band
    int magnitude;  // weighted sum of these and of the diagonal ones
  };

  void enter(const Level& level) {
    level_ = &level;
    count_ = 0;
    for (int axes = 1; axes < 8; ++axes) {
      if (axes & ~level.mask) continue;
      Band band{axes, 0, level.low};
      Size3 low{};
      for (int a = 0; a < 3; ++a) {
        if (!(axes >> a & 1)) continue;
        low[a] = level.low[a];
        band.size[a] = level.size[a] - level.low[a];
      }
      band.first = bands_.index(low[0], low[1], low[2]);
      band_[count_++] = band;
    }
  }

  // ---- the octree of positions

  // truth: of the numbers that an encoder knows.
  void positions(Pyramid& known, const Pyramid& truth, const Pyramid* hint) {
    const int top = known.depths() - 1;
    const auto flag = [&](int d, long x, long y, long z) {
      return Coder::kDecodes ? 0 : truth.get(d, x, y, z) != 0;
    };
    known(top, 0, 0, 0) =
        static_cast<uint8_t>(node(known, hint, top, 0, 0, 0, 0, flag(top, 0, 0, 0)));
    for (int d = top - 1; d >= 0; --d) {
      const Size3 n = known.size[d], m = known.size[d + 1];
      for (long pz = 0; pz < m[2]; ++pz)
        for (long py = 0; py < m[1]; ++py)
          for_each_set(known.node(d + 1, 0, py, pz), m[0], [&](long px) {
            int children = 0, found = 0;
            for (int c = 0; c < 8; ++c)
              children += 2 * px + (c & 1) < n[0] && 2 * py + (c >> 1 & 1) < n[1] &&
                          2 * pz + (c >> 2) < n[2];
            for (int c = 0; c < 8; ++c) {
              const long x = 2 * px + (c & 1), y = 2 * py + (c >> 1 & 1), z = 2 * pz + (c >> 2);
              if (x >= n[0] || y >= n[1] || z >= n[2]) continue;
              --children;
              const int bit = children == 0 && found == 0
                                  ? 1  // the last child of a node that has one
                                  : node(known, hint, d, x, y, z, found, flag(d, x, y, z));
              found += bit;
              known(d, x, y, z) = static_cast<uint8_t>(bit);
            }
          });
    }
  }

  int node(const Pyramid& known, const Pyramid* hint, int d, long x, long y, long z, int found,
           int bit) {
    const uint8_t* here = known.node(d, x, y, z);
    const Size3 to = known.strides(d);
    const int left = here[-1], up = here[-to[1]], back = here[-to[2]];
    const int causal = left + up + back + here[-1 - to[1]] + here[-1 - to[2]] +
                       here[-to[1] - to[2]] + here[1 - to[1]] + here[1 - to[2]] +
                       here[to[1] - to[2]];
    int around = 0;  // of the parent's neighbors, those that touch this node
    if (d + 1 < known.depths()) {
      const long sx = x & 1 ? 1 : -1, sy = y & 1 ? 1 : -1, sz = z & 1 ? 1 : -1;
      around = known.get(d + 1, x / 2 + sx, y / 2, z / 2) +
               known.get(d + 1, x / 2, y / 2 + sy, z / 2) +
               known.get(d + 1, x / 2, y / 2, z / 2 + sz);
    }
    int over = 0, over_faces = 0;
    if (above_) {
      const int e = std::max(d - 1, 0);
      Size3 p{x, y, z};
      above_position(p, d);
      over = above_->get(e, p[0] >> e, p[1] >> e, p[2] >> e);
      over_faces = above_->faces(e, p[0] >> e, p[1] >> e, p[2] >> e);
    }
    const int depth = std::min(d, 7), child = (x & 1) | (y & 1) << 1 | (z & 1) << 2;
    const int o = std::min(over, 7), f = coarse(over_faces);
    int of_hints[2];
    for (int h = 0; h < 2; ++h)
      of_hints[h] = hint_class(h, hint, d, x, y, z) * 8 + std::min(causal, 7);
    if constexpr (kLatest) {  // instead of hints that are not there
      const int straight = left + up + back;
      if (!hints_[0])
        of_hints[0] = kOther + (depth << 8 | straight << 6 | around << 4 | std::min(over, 3) << 2 |
                                std::min(found, 3));
      if (!hints_[1])
        of_hints[1] = kOther + ((d > 0) << 10 | fine(over_faces) << 6 | child << 3 | straight << 1 |
                                (around > 1));
    }
    const Contexts contexts = {
        kNode + (depth << 5 | left << 4 | up << 3 | back << 2 | around),
        kNode + (depth << 6 | o << 3 | f),
        kNode + (depth << 5 | child << 2 | std::min(found, 3)),
        kNode + (std::min(causal, 7) << 7 | fine(over + over_faces) << 3 | around << 1 | (d == 0)),
        kNode + (class_ << 6 | depth << 3 | std::min(causal, 7)),
        kNode + of_hints[0],
        kNode + of_hints[1]};
    return coder_.code(bit, contexts, kNodeSet + std::min(d, 3));
  }

  // 0 without a hint; else 1 + a class of what it has here and around (0..127).
  int hint_class(int h, const Pyramid* hints, int d, long x, long y, long z) const {
    if (!hints_[h]) return 0;
    const Pyramid& hint = hints[h];
    return 1 + std::min(hint.get(d, x, y, z), 7) * 16 + fine(hint.faces(d, x, y, z));
  }

  // From a node of this level to the position of the coarser level below its middle.
  void above_position(Size3& p, int d) const {
    for (int a = 0; a < 3; ++a) {
      const long middle = (p[a] << d) + ((1L << d) >> 1);
      const long at = (parent_->mask >> a & 1) ? middle / 2 : middle;
      p[a] = std::min(at, parent_->low[a] - 1);
    }
  }

  // ---- the coefficients at a position

  void details(const Pyramid& known, const Pyramid* hint) {
    const long n = level_->low[0];
    for (long z = 0; z < level_->low[2]; ++z)
      for (long y = 0; y < level_->low[1]; ++y)
        for_each_set(known.node(0, 0, y, z), n, [&](long x) { at_position(known, hint, x, y, z); });
  }

  // visit(x): each byte of n that is not zero; nearly all are.
  template <typename Visit>
  static void for_each_set(const uint8_t* row, long n, Visit&& visit) {
    for (long x = 0; x < n; ++x)
      if (row[x]) visit(x);
      else if (x + 8 <= n && nothing_in(row + x)) x += 7;
  }

  static bool nothing_in(const uint8_t* eight) {
    uint64_t together;
    std::memcpy(&together, eight, 8);
    return together == 0;
  }

  void at_position(const Pyramid& known, const Pyramid* hint, long x, long y, long z) {
    const long offset = bands_.index(x, y, z);
    const auto there = [&](const Band& band) {
      return x < band.size[0] && y < band.size[1] && z < band.size[2];
    };
    int last = 0;
    for (int k = 0; k < count_; ++k)
      if (there(band_[k])) last = k;
    int around = 0;
    const uint8_t* here = known.node(0, x, y, z);
    const Size3 to = known.strides(0);
    for (long k = -1; k <= 1; ++k)
      for (long j = -1; j <= 1; ++j) {
        const uint8_t* row = here + j * to[1] + k * to[2];
        around += row[-1] + row[0] + row[1];
      }
    place_.faces = known.faces(0, x, y, z);
    place_.around = std::min((around - 1) / 3, 7);
    Size3 p{x, y, z};
    if (above_) {
      above_position(p, 0);
      place_.over = above_->get(0, p[0], p[1], p[2]);
      place_.over_faces = above_->faces(0, p[0], p[1], p[2]);
    } else {
      place_.over = place_.over_faces = 0;
    }
    for (int h = 0; h < 2; ++h) place_.hint[h] = hint_class(h, hint, 0, x, y, z) / 4;
    if constexpr (kLatest) {
      place_.later = here[1] | here[to[1]] << 1 | here[to[2]] << 2;
      place_.energy = hints_[1] ? 0 : energy_around(here - known.at[0].data(), to, here);
    }
    place_.mask = place_.sum = 0;
    int bits = 0;
    place_.signs[0] = place_.signs[1] = 0;
    for (int k = 0; k < count_; ++k) {
      const Band& band = band_[k];
      if (!there(band)) continue;
      const long i = band.first + offset;
      int parent = 0;
      if (above_ && !(band.axes & ~parent_->mask)) {
        const long at = bands_.at(*parent_, band.axes, p[0], p[1], p[2]);
        parent = at < 0 ? 0 : q_[at];
      }
      const Near near = neighbors(i, x, y, z);
      const int expect = kLatest ? expected(band, i, {x, y, z}, near, parent) : 0;
      const int v =
          coefficient(q_[i], band.axes, near, parent, expect, i, k == last && !place_.mask);
      keep(i, v);
      bits += bit_length(static_cast<uint32_t>(std::abs(v)));
      if (v) {
        place_.mask |= 1 << (band.axes - 1);
        place_.sum += std::min(std::abs(v), 1 << 16);
        place_.signs[1] = place_.signs[0];
        place_.signs[0] = sign_class(v);
      }
    }
    if (kLatest && !hints_[1])
      coded_[here - known.at[0].data()] = static_cast<uint8_t>(std::min(bits, 255));
  }

  // Bits of the magnitudes at the neighbors that are coded, and how many others have some.
  int energy_around(long at, const Size3& to, const uint8_t* here) const {
    const uint8_t* e = coded_.data() + at;
    const int diagonal = e[-1 - to[1]] + e[-1 - to[2]] + e[-to[1] - to[2]] + e[1 - to[1]] +
                         e[1 - to[2]] + e[to[1] - to[2]];
    return e[-1] + e[-to[1]] + e[-to[2]] + diagonal / 2 + here[1] + here[to[1]] + here[to[2]];
  }

  // The magnitude to be expected, about, in 64ths: weights fitted to fields of several kinds.
  int expected(const Band& band, long i, const Size3& at, const Near& near, int parent) const {
    const Size3 by{1, bands_.shape[0], bands_.shape[0] * bands_.shape[1]};
    const int straight[3] = {near.x, near.y, near.z};
    int sums[2] = {};  // of neighbors across and along the axes of the details
    for (int a = 0; a < 3; ++a) sums[band.axes >> a & 1] += size_of(straight[a]);
    if (const int32_t* hint = hints_[0]) {
      int hinted[2] = {};
      for (int a = 0; a < 3; ++a) {
        int& sum = hinted[band.axes >> a & 1];
        if (at[a] > 0) sum += size_of(hint[i - by[a]]);
        if (at[a] + 1 < band.size[a]) sum += size_of(hint[i + by[a]]);
      }
      return (48 * size_of(hint[i]) + 7 * hinted[0] + 10 * hinted[1] + 26 * sums[0] + 8 * sums[1] +
              4 * size_of(parent)) /
             2;
    }
    int oblique = 0;
    for (int a = 0; a < 2; ++a)
      for (int b = a + 1; b < 3; ++b)
        if (at[a] + 1 < band.size[a] && at[b] > 0) oblique += size_of(q_[i + by[a] - by[b]]);
    return 20 * sums[0] + 12 * sums[1] + 6 * oblique + 2 * size_of(parent);
  }

  void keep(long index, int value) {
    if constexpr (Coder::kDecodes) q_[index] = value;
    else (void)index, (void)value;  // it is there already
  }

  // index: of the coefficient at x, y, z of its band.
  Near neighbors(long index, long x, long y, long z) const {
    const int32_t* q = q_ + index;
    const long row = bands_.shape[0], plane = row * bands_.shape[1];
    const int left = x ? q[-1] : 0, up = y ? q[-row] : 0, back = z ? q[-plane] : 0;
    const int32_t all[6] = {left,
                            up,
                            back,
                            x && y ? q[-1 - row] : 0,
                            x && z ? q[-1 - plane] : 0,
                            y && z ? q[-row - plane] : 0};
    int size[6];
    for (int i = 0; i < 6; ++i) size[i] = std::min(std::abs(all[i]), 1 << 16);
    return {left, up, back, 2 * (size[0] + size[1] + size[2]) + size[3] + size[4] + size[5]};
  }

  // expect: see `expected`.
  int coefficient(int value, int band, const Near& near, int parent, int expect, long index,
                  bool not_zero) {
    const int from = std::min(std::abs(parent), 1 << 16);
    const int own = fine(near.magnitude), up = coarse(from), rest = fine(place_.sum);
    const int all = fine((near.magnitude + 2 * place_.sum + 2 * from + place_.over) / 2);
    const int axes = __builtin_popcount(static_cast<unsigned>(band));
    const bool finest = class_ == 0;
    const int likely = quarter(expect), half = std::min(likely / 2, 15);
    const int near_sizes = kLatest ? sizes(near) * 3 + std::min(from, 2) : 0;
    if (!not_zero) {
      const int hint[2] = {hint_of(0, index), hint_of(1, index)};
      Contexts contexts;
      if constexpr (kLatest)
        contexts = {(axes << 6 | likely) << 2 | std::min(from, 3),
                    half << 8 | place_.faces << 5 | place_.around << 2 | axes,
                    band << 7 | place_.mask,
                    std::min(likely / 4, 7) << 9 | std::min(place_.over, 7) << 6 |
                        fine(place_.over_faces) << 2 | axes,
                    half << 8 | fine(place_.over) << 4 | rest,
                    kOther + (near_sizes << 3 | band),
                    kOther + ((fine(place_.energy) << 3 | place_.later) << 3 | band)};
      else
        contexts = {band << 7 | own << 3 | up,
                    band << 6 | place_.faces << 3 | place_.around,
                    band << 7 | place_.mask,
                    band << 7 | std::min(place_.over, 7) << 4 | fine(place_.over_faces),
                    all << 5 | axes << 3 | class_,
                    0,
                    0};
      for (int h = 0; h < 2; ++h)
        if (!kLatest || hints_[h]) contexts[5 + h] = place_.hint[h] << 5 | hint[h] << 2 | axes;
      for (int& context : contexts) context += kZero;
      if (!coder_.code(value != 0, contexts, kZeroSet + band)) return 0;
    }
    const Contexts of_sign = {
        kSign + (band * 27 + sign_class(near.x) * 9 + sign_class(near.y) * 3 + sign_class(near.z)),
        kSign + (band * 9 + sign_class(parent) * 3 + sign_class(near.x)),
        kSign + (band * 9 + place_.signs[0] * 3 + place_.signs[1]),
        kSign + (band * 9 + sign_class(near.y) * 3 + sign_class(near.z)),
        kSign + (band << 3 | class_),
        kSign + hinted_sign(index),
        kSign + (hints_[1] ? 1 + sign_class(hints_[1][index]) : 0)};
    const int negative = coder_.code(value < 0, of_sign, kSignSet + axes);
    const int known = bit_length(static_cast<uint32_t>(std::abs(value))) - 1;
    int exponent = 0;
    while (exponent < kMostExponent) {
      const int e = std::min(exponent, 15);
      Contexts contexts;
      if constexpr (kLatest)
        contexts = {e << 8 | axes << 6 | likely,
                    e << 8 | half << 4 | fine(from),
                    e << 6 | band << 3 | class_,
                    e << 8 | half << 4 | rest,
                    e << 8 | half << 4 | place_.around << 1 | finest,
                    e << 8 | near_sizes,
                    e << 8 | fine(place_.energy) << 2 | axes};
      else
        contexts = {e << 4 | own,
                    e << 4 | fine(from),
                    e << 6 | band << 3 | class_,
                    e << 4 | rest,
                    e << 5 | all << 1 | finest,
                    0,
                    0};
      for (int h = 0; h < 2; ++h)
        if (!kLatest || hints_[h]) contexts[5 + h] = e << 4 | hint_fine(h, index);
      for (int& context : contexts) context += kExponent;
      if (!coder_.code(known > exponent, contexts, kExponentSet + std::min(e, 3))) break;
      ++exponent;
    }
    uint32_t magnitude = 1;
    for (int k = exponent - 1; k >= 0; --k) {
      const int e = std::min(exponent, 15), place = std::min(exponent - 1 - k, 2);
      const int head = static_cast<int>(place < 2 ? magnitude & 3 : 0);
      const int context = kMantissa + (e << 4 | place << 2 | head);
      const int plain = kMantissa + (axes << 2 | place);
      Contexts contexts = {context,          context + 512,    plain + 1024,    plain + 1024,
                           kMantissa + 1536, kMantissa + 1536, kMantissa + 1536};
      if constexpr (kLatest) {
        if (place < 2)
          contexts[4] =
              kMantissa + kOther + (((std::min(e, 7) << 1 | place) << 2 | head) << 6 | likely);
        if (hints_[0])
          contexts[5] = kMantissa + 1600 + (hinted_bit(index, magnitude, k) << 2 | place);
      }
      magnitude =
          magnitude << 1 | static_cast<uint32_t>(coder_.code(
                               static_cast<int>(static_cast<uint32_t>(std::abs(value)) >> k & 1),
                               contexts, kMantissaSet + place));
    }
    return negative ? -static_cast<int>(magnitude) : static_cast<int>(magnitude);
  }

  // Of the coded neighbors, each 0..2.
  static int sizes(const Near& near) {
    return (std::min(std::abs(near.x), 2) * 3 + std::min(std::abs(near.y), 2)) * 3 +
           std::min(std::abs(near.z), 2);
  }

  int hinted_sign(long index) const {
    if (!hints_[0]) return 0;
    const int32_t v = hints_[0][index];
    return kLatest ? 3 + std::clamp(v, -2, 2) : 1 + sign_class(v);
  }

  // Bit k of the hint after the same leading bits; else whether it is smaller or larger.
  int hinted_bit(long index, uint32_t head, int k) const {
    const auto hint = static_cast<uint32_t>(std::abs(hints_[0][index]));
    const uint32_t begins = hint >> (k + 1);
    return begins == head ? 1 + static_cast<int>(hint >> k & 1) : begins < head ? 0 : 3;
  }

  int hint_of(int h, long index) const {
    return hints_[h] ? 1 + std::min(std::abs(hints_[h][index]), 6) : 0;
  }
  int hint_fine(int h, long index) const {
    return hints_[h] ? fine(std::min(std::abs(hints_[h][index]), 1 << 16)) : 0;
  }

  // The averages that no level splits.
  void average_band() {
    place_ = {};
    class_ = 7;
    const Size3& n = bands_.coarsest;
    for (long z = 0; z < n[2]; ++z)
      for (long y = 0; y < n[1]; ++y)
        for (long x = 0; x < n[0]; ++x) {
          const long i = bands_.index(x, y, z);
          const Near near = neighbors(i, x, y, z);
          keep(i, coefficient(q_[i], 0, near, 0, 6 * near.magnitude, i, false));
        }
  }

  struct Place {  // what all bands at a position have in common
    int faces, around, over, over_faces, mask, sum;
    int energy, later;  // see `energy_around`; which of the next positions along x, y, z have some
    int hint[2];
    int signs[2];
  };

  const Bands& bands_;
  Coder& coder_;
  Numbers q_ = nullptr;
  const int32_t* hints_[2] = {};
  std::array<Band, 7> band_{};  // of the level
  int count_ = 0;
  const Level *level_ = nullptr, *parent_ = nullptr;
  const Pyramid* above_ = nullptr;
  int class_ = 0;  // of the level
  Place place_{};
  std::vector<uint8_t> coded_;  // bits of all bands' magnitudes at a position, laid out as `known`
};

}  // namespace insitu::sparse
