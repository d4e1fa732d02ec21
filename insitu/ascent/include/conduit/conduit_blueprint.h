/* Checks of trees against the Blueprint conventions. */
#ifndef CONDUIT_BLUEPRINT_H
#define CONDUIT_BLUEPRINT_H

#include "conduit.h"
#include "conduit_blueprint_mcarray.h"
#include "conduit_blueprint_mesh.h"
#include "conduit_blueprint_table.h"

#ifdef __cplusplus
extern "C" {
#endif

CONDUIT_BLUEPRINT_API void conduit_blueprint_about(conduit_node* result);
/* Protocols: "mesh", "mcarray", "table". 1 if the tree keeps to it; `info` is told what is wrong.
 */
CONDUIT_BLUEPRINT_API int conduit_blueprint_verify(const char* protocol, const conduit_node* node,
                                                   conduit_node* info);

#ifdef __cplusplus
}
#endif

#endif
