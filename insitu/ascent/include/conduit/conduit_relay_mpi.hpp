// What simulations use of conduit's relay between ranks. Needs mpi.h.
#pragma once

#include <mpi.h>

#include "conduit.hpp"

namespace conduit {
namespace relay {
namespace mpi {

inline int rank(MPI_Comm comm) {
  int number = 0;
  MPI_Comm_rank(comm, &number);
  return number;
}
inline int size(MPI_Comm comm) {
  int count = 0;
  MPI_Comm_size(comm, &count);
  return count;
}

}  // namespace mpi
}  // namespace relay
}  // namespace conduit
