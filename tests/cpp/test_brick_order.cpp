// The order in which bricks are visited.
#include "brick_order.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>

using insitu::BrickOrder;
using insitu::Index3;

static long away(long a, long b) { return a > b ? a - b : b - a; }

TEST_CASE("every brick once, after its neighbours towards the eye") {
  const Index3 count{3, 4, 2};
  for (const Index3& eye : {Index3{0, 0, 0}, Index3{2, 3, 1}, Index3{1, 2, 0}})
    for (const int threads : {1, 3}) {
      std::vector<std::atomic<int>> visits(3 * 4 * 2);
      std::atomic<bool> early{false};
      BrickOrder(count, eye).run(threads, [&](long brick, int) {
        const Index3 at{brick % 3, brick / 3 % 4, brick / 12};
        for (int a = 0; a < 3; ++a)
          for (const long step : {-1L, 1L}) {
            Index3 near = at;
            near[a] += step;
            const bool inside = near[a] >= 0 && near[a] < count[a];
            if (!inside || away(near[a], eye[a]) >= away(at[a], eye[a])) continue;
            if (visits[near[0] + 3 * (near[1] + 4 * near[2])] == 0) early = true;
          }
        ++visits[brick];
      });
      CHECK_FALSE(early);
      for (const auto& visit : visits) CHECK(visit == 1);
    }
}

TEST_CASE("an exception of a thread comes out") {
  BrickOrder order({2, 2, 2}, {0, 0, 0});
  const auto visit = [](long brick, int) {
    if (brick == 3) throw std::runtime_error("brick 3");
  };
  CHECK_THROWS_WITH(order.run(2, visit), "brick 3");
}
