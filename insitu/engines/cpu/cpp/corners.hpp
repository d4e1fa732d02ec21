// The cells around the samples of a chunk, and where points lie in them.
//
// In: points and the layout of a level. Out: entries of the corners, trilinear weights.
#pragma once

#include <cstdint>

#include "network.hpp"
#include "products.hpp"

namespace insitu {

// Corners of the cells of one chunk at one level, kept for the backward pass. Corner c is at
// x + (c & 1), y + (c >> 1 & 1), z + (c >> 2).
struct Corners {
  alignas(64) uint32_t index[8][kChunk];  // of the entry's first value
  float yz[4][kChunk];                    // weights of the four edges parallel to x
  float x1[kChunk];                       // weight of the edge's upper end
  bool paired;                            // the upper end of every edge is the next table entry
};

inline uint32_t cell_of(float position) {
  return static_cast<uint32_t>(static_cast<int32_t>(position));  // positions are >= 0
}

}  // namespace insitu
