/* What the C++ headers need of the library beyond conduit's C interface. Not for simulations. */
#ifndef CONDUIT_CXX_BRIDGE_H
#define CONDUIT_CXX_BRIDGE_H

#include "conduit_node.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Room for a node within a conduit::Node. */
#define INSITU_NODE_BYTES 192

/* An empty node in memory of the caller's, and its end. The process is aborted where the library
   needs more room than the headers gave. */
CONDUIT_API void insitu_node_construct(void* room, size_t bytes);
CONDUIT_API void insitu_node_destruct(void* room);

/* A leaf with a copy of the elements, or zeros where `data` is NULL; an empty node, group or list
   where the type says so. External: the leaf is on `data` itself. */
CONDUIT_API void insitu_node_set(conduit_node* node, const conduit_datatype* type,
                                 const void* data);
CONDUIT_API void insitu_node_set_external(conduit_node* node, const conduit_datatype* type,
                                          void* data);

/* Mistakes of this thread are kept, and not told to the handler of conduit_utils.h, until `end`,
   which gives the first one's text, or NULL. The text is good until the next `begin`. */
CONDUIT_API void insitu_errors_begin(void);
CONDUIT_API const char* insitu_errors_end(void);

#ifdef __cplusplus
}
#endif

#endif
