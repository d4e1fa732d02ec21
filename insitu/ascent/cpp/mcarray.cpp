// Arrays of several components, and tables: checks, copies in another layout, examples.

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include "conduit_blueprint_mcarray.h"
#include "conduit_blueprint_table.h"
#include "node.hpp"

using insitu::Node;
using insitu::Type;

namespace {

// Why a node is not a group or list of arrays of one length; empty where it is.
std::string not_columns(const Node& node) {
  if (node.children.empty()) return "expected a group or list of arrays";
  for (const auto& one : node.children) {
    if (!one->type.is_number()) return "'" + one->name + "': expected numbers";
    if (one->type.num_elements != node.children[0]->type.num_elements)
      return "'" + one->name + "': longer or shorter than the first";
  }
  return "";
}

std::string not_table(const Node& node) {
  const Node* const values = node.find("values");
  if (values == nullptr) return "'values': missing";
  if (values->is_group() || values->is_list()) {
    // Columns may have several components, each like an array.
    for (const auto& one : values->children)
      if (!one->type.is_number() && !not_columns(*one).empty())
        return "'values/" + one->name + "': " + not_columns(*one);
    return values->children.empty() ? "'values': no columns" : "";
  }
  return "'values': expected a group or list of columns";
}

std::string not_tables(const Node& node) {
  if (node.children.empty() || node.find("values") != nullptr) return not_table(node);
  for (const auto& one : node.children)
    if (!not_table(*one).empty()) return "'" + one->name + "': " + not_table(*one);
  return "";
}

// Tells `info` of a problem; whether there is none.
int verdict(const std::string& problem, Node* info) {
  if (info != nullptr) {
    info->reset();
    info->fetch("valid")->set_text(problem.empty() ? "true" : "false");
    if (!problem.empty()) info->fetch("errors")->append()->set_text(problem.c_str());
  }
  return problem.empty() ? 1 : 0;
}

// The components of `node` in one piece of memory, which the result owns.
void lay_out(const Node& node, Node& result, bool interleaved) {
  const auto n = node.children[0]->type.num_elements;
  conduit_index_t width = 0;
  for (const auto& one : node.children) width += one->type.element_bytes;
  const auto bytes = static_cast<std::size_t>(n * width);
  auto memory = std::make_unique<char[]>(bytes);
  Node made;
  made.type.id = node.type.id;
  conduit_index_t offset = 0;
  for (const auto& one : node.children) {
    const auto size = one->type.element_bytes;
    const Type type{one->type.id,        n, offset, interleaved ? width : size, size,
                    one->type.endianness};
    for (conduit_index_t i = 0; i < n; ++i)
      std::memcpy(memory.get() + offset + i * type.stride, one->element(i),
                  static_cast<std::size_t>(size));
    (node.is_list() ? made.append() : made.add_child(one->name))->set_external(memory.get(), type);
    offset += interleaved ? size : n * size;
  }
  made.own = std::move(memory);
  made.own_bytes = bytes;
  result.take(made);
}

bool interleaved(const Node& node) {
  if (!not_columns(node).empty()) return false;
  conduit_index_t width = 0;
  for (const auto& one : node.children) width += one->type.element_bytes;
  const char* expected = node.children[0]->element(0);
  return std::all_of(node.children.begin(), node.children.end(), [&](const auto& one) {
    const bool there = one->element(0) == expected && one->type.stride == width;
    expected += one->type.element_bytes;
    return there;
  });
}

template <typename Body>
int guarded(const char* what, Body body) {
  try {
    return body();
  } catch (const std::exception& error) {
    INSITU_ERROR(std::string(what) + ": " + error.what());
    return 0;
  }
}

int copied(const char* what, const Node* node, Node* result, bool interleave) {
  return guarded(what, [&] {
    if (node == nullptr || result == nullptr || !not_columns(*node).empty()) return 0;
    lay_out(*node, *result, interleave);
    return 1;
  });
}

void put(Node& node, const char* name, const std::vector<double>& values) {
  node.fetch(name)->set(
      values.data(), {CONDUIT_FLOAT64_ID, static_cast<conduit_index_t>(values.size()), 0, 8, 8, 0});
}

}  // namespace

extern "C" {

int conduit_blueprint_mcarray_verify(const conduit_node* node, conduit_node* info) {
  return guarded(__func__, [&] {
    return verdict(node == nullptr ? "the node is NULL" : not_columns(*node), info);
  });
}

int conduit_blueprint_mcarray_verify_sub_protocol(const char* protocol, const conduit_node*,
                                                  conduit_node* info) {
  return guarded(__func__, [&] {
    return verdict("no protocol 'mcarray/" + std::string(protocol) + "'", info);
  });
}

int conduit_blueprint_mcarray_is_interleaved(const conduit_node* node) {
  return guarded(__func__, [&] { return node != nullptr && interleaved(*node) ? 1 : 0; });
}

int conduit_blueprint_mcarray_to_contiguous(const conduit_node* node, conduit_node* result) {
  return copied(__func__, node, result, false);
}

int conduit_blueprint_mcarray_to_interleaved(const conduit_node* node, conduit_node* result) {
  return copied(__func__, node, result, true);
}

void conduit_blueprint_mcarray_examples_xyz(const char* type, conduit_index_t points,
                                            conduit_node* result) {
  guarded(__func__, [&] {
    const std::string layout = type;
    const bool mixed = layout == "interleaved_mixed";
    if (!mixed && layout != "interleaved" && layout != "separate" && layout != "contiguous")
      throw std::runtime_error("type '" + layout +
                               "': there are interleaved, interleaved_mixed, separate, contiguous");
    Node made;
    const auto n = static_cast<std::size_t>(points);
    put(made, "x", std::vector<double>(n, 1.0));
    put(made, "y", std::vector<double>(n, 2.0));
    put(made, "z", std::vector<double>(n, 3.0));
    if (mixed) {
      const std::vector<float> values(n, 2.0F);
      made.fetch("y")->set(values.data(), {CONDUIT_FLOAT32_ID, points, 0, 4, 4, 0});
    }
    if (layout == "separate") result->take(made);
    else lay_out(made, *result, layout != "contiguous");
    return 1;
  });
}

int conduit_blueprint_table_verify(const conduit_node* node, conduit_node* info) {
  return guarded(__func__, [&] {
    return verdict(node == nullptr ? "the node is NULL" : not_tables(*node), info);
  });
}

int conduit_blueprint_table_verify_sub_protocol(const char* protocol, const conduit_node*,
                                                conduit_node* info) {
  return guarded(
      __func__, [&] { return verdict("no protocol 'table/" + std::string(protocol) + "'", info); });
}

void conduit_blueprint_table_examples_basic(conduit_index_t nx, conduit_index_t ny,
                                            conduit_index_t nz, conduit_node* result) {
  guarded(__func__, [&] {
    std::vector<double> x, y, z, number;
    for (conduit_index_t k = 0; k < nz; ++k)
      for (conduit_index_t j = 0; j < ny; ++j)
        for (conduit_index_t i = 0; i < nx; ++i) {
          number.push_back(static_cast<double>(number.size()));
          x.push_back(static_cast<double>(i));
          y.push_back(static_cast<double>(j));
          z.push_back(static_cast<double>(k));
        }
    result->reset();
    put(*result, "values/points/x", x);
    put(*result, "values/points/y", y);
    put(*result, "values/points/z", z);
    put(*result, "values/point_data", number);
    return 1;
  });
}

}  // extern "C"
