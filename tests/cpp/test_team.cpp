// How work is shared out among threads, and that they wait for each other.
#include <doctest/doctest.h>

#include "team.hpp"

using insitu::Barrier;
using insitu::Part;
using insitu::part_of;
using insitu::run_team;

TEST_CASE("parts cover everything once, in whole units") {
  for (const long n : {0L, 1L, 7L, 128L, 1000L})
    for (const int size : {1, 2, 3, 8})
      for (const long unit : {1L, 16L, 128L}) {
        long covered = 0;
        for (int i = 0; i < size; ++i) {
          const Part part = part_of(n, i, size, unit);
          CHECK(part.begin == covered);
          CHECK((part.begin % unit == 0 || part.begin == n));
          covered = part.end;
        }
        CHECK(covered == n);
      }
}

TEST_CASE("no thread passes a barrier before all have come") {
  constexpr int kThreads = 4, kRounds = 200;
  Barrier barrier(kThreads);
  std::atomic<int> arrived{0};
  std::atomic<bool> early{false};
  run_team(kThreads, [&](int) {
    for (int round = 1; round <= kRounds; ++round) {
      ++arrived;
      barrier.wait();
      if (arrived < round * kThreads) early = true;
      barrier.wait();
    }
  });
  CHECK_FALSE(early);
  CHECK(arrived == kThreads * kRounds);
}
