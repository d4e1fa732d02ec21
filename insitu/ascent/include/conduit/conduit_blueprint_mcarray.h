/* Arrays of several components, of one length: a group of arrays. */
#ifndef CONDUIT_BLUEPRINT_MCARRAY_H
#define CONDUIT_BLUEPRINT_MCARRAY_H

#include "conduit_node.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 1 if the tree is one; `info` is told what is wrong. */
CONDUIT_BLUEPRINT_API int conduit_blueprint_mcarray_verify(const conduit_node* node,
                                                           conduit_node* info);
/* There are no parts of it: 0. */
CONDUIT_BLUEPRINT_API int conduit_blueprint_mcarray_verify_sub_protocol(const char* protocol,
                                                                        const conduit_node* node,
                                                                        conduit_node* info);
/* 1 if the components lie element by element. */
CONDUIT_BLUEPRINT_API int conduit_blueprint_mcarray_is_interleaved(const conduit_node* node);
/* Copies: each component by itself, or element by element. 0 where that cannot be. */
CONDUIT_BLUEPRINT_API int conduit_blueprint_mcarray_to_contiguous(const conduit_node* node,
                                                                  conduit_node* result);
CONDUIT_BLUEPRINT_API int conduit_blueprint_mcarray_to_interleaved(const conduit_node* node,
                                                                   conduit_node* result);
/* An example of float64 x, y, z = 1, 2, 3: "interleaved", "separate", "contiguous". */
CONDUIT_BLUEPRINT_API void conduit_blueprint_mcarray_examples_xyz(const char* type,
                                                                  conduit_index_t points,
                                                                  conduit_node* result);

#ifdef __cplusplus
}
#endif

#endif
