// Transfer function: values to color and opacity.
//
// In: rows of straight RGBA over a range of values. Out: premultiplied colors at values; whether
// any value in a range is visible.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "macrocells.hpp"
#include "simd.hpp"

namespace insitu {

typedef float Rgba __attribute__((vector_size(16), may_alias, aligned(4)));

class TransferTable {
 public:
  // rgba (rows, 4), with the alpha of one step, over [lo, hi]; linear between its rows, alpha and
  // colour each. What is kept is their product, on at least kFine rows, linear between those.
  TransferTable(const float* rgba, long rows, float lo, float hi) : lo_(lo) {
    const long finer = std::max(1L, (kFine + rows - 3) / (rows - 1));
    last_ = (rows - 1) * finer;
    scale_ = hi > lo ? static_cast<float>(static_cast<double>(last_) / (hi - lo)) : 0.0f;
    rows_.resize(static_cast<std::size_t>(last_) + 2);
    shown_.assign(static_cast<std::size_t>(last_) + 2, 0);
    for (long i = 0; i <= last_; ++i) {
      const long low = std::min(i / finer, rows - 2);
      const float f = static_cast<float>(i - low * finer) / static_cast<float>(finer);
      Rgba c;
      for (int j = 0; j < 4; ++j)
        c[j] = rgba[4 * low + j] + f * (rgba[4 * low + 4 + j] - rgba[4 * low + j]);
      for (int j = 0; j < 3; ++j) c[j] *= c[3];
      rows_[i].color = c;
      if (i > 0) rows_[i - 1].step = c - rows_[i - 1].color;
      shown_[i + 1] = shown_[i] + (c[3] > 0.0f);
    }
  }

  // Fractional rows, 0 .. last; last + 1, which is transparent, where a value is not finite.
  vfloat row(vfloat value) const {
    const vfloat last = splat(static_cast<float>(last_));
    const vfloat row = least(most((value - splat(lo_)) * splat(scale_), vfloat{}), last);
    return value - value == vfloat{} ? row : last + splat(1.0f);
  }

  // Premultiplied.
  Rgba color(float row) const {
    const int low = static_cast<int>(row);
    return rows_[low].color + (row - static_cast<float>(low)) * rows_[low].step;
  }

  // Whether any value of the range is not transparent.
  bool shows(const ValueRange& range) const {
    if (!(range.lo <= range.hi)) return false;
    // Interpolation may round beyond its ends.
    const auto row = [&](float value, float slack) {
      const float r = (value - lo_) * scale_ + slack;
      return static_cast<long>(std::min(std::max(r, 0.0f), static_cast<float>(last_)));
    };
    const long first = row(range.lo, -0.01f), end = std::min(row(range.hi, 0.01f) + 1, last_) + 1;
    return shown_[end] > shown_[first];
  }

 private:
  static constexpr long kFine = 1024;

  struct Row {
    Rgba color{}, step{};  // step: to the next row
  };

  float lo_, scale_;
  long last_;
  std::vector<Row> rows_;
  std::vector<long> shown_;  // rows before this one that are not transparent
};

}  // namespace insitu
