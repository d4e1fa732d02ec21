// Emission-absorption ray marching through the bricks of one block.
//
// Bricks are visited front to back, each once, with all rays that pass through it; the accumulated
// color of a ray is its pixel. So an image needs memory for its pixels and one brick per thread,
// and bricks that are transparent or occluded are not decoded.
//
// In: bricks, rays, transfer function. Out: premultiplied RGBA of a pixel rectangle; compositing
// the results of all blocks gives the image of a single block over the whole domain.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <vector>

#include "brick_order.hpp"
#include "bricks.hpp"
#include "rays.hpp"
#include "sample_axis.hpp"
#include "shading.hpp"
#include "transfer.hpp"
#include "trilinear.hpp"

namespace insitu {

// Opaque or translucent geometry in the block, for the pixels of the rectangle; null: none.
struct Surface {
  const float* rgba;   // premultiplied
  const float* depth;  // distance from the eye along the ray
};

struct MarchOptions {
  int component;  // or kMagnitude
  float opaque;   // a ray ends when its alpha reaches this
  bool shading;
  float flat;  // see Shading
  int threads;
};

class Marcher {
 public:
  Marcher(Bricks& bricks, const std::array<SampleAxis, 3>& axes, const Rays& rays,
          const TransferTable& table, const MarchOptions& options, const Rectangle& area,
          const Surface& surface)
      : bricks_(bricks),
        axes_(axes),
        rays_(rays),
        table_(table),
        options_(options),
        area_(area),
        surface_(surface),
        stride_((area.width() + kWide - 1) / kWide * kWide),
        margin_(options.shading ? 1 : 0),
        shading_({axes[0].inverse_spacing(), axes[1].inverse_spacing(), axes[2].inverse_spacing()},
                 options.flat) {}

  // out: (height, width, 4) of the rectangle, zero on entry.
  void march(float* out) {
    out_ = out;
    owned_.assign(static_cast<std::size_t>(area_.height() * stride_), Samples{0, 0});
    run_team(options_.threads, [&](int thread) { start_rays(thread); });
    // Every thread holds one brick.
    const long room = bricks_.cache().room_for(bricks_.largest(margin_));
    const int threads = static_cast<int>(std::clamp<long>(options_.threads, 1, std::max(room, 1L)));
    std::vector<std::unique_ptr<Scratch>> scratch;
    for (int i = 0; i < threads; ++i) scratch.push_back(std::make_unique<Scratch>());
    BrickOrder(bricks_.count(), brick_at_eye()).run(threads, [&](long brick, int thread) {
      visit(brick, *scratch[thread]);
    });
    if (surface_.rgba) blend_surface();
  }

 private:
  static constexpr long kRound = 16;    // samples of a ray before the next ray's
  static constexpr long kBatch = 1024;  // samples looked up together
  static constexpr long kEnough = 192;  // enough to look up

  // Cells by which a brick is enlarged when rays are intersected with it: more than the rounding
  // error in single precision, up to a thousand cells.
  static constexpr float kSlack = 1e-3f;

  // Consecutive samples of a ray.
  struct Run {
    int pixel, count;
  };

  struct Scratch {
    alignas(64) float position[3][kBatch + kLanes] = {};
    alignas(64) float direction[3][kBatch + kLanes] = {};
    alignas(64) float row[kBatch + kLanes] = {};
    float gradient[3 * (kBatch + kLanes)];
    Shading::Light light[kBatch + kLanes];
    Run runs[kBatch];
    long n = 0, n_runs = 0;  // samples, runs
  };

  // Rays of a packet: sample k of those that the block owns is at from + k * step on each axis.
  struct Packet {
    alignas(64) float from[3][kWide], step[3][kWide], direction[3][kWide];
    alignas(64) int next[kWide], end[kWide];  // samples that may lie in the brick
  };

  // A brick being marched.
  struct Visit {
    const BrickBox& box;
    BrickSampler sample;
    uint64_t shown;         // macrocells
    float near[3], far[3];  // its faces on each axis
    vint first_cell[3], cells[3];
    vfloat first_point[3], per_macrocell[3];
  };

  void start_rays(int thread) {
    const Part rows = part_of(area_.height(), thread, options_.threads);
    for (long y = rows.begin; y < rows.end; ++y)
      for (long x = 0; x < area_.width(); ++x) {
        const float depth = surface_.depth ? surface_.depth[y * area_.width() + x]
                                           : std::numeric_limits<float>::infinity();
        owned_[y * stride_ + x] = rays_.owned(area_.x0 + x, area_.y0 + y, depth);
      }
  }

  // Position of the eye in the grid of bricks, or the nearest one.
  Index3 brick_at_eye() const {
    Index3 at;
    for (int a = 0; a < 3; ++a) {
      const auto along = static_cast<float>(axes_[a].along(rays_.view().eye[a]));
      const auto cell = static_cast<long>(axes_[a].lattice(splat(along))[0]);
      at[a] = std::min(cell / bricks_.size()[a], bricks_.count()[a] - 1);
    }
    return at;
  }

  void visit(long number, Scratch& s) {
    const auto shows = [&](const ValueRange& range) {
      return table_.shows(range);
    };
    const auto known = bricks_.ranges(number, options_.component);
    if (known && !visible_macrocells(*known, shows)) return;
    const BrickBox box = bricks_.box(number, margin_);
    const Rectangle seen = footprint(box);
    if (!any_ray_left(seen)) return;
    const auto held = bricks_.get(number, options_.component, margin_);
    const uint64_t shown = visible_macrocells(*bricks_.ranges(number, options_.component), shows);
    if (!shown) return;
    Visit brick{box, BrickSampler(held->values(), box), shown, {}, {}, {}, {}, {}, {}};
    for (int a = 0; a < 3; ++a) {
      const long last = axes_[a].points() - 1;
      // The block has no samples beyond its faces.
      brick.near[a] =
          box.lo[a] == 0 ? -1e30f : static_cast<float>(axes_[a].place(box.lo[a])) - kSlack;
      brick.far[a] =
          box.hi[a] == last ? 1e30f : static_cast<float>(axes_[a].place(box.hi[a])) + kSlack;
      brick.first_cell[a] = splat(static_cast<int>(box.lo[a]));
      brick.cells[a] = splat(static_cast<int>(box.hi[a] - box.lo[a]));
      brick.first_point[a] = splat(static_cast<float>(box.first[a]));
      brick.per_macrocell[a] =
          splat(1.0f / static_cast<float>(macrocell_size(box.hi[a] - box.lo[a])));
    }
    Packet packet;
    for (long y = seen.y0; y < seen.y1; ++y)
      for (long x = seen.x0; x < seen.x1; x += kWide)
        if (set_up(brick, x, y, packet)) march_packet(brick, x, y, packet, s);
    look_up(brick, s);
  }

  // Pixels of the rectangle that a brick may cover, relative to its corner; the first is a
  // multiple of kWide.
  Rectangle footprint(const BrickBox& box) const {
    const View& view = rays_.view();
    double x0 = 1e30, x1 = -1e30, y0 = 1e30, y1 = -1e30;
    const auto square = [](const Vec3& v) {
      return v[0] * v[0] + v[1] * v[1] + v[2] * v[2];
    };
    const double right = square(view.right), up = square(view.up);
    for (int corner = 0; corner < 8; ++corner) {
      double sx = 0.0, sy = 0.0, depth = 0.0, size = 0.0;
      for (int a = 0; a < 3; ++a) {
        const double along = axes_[a].place(corner >> a & 1 ? box.hi[a] : box.lo[a]);
        const double off = (along - axes_[a].along(view.eye[a])) / axes_[a].scale();
        sx += off * view.right[a];
        sy += off * view.up[a];
        depth += off * view.forward[a];
        size += std::abs(off);
      }
      if (depth <= 1e-6 * size) return {0, area_.height(), 0, area_.width()};
      sx = (sx / right / depth + 1.0) / 2.0 * static_cast<double>(view.width);
      sy = (1.0 - sy / up / depth) / 2.0 * static_cast<double>(view.height);
      x0 = std::min(x0, sx);
      x1 = std::max(x1, sx);
      y0 = std::min(y0, sy);
      y1 = std::max(y1, sy);
    }
    const auto clamped = [](double v, long from, long to) {  // a near corner may be far out
      return std::clamp(static_cast<long>(std::clamp(v, -1e9, 1e9)) - from, 0L, to);
    };
    const Rectangle r{clamped(std::floor(y0) - 1, area_.y0, area_.height()),
                      clamped(std::ceil(y1) + 1, area_.y0, area_.height()),
                      clamped(std::floor(x0) - 1, area_.x0, area_.width()),
                      clamped(std::ceil(x1) + 1, area_.x0, area_.width())};
    return {r.y0, r.y1, r.x0 / kWide * kWide, r.x1};
  }

  // Another thread may be working on this pixel, but has no sample there: either result is correct.
  bool alive(long pixel) const {
    float alpha;
    __atomic_load(out_ + 4 * pixel + 3, &alpha, __ATOMIC_RELAXED);
    return alpha < options_.opaque;
  }

  bool any_ray_left(const Rectangle& seen) const {
    for (long y = seen.y0; y < seen.y1; ++y)
      for (long x = seen.x0; x < seen.x1; ++x)
        if (owned_[y * stride_ + x].count && alive(y * area_.width() + x)) return true;
    return false;
  }

  // The rays of pixels x .. x + kWide - 1; false when none may have a sample in the brick.
  INSITU_DIVIDES_BY_ZERO
  bool set_up(const Visit& brick, long x, long y, Packet& p) const {
    alignas(64) int begin[kWide], count[kWide];
    bool any = false;
    for (long i = 0; i < kWide; ++i) {
      const Samples owned = owned_[y * stride_ + x + i];
      const bool left = owned.count && alive(y * area_.width() + x + i);
      begin[i] = owned.begin;
      count[i] = left ? owned.count : 0;
      any |= left;
    }
    if (!any) return false;
    alignas(64) double d[3][kWide], first[3][kWide];
    rays_.packet(area_.x0 + x, area_.y0 + y, begin, d, first);
    alignas(64) float near[kWide] = {}, far[kWide];
    for (int i = 0; i < kWide; ++i) far[i] = static_cast<float>(count[i]);
    for (int a = 0; a < 3; ++a) {
      const double scale = axes_[a].scale(), lo = axes_[a].lo();
      for (int i = 0; i < kWide; ++i) {
        const auto from = static_cast<float>((first[a][i] - lo) * scale);
        const auto step = static_cast<float>(d[a][i] * (rays_.step() * scale));
        const float inverse = 1.0f / step;
        const float t0 = (brick.near[a] - from) * inverse, t1 = (brick.far[a] - from) * inverse;
        const float least = t1 < t0 ? t1 : t0, most = t1 < t0 ? t0 : t1;
        near[i] = least > near[i] ? least : near[i];
        far[i] = most < far[i] ? most : far[i];
        p.from[a][i] = from;
        p.step[a][i] = step;
        p.direction[a][i] = static_cast<float>(d[a][i]);
      }
    }
    int samples = 0;
    for (int i = 0; i < kWide; ++i) {
      // One sample wider at each end; positions decide later which samples are in the brick.
      const int next = static_cast<int>(near[i] + 0.99f);
      const int end = std::min(static_cast<int>(far[i] + 0.01f) + 1, count[i]);
      p.next[i] = next;
      p.end[i] = near[i] <= far[i] ? end : 0;
      samples += std::max(p.end[i] - next, 0);
    }
    return samples > 0;
  }

  void march_packet(const Visit& brick, long x, long y, Packet& p, Scratch& s) const {
    for (bool more = true; more;) {
      more = false;
      for (long i = 0; i < kWide; ++i) {
        if (p.next[i] >= p.end[i]) continue;
        const long pixel = y * area_.width() + x + i;
        if (!alive(pixel)) {
          p.next[i] = p.end[i];
          continue;
        }
        const long begin = s.n;
        const int end = std::min(p.next[i] + static_cast<int>(kRound), p.end[i]);
        for (; p.next[i] < end; p.next[i] += kLanes) gather(brick, p, i, end, s);
        p.next[i] = end;
        more |= end < p.end[i];
        if (s.n > begin) {
          Run& run = s.runs[s.n_runs++];
          run.pixel = static_cast<int>(pixel);
          run.count = static_cast<int>(s.n - begin);
        }
        if (s.n > kBatch - kRound) look_up(brick, s);
      }
      if (s.n > kEnough) look_up(brick, s);
    }
  }

  // Of the next kLanes samples of ray i before `end`, those in visible macrocells.
  void gather(const Visit& brick, const Packet& p, long i, int end, Scratch& s) const {
    const vint k = lane_numbers() + splat(p.next[i]);
    vfloat at[3];
    vint in = k < splat(end);
    vint cells[3];
    for (int a = 0; a < 3; ++a) {
      const vfloat lattice =
          axes_[a].lattice(splat(p.from[a][i]) + to_float(k) * splat(p.step[a][i]));
      const vint last = splat(static_cast<int>(axes_[a].points() - 2));
      cells[a] = least(to_int(lattice), last) - brick.first_cell[a];
      in &= (cells[a] >= vint{}) & (cells[a] < brick.cells[a]);
      at[a] = lattice - brick.first_point[a];
    }
    if (~brick.shown) {
      vint macrocell{};
      for (int a = 0; a < 3; ++a)
        macrocell += to_int((to_float(cells[a]) + splat(0.5f)) * brick.per_macrocell[a]) << (2 * a);
      const vint low = splat(static_cast<int>(brick.shown & 0xffffffffu));
      const vint high = splat(static_cast<int>(brick.shown >> 32));
      const vint half = macrocell < splat(32) ? low : high;
      in &= -((half >> (macrocell & splat(31))) & splat(1));
    }
    const unsigned lanes = lanes_of(in);
    if (!lanes) return;
    for (int a = 0; a < 3; ++a) store_lanes(s.position[a] + s.n, at[a], lanes);
    if (options_.shading)
      for (int a = 0; a < 3; ++a)
        store_lanes(s.direction[a] + s.n, splat(p.direction[a][i]), lanes);
    s.n += __builtin_popcount(lanes);
  }

  // Evaluates the gathered samples and blends their colours into their pixels.
  void look_up(const Visit& brick, Scratch& s) const {
    // Whole vectors are read: lanes after the last sample may lie outside the brick.
    for (auto& axis : s.position) std::fill(axis + s.n, axis + s.n + kLanes, 0.0f);
    for (long i = 0; i < s.n; i += kLanes) {
      const vfloat p[3] = {load(s.position[0] + i), load(s.position[1] + i),
                           load(s.position[2] + i)};
      store(s.row + i, table_.row(brick.sample(p)));
    }
    if (options_.shading)
      shading_.light(brick.sample, brick.box, {s.position[0], s.position[1], s.position[2]},
                     {s.direction[0], s.direction[1], s.direction[2]}, s.n, s.gradient, s.light);
    long i = 0;
    for (long r = 0; r < s.n_runs; ++r) {
      blend(s, i, s.runs[r]);
      i += s.runs[r].count;
    }
    s.n = s.n_runs = 0;
  }

  // Front to back: C += (1 - A) c, A += (1 - A) a, c premultiplied.
  void blend(const Scratch& s, long first, const Run& run) const {
    float* pixel = out_ + 4 * static_cast<long>(run.pixel);
    Rgba color = *reinterpret_cast<const Rgba*>(pixel);
    float clear = 1.0f - color[3];
    const float least = 1.0f - options_.opaque;
    for (long i = first; i < first + run.count && clear > least; ++i) {
      Rgba sample = table_.color(s.row[i]);
      const float alpha = sample[3];
      if (options_.shading) sample = lit(sample, s.light[i]);
      color += clear * sample;
      clear -= clear * alpha;
    }
    for (int c = 0; c < 3; ++c) pixel[c] = color[c];
    __atomic_store(pixel + 3, reinterpret_cast<float*>(&color) + 3, __ATOMIC_RELAXED);
  }

  // Colours are clamped to 1.
  static Rgba lit(Rgba sample, const Shading::Light& light) {
    const float alpha = sample[3];
    for (int c = 0; c < 3; ++c)
      sample[c] = std::min(sample[c] * light.diffuse + alpha * light.specular, alpha);
    return sample;
  }

  void blend_surface() const {
    const long pixels = area_.height() * area_.width();
    for (long i = 0; i < pixels; ++i) {
      const float clear = 1.0f - out_[4 * i + 3];
      for (int c = 0; c < 4; ++c) out_[4 * i + c] += clear * surface_.rgba[4 * i + c];
    }
  }

  Bricks& bricks_;
  const std::array<SampleAxis, 3>& axes_;
  const Rays& rays_;
  const TransferTable& table_;
  const MarchOptions options_;
  const Rectangle area_;
  const Surface surface_;
  const long stride_;
  const int margin_;
  const Shading shading_;
  std::vector<Samples> owned_;
  float* out_ = nullptr;
};

}  // namespace insitu
