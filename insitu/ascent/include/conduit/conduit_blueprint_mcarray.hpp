// Arrays of several components, of one length.
#pragma once

#include <string>

#include "conduit.hpp"
#include "conduit_blueprint_mcarray.h"

namespace conduit {
namespace blueprint {
namespace mcarray {

inline bool verify(const Node& node, Node& info) {
  return conduit_blueprint_mcarray_verify(node.c(), info.c()) != 0;
}
inline bool is_interleaved(const Node& node) {
  return conduit_blueprint_mcarray_is_interleaved(node.c()) != 0;
}
// Copies: each component by itself, or element by element.
inline bool to_contiguous(const Node& node, Node& result) {
  return conduit_blueprint_mcarray_to_contiguous(node.c(), result.c()) != 0;
}
inline bool to_interleaved(const Node& node, Node& result) {
  return conduit_blueprint_mcarray_to_interleaved(node.c(), result.c()) != 0;
}

namespace examples {
inline void xyz(const std::string& type, index_t points, Node& result) {
  conduit::detail::checked_void(
      [&] { conduit_blueprint_mcarray_examples_xyz(type.c_str(), points, result.c()); });
}
}  // namespace examples

}  // namespace mcarray
}  // namespace blueprint
}  // namespace conduit
