// The Blueprint conventions: checks, domains, an index, examples.
#pragma once

#include <string>

#include "conduit.hpp"
#include "conduit_blueprint.h"
#include "conduit_blueprint_mcarray.hpp"
#include "conduit_blueprint_mesh.hpp"
#include "conduit_blueprint_mesh_examples.hpp"
#include "conduit_blueprint_table.hpp"

namespace conduit {
namespace blueprint {

// Whether a tree keeps to a protocol ("mesh", "mesh/field", "mcarray", "table"); `info` is told
// what is wrong.
inline bool verify(const std::string& protocol, const Node& node, Node& info) {
  return conduit_blueprint_verify(protocol.c_str(), node.c(), info.c()) != 0;
}
inline void about(Node& result) { conduit_blueprint_about(result.c()); }
inline std::string about() {
  Node result;
  blueprint::about(result);
  return result.to_yaml();
}

}  // namespace blueprint
}  // namespace conduit
