// conduit_cxx_bridge.h: nodes in place, leaves of any type, and mistakes told to the caller, for
// the C++ headers.

#include "conduit_cxx_bridge.h"

#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "node.hpp"

using insitu::Node;
using insitu::Type;

static_assert(sizeof(Node) <= INSITU_NODE_BYTES, "give INSITU_NODE_BYTES more room");
static_assert(alignof(Node) <= 8, "conduit::Node is aligned to 8 bytes");

extern "C" {

void insitu_node_construct(void* room, size_t bytes) {
  if (bytes < sizeof(Node)) {
    std::fputs(
        "insitu: conduit: this program was compiled with headers of another version than the "
        "libconduit.so that it loaded; compile it with those of `insitu ascent-libs --cflags`\n",
        stderr);
    std::abort();
  }
  new (room) Node;
}

void insitu_node_destruct(void* room) { static_cast<Node*>(room)->~Node(); }

void insitu_node_set(conduit_node* node, const conduit_datatype* type, const void* data) {
  try {
    if (!type->is_leaf()) {
      node->reset();
      node->type.id = type->id;
    } else if (data != nullptr) {
      node->set(data, Type(*type));
    } else {
      // Zeros, as many as asked for and one after the other.
      const auto bytes = static_cast<std::size_t>(type->num_elements * type->element_bytes);
      const std::vector<char> zeros(bytes + 1);
      node->set(zeros.data(), Type{type->id, type->num_elements, 0, type->element_bytes,
                                   type->element_bytes, CONDUIT_ENDIANNESS_DEFAULT_ID});
    }
  } catch (const std::exception& error) {
    INSITU_ERROR(std::string("conduit::Node::set: ") + error.what());
  }
}

void insitu_node_set_external(conduit_node* node, const conduit_datatype* type, void* data) {
  if (!type->is_leaf()) return insitu_node_set(node, type, nullptr);
  if (data == nullptr && type->num_elements > 0)
    return INSITU_ERROR("conduit::Node::set_external: the pointer is NULL");
  node->set_external(data, Type(*type));
}

}  // extern "C"
