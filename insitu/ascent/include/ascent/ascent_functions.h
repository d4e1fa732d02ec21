/* The functions of ascent.h, with a void* for an Ascent: ascent.hpp declares them without ascent.h,
   whose name `Ascent` would be in the way of ascent::Ascent.

   Calls that are collective over the communicator given as `mpi_comm`: open, execute, close. A
   failure inside never ends the simulation, unless the options say `exceptions: forward` or the
   run file `on_error: raise`. */
#ifndef ASCENT_FUNCTIONS_H
#define ASCENT_FUNCTIONS_H

#include <conduit_node.h>

#include "ascent_exports.h"

#ifdef __cplusplus
extern "C" {
#endif

ASCENT_API void ascent_about(conduit_node* result);
ASCENT_API void* ascent_create(void);
ASCENT_API void ascent_destroy(void* ascent);
/* `mpi_comm`: a Fortran handle, MPI_Comm_c2f(comm). ascent_options.yaml or .json is merged in. */
ASCENT_API void ascent_open(void* ascent, conduit_node* options);
/* The tree's arrays are read in place: they must stay as they are until execute returns. */
ASCENT_API void ascent_publish(void* ascent, conduit_node* data);
/* ascent_actions.yaml or .json, where there is one, is done instead of `actions`. */
ASCENT_API void ascent_execute(void* ascent, conduit_node* actions);
ASCENT_API void ascent_info(void* ascent, conduit_node* result);
/* Belongs to `ascent`, until the next call for it. */
ASCENT_API conduit_node* ascent_info_ref(void* ascent);
ASCENT_API void ascent_close(void* ascent);

/* Seconds between start and stop, added up by name; written to ascent_timers_<rank>.csv. */
ASCENT_API void ascent_timer_start(char* name);
ASCENT_API void ascent_timer_stop(char* name);
ASCENT_API void ascent_timer_write(void);

#ifdef __cplusplus
}
#endif

#endif
