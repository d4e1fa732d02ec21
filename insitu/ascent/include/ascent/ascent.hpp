// Ascent's C++ interface, as insitu provides it: headers alone, over libascent_mpi.so. A simulation
// hands over its mesh, and insitu does what its run file and Ascent's actions ask for.
#pragma once

#include <conduit.hpp>
#include <conduit_blueprint.hpp>
#include <string>

#include "ascent_block_timer.hpp"
#include "ascent_callbacks.hpp"
#include "ascent_config.h"
#include "ascent_functions.h"
#include "ascent_logging.hpp"

namespace ascent {

// open, execute and close are collective over the communicator of the option `mpi_comm`, which is a
// Fortran handle, MPI_Comm_c2f(comm). None of them throws: what failed is in info().
class Ascent {
 public:
  Ascent() : ascent_(ascent_create()) {}
  ~Ascent() { ascent_destroy(ascent_); }
  Ascent(const Ascent&) = delete;
  Ascent& operator=(const Ascent&) = delete;

  void open() { open(conduit::Node()); }
  void open(const conduit::Node& options) { ascent_open(ascent_, in(options)); }
  // The tree's arrays are read in place: they must stay as they are until execute returns.
  void publish(const conduit::Node& data) { ascent_publish(ascent_, in(data)); }
  void execute(const conduit::Node& actions) { ascent_execute(ascent_, in(actions)); }
  void info(conduit::Node& result) { ascent_info(ascent_, result.c()); }
  // Good until the next call.
  conduit::Node& info() { return conduit::cpp_node_ref(ascent_info_ref(ascent_)); }
  void close() { ascent_close(ascent_); }

 private:
  // C functions that do not change a node, and do not say so.
  static conduit_node* in(const conduit::Node& node) { return const_cast<conduit_node*>(node.c()); }

  void* ascent_;
};

inline void about(conduit::Node& result) { ascent_about(result.c()); }
inline std::string about() {
  conduit::Node result;
  ascent::about(result);
  return result.to_yaml();
}

}  // namespace ascent
