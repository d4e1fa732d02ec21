/* The tree in which a simulation describes its mesh: conduit's C interface, as far as simulations
   use it. A node is empty, a group of named children, a list, or a leaf (an array of numbers or a
   text). Paths are names with "/" between them; ".." is the parent.

   A mistake (a path that is not there, a leaf of another kind) is told to the error handler of
   conduit_utils.h, which by default writes a line to stderr; the function then gives 0 or NULL. */
#ifndef CONDUIT_NODE_H
#define CONDUIT_NODE_H

#include "conduit_datatype.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct conduit_node_impl conduit_node;

CONDUIT_API conduit_node* conduit_node_create(void);
/* Frees the node and all below it; of a node within a tree nothing, since its parent owns it. */
CONDUIT_API void conduit_node_destroy(conduit_node* node);

/* ---- the tree */

CONDUIT_API conduit_node* conduit_node_fetch(conduit_node* node, const char* path);
CONDUIT_API conduit_node* conduit_node_fetch_existing(conduit_node* node, const char* path);
CONDUIT_API conduit_node* conduit_node_append(conduit_node* node);
/* The child of exactly this name, which may contain "/". */
CONDUIT_API conduit_node* conduit_node_add_child(conduit_node* node, const char* name);
CONDUIT_API conduit_node* conduit_node_child(conduit_node* node, conduit_index_t index);
CONDUIT_API conduit_node* conduit_node_child_by_name(conduit_node* node, const char* name);
CONDUIT_API conduit_node* conduit_node_parent(conduit_node* node);
CONDUIT_API conduit_index_t conduit_node_number_of_children(conduit_node* node);
CONDUIT_API conduit_index_t conduit_node_number_of_elements(conduit_node* node);
CONDUIT_API int conduit_node_has_child(const conduit_node* node, const char* name);
CONDUIT_API int conduit_node_has_path(const conduit_node* node, const char* path);
CONDUIT_API int conduit_node_is_root(conduit_node* node);
/* The caller frees these two. */
CONDUIT_API char* conduit_node_name(const conduit_node* node);
CONDUIT_API char* conduit_node_path(const conduit_node* node);
CONDUIT_API const conduit_datatype* conduit_node_dtype(const conduit_node* node);

CONDUIT_API void conduit_node_reset(conduit_node* node);
CONDUIT_API void conduit_node_move(conduit_node* node, conduit_node* from);
CONDUIT_API void conduit_node_swap(conduit_node* node, conduit_node* other);
CONDUIT_API void conduit_node_remove_path(conduit_node* node, const char* path);
CONDUIT_API void conduit_node_remove_child(conduit_node* node, conduit_index_t index);
CONDUIT_API void conduit_node_remove_child_by_name(conduit_node* node, const char* name);
CONDUIT_API void conduit_node_rename_child(conduit_node* node, const char* current_name,
                                           const char* new_name);

/* Deep copies, in memory of their own. */
CONDUIT_API void conduit_node_set_node(conduit_node* node, conduit_node* data);
CONDUIT_API void conduit_node_set_path_node(conduit_node* node, const char* path,
                                            conduit_node* data);
CONDUIT_API void conduit_node_compact_to(const conduit_node* node, conduit_node* result);
/* A tree of its own on the other's memory. */
CONDUIT_API void conduit_node_set_external_node(conduit_node* node, conduit_node* data);
CONDUIT_API void conduit_node_set_path_external_node(conduit_node* node, const char* path,
                                                     conduit_node* data);
/* What the other has replaces what is here; what only is here stays. */
CONDUIT_API void conduit_node_update(conduit_node* node, const conduit_node* other);
/* The same of leaves that are here, of the same type and with room, in the memory that is here. */
CONDUIT_API void conduit_node_update_compatible(conduit_node* node, const conduit_node* other);
/* The same, with leaves on the other's memory. */
CONDUIT_API void conduit_node_update_external(conduit_node* node, conduit_node* other);

/* ---- two trees compared */

/* 1 where they differ; `info` is told in what. Floating-point numbers may differ by epsilon. */
CONDUIT_API int conduit_node_diff(const conduit_node* node, const conduit_node* other,
                                  conduit_node* info, conduit_float64 epsilon);
/* The same of what is in `node`: the other may have more. */
CONDUIT_API int conduit_node_diff_compatible(const conduit_node* node, const conduit_node* other,
                                             conduit_node* info, conduit_float64 epsilon);
/* 1 if the other's leaves have room in those of the same paths in `node`. */
CONDUIT_API int conduit_node_compatible(const conduit_node* node, const conduit_node* other);

/* ---- memory */

CONDUIT_API int conduit_node_is_data_external(const conduit_node* node);
CONDUIT_API conduit_index_t conduit_node_total_strided_bytes(const conduit_node* node);
CONDUIT_API conduit_index_t conduit_node_total_bytes_compact(const conduit_node* node);
CONDUIT_API conduit_index_t conduit_node_total_bytes_allocated(const conduit_node* node);
/* One element behind the other in each leaf; in all of the tree; from where another ends. */
CONDUIT_API int conduit_node_is_compact(const conduit_node* node);
CONDUIT_API int conduit_node_is_contiguous(const conduit_node* node);
CONDUIT_API int conduit_node_contiguous_with_node(const conduit_node* node,
                                                  const conduit_node* other);
CONDUIT_API int conduit_node_contiguous_with_address(const conduit_node* node, void* address);
/* Whose memory the leaves are on, and how much it is. */
CONDUIT_API void conduit_node_info(const conduit_node* node, conduit_node* result);
/* Where the memory begins; the first element lies an offset behind it. */
CONDUIT_API void* conduit_node_data_ptr(conduit_node* node);
CONDUIT_API void* conduit_node_element_ptr(conduit_node* node, conduit_index_t index);
CONDUIT_API void* conduit_node_fetch_path_data_ptr(conduit_node* node, const char* path);
CONDUIT_API void* conduit_node_fetch_path_element_ptr(conduit_node* node, const char* path,
                                                      conduit_index_t index);

/* ---- text: protocols are "json" and "yaml"; the caller frees what is returned */

CONDUIT_API void conduit_node_print(conduit_node* node);
CONDUIT_API void conduit_node_print_detailed(conduit_node* node);
CONDUIT_API char* conduit_node_to_json(const conduit_node* node);
CONDUIT_API char* conduit_node_to_yaml(const conduit_node* node);
CONDUIT_API char* conduit_node_to_string(const conduit_node* node);
CONDUIT_API char* conduit_node_to_summary_string(const conduit_node* node);
/* Options: protocol, indent (per level), depth (the first level), pad (what a space is), eoe (what
   ends a line); of summaries num_children_threshold and num_elements_threshold, negative: all. */
CONDUIT_API char* conduit_node_to_json_with_options(const conduit_node* node,
                                                    const conduit_node* options);
CONDUIT_API char* conduit_node_to_yaml_with_options(const conduit_node* node,
                                                    const conduit_node* options);
CONDUIT_API char* conduit_node_to_string_with_options(const conduit_node* node,
                                                      const conduit_node* options);
CONDUIT_API char* conduit_node_to_summary_string_with_options(const conduit_node* node,
                                                              const conduit_node* options);
CONDUIT_API void conduit_node_parse(conduit_node* node, const char* text, const char* protocol);
CONDUIT_API void conduit_node_load(conduit_node* node, const char* file, const char* protocol);
CONDUIT_API void conduit_node_save(conduit_node* node, const char* file, const char* protocol);

/* ---- texts as leaves */

CONDUIT_API void conduit_node_set_char8_str(conduit_node* node, const char* value);
CONDUIT_API void conduit_node_set_path_char8_str(conduit_node* node, const char* path,
                                                 const char* value);
CONDUIT_API void conduit_node_set_external_char8_str(conduit_node* node, char* value);
CONDUIT_API void conduit_node_set_path_external_char8_str(conduit_node* node, const char* path,
                                                          char* value);
CONDUIT_API char* conduit_node_as_char8_str(conduit_node* node);
CONDUIT_API char* conduit_node_fetch_path_as_char8_str(conduit_node* node, const char* path);

/* ---- numbers as leaves, for every type T named t:
   set_t, set_t_ptr, set_t_ptr_detailed, set_external_t_ptr, set_external_t_ptr_detailed;
   the same with set_path_ and a path; as_t, as_t_ptr, fetch_path_as_t, fetch_path_as_t_ptr.
   Only `external` ones keep the pointer; the others copy. offset and stride are in bytes.
   as_t gives the first element, converted where the leaf has another type; as_t_ptr never does. */

#define CONDUIT_DETAILS                                                         \
  conduit_index_t num_elements, conduit_index_t offset, conduit_index_t stride, \
      conduit_index_t element_bytes, conduit_index_t endianness

#define CONDUIT_DECLARE_TYPE(t, T)                                                                \
  CONDUIT_API void conduit_node_set_##t(conduit_node* node, T value);                             \
  CONDUIT_API void conduit_node_set_##t##_ptr(conduit_node* node, T* data,                        \
                                              conduit_index_t num_elements);                      \
  CONDUIT_API void conduit_node_set_##t##_ptr_detailed(conduit_node* node, T* data,               \
                                                       CONDUIT_DETAILS);                          \
  CONDUIT_API void conduit_node_set_external_##t##_ptr(conduit_node* node, T* data,               \
                                                       conduit_index_t num_elements);             \
  CONDUIT_API void conduit_node_set_external_##t##_ptr_detailed(conduit_node* node, T* data,      \
                                                                CONDUIT_DETAILS);                 \
  CONDUIT_API void conduit_node_set_path_##t(conduit_node* node, const char* path, T value);      \
  CONDUIT_API void conduit_node_set_path_##t##_ptr(conduit_node* node, const char* path, T* data, \
                                                   conduit_index_t num_elements);                 \
  CONDUIT_API void conduit_node_set_path_##t##_ptr_detailed(conduit_node* node, const char* path, \
                                                            T* data, CONDUIT_DETAILS);            \
  CONDUIT_API void conduit_node_set_path_external_##t##_ptr(                                      \
      conduit_node* node, const char* path, T* data, conduit_index_t num_elements);               \
  CONDUIT_API void conduit_node_set_path_external_##t##_ptr_detailed(                             \
      conduit_node* node, const char* path, T* data, CONDUIT_DETAILS);                            \
  CONDUIT_API T conduit_node_as_##t(conduit_node* node);                                          \
  CONDUIT_API T* conduit_node_as_##t##_ptr(conduit_node* node);                                   \
  CONDUIT_API T conduit_node_fetch_path_as_##t(conduit_node* node, const char* path);             \
  CONDUIT_API T* conduit_node_fetch_path_as_##t##_ptr(conduit_node* node, const char* path);
CONDUIT_FIXED_TYPES(CONDUIT_DECLARE_TYPE)
CONDUIT_NATIVE_TYPES(CONDUIT_DECLARE_TYPE)
#undef CONDUIT_DECLARE_TYPE

#ifdef __cplusplus
}
#endif

#endif
