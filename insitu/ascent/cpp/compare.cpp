// Comparing trees, and updating one from another as far as they agree.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

#include "conduit.h"
#include "node.hpp"

using insitu::Node;

namespace {

std::string shown(conduit_index_t n) { return std::to_string(n); }

// Collects in `info` what differs; all of it, or only what the other has not (`compatible`).
class Difference {
 public:
  Difference(double epsilon, bool compatible) : epsilon_(epsilon), compatible_(compatible) {}

  // Whether there is one.
  bool of(const Node& a, const Node& b, Node& info) const {
    info.reset();
    bool found = false;
    if (a.type.id != b.type.id)
      found = tell(info, std::string("data type mismatch (") + insitu::type_name(a.type.id) +
                             " vs " + insitu::type_name(b.type.id) + ")");
    else if (a.is_group()) found = groups(a, b, info);
    else if (a.is_list()) found = lists(a, b, info);
    else if (a.type.is_leaf()) found = leaves(a, b, info);
    info.fetch("valid")->set_text(found ? "false" : "true");
    return found;
  }

 private:
  double epsilon_;
  bool compatible_;

  static bool tell(Node& info, const std::string& text) {
    info.fetch("errors")->append()->set_text(text.c_str());
    return true;
  }

  bool groups(const Node& a, const Node& b, Node& info) const {
    bool found = false;
    for (const auto& one : a.children) {
      const Node* const other = b.child(one->name);
      if (other == nullptr) {
        info.fetch("children/extra")->append()->set_text(one->name.c_str());
        found = tell(info, "'" + one->name + "' is not in the other");
      } else {
        found |= of(*one, *other, *info.fetch("children/diff")->add_child(one->name));
      }
    }
    for (const auto& one : b.children) {
      if (compatible_ || a.child(one->name) != nullptr) continue;
      info.fetch("children/missing")->append()->set_text(one->name.c_str());
      found = tell(info, "'" + one->name + "' is only in the other");
    }
    return found;
  }

  bool lists(const Node& a, const Node& b, Node& info) const {
    const std::size_t n = std::min(a.children.size(), b.children.size());
    bool found = false;
    for (std::size_t i = 0; i < n; ++i)
      found |= of(*a.children[i], *b.children[i], *info.fetch("children/diff")->append());
    if (a.children.size() > n || (b.children.size() > n && !compatible_))
      found = tell(info, "lists of " + std::to_string(a.children.size()) + " and " +
                             std::to_string(b.children.size()) + " entries");
    return found;
  }

  bool leaves(const Node& a, const Node& b, Node& info) const {
    if (a.type.id == CONDUIT_CHAR8_STR_ID) {
      if (std::strcmp(a.text(), b.text()) == 0) return false;
      return tell(info, std::string("'") + a.text() + "' vs '" + b.text() + "'");
    }
    const auto n = a.type.num_elements, m = b.type.num_elements;
    if (n > m || (n < m && !compatible_))
      return tell(info, "data length mismatch (" + shown(n) + " vs " + shown(m) + ")");
    conduit_index_t unequal = 0, first = 0;
    for (conduit_index_t i = 0; i < n; ++i)
      if (!equal(a, b, i) && unequal++ == 0) first = i;
    if (unequal == 0) return false;
    return tell(info, shown(unequal) + " of " + shown(n) + " values differ, the first at " +
                          shown(first) + ": " + std::to_string(a.number(first)) + " vs " +
                          std::to_string(b.number(first)));
  }

  bool equal(const Node& a, const Node& b, conduit_index_t i) const {
    if (a.is_integer()) return a.integer(i) == b.integer(i);
    const double x = a.number(i), y = b.number(i);
    return x == y || std::fabs(x - y) <= epsilon_ || (std::isnan(x) && std::isnan(y));
  }
};

// Whether what `other` has of the same names would have room in `node`.
bool compatible(const Node& node, const Node& other) {
  if (node.type.id != other.type.id) return false;
  if (node.is_group()) {
    return std::all_of(other.children.begin(), other.children.end(), [&](const auto& one) {
      const Node* const here = node.child(one->name);
      return here == nullptr || compatible(*here, *one);
    });
  }
  if (node.is_list()) {
    if (node.children.size() < other.children.size()) return false;
    for (std::size_t i = 0; i < other.children.size(); ++i)
      if (!compatible(*node.children[i], *other.children[i])) return false;
    return true;
  }
  return node.type.num_elements >= other.type.num_elements;
}

// Copies elements to where those of `node` lie; they may be the simulation's.
void overwrite(Node& node, const Node& other) {
  if (node.type.id != other.type.id || node.type.num_elements < other.type.num_elements ||
      node.type.swapped() != other.type.swapped())
    return;
  for (conduit_index_t i = 0; i < other.type.num_elements; ++i)
    std::memmove(const_cast<char*>(node.element(i)), other.element(i),
                 static_cast<std::size_t>(node.type.element_bytes));
}

void update_compatible(Node& node, const Node& other) {
  if (other.is_group()) {
    for (const auto& one : other.children)
      if (Node* const here = node.child(one->name)) update_compatible(*here, *one);
  } else if (other.is_list()) {
    const std::size_t n = node.is_list() ? node.children.size() : 0;
    for (std::size_t i = 0; i < std::min(n, other.children.size()); ++i)
      update_compatible(*node.children[i], *other.children[i]);
  } else if (other.type.is_leaf()) {
    overwrite(node, other);
  }
}

void update_external(Node& node, Node& other) {
  if (other.is_group()) {
    for (const auto& one : other.children) update_external(*node.add_child(one->name), *one);
  } else if (other.is_list()) {
    for (std::size_t i = 0; i < other.children.size(); ++i) {
      const bool there = node.is_list() && i < node.children.size();
      update_external(there ? *node.children[i] : *node.append(), *other.children[i]);
    }
  } else if (other.type.is_leaf()) {
    node.set_tree(other, true);
  }
}

// Whether each leaf begins where the one before it ends; `next` is where that is.
bool contiguous(const Node& node, const char*& next) {
  for (const auto& one : node.children)
    if (!contiguous(*one, next)) return false;
  if (!node.type.is_leaf() || node.type.num_elements == 0) return true;
  if (node.type.num_elements > 1 && node.type.stride != node.type.element_bytes) return false;
  const char* const first = node.element(0);
  if (next != nullptr && next != first) return false;
  next = first + node.type.num_elements * node.type.element_bytes;
  return true;
}

bool compact(const Node& node) {
  if (!node.type.is_leaf())
    return std::all_of(node.children.begin(), node.children.end(),
                       [](const auto& one) { return compact(*one); });
  return node.type.offset == 0 &&
         (node.type.num_elements <= 1 || node.type.stride == node.type.element_bytes);
}

void memory_of(const Node& node, const std::string& path, Node& info) {
  if (node.type.is_leaf()) {
    char address[32];
    std::snprintf(address, sizeof address, "%p", node.data);
    Node& space = *info.fetch("mem_spaces")->add_child(address);
    space.fetch("path")->set_text(path.c_str());
    space.fetch("type")->set_text(node.is_external() ? "external" : "allocated");
    const auto bytes = static_cast<conduit_index_t>(node.own_bytes);
    if (!node.is_external()) space.fetch("bytes")->set(&bytes, {CONDUIT_INT64_ID, 1, 0, 8, 8, 0});
  }
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const std::string& name = node.children[i]->name;
    const std::string part = node.is_list() ? "[" + std::to_string(i) + "]" : name;
    memory_of(*node.children[i], path.empty() ? part : path + "/" + part, info);
  }
}

template <typename Body>
int guarded(const char* what, const Node* a, const Node* b, Body body) {
  try {
    if (a == nullptr || b == nullptr) throw std::runtime_error("a node is NULL");
    return body() ? 1 : 0;
  } catch (const std::exception& error) {
    INSITU_ERROR(std::string(what) + ": " + error.what());
    return 0;
  }
}

int diff(const char* what, const Node* a, const Node* b, Node* info, double epsilon, bool part) {
  return guarded(what, a, b, [&] {
    Node unread;
    return Difference(epsilon, part).of(*a, *b, info == nullptr ? unread : *info);
  });
}

}  // namespace

extern "C" {

int conduit_node_diff(const conduit_node* node, const conduit_node* other, conduit_node* info,
                      conduit_float64 epsilon) {
  return diff(__func__, node, other, info, epsilon, false);
}

int conduit_node_diff_compatible(const conduit_node* node, const conduit_node* other,
                                 conduit_node* info, conduit_float64 epsilon) {
  return diff(__func__, node, other, info, epsilon, true);
}

int conduit_node_compatible(const conduit_node* node, const conduit_node* other) {
  return guarded(__func__, node, other, [&] { return compatible(*node, *other); });
}

void conduit_node_update_compatible(conduit_node* node, const conduit_node* other) {
  guarded(__func__, node, other, [&] {
    update_compatible(*node, *other);
    return true;
  });
}

void conduit_node_update_external(conduit_node* node, conduit_node* other) {
  guarded(__func__, node, other, [&] {
    update_external(*node, *other);
    return true;
  });
}

int conduit_node_is_compact(const conduit_node* node) {
  return guarded(__func__, node, node, [&] { return compact(*node); });
}

int conduit_node_is_contiguous(const conduit_node* node) {
  const char* next = nullptr;
  return guarded(__func__, node, node, [&] { return contiguous(*node, next); });
}

int conduit_node_contiguous_with_node(const conduit_node* node, const conduit_node* other) {
  const char* next = nullptr;
  return guarded(__func__, node, other, [&] {
    return contiguous(*other, next) && next != nullptr && contiguous(*node, next);
  });
}

int conduit_node_contiguous_with_address(const conduit_node* node, void* address) {
  const char* next = static_cast<const char*>(address);
  return guarded(__func__, node, node, [&] { return contiguous(*node, next); });
}

void conduit_node_info(const conduit_node* node, conduit_node* result) {
  guarded(__func__, node, result, [&] {
    Node info;
    memory_of(*node, "", info);
    const struct {
      const char* name;
      conduit_index_t bytes;
    } totals[] = {{"total_bytes_allocated", conduit_node_total_bytes_allocated(node)},
                  {"total_bytes_compact", conduit_node_total_bytes_compact(node)},
                  {"total_strided_bytes", conduit_node_total_strided_bytes(node)}};
    for (const auto& total : totals)
      info.fetch(total.name)->set(&total.bytes, {CONDUIT_INT64_ID, 1, 0, 8, 8, 0});
    result->take(info);
    return true;
  });
}

}  // extern "C"
