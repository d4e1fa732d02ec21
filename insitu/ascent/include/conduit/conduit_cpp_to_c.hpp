// The same node in C++ and in C.
#pragma once

#include "conduit_node.hpp"

namespace conduit {

inline Node* cpp_node(conduit_node* node) { return reinterpret_cast<Node*>(node); }
inline const Node* cpp_node(const conduit_node* node) {
  return reinterpret_cast<const Node*>(node);
}
inline Node& cpp_node_ref(conduit_node* node) { return *cpp_node(node); }
inline const Node& cpp_node_ref(const conduit_node* node) { return *cpp_node(node); }
inline conduit_node* c_node(Node* node) { return node->c(); }
inline const conduit_node* c_node(const Node* node) { return node->c(); }

}  // namespace conduit
