// Checks of meshes that all ranks hold parts of. Needs mpi.h.
#pragma once

#include <mpi.h>

#include <string>

#include "conduit_blueprint.hpp"

namespace conduit {
namespace blueprint {
namespace mpi {

// Whether every rank's part keeps to the protocol. `info` is told of this rank's. Collective.
inline bool verify(const std::string& protocol, const Node& node, Node& info, MPI_Comm comm) {
  int mine = node.dtype().is_empty() || blueprint::verify(protocol, node, info) ? 1 : 0, all = 0;
  MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_MIN, comm);
  return all == 1;
}

namespace mesh {

inline bool verify(const Node& node, Node& info, MPI_Comm comm) {
  return mpi::verify("mesh", node, info, comm);
}
// Of all ranks. Collective.
inline index_t number_of_domains(const Node& node, MPI_Comm comm) {
  long long mine = blueprint::mesh::number_of_domains(node), all = 0;
  MPI_Allreduce(&mine, &all, 1, MPI_LONG_LONG, MPI_SUM, comm);
  return static_cast<index_t>(all);
}

}  // namespace mesh
}  // namespace mpi
}  // namespace blueprint
}  // namespace conduit
