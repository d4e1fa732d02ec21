// A node of the tree: empty, a group of named children, a list, or a leaf.
//
// In: what the C interface is called with. Out: the tree, with a leaf's elements in memory of its
// own or in the simulation's.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conduit.h"

struct conduit_datatype_impl {
  conduit_index_t id = CONDUIT_EMPTY_ID;
  conduit_index_t num_elements = 0;
  conduit_index_t offset = 0;  // bytes
  conduit_index_t stride = 0;  // bytes
  conduit_index_t element_bytes = 0;
  conduit_index_t endianness = CONDUIT_ENDIANNESS_DEFAULT_ID;

  bool is_number() const { return id >= CONDUIT_INT8_ID && id <= CONDUIT_FLOAT64_ID; }
  bool is_leaf() const { return id >= CONDUIT_INT8_ID; }
  // Whether the elements are in the other byte order than the machine's.
  bool swapped() const;
};

struct conduit_node_impl {
  using Node = conduit_node_impl;
  using Type = conduit_datatype_impl;

  Node* parent = nullptr;
  std::string name;
  Type type;
  std::vector<std::unique_ptr<Node>> children;

  // Where a leaf's memory begins; its own, or the simulation's.
  void* data = nullptr;
  std::unique_ptr<char[]> own;
  std::size_t own_bytes = 0;

  ~conduit_node_impl();
  bool is_group() const { return type.id == CONDUIT_OBJECT_ID; }
  bool is_list() const { return type.id == CONDUIT_LIST_ID; }
  bool is_external() const { return type.is_leaf() && data != nullptr && data != own.get(); }

  // The child of this name, or null.
  Node* child(std::string_view name) const;
  // The node at a path, or null.
  Node* find(std::string_view path) const;
  // The node at a path, made where it is not there. Leaves on the way become groups.
  Node* fetch(std::string_view path);
  Node* add_child(std::string_view name);
  Node* append();
  // Empty again, and still its parent's child.
  void reset();

  // A leaf with a copy of the elements, one after the other, in the machine's byte order.
  void set(const void* source, const Type& from);
  void set_text(const char* text);
  // A leaf on memory that stays the caller's.
  void set_external(void* source, const Type& from);
  // Deep copy; `external`: of the tree, its leaves on the other's memory.
  void set_tree(const Node& other, bool external);
  // A copy with all leaves in one piece of memory, which this node owns.
  void set_compact(const Node& other);
  // What the other has replaces what is here.
  void update(const Node& other);
  // Takes the content of the other, which is empty afterwards.
  void take(Node& other);

  // The address of an element.
  const char* element(conduit_index_t index) const;
  double number(conduit_index_t index) const;
  // Exact for all integer types but the upper half of uint64.
  long long integer(conduit_index_t index) const;
  bool is_integer() const { return type.id >= CONDUIT_INT8_ID && type.id <= CONDUIT_UINT64_ID; }
  const char* text() const { return data == nullptr ? "" : element(0); }
  std::size_t compact_bytes() const;
};

namespace insitu {

using Node = conduit_node_impl;
using Type = conduit_datatype_impl;

conduit_index_t element_bytes(conduit_index_t id);
const char* type_name(conduit_index_t id);

// Tell the simulation's handlers.
void say_error(const std::string& message, const char* file, int line);
void say_warning(const std::string& message, const char* file, int line);

// How a tree is laid out as text.
struct TextStyle {
  bool json = false;                      // or YAML
  bool leading = true;                    // a line's end before a group or list that is the whole
  conduit_index_t indent = 2, depth = 0;  // per level; the level to begin at
  std::string pad = " ", eoe = "\n";      // what a space is, what ends a line
  // Abbreviated where there are more; 0 or less: never.
  conduit_index_t most_elements = 0, most_children = 0;
};

// text_write.cpp.
std::string to_text(const Node& node, const TextStyle& style);

// text.cpp. They throw std::runtime_error, and leave the node as it was.
void parse_json(Node& node, std::string_view text);
void load(Node& node, const char* file, const char* protocol);

}  // namespace insitu

#define INSITU_ERROR(message) insitu::say_error((message), __FILE__, __LINE__)
