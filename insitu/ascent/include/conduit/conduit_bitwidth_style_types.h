/* Conduit's names for numbers of fixed width, and the numbers that stand for them in a datatype. */
#ifndef CONDUIT_BITWIDTH_STYLE_TYPES_H
#define CONDUIT_BITWIDTH_STYLE_TYPES_H

#include <stdint.h>

typedef int8_t conduit_int8;
typedef int16_t conduit_int16;
typedef int32_t conduit_int32;
typedef int64_t conduit_int64;
typedef uint8_t conduit_uint8;
typedef uint16_t conduit_uint16;
typedef uint32_t conduit_uint32;
typedef uint64_t conduit_uint64;
typedef float conduit_float32;
typedef double conduit_float64;
typedef conduit_int64 conduit_index_t;

enum conduit_type_ids {
  CONDUIT_EMPTY_ID = 0,
  CONDUIT_OBJECT_ID = 1,
  CONDUIT_LIST_ID = 2,
  CONDUIT_INT8_ID = 3,
  CONDUIT_INT16_ID = 4,
  CONDUIT_INT32_ID = 5,
  CONDUIT_INT64_ID = 6,
  CONDUIT_UINT8_ID = 7,
  CONDUIT_UINT16_ID = 8,
  CONDUIT_UINT32_ID = 9,
  CONDUIT_UINT64_ID = 10,
  CONDUIT_FLOAT32_ID = 11,
  CONDUIT_FLOAT64_ID = 12,
  CONDUIT_CHAR8_STR_ID = 13
};

/* Every type that has functions of its own: X(its name in them, its C type). First those of fixed
   width, then C's own. */
#define CONDUIT_FIXED_TYPES(X) \
  X(int8, conduit_int8)        \
  X(int16, conduit_int16)      \
  X(int32, conduit_int32)      \
  X(int64, conduit_int64)      \
  X(uint8, conduit_uint8)      \
  X(uint16, conduit_uint16)    \
  X(uint32, conduit_uint32)    \
  X(uint64, conduit_uint64)    \
  X(float32, conduit_float32)  \
  X(float64, conduit_float64)

#define CONDUIT_NATIVE_TYPES(X)     \
  X(char, char)                     \
  X(short, short)                   \
  X(int, int)                       \
  X(long, long)                     \
  X(signed_char, signed char)       \
  X(signed_short, signed short)     \
  X(signed_int, signed int)         \
  X(signed_long, signed long)       \
  X(unsigned_char, unsigned char)   \
  X(unsigned_short, unsigned short) \
  X(unsigned_int, unsigned int)     \
  X(unsigned_long, unsigned long)   \
  X(float, float)                   \
  X(double, double)

#endif
