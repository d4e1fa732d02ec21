// Meshes to try a program with.
#pragma once

#include <string>

#include "conduit.hpp"
#include "conduit_blueprint_mesh.h"

namespace conduit {
namespace blueprint {
namespace mesh {
namespace examples {

// n points along each axis; types: "uniform", "rectilinear", "structured", "points", "lines",
// "tris", "quads", "tets", "hexs". 2-D where nz is 0 or 1.
inline void braid(const std::string& type, index_t nx, index_t ny, index_t nz, Node& result) {
  conduit::detail::checked_void(
      [&] { conduit_blueprint_mesh_examples_braid(type.c_str(), nx, ny, nz, result.c()); });
}
inline void basic(const std::string& type, index_t nx, index_t ny, index_t nz, Node& result) {
  conduit::detail::checked_void(
      [&] { conduit_blueprint_mesh_examples_basic(type.c_str(), nx, ny, nz, result.c()); });
}

}  // namespace examples
}  // namespace mesh
}  // namespace blueprint
}  // namespace conduit
