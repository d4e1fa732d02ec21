// Messages of programs, to conduit's handlers: ASCENT_INFO("a" << b).
#pragma once

#include <conduit_utils.hpp>

#define ASCENT_INFO(message) CONDUIT_INFO(message)
#define ASCENT_WARN(message) CONDUIT_WARN(message)
#define ASCENT_ERROR(message) CONDUIT_ERROR(message)
