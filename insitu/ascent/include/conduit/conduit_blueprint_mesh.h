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

/* What stands in the root file of a mesh that is at `ref_path` in its own files. */
CONDUIT_BLUEPRINT_API void conduit_blueprint_mesh_generate_index(const conduit_node* mesh,
                                                                 const char* ref_path,
                                                                 conduit_index_t num_domains,
                                                                 conduit_node* result);

/* Meshes to try a program with, n points along each axis: "uniform", "rectilinear", "structured",
   "points", "lines", "tris", "quads", "tets", "hexs". 2-D where nz is 0 or 1. Fields of `braid`:
   braid (vertex), radial (element), vel (vertex, u v w); of `basic`: field (element, its number).
 */
CONDUIT_BLUEPRINT_API void conduit_blueprint_mesh_examples_braid(const char* type,
                                                                 conduit_index_t nx,
                                                                 conduit_index_t ny,
                                                                 conduit_index_t nz,
                                                                 conduit_node* result);
CONDUIT_BLUEPRINT_API void conduit_blueprint_mesh_examples_basic(const char* type,
                                                                 conduit_index_t nx,
                                                                 conduit_index_t ny,
                                                                 conduit_index_t nz,
                                                                 conduit_node* result);

#ifdef __cplusplus
}
#endif

#endif
