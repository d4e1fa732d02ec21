// A block cut into bricks of about 32^3 lattice cells, decoded on demand; the value ranges of
// decoded bricks are cached.
//
// In: a source, a cache. Out: bricks, ranges of macrocells.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "brick_cache.hpp"
#include "macrocells.hpp"

namespace insitu {

// One brick's place: lattice cells [lo, hi), and the lattice points that it holds, with its margin.
struct BrickBox {
  Index3 lo, hi;
  Index3 first, shape;  // first point held, points held; numbered along x, then y, then z

  Index3 strides() const { return {1, shape[0], shape[0] * shape[1]}; }
  std::size_t size() const { return static_cast<std::size_t>(shape[0] * shape[1] * shape[2]); }
};

class Bricks {
 public:
  // cells: of the block, x, y, z.
  Bricks(std::unique_ptr<BrickSource> source, const Index3& cells, bool vertex,
         std::shared_ptr<BrickCache> cache)
      : source_(std::move(source)),
        cells_(cells),
        vertex_(vertex),
        cache_(std::move(cache)),
        id_(next_id()) {
    for (int a = 0; a < 3; ++a) {
      const long lattice_cells = sample_count(cells[a], vertex) - 1;
      count_[a] = (lattice_cells + kMost - 1) / kMost;
      size_[a] = (lattice_cells + count_[a] - 1) / count_[a];
    }
  }
  ~Bricks() { cache_->forget(id_); }
  Bricks(const Bricks&) = delete;
  Bricks& operator=(const Bricks&) = delete;

  int components() const { return source_->components(); }
  const Index3& cells() const { return cells_; }
  bool vertex() const { return vertex_; }
  BrickCache& cache() const { return *cache_; }

  // Bricks along each axis; number = x + count[0] * (y + count[1] * z).
  const Index3& count() const { return count_; }
  long total() const { return count_[0] * count_[1] * count_[2]; }
  // Lattice cells of a brick along each axis; the last one may have fewer.
  const Index3& size() const { return size_; }

  Index3 place(long number) const {
    return {number % count_[0], number / count_[0] % count_[1], number / (count_[0] * count_[1])};
  }

  BrickBox box(long number, int margin) const {
    const Index3 at = place(number);
    BrickBox box;
    for (int a = 0; a < 3; ++a) {
      const long last = sample_count(cells_[a], vertex_) - 1;
      box.lo[a] = at[a] * size_[a];
      box.hi[a] = std::min(box.lo[a] + size_[a], last);
      box.first[a] = std::max(box.lo[a] - margin, 0L);
      box.shape[a] = std::min(box.hi[a] + margin, last) - box.first[a] + 1;
    }
    return box;
  }

  // Floats of the largest brick.
  std::size_t largest(int margin) const {
    std::size_t size = 1;
    for (int a = 0; a < 3; ++a) size *= static_cast<std::size_t>(size_[a] + 1 + 2 * margin);
    return size;
  }

  std::unique_ptr<BrickCache::Held> get(long number, int component, int margin) {
    const BrickBox at = box(number, margin);
    return cache_->get({id_, number, component, margin}, at.size(), [&](float* out) {
      Index3 end;
      for (int a = 0; a < 3; ++a) end[a] = at.first[a] + at.shape[a];
      source_->decode(at.first, end, component, out);
      learn(number, component, at, out);
    });
  }

  // The ranges of a brick's macrocells; null where it was never decoded.
  std::shared_ptr<const MacrocellRanges> ranges(long number, int component) const {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = ranges_.find(component);
    return found == ranges_.end() ? nullptr : found->second[number];
  }

 private:
  static constexpr long kMost = 36;  // cells of a brick: 128 and two half cells make 4 of 33

  static long next_id() {
    static std::atomic<long> id{0};
    return id++;
  }

  void learn(long number, int component, const BrickBox& at, const float* values) {
    const Index3 strides = at.strides();
    Index3 cells;
    for (int a = 0; a < 3; ++a) {
      cells[a] = at.hi[a] - at.lo[a];
      values += (at.lo[a] - at.first[a]) * strides[a];
    }
    auto ranges = std::make_shared<MacrocellRanges>(macrocell_ranges(values, strides, cells));
    std::lock_guard<std::mutex> lock(mutex_);
    auto& all = ranges_[component];
    all.resize(static_cast<std::size_t>(total()));
    all[number] = std::move(ranges);
  }

  std::unique_ptr<BrickSource> source_;
  Index3 cells_, count_, size_;
  bool vertex_;
  std::shared_ptr<BrickCache> cache_;
  const long id_;
  mutable std::mutex mutex_;
  std::map<int, std::vector<std::shared_ptr<const MacrocellRanges>>> ranges_;
};

}  // namespace insitu
