/* Columns of one length: a group or list named `values`; or several such tables. */
#ifndef CONDUIT_BLUEPRINT_TABLE_H
#define CONDUIT_BLUEPRINT_TABLE_H

#include "conduit_node.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 1 if the tree is one; `info` is told what is wrong. */
CONDUIT_BLUEPRINT_API int conduit_blueprint_table_verify(const conduit_node* node,
                                                         conduit_node* info);
/* There are no parts of it: 0. */
CONDUIT_BLUEPRINT_API int conduit_blueprint_table_verify_sub_protocol(const char* protocol,
                                                                      const conduit_node* node,
                                                                      conduit_node* info);
/* An example: the points of a grid, x, y, z and their number, as columns. */
CONDUIT_BLUEPRINT_API void conduit_blueprint_table_examples_basic(conduit_index_t nx,
                                                                  conduit_index_t ny,
                                                                  conduit_index_t nz,
                                                                  conduit_node* result);

#ifdef __cplusplus
}
#endif

#endif
