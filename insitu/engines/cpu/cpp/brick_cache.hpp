// LRU cache of decoded bricks of any number of blocks, with a limit in bytes.
//
// In: a key, a decoder. Out: the brick, which stays valid as long as it is held.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>

#include "simd.hpp"

namespace insitu {

struct BrickKey {
  long block, brick;
  int component, margin;

  bool operator<(const BrickKey& o) const {
    return std::tie(block, brick, component, margin) <
           std::tie(o.block, o.brick, o.component, o.margin);
  }
};

class BrickCache {
  struct Entry {
    BrickKey key;
    Buffer<float> values;
    int holders;
  };
  using Place = std::list<Entry>::iterator;

 public:
  explicit BrickCache(std::size_t limit) : limit_(limit) {}

  // A brick in use: it is not evicted during the lifetime of this object.
  class Held {
   public:
    Held(BrickCache& cache, Place place) : cache_(cache), place_(place) {}
    ~Held() { cache_.release(place_); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    const float* values() const { return place_->values.data(); }

   private:
    BrickCache& cache_;
    Place place_;
  };

  std::size_t limit() const { return limit_; }

  // Bricks of `size` floats that may be in use at once.
  long room_for(std::size_t size) const {
    return static_cast<long>(limit_ / (size * sizeof(float)));
  }

  // decode(float*) fills a brick that is not here. A thread holds one brick at a time, so that one
  // that waits for room is never waited for. No two threads request a key at once.
  template <typename Decode>
  std::unique_ptr<Held> get(const BrickKey& key, std::size_t size, Decode&& decode) {
    Place place;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      const auto found = places_.find(key);
      if (found != places_.end()) {
        entries_.splice(entries_.begin(), entries_, found->second);
        ++found->second->holders;
        return std::make_unique<Held>(*this, found->second);
      }
      released_.wait(lock, [&] { return make_room(size * sizeof(float)); });
      used_ += size * sizeof(float);
      peak_ = std::max(peak_, used_);
      ++decoded_;
      entries_.push_front({key, Buffer<float>(size), 1});
      place = entries_.begin();
    }
    try {
      decode(place->values.data());
    } catch (...) {
      std::lock_guard<std::mutex> lock(mutex_);
      drop(place);
      released_.notify_all();
      throw;
    }
    std::lock_guard<std::mutex> lock(mutex_);
    places_[key] = place;
    return std::make_unique<Held>(*this, place);
  }

  // Removes the bricks of a deleted block.
  void forget(long block) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto at = entries_.begin(); at != entries_.end();) {
      const auto next = std::next(at);
      if (at->key.block == block && at->holders == 0) drop(at);
      at = next;
    }
  }

  std::size_t used() const { return locked(used_); }
  std::size_t peak() const { return locked(peak_); }
  long decoded() const { return locked(decoded_); }

 private:
  template <typename T>
  T locked(const T& value) const {
    std::lock_guard<std::mutex> lock(mutex_);
    return value;
  }

  bool make_room(std::size_t bytes) {
    for (auto at = entries_.end(); used_ + bytes > limit_ && at != entries_.begin();) {
      --at;
      if (at->holders > 0) continue;
      const auto next = std::next(at);
      drop(at);
      at = next;
    }
    return used_ + bytes <= limit_;
  }

  void drop(Place place) {
    used_ -= place->values.size() * sizeof(float);
    places_.erase(place->key);
    entries_.erase(place);
  }

  void release(Place place) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (--place->holders == 0) released_.notify_all();
  }

  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable released_;
  std::list<Entry> entries_;  // most recently used first
  std::map<BrickKey, Place> places_;
  std::size_t used_ = 0, peak_ = 0;
  long decoded_ = 0;
};

}  // namespace insitu
