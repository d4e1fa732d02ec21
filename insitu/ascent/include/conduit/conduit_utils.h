/* Who is told of what happens: functions that take a message, a file and a line. */
#ifndef CONDUIT_UTILS_H
#define CONDUIT_UTILS_H

#include "conduit_node.h"

#ifdef __cplusplus
extern "C" {
#endif

CONDUIT_API void conduit_utils_set_info_handler(void (*on_info)(const char* message,
                                                                const char* file, int line));
CONDUIT_API void conduit_utils_set_warning_handler(void (*on_warning)(const char* message,
                                                                      const char* file, int line));
CONDUIT_API void conduit_utils_set_error_handler(void (*on_error)(const char* message,
                                                                  const char* file, int line));

#ifdef __cplusplus
}
#endif

#endif
