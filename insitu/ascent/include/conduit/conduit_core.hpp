// Conduit's names for numbers of fixed width, and what library this is.
#pragma once

#include <cstddef>
#include <string>

#include "conduit.h"

namespace conduit {

class Node;

typedef conduit_int8 int8;
typedef conduit_int16 int16;
typedef conduit_int32 int32;
typedef conduit_int64 int64;
typedef conduit_uint8 uint8;
typedef conduit_uint16 uint16;
typedef conduit_uint32 uint32;
typedef conduit_uint64 uint64;
typedef conduit_float32 float32;
typedef conduit_float64 float64;
typedef conduit_index_t index_t;
typedef conduit_int32 index32_t;
typedef conduit_int64 index64_t;

// Name and version of the library, as YAML, or in a node.
std::string about();
void about(Node& result);

}  // namespace conduit

// Every arithmetic C++ type that a leaf can hold: X(T). The fixed ones are typedefs of these.
#define CONDUIT_CXX_TYPES(X) \
  X(char)                    \
  X(signed char)             \
  X(unsigned char)           \
  X(short)                   \
  X(unsigned short)          \
  X(int)                     \
  X(unsigned int)            \
  X(long)                    \
  X(unsigned long)           \
  X(long long)               \
  X(unsigned long long)      \
  X(float)                   \
  X(double)

// The same types under the names that functions have: X(name, T).
#define CONDUIT_CXX_NAMES(X)                \
  X(int8, conduit::int8)                    \
  X(int16, conduit::int16)                  \
  X(int32, conduit::int32)                  \
  X(int64, conduit::int64)                  \
  X(uint8, conduit::uint8)                  \
  X(uint16, conduit::uint16)                \
  X(uint32, conduit::uint32)                \
  X(uint64, conduit::uint64)                \
  X(float32, conduit::float32)              \
  X(float64, conduit::float64)              \
  X(index_t, conduit::index_t)              \
  X(char, char)                             \
  X(short, short)                           \
  X(int, int)                               \
  X(long, long)                             \
  X(long_long, long long)                   \
  X(signed_char, signed char)               \
  X(signed_short, signed short)             \
  X(signed_int, signed int)                 \
  X(signed_long, signed long)               \
  X(signed_long_long, signed long long)     \
  X(unsigned_char, unsigned char)           \
  X(unsigned_short, unsigned short)         \
  X(unsigned_int, unsigned int)             \
  X(unsigned_long, unsigned long)           \
  X(unsigned_long_long, unsigned long long) \
  X(float, float)                           \
  X(double, double)
