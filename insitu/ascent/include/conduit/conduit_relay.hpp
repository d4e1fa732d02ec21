// Trees in files, and between ranks: conduit's relay, as far as simulations use it.
#pragma once

#include <string>

#include "conduit.hpp"
#include "conduit_relay_io.hpp"
#include "conduit_relay_io_blueprint.hpp"

namespace conduit {
namespace relay {

inline void about(Node& result) { conduit_relay_about(result.c()); }
inline std::string about() {
  Node result;
  relay::about(result);
  return result.to_yaml();
}

}  // namespace relay
}  // namespace conduit
