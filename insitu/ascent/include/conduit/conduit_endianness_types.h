/* Byte orders, as the functions ending in _detailed take them. */
#ifndef CONDUIT_ENDIANNESS_TYPES_H
#define CONDUIT_ENDIANNESS_TYPES_H

enum conduit_endianness_type_ids {
  CONDUIT_ENDIANNESS_DEFAULT_ID, /* the machine's */
  CONDUIT_ENDIANNESS_BIG_ID,
  CONDUIT_ENDIANNESS_LITTLE_ID
};

#endif
