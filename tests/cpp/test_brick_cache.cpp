// The cache of decoded bricks: its limit, what it drops, what it keeps while in use.
#include "brick_cache.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using insitu::BrickCache;
using insitu::BrickKey;

static constexpr std::size_t kFloats = 100;

static BrickKey key(long block, long brick) { return {block, brick, 0, 0}; }

static void fill(float* values) { values[0] = 1.0f; }

TEST_CASE("a brick is decoded once while there is room, the least recently used one goes") {
  BrickCache cache(2 * kFloats * sizeof(float));
  for (const long brick : {0L, 1L, 0L}) cache.get(key(0, brick), kFloats, fill);
  CHECK(cache.decoded() == 2);
  cache.get(key(0, 2), kFloats, fill);  // 1 goes
  cache.get(key(0, 0), kFloats, fill);
  CHECK(cache.decoded() == 3);
  cache.get(key(0, 1), kFloats, fill);
  CHECK(cache.decoded() == 4);
  CHECK(cache.peak() <= cache.limit());
}

TEST_CASE("a brick in use stays") {
  BrickCache cache(2 * kFloats * sizeof(float));
  const auto held = cache.get(key(0, 0), kFloats, fill);
  for (long brick = 1; brick < 5; ++brick) cache.get(key(0, brick), kFloats, fill);
  CHECK(held->values()[0] == 1.0f);
  const long before = cache.decoded();
  cache.get(key(0, 0), kFloats, fill);
  CHECK(cache.decoded() == before);
}

TEST_CASE("a brick whose decoding fails takes no room") {
  BrickCache cache(kFloats * sizeof(float));
  const auto fail = [](float*) {
    throw std::runtime_error("no");
  };
  CHECK_THROWS_AS(cache.get(key(0, 0), kFloats, fail), std::runtime_error);
  CHECK(cache.used() == 0);
  cache.get(key(0, 1), kFloats, fill);
  CHECK(cache.used() == kFloats * sizeof(float));
}

TEST_CASE("the bricks of a block that is gone are dropped, others stay") {
  BrickCache cache(4 * kFloats * sizeof(float));
  cache.get(key(0, 0), kFloats, fill);
  cache.get(key(1, 0), kFloats, fill);
  cache.forget(0);
  CHECK(cache.used() == kFloats * sizeof(float));
  cache.get(key(1, 0), kFloats, fill);
  CHECK(cache.decoded() == 2);
}
