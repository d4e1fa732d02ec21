// The points at which a network is read: a list, or a grid given by its axes.
//
// In: `ReadArguments`. Out: point number i.
#pragma once

#include "mlp.hpp"

struct ReadArguments {
  ReadNetwork net;
  const float* points;   // (n, 3), or null: the grid
  const float* axis[3];  // coordinates along x, y, z
  int shape[3];          // numbers of them
  int64 n;
  float* out;
};

DEVICE Point point_number(const ReadArguments& a, int64 i) {
  if (a.points) return {a.points[3 * i], a.points[3 * i + 1], a.points[3 * i + 2]};
  const int64 row = i / a.shape[0];
  return {a.axis[0][i % a.shape[0]], a.axis[1][row % a.shape[1]], a.axis[2][row / a.shape[1]]};
}
