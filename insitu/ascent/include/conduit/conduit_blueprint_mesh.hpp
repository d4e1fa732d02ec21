// Meshes: is it one, which domains has it, what stands in a file of them.
#pragma once

#include <string>
#include <vector>

#include "conduit.hpp"
#include "conduit_blueprint_mesh.h"

namespace conduit {
namespace blueprint {
namespace mesh {

inline bool verify(const Node& mesh, Node& info) {
  return conduit_blueprint_mesh_verify(mesh.c(), info.c()) != 0;
}
// A part: "coordset", "topology", "field".
inline bool verify(const std::string& protocol, const Node& node, Node& info) {
  return conduit_blueprint_mesh_verify_sub_protocol(protocol.c_str(), node.c(), info.c()) != 0;
}

// A group or list of domains, and not one itself.
inline bool is_multi_domain(const Node& mesh) {
  return !mesh.has_child("coordsets") && mesh.number_of_children() > 0 &&
         mesh.child(0).has_child("coordsets");
}
inline std::vector<const Node*> domains(const Node& mesh) {
  std::vector<const Node*> found;
  if (is_multi_domain(mesh)) {
    for (const Node& domain : mesh.children()) found.push_back(&domain);
  } else if (!mesh.dtype().is_empty()) {
    found.push_back(&mesh);
  }
  return found;
}
inline std::vector<Node*> domains(Node& mesh) {
  std::vector<Node*> found;
  for (const Node* domain : domains(static_cast<const Node&>(mesh)))
    found.push_back(const_cast<Node*>(domain));
  return found;
}
inline void domains(const Node& mesh, std::vector<const Node*>& result) { result = domains(mesh); }
inline void domains(Node& mesh, std::vector<Node*>& result) { result = domains(mesh); }
inline index_t number_of_domains(const Node& mesh) {
  return static_cast<index_t>(domains(mesh).size());
}
// A list of the domains, on the mesh's memory.
inline void to_multi_domain(const Node& mesh, Node& result) {
  result.reset();
  for (const Node* domain : domains(mesh)) result.append().set_external(*domain);
}

// What stands in the root file of a mesh that is at `ref_path` in its own files.
inline void generate_index(const Node& mesh, const std::string& ref_path, index_t domain_count,
                           Node& result) {
  conduit::detail::checked_void([&] {
    conduit_blueprint_mesh_generate_index(mesh.c(), ref_path.c_str(), domain_count, result.c());
  });
}

namespace coordset {
inline bool verify(const Node& node, Node& info) { return mesh::verify("coordset", node, info); }
}  // namespace coordset
namespace topology {
inline bool verify(const Node& node, Node& info) { return mesh::verify("topology", node, info); }
}  // namespace topology
namespace field {
inline bool verify(const Node& node, Node& info) { return mesh::verify("field", node, info); }
}  // namespace field

}  // namespace mesh
}  // namespace blueprint
}  // namespace conduit
