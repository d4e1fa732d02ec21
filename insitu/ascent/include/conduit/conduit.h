/* Conduit's C interface, as insitu provides it. */
#ifndef CONDUIT_H
#define CONDUIT_H

#include "conduit_datatype.h"
#include "conduit_node.h"
#include "conduit_utils.h"

#ifdef __cplusplus
extern "C" {
#endif

CONDUIT_API void conduit_about(conduit_node* result);

#ifdef __cplusplus
}
#endif

#endif
