// Decoding of a regular grid row by row: y and z are constant in a row, so the four (y, z) corners
// are interpolated once per grid line, and each sample interpolates between two grid lines.
//
// Between two grid lines the encoding is linear, and so is the first layer before its ReLU. Where
// it is less work, the layer is applied to the grid lines and its outputs are interpolated.
//
// In: coordinates of the grid. Out: features, or the first layer's activations, in panels.
#pragma once

#include <limits>
#include <vector>

#include "mlp.hpp"

namespace insitu {

// The cell of a position along an axis.
inline uint32_t cell_in(const Level& level, int axis, float position) {
  const uint32_t cell = cell_of(position);
  return level.lookup == Lookup::kAligned ? std::min(cell, level.resolution[axis] - 2) : cell;
}

// Samples of a chunk that lie in one row: n samples, starting at `x`.
struct RowPart {
  long x, n;
  float y, z;
};

// One level seen along a row.
template <int F>
class RowLevel {
 public:
  using entry = entry_t<F>;

  RowLevel(const Level& level, const float* table, float y, float z)
      : level_(level), table_(table) {
    const float py = y * level.scale[1] + level.shift, pz = z * level.scale[2] + level.shift;
    const uint32_t cy = cell_in(level, 1, py), cz = cell_in(level, 2, pz);
    const float wy = py - static_cast<float>(cy), wz = pz - static_cast<float>(cz);
    for (int j = 0; j < 4; ++j) {
      const uint32_t vy = cy + (j & 1), vz = cz + (j >> 1);
      weight_[j] = (j & 1 ? wy : 1.0f - wy) * (j >> 1 ? wz : 1.0f - wz);
      base_[j] = level.lookup == Lookup::kHashed
                     ? (vy * 2654435761u) ^ (vz * 805459861u)
                     : level.resolution[0] * (vy + level.resolution[1] * vz);
    }
  }

  // The level's features on `count` grid lines, starting at x = first: line(i, features).
  template <typename Line>
  void lines(uint32_t first, uint32_t count, Line&& line) const {
    const uint32_t mask = level_.size - 1, size = level_.size;
    if (level_.lookup == Lookup::kHashed) {
      mix(first, count, [=](uint32_t x, uint32_t base) { return (x ^ base) & mask; }, line);
    } else if (base_[3] + first + count <= size) {
      mix(first, count, [](uint32_t x, uint32_t base) { return x + base; }, line);
    } else {
      mix(
          first, count,
          [=](uint32_t x, uint32_t base) { return std::min(x + base, x + base - size); }, line);
    }
  }

 private:
  template <typename Index, typename Line>
  void mix(uint32_t first, uint32_t count, Index&& index, Line& line) const {
    for (uint32_t i = 0; i < count; ++i) {
      entry value{};
      for (int j = 0; j < 4; ++j)
        value += weight_[j] * *reinterpret_cast<const entry*>(at(index(first + i, base_[j])));
      line(i, value);
    }
  }

  const float* at(uint32_t entry_index) const {
    return table_ + static_cast<std::size_t>(entry_index) * F;
  }

  const Level& level_;
  const float* table_;
  uint32_t base_[4];
  float weight_[4];
};

// The decoder of one grid. What depends only on the x coordinates is computed once.
class Rows {
 public:
  Rows(const Network& net, const float* params, const float* xs, long nx)
      : net_(net),
        params_(params),
        xs_(xs),
        transposed_(net, params),
        nx_(nx),
        cells_(static_cast<std::size_t>(net.n_levels) * nx),
        upper_(static_cast<std::size_t>(net.n_levels) * nx) {
    double lines = 0.0;
    longest_ = 0;
    for (int l = 0; l < net.n_levels; ++l) {
      for (long x = 0; x < nx; ++x) {
        const Level& level = net.levels[l];
        const float p = xs[x] * level.scale[0] + level.shift;
        const auto cell = static_cast<int32_t>(cell_in(level, 0, p));
        cells_[l * nx + x] = cell;
        upper_[l * nx + x] = p - static_cast<float>(cell);
      }
      for (long x = 0; x < nx; x += kChunk) {
        const long count = span(l, x, std::min<long>(kChunk, nx - x)).count;
        longest_ = std::max(longest_, count);
        lines += static_cast<double>(count) / static_cast<double>(nx);
      }
    }
    // Vector operations per sample. With the layer on grid lines: F per line and panel to apply it,
    // a few to store it, two per level and panel to interpolate. Without: interpolation of the
    // features, then the whole layer.
    const double panels = net.n_neurons / kPanel, features = net.features;
    const double with = lines * (4 + panels * (features + 3)) + net.n_levels * (1 + 2 * panels);
    const double without = lines * 5 + net.n_levels * 4 + net.n_inputs * panels;
    // Fourier features are not linear between grid lines.
    through_first_layer_ =
        net.n_frequencies == 0 && panels <= 2 && longest_ <= 2 * kChunk && with < without;
    features_ = Buffer<float>(static_cast<std::size_t>(longest_) * net.features);
    if (through_first_layer_)
      lines_ = Buffer<float>(static_cast<std::size_t>(net.n_levels) * longest_ * 2 * net.n_neurons);
  }

  // Outputs (n_outputs, kChunk) of samples begin .. begin + count - 1 of the grid, numbered along
  // x, then y, then z; those beyond `count` are undefined.
  void decode(const float* ys, long ny, const float* zs, long begin, long count, Workspace& work) {
    RowPart parts[kChunk];
    int n_parts = 0;
    for (long s = 0; s < count; s += parts[n_parts++].n) {
      const long i = begin + s, x = i % nx_;
      // Not across the sections of x for which the largest number of grid lines is known.
      const long n = std::min({count - s, nx_ - x, kChunk - x % kChunk});
      parts[n_parts] = {x, n, ys[i / nx_ % ny], zs[i / (nx_ * ny)]};
    }
    with_features(net_.features, [&](auto features) {
      constexpr int F = features.value;
      for (long s = 0, i = 0; i < n_parts; s += parts[i++].n) {
        float* first = through_first_layer_ ? work.layer(net_, 0) : work.encoded.data();
        if (!through_first_layer_) encode<F>(parts[i], first + s * kPanel);
        else if (net_.n_neurons == kPanel) first_layer<F, 1>(parts[i], first + s * kPanel);
        else first_layer<F, 2>(parts[i], first + s * kPanel);
      }
    });
    forward_mlp(net_, params_, transposed_, work, through_first_layer_ ? 1 : 0);
  }

 private:
  struct Span {
    int32_t first;
    long count;
  };

  // Grid lines of level l around the samples x .. x + n - 1.
  Span span(int l, long x, long n) const {
    const int32_t* cells = cells_.data() + l * nx_ + x;
    int32_t low = std::numeric_limits<int32_t>::max(), high = 0;
    for (long s = 0; s < n; ++s) {
      low = std::min(low, cells[s]);
      high = std::max(high, cells[s]);
    }
    return {low, static_cast<long>(high) - low + 2};
  }

  // Features of a part of a row.
  template <int F>
  void encode(const RowPart& part, float* encoded) {
    using entry = entry_t<F>;
    for (int l = 0; l < net_.n_levels; ++l) {
      const Span lines = span(l, part.x, part.n);
      const RowLevel<F> row(net_.levels[l], params_ + net_.levels[l].offset, part.y, part.z);
      const int32_t* cells = cells_.data() + l * nx_ + part.x;
      const float* upper = upper_.data() + l * nx_ + part.x;
      float* out = encoded + place<F>(l);
      const auto mix = [&](long s, entry low, entry high) {
        *reinterpret_cast<entry*>(out + s * kPanel) = low + upper[s] * (high - low);
      };
      if (lines.count > 2 * part.n) {  // most grid lines are not next to a sample
        for (long s = 0; s < part.n; ++s) {
          entry ends[2];
          row.lines(static_cast<uint32_t>(cells[s]), 2, [&](uint32_t i, entry e) { ends[i] = e; });
          mix(s, ends[0], ends[1]);
        }
        continue;
      }
      row.lines(
          static_cast<uint32_t>(lines.first), static_cast<uint32_t>(lines.count),
          [&](uint32_t i, entry e) { *reinterpret_cast<entry*>(features_.data() + i * F) = e; });
      for (long s = 0; s < part.n; ++s) {
        const float* at = features_.data() + (cells[s] - lines.first) * F;
        mix(s, *reinterpret_cast<const entry*>(at), *reinterpret_cast<const entry*>(at + F));
      }
    }
    if (net_.n_frequencies > 0) fourier(part, F * net_.n_levels, encoded);
  }

  void fourier(const RowPart& part, int first, float* encoded) const {
    float y[kChunk], z[kChunk];
    std::fill(y, y + part.n, part.y);
    std::fill(z, z + part.n, part.z);
    encode_fourier(net_.n_frequencies, first, xs_ + part.x, y, z, part.n, encoded);
  }

  // Activations of the first layer, of P panels, for a part of a row.
  template <int F, int P>
  void first_layer(const RowPart& part, float* out) {
    constexpr int V = P * kPanelVectors, kLine = 2 * P * kPanel;
    const float* weights = transposed_.matrix(net_.matrices[0]);
    const float* level_lines[32];  // offset by the part's first line: indexed by cell
    const int32_t* cells = cells_.data() + part.x;
    const float* upper = upper_.data() + part.x;
    for (int l = 0; l < net_.n_levels; ++l) {
      const Span lines = span(l, part.x, part.n);
      const RowLevel<F> row(net_.levels[l], params_ + net_.levels[l].offset, part.y, part.z);
      float* to = lines_.data() + l * longest_ * kLine;
      level_lines[l] = to - static_cast<std::ptrdiff_t>(lines.first) * kLine;
      const float* w = weights + static_cast<std::ptrdiff_t>(l) * F * P * kPanel;
      row.lines(static_cast<uint32_t>(lines.first), static_cast<uint32_t>(lines.count),
                [&](uint32_t i, entry_t<F> e) {
                  *reinterpret_cast<entry_t<F>*>(features_.data() + i * F) = e;
                });
      for (long i = 0; i < lines.count; ++i) {
        float* line = to + i * kLine;
        for (int v = 0; v < V; ++v) {
          vfloat value{};
          for (int f = 0; f < F; ++f)
            value += splat(features_[i * F + f]) * load(w + f * P * kPanel + v * kLanes);
          store(line + v * kLanes, value);
        }
      }
      for (long i = 0; i + 1 < lines.count; ++i) {
        float* line = to + i * kLine;
        for (int v = 0; v < V; ++v)
          store(line + P * kPanel + v * kLanes,
                load(line + kLine + v * kLanes) - load(line + v * kLanes));
      }
    }
    long s = 0;
    for (; s + 4 <= part.n; s += 4)
      mix_lines<P, 4>(level_lines, cells + s, upper + s, out + s * kPanel);
    for (; s < part.n; ++s) mix_lines<P, 1>(level_lines, cells + s, upper + s, out + s * kPanel);
  }

  // Sums the first layer over the levels at S samples, then applies its ReLU.
  template <int P, int S>
  void mix_lines(const float* const* level_lines, const int32_t* cells, const float* upper,
                 float* out) const {
    constexpr int V = P * kPanelVectors, kLine = 2 * P * kPanel;
    vfloat value[S][V];
    for (int s = 0; s < S; ++s)
      for (int v = 0; v < V; ++v) value[s][v] = vfloat{};
    int l = 0;
    do {
      for (int s = 0; s < S; ++s) {
        const float* line = level_lines[l] + static_cast<std::ptrdiff_t>(cells[s]) * kLine;
        const vfloat t = splat(upper[s]);
        for (int v = 0; v < V; ++v)
          value[s][v] += load(line + v * kLanes) + t * load(line + P * kPanel + v * kLanes);
      }
      cells += nx_;
      upper += nx_;
    } while (++l < net_.n_levels);
    for (int s = 0; s < S; ++s)
      for (int v = 0; v < V; ++v)
        store(out + v / kPanelVectors * kPanelSize + s * kPanel + v % kPanelVectors * kLanes,
              value[s][v] > vfloat{} ? value[s][v] : vfloat{});
  }

  const Network& net_;
  const float *params_, *xs_;
  Transposed transposed_;
  long nx_, longest_;
  std::vector<int32_t> cells_;  // (n_levels, nx)
  std::vector<float> upper_;    // (n_levels, nx): weight of the upper grid line
  bool through_first_layer_;
  Buffer<float> features_;  // of one level's grid lines
  Buffer<float> lines_;     // of all levels: the first layer on a grid line, the step to the next
};

}  // namespace insitu
