/* Checks of meshes against the Blueprint conventions. */
#ifndef CONDUIT_BLUEPRINT_MESH_H
#define CONDUIT_BLUEPRINT_MESH_H

#include "conduit.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 1 if the tree is a mesh of one domain or several; `info/valid` says so as well, "true" or
   "false", and `info/errors` lists what is wrong. */
CONDUIT_BLUEPRINT_API int conduit_blueprint_mesh_verify(const conduit_node* node,
                                                        conduit_node* info);
/* The same for a part: "coordset", "topology", "field". */
CONDUIT_BLUEPRINT_API int conduit_blueprint_mesh_verify_sub_protocol(const char* protocol,
                                                                     const conduit_node* node,
                                                                     conduit_node* info);

#ifdef __cplusplus
}
#endif

#endif
