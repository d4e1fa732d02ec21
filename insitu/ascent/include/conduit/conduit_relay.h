/* Trees in files: JSON and YAML, by the file's ending where no protocol is given. What else
   conduit's relay reads and writes is refused by name. */
#ifndef CONDUIT_RELAY_H
#define CONDUIT_RELAY_H

#include "conduit_node.h"

#define CONDUIT_RELAY_API CONDUIT_API

#ifdef __cplusplus
extern "C" {
#endif

CONDUIT_RELAY_API void conduit_relay_about(conduit_node* result);
CONDUIT_RELAY_API void conduit_relay_io_about(conduit_node* result);
CONDUIT_RELAY_API void conduit_relay_io_initialize(void);
CONDUIT_RELAY_API void conduit_relay_io_finalize(void);
CONDUIT_RELAY_API void conduit_relay_io_save(conduit_node* node, const char* path,
                                             const char* protocol, conduit_node* options);
/* What is in the file stays, where the node has nothing in its place. */
CONDUIT_RELAY_API void conduit_relay_io_save_merged(conduit_node* node, const char* path,
                                                    const char* protocol, conduit_node* options);
CONDUIT_RELAY_API void conduit_relay_io_load(const char* path, const char* protocol,
                                             conduit_node* options, conduit_node* node);
/* Only step 0 of domain 0: these files have no others. */
CONDUIT_RELAY_API void conduit_relay_io_load_step_and_domain(const char* path, const char* protocol,
                                                             int step, int domain,
                                                             conduit_node* options,
                                                             conduit_node* node);
CONDUIT_RELAY_API int conduit_relay_io_query_number_of_steps(const char* path);
CONDUIT_RELAY_API int conduit_relay_io_query_number_of_domains(const char* path);

#ifdef __cplusplus
}
#endif

#endif
