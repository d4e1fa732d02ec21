/* Ascent's C interface, as insitu provides it: a simulation hands over its mesh, and insitu does
   what its run file and Ascent's actions ask for.

   Calls that are collective over the communicator given as `mpi_comm`: open, execute, close. A
   failure inside never ends the simulation, unless the options say `exceptions: forward` or the
   run file `on_error: raise`. */
#ifndef ASCENT_H
#define ASCENT_H

#include <conduit_node.h>

#define ASCENT_API CONDUIT_API

#ifdef __cplusplus
extern "C" {
#endif

typedef void Ascent;

ASCENT_API void ascent_about(conduit_node* result);
ASCENT_API Ascent* ascent_create(void);
ASCENT_API void ascent_destroy(Ascent* ascent);
/* `mpi_comm`: a Fortran handle, MPI_Comm_c2f(comm). ascent_options.yaml or .json is merged in. */
ASCENT_API void ascent_open(Ascent* ascent, conduit_node* options);
/* The tree's arrays are read in place: they must stay as they are until execute returns. */
ASCENT_API void ascent_publish(Ascent* ascent, conduit_node* data);
/* ascent_actions.yaml or .json, where there is one, is done instead of `actions`. */
ASCENT_API void ascent_execute(Ascent* ascent, conduit_node* actions);
ASCENT_API void ascent_info(Ascent* ascent, conduit_node* result);
/* Belongs to `ascent`, until the next call for it. */
ASCENT_API conduit_node* ascent_info_ref(Ascent* ascent);
ASCENT_API void ascent_close(Ascent* ascent);

/* Seconds between start and stop, added up by name; written to ascent_timers_<rank>.csv. */
ASCENT_API void ascent_timer_start(char* name);
ASCENT_API void ascent_timer_stop(char* name);
ASCENT_API void ascent_timer_write(void);

#ifdef __cplusplus
}
#endif

#endif
