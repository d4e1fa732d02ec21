/* What a leaf holds: type, number of elements, and where they lie. */
#ifndef CONDUIT_DATATYPE_H
#define CONDUIT_DATATYPE_H

#include <stddef.h>
#include <stdlib.h>

#include "conduit_bitwidth_style_types.h"
#include "conduit_endianness_types.h"
#include "conduit_exports.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct conduit_datatype_impl conduit_datatype;

CONDUIT_API int conduit_datatype_sizeof_index_t(void);

CONDUIT_API conduit_index_t conduit_datatype_id(const conduit_datatype* type);
/* To be given back to conduit_datatype_name_destroy. */
CONDUIT_API char* conduit_datatype_name(const conduit_datatype* type);
CONDUIT_API void conduit_datatype_name_destroy(char* name);
/* Bytes: offset of the first element, stride from one to the next. */
CONDUIT_API conduit_index_t conduit_datatype_number_of_elements(const conduit_datatype* type);
CONDUIT_API conduit_index_t conduit_datatype_offset(const conduit_datatype* type);
CONDUIT_API conduit_index_t conduit_datatype_stride(const conduit_datatype* type);
CONDUIT_API conduit_index_t conduit_datatype_element_bytes(const conduit_datatype* type);
CONDUIT_API conduit_index_t conduit_datatype_endianness(const conduit_datatype* type);
CONDUIT_API conduit_index_t conduit_datatype_element_index(const conduit_datatype* type,
                                                           conduit_index_t index);

CONDUIT_API int conduit_datatype_is_empty(const conduit_datatype* type);
CONDUIT_API int conduit_datatype_is_object(const conduit_datatype* type);
CONDUIT_API int conduit_datatype_is_list(const conduit_datatype* type);
CONDUIT_API int conduit_datatype_is_number(const conduit_datatype* type);
CONDUIT_API int conduit_datatype_is_floating_point(const conduit_datatype* type);
CONDUIT_API int conduit_datatype_is_integer(const conduit_datatype* type);
CONDUIT_API int conduit_datatype_is_signed_integer(const conduit_datatype* type);
CONDUIT_API int conduit_datatype_is_unsigned_integer(const conduit_datatype* type);
CONDUIT_API int conduit_datatype_is_index_t(const conduit_datatype* type);
CONDUIT_API int conduit_datatype_is_string(const conduit_datatype* type);
CONDUIT_API int conduit_datatype_is_char8_str(const conduit_datatype* type);
CONDUIT_API int conduit_datatype_is_little_endian(const conduit_datatype* type);
CONDUIT_API int conduit_datatype_is_big_endian(const conduit_datatype* type);
CONDUIT_API int conduit_datatype_endianness_matches_machine(const conduit_datatype* type);

#define CONDUIT_DECLARE_IS(name, type) \
  CONDUIT_API int conduit_datatype_is_##name(const conduit_datatype*);
CONDUIT_FIXED_TYPES(CONDUIT_DECLARE_IS)
CONDUIT_NATIVE_TYPES(CONDUIT_DECLARE_IS)
#undef CONDUIT_DECLARE_IS

#ifdef __cplusplus
}
#endif

#endif
