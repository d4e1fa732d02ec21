/* What ascent.hpp and insitu itself need of the library beyond ascent.h. Not for simulations. */
#ifndef ASCENT_CXX_BRIDGE_H
#define ASCENT_CXX_BRIDGE_H

#include "ascent_functions.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A C++ function of any type, which only the one that calls it knows. */
typedef void (*insitu_function)(void);

/* 0 where there is one of this name already. */
ASCENT_API int insitu_register_command(const char* name,
                                       void (*call)(insitu_function, conduit_node*, conduit_node*),
                                       insitu_function function);
ASCENT_API int insitu_register_condition(const char* name, int (*call)(insitu_function),
                                         insitu_function function);
/* 0 where there is none; what it throws is told, and 0. */
ASCENT_API int insitu_call_command(const char* name, conduit_node* params, conduit_node* output);
/* 0 or 1; -1 where there is none, or where it threw, which is told. */
ASCENT_API int insitu_call_condition(const char* name);
/* Of conditions, or of commands. */
ASCENT_API int insitu_callback_count(int conditions);
ASCENT_API const char* insitu_callback_name(int conditions, int index);
ASCENT_API void insitu_reset_callbacks(void);

#ifdef __cplusplus
}
#endif

#endif
