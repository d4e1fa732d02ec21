// Conduit's C++ interface, as insitu provides it: headers alone, over libconduit.so. C++11 or
// newer.
#pragma once

#include "conduit_core.hpp"
#include "conduit_cpp_to_c.hpp"
#include "conduit_data_accessor.hpp"
#include "conduit_data_array.hpp"
#include "conduit_data_type.hpp"
#include "conduit_endianness.hpp"
#include "conduit_error.hpp"
#include "conduit_node.hpp"
#include "conduit_node_iterator.hpp"
#include "conduit_utils.hpp"
