// Columns of one length.
#pragma once

#include "conduit.hpp"
#include "conduit_blueprint_table.h"

namespace conduit {
namespace blueprint {
namespace table {

inline bool verify(const Node& node, Node& info) {
  return conduit_blueprint_table_verify(node.c(), info.c()) != 0;
}

namespace examples {
inline void basic(index_t nx, index_t ny, index_t nz, Node& result) {
  conduit::detail::checked_void(
      [&] { conduit_blueprint_table_examples_basic(nx, ny, nz, result.c()); });
}
}  // namespace examples

}  // namespace table
}  // namespace blueprint
}  // namespace conduit
