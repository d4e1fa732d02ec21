// Emission and absorption along rays through one block, whose network is evaluated at every sample:
// nothing is decoded. The equations are in insitu/render/volume/march.py.
//
// In: `MarchArguments`. Out: premultiplied RGBA of the view's rectangle.
#pragma once

#include "mlp.hpp"

constexpr int kTileWidth = 16, kTileHeight = 8;  // pixels of a block of threads

struct Ray {
  double from[3], along[3];
};

struct MarchArguments {
  ReadNetwork net;
  double origin[kOutputs], extent[kOutputs];
  double eye[3], forward[3], right[3], up[3];
  double domain_low[3], domain_high[3];
  double range[2], step, opaque;
  double flat;             // gradient at which shading has half its strength; negative: no shading
  const double* nodes[3];  // grid lines along x, y, z
  int cells[3];            // x, y, z
  int vertex, component;   // component -1: the magnitude
  int size[2];             // pixels of the whole image: width, height
  int rectangle[4];        // y0, y1, x0, x1
  int rows;                // of the table
  int jitter;              // frame, or -1
  const float* table;      // (rows, 4), straight
  const float* surface;    // premultiplied RGBA of the rectangle, or null
  const float* depth;
  float* out;
};

// A place in the block along one axis: in the unit cube, and in the lattice (engines/lattice.py).
DEVICE double lattice_of(double unit, int cells, bool vertex) {
  const double at = unit * cells;
  if (vertex) return at;
  if (at < 0.5) return 2.0 * at;
  return at > cells - 0.5 ? cells + 2.0 * (at - (cells - 0.5)) : at + 0.5;
}
DEVICE double unit_of(double q, int cells, bool vertex) {
  if (vertex) return q / cells;
  if (q < 1.0) return 0.5 * q / cells;
  return (q > cells ? cells - 0.5 + 0.5 * (q - cells) : q - 0.5) / cells;
}
DEVICE double world_of(const double* nodes, double unit, int cells) {
  const double at = unit * cells;
  const int i = smaller(static_cast<int>(at), cells - 1);
  return nodes[i] + (at - i) * (nodes[i + 1] - nodes[i]);
}

// The interval of a ray in a box; axes along which it does not move through a face are left out.
DEVICE void clip(const Ray& ray, const double* low, const double* high, double& first,
                 double& last) {
  first = 0.0;
  last = infinity();
  for (int a = 0; a < 3; ++a) {
    const double t0 = (low[a] - ray.from[a]) / ray.along[a];
    const double t1 = (high[a] - ray.from[a]) / ray.along[a];
    if (t0 != t0 || t1 != t1) continue;
    first = fmax(first, fmin(t0, t1));
    last = fmin(last, fmax(t0, t1));
  }
}

// Offset of a ray's first sample in steps: a hash of pixel and frame.
DEVICE double offset_of(const MarchArguments& a, int x, int y) {
  if (a.jitter < 0) return 0.5;
  unsigned h = static_cast<unsigned>(x) * 0x9E3779B1u ^ static_cast<unsigned>(y) * 0x85EBCA77u ^
               static_cast<unsigned>(a.jitter) * 0xC2B2AE3Du;
  h = (h ^ h >> 16) * 0x7FEB352Du;
  h = (h ^ h >> 16) * 0x846CA68Bu;
  return ((h ^ h >> 16) >> 8) / 16777216.0;
}

DEVICE double value_at(const MarchArguments& a, const double* unit) {
  float out[kOutputs];
  evaluate_point(
      a.net,
      {static_cast<float>(unit[0]), static_cast<float>(unit[1]), static_cast<float>(unit[2])}, out);
  double squares = 0.0, value = 0.0;
  UNROLL
  for (int o = 0; o < kOutputs; ++o) {
    const double v = a.origin[o] + a.extent[o] * static_cast<double>(out[o]);
    squares += v * v;
    if (o == a.component) value = v;
  }
  return a.component < 0 ? sqrt(squares) : value;
}

// Straight colour and opacity.
DEVICE void look_up(const MarchArguments& a, double value, float* color) {
  const int last = a.rows - 1;
  double row = 0.0;
  if (a.range[1] > a.range[0])
    row = fmin(fmax((value - a.range[0]) / (a.range[1] - a.range[0]) * last, 0.0),
               static_cast<double>(last));
  const int i = smaller(static_cast<int>(row), last - 1);
  const float t = static_cast<float>(row - i);
  UNROLL
  for (int c = 0; c < 4; ++c)
    color[c] = (1.0f - t) * a.table[4 * i + c] + t * a.table[4 * (i + 1) + c];
}

// Lambert and Phong, light at the eye, two-sided; by central differences over one lattice step.
DEVICE void light(const MarchArguments& a, const Ray& ray, const double* unit, float* color) {
  double slope[3], length = 0.0, cosine = 0.0;
#pragma unroll 1
  for (int axis = 0; axis < 3; ++axis) {
    const int n = a.cells[axis], last = n + (a.vertex ? 0 : 1);
    const double q = lattice_of(unit[axis], n, a.vertex);
    const double low = fmax(q - 1.0, 0.0), high = fmin(q + 1.0, static_cast<double>(last));
    double at[3] = {unit[0], unit[1], unit[2]};
    at[axis] = unit_of(high, n, a.vertex);
    const double above = value_at(a, at);
    at[axis] = unit_of(low, n, a.vertex);
    const double below = value_at(a, at);
    const int cell = smaller(static_cast<int>(q), last - 1);
    const double width = world_of(a.nodes[axis], unit_of(cell + 1, n, a.vertex), n) -
                         world_of(a.nodes[axis], unit_of(cell, n, a.vertex), n);
    slope[axis] = (above - below) / ((high - low) * width);
    length += slope[axis] * slope[axis];
    cosine += slope[axis] * ray.along[axis];
  }
  length = sqrt(length);
  if (!is_finite(length) || length <= 0.0) return;
  cosine = fabs(cosine) / length;
  const double weight = length / (length + a.flat);
  double shine = fmax(0.0, 2.0 * cosine * cosine - 1.0);
  for (int i = 0; i < 4; ++i) shine *= shine;
  const float diffuse = static_cast<float>(1.0 - weight + weight * (0.3 + 0.7 * cosine));
  const float specular = static_cast<float>(0.2 * weight * shine);
  UNROLL
  for (int c = 0; c < 3; ++c) color[c] = fminf(color[c] * diffuse + specular, 1.0f);
}

DEVICE Ray ray_of(const MarchArguments& a, int x, int y) {
  const double sx = 2.0 * (x + 0.5) / a.size[0] - 1.0, sy = 1.0 - 2.0 * (y + 0.5) / a.size[1];
  Ray ray;
  double square = 0.0;
  for (int i = 0; i < 3; ++i) {
    ray.from[i] = a.eye[i];
    ray.along[i] = a.forward[i] + sx * a.right[i] + sy * a.up[i];
    square += ray.along[i] * ray.along[i];
  }
  const double length = sqrt(square);
  for (int i = 0; i < 3; ++i) ray.along[i] /= length;
  return ray;
}

// Adds the block's samples of a ray to its colour, front to back.
DEVICE void integrate(const MarchArguments& a, const Ray& ray, double offset, double depth,
                      float* pixel) {
  double low[3], high[3], enter, leave, first, last;
  for (int i = 0; i < 3; ++i) {
    low[i] = a.nodes[i][0];
    high[i] = a.nodes[i][a.cells[i]];
  }
  clip(ray, a.domain_low, a.domain_high, enter, leave);
  clip(ray, low, high, first, last);
  if (!(leave > enter)) return;
  // Which samples are the block's is decided by their places; these bounds only save time.
  const int64 end = static_cast<int64>(fmin(ceil((leave - enter) / a.step),
                                            ceil((last - enter) / a.step - offset) + 1.0)) +
                    1;
  int cell[3] = {0, 0, 0};
  for (int64 k = static_cast<int64>(fmax(0.0, floor((first - enter) / a.step - offset) - 1.0));
       k < end && pixel[3] < a.opaque; ++k) {
    const double t = enter + (static_cast<double>(k) + offset) * a.step;
    if (!(t < depth)) break;
    double unit[3];
    bool inside = true;
    for (int i = 0; i < 3; ++i) {
      const double p = ray.from[i] + t * ray.along[i];
      const bool at_end = high[i] == a.domain_high[i] && p == high[i];
      inside = inside && p >= low[i] && (p < high[i] || at_end);
      if (!inside) break;
      const double* const nodes = a.nodes[i];
      while (cell[i] < a.cells[i] - 1 && p >= nodes[cell[i] + 1]) ++cell[i];
      while (cell[i] > 0 && p < nodes[cell[i]]) --cell[i];
      const double start = nodes[cell[i]];
      unit[i] = (cell[i] + (p - start) / (nodes[cell[i] + 1] - start)) / a.cells[i];
    }
    if (!inside) continue;
    const double value = value_at(a, unit);
    if (!is_finite(value)) continue;
    float color[4];
    look_up(a, value, color);
    if (color[3] <= 0.0f) continue;
    if (a.flat >= 0.0) light(a, ray, unit, color);
    const float weight = (1.0f - pixel[3]) * color[3];
    for (int c = 0; c < 3; ++c) pixel[c] += weight * color[c];
    pixel[3] += weight;
  }
}

KERNEL(march, MarchArguments, kTileWidth* kTileHeight) {
  const MarchArguments& a = arguments;
  const int width = a.rectangle[3] - a.rectangle[2], height = a.rectangle[1] - a.rectangle[0];
  const int column = block_index() * kTileWidth + thread_index() % kTileWidth;
  const int row = row_index() * kTileHeight + thread_index() / kTileWidth;
  if (column >= width || row >= height) return;
  const int64 at = static_cast<int64>(row) * width + column;
  const int x = a.rectangle[2] + column, y = a.rectangle[0] + row;
  float pixel[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  const double depth = a.depth ? static_cast<double>(a.depth[at]) : infinity();
  integrate(a, ray_of(a, x, y), offset_of(a, x, y), depth, pixel);
  const float left = 1.0f - pixel[3];
  UNROLL
  for (int c = 0; c < 4; ++c)
    a.out[4 * at + c] = pixel[c] + (a.surface ? left * a.surface[4 * at + c] : 0.0f);
}
