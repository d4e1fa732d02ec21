// conduit.h, but for what is text: the C interface of the tree.
//
// Nothing thrown leaves these functions; a mistake is told to the error handler.

#include <cstdio>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>

#include "conduit_cxx_bridge.h"
#include "conduit_utils.h"
#include "node.hpp"

using insitu::Node;
using insitu::Type;

namespace {

void default_error(const char* message, const char*, int) {
  std::fprintf(stderr, "insitu: conduit: %s\n", message);
}
void default_info(const char* message, const char*, int) { std::printf("%s\n", message); }

using Handler = void (*)(const char*, const char*, int);
Handler on_info = default_info, on_warning = default_error, on_error = default_error;

// This thread's mistakes between insitu_errors_begin and _end.
struct Collected {
  bool active = false, any = false;
  std::string text;
};
thread_local Collected collected;

// Conduit's number for a C type.
template <typename T>
constexpr conduit_index_t id_of() {
  if (std::is_floating_point<T>::value)
    return sizeof(T) == 4 ? CONDUIT_FLOAT32_ID : CONDUIT_FLOAT64_ID;
  const conduit_index_t first = std::is_signed<T>::value ? CONDUIT_INT8_ID : CONDUIT_UINT8_ID;
  return first + (sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3);
}

template <typename T>
Type array_of(conduit_index_t n) {
  return {id_of<T>(), n, 0, sizeof(T), sizeof(T), CONDUIT_ENDIANNESS_DEFAULT_ID};
}

std::string path_of(const Node* node) {
  if (node->parent == nullptr) return node->name;
  std::string name = node->name;
  if (node->parent->is_list()) {
    for (std::size_t i = 0; i < node->parent->children.size(); ++i)
      if (node->parent->children[i].get() == node) name = "[" + std::to_string(i) + "]";
  }
  const std::string above = path_of(node->parent);
  return above.empty() ? name : above + "/" + name;
}

std::string shown(const Node* node) {
  const std::string path = path_of(node);
  return (path.empty() ? std::string("the root") : "'" + path + "'") + " (" +
         insitu::type_name(node->type.id) + ")";
}

// The node at a path, which must be there; says so and gives null otherwise.
Node* existing(const Node* node, const char* path, const char* what) {
  if (node == nullptr) {
    INSITU_ERROR(std::string(what) + ": the node is NULL");
    return nullptr;
  }
  Node* found = path == nullptr ? const_cast<Node*>(node) : node->find(path);
  if (found == nullptr)
    INSITU_ERROR(std::string(what) + ": nothing at '" + path + "' below " + shown(node));
  return found;
}

// The node that is to be set: itself, or the one at `path`, made where it is not there.
Node* target(Node* node, const char* path, const char* what) {
  if (node == nullptr) {
    INSITU_ERROR(std::string(what) + ": the node is NULL");
    return nullptr;
  }
  Node* found = path == nullptr ? node : node->fetch(path);
  if (found == nullptr) INSITU_ERROR(std::string(what) + ": '" + path + "' leads out of the tree");
  return found;
}

bool readable(const Node* node, const char* what) {
  if (node->type.is_number() && node->type.num_elements > 0 && node->data != nullptr) return true;
  INSITU_ERROR(std::string(what) + ": " + shown(node) + " holds no number");
  return false;
}

template <typename T>
T get(Node* node, const char* path, const char* what) {
  const Node* there = existing(node, path, what);
  if (there == nullptr || !readable(there, what)) return T{};
  if (std::is_floating_point<T>::value || !there->is_integer())
    return static_cast<T>(std::is_floating_point<T>::value
                              ? there->number(0)
                              : static_cast<double>(there->integer(0)));
  return static_cast<T>(there->integer(0));
}

template <typename T>
T* get_pointer(Node* node, const char* path, const char* what) {
  const Node* there = existing(node, path, what);
  if (there == nullptr || !readable(there, what)) return nullptr;
  if (there->type.id != id_of<T>() || there->type.swapped()) {
    INSITU_ERROR(std::string(what) + ": " + shown(there) + " is of another type");
    return nullptr;
  }
  return reinterpret_cast<T*>(const_cast<char*>(there->element(0)));
}

char* get_text(Node* node, const char* path, const char* what) {
  const Node* there = existing(node, path, what);
  if (there == nullptr) return nullptr;
  if (there->type.id != CONDUIT_CHAR8_STR_ID) {
    INSITU_ERROR(std::string(what) + ": " + shown(there) + " is no text");
    return nullptr;
  }
  return const_cast<char*>(there->text());
}

void remove_child(Node* node, std::size_t index) {
  node->children.erase(node->children.begin() + static_cast<std::ptrdiff_t>(index));
}

// A leaf of numbers, at `path` or the node itself.
void put(Node* node, const char* path, void* data, const Type& type, bool external) noexcept try {
  const char* const what = "conduit_node_set";
  const auto width = insitu::element_bytes(type.id);
  Node* there = target(node, path, what);
  if (there == nullptr) return;
  if (type.num_elements < 0 || type.element_bytes != width) {
    INSITU_ERROR(std::string(what) + ": " + shown(there) + ": " +
                 std::to_string(type.num_elements) + " elements of " +
                 std::to_string(type.element_bytes) + " bytes; expected 0 or more of " +
                 std::to_string(width));
    return;
  }
  if (data == nullptr && type.num_elements > 0) {
    INSITU_ERROR(std::string(what) + ": " + shown(there) + ": the pointer is NULL");
    return;
  }
  if (external) there->set_external(data, type);
  else there->set(data, type);
} catch (const std::exception& error) {
  INSITU_ERROR(std::string("conduit_node_set: ") + error.what());
}

// Every other function below: `body` with what it throws told to the handler, and `otherwise`
// returned.
template <typename Body, typename Result>
Result guarded(const char* what, Result otherwise, Body body) {
  try {
    return body();
  } catch (const std::exception& error) {
    INSITU_ERROR(std::string(what) + ": " + error.what());
    return otherwise;
  }
}

template <typename Body>
void guarded(const char* what, Body body) {
  guarded(what, 0, [&] {
    body();
    return 0;
  });
}

char* duplicate(const std::string& text) { return strdup(text.c_str()); }

}  // namespace

namespace insitu {

void say_error(const std::string& message, const char* file, int line) {
  if (!collected.active) return on_error(message.c_str(), file, line);
  if (!collected.any) collected.text = message;
  collected.any = true;
}
void say_warning(const std::string& message, const char* file, int line) {
  on_warning(message.c_str(), file, line);
}

}  // namespace insitu

extern "C" {

// ---- handlers

void conduit_utils_set_info_handler(Handler handler) {
  on_info = handler != nullptr ? handler : default_info;
}
void conduit_utils_set_warning_handler(Handler handler) {
  on_warning = handler != nullptr ? handler : default_error;
}
void conduit_utils_set_error_handler(Handler handler) {
  on_error = handler != nullptr ? handler : default_error;
}

void insitu_errors_begin(void) {
  collected.active = true;
  collected.any = false;
}
const char* insitu_errors_end(void) {
  collected.active = false;
  return collected.any ? collected.text.c_str() : nullptr;
}

void conduit_about(conduit_node* result) {
  if (result == nullptr) return;
  guarded(__func__, [&] {
    result->fetch("implementation")->set_text("insitu");
    result->fetch("version")->set_text(INSITU_VERSION);
  });
}

// ---- the tree

conduit_node* conduit_node_create(void) {
  return guarded(__func__, static_cast<Node*>(nullptr), [] { return new Node; });
}

void conduit_node_destroy(conduit_node* node) {
  if (node != nullptr && node->parent == nullptr) delete node;
}

conduit_node* conduit_node_fetch(conduit_node* node, const char* path) {
  return guarded(__func__, static_cast<Node*>(nullptr),
                 [&] { return target(node, path, "conduit_node_fetch"); });
}

conduit_node* conduit_node_fetch_existing(conduit_node* node, const char* path) {
  return existing(node, path, __func__);
}

conduit_node* conduit_node_append(conduit_node* node) {
  return guarded(__func__, static_cast<Node*>(nullptr), [&] {
    Node* there = target(node, nullptr, "conduit_node_append");
    return there == nullptr ? nullptr : there->append();
  });
}

conduit_node* conduit_node_add_child(conduit_node* node, const char* name) {
  return guarded(__func__, static_cast<Node*>(nullptr), [&] {
    Node* there = target(node, nullptr, "conduit_node_add_child");
    return there == nullptr ? nullptr : there->add_child(name);
  });
}

conduit_node* conduit_node_child(conduit_node* node, conduit_index_t index) {
  Node* there = existing(node, nullptr, __func__);
  if (there == nullptr) return nullptr;
  if (index < 0 || index >= static_cast<conduit_index_t>(there->children.size())) {
    INSITU_ERROR("conduit_node_child: " + shown(there) + " has no child " + std::to_string(index) +
                 " of " + std::to_string(there->children.size()));
    return nullptr;
  }
  return there->children[static_cast<std::size_t>(index)].get();
}

conduit_node* conduit_node_child_by_name(conduit_node* node, const char* name) {
  Node* there = existing(node, nullptr, __func__);
  Node* found = there == nullptr ? nullptr : there->child(name);
  if (there != nullptr && found == nullptr)
    INSITU_ERROR("conduit_node_child_by_name: no '" + std::string(name) + "' in " + shown(there));
  return found;
}

conduit_node* conduit_node_parent(conduit_node* node) {
  return node == nullptr ? nullptr : node->parent;
}

conduit_index_t conduit_node_number_of_children(conduit_node* node) {
  return node == nullptr ? 0 : static_cast<conduit_index_t>(node->children.size());
}

conduit_index_t conduit_node_number_of_elements(conduit_node* node) {
  return node == nullptr ? 0 : node->type.num_elements;
}

int conduit_node_has_child(const conduit_node* node, const char* name) {
  return node != nullptr && node->child(name) != nullptr;
}

int conduit_node_has_path(const conduit_node* node, const char* path) {
  return node != nullptr && node->find(path) != nullptr;
}

int conduit_node_is_root(conduit_node* node) { return node != nullptr && node->parent == nullptr; }

char* conduit_node_name(const conduit_node* node) {
  return duplicate(node == nullptr ? "" : node->name);
}

char* conduit_node_path(const conduit_node* node) {
  return duplicate(node == nullptr ? "" : path_of(node));
}

const conduit_datatype* conduit_node_dtype(const conduit_node* node) {
  static const Type nothing;
  return node == nullptr ? &nothing : &node->type;
}

void conduit_node_reset(conduit_node* node) {
  if (Node* there = target(node, nullptr, __func__)) there->reset();
}

void conduit_node_move(conduit_node* node, conduit_node* from) {
  if (target(node, nullptr, __func__) != nullptr && target(from, nullptr, __func__) != nullptr)
    node->take(*from);
}

void conduit_node_swap(conduit_node* node, conduit_node* other) {
  if (target(node, nullptr, __func__) == nullptr || target(other, nullptr, __func__) == nullptr)
    return;
  Node between;
  between.take(*node);
  node->take(*other);
  other->take(between);
}

void conduit_node_remove_path(conduit_node* node, const char* path) {
  Node* there = existing(node, path, __func__);
  if (there == nullptr || there->parent == nullptr) return;
  auto& all = there->parent->children;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].get() == there) return remove_child(there->parent, i);
}

void conduit_node_remove_child(conduit_node* node, conduit_index_t index) {
  if (conduit_node_child(node, index) != nullptr)
    remove_child(node, static_cast<std::size_t>(index));
}

void conduit_node_remove_child_by_name(conduit_node* node, const char* name) {
  Node* there = conduit_node_child_by_name(node, name);
  for (std::size_t i = 0; there != nullptr && i < node->children.size(); ++i)
    if (node->children[i].get() == there) return remove_child(node, i);
}

void conduit_node_rename_child(conduit_node* node, const char* current_name, const char* new_name) {
  Node* there = conduit_node_child_by_name(node, current_name);
  if (there == nullptr) return;
  if (node->child(new_name) != nullptr) {
    INSITU_ERROR("conduit_node_rename_child: there is a '" + std::string(new_name) +
                 "' already in " + shown(node));
    return;
  }
  guarded(__func__, [&] { there->name = new_name; });
}

static void set_tree(Node* node, const char* path, const Node* data, bool external) {
  guarded("conduit_node_set_node", [&] {
    if (data == nullptr) {
      INSITU_ERROR("conduit_node_set_node: the source is NULL");
    } else if (Node* there = target(node, path, "conduit_node_set_node")) {
      there->set_tree(*data, external);
    }
  });
}

void conduit_node_set_node(conduit_node* node, conduit_node* data) {
  set_tree(node, nullptr, data, false);
}
void conduit_node_set_path_node(conduit_node* node, const char* path, conduit_node* data) {
  set_tree(node, path, data, false);
}
void conduit_node_compact_to(const conduit_node* node, conduit_node* result) {
  guarded(__func__, [&] {
    if (node == nullptr) INSITU_ERROR("conduit_node_compact_to: the source is NULL");
    else if (target(result, nullptr, "conduit_node_compact_to") != nullptr)
      result->set_compact(*node);
  });
}
void conduit_node_set_external_node(conduit_node* node, conduit_node* data) {
  set_tree(node, nullptr, data, true);
}
void conduit_node_set_path_external_node(conduit_node* node, const char* path, conduit_node* data) {
  set_tree(node, path, data, true);
}

void conduit_node_update(conduit_node* node, const conduit_node* other) {
  guarded(__func__, [&] {
    if (target(node, nullptr, "conduit_node_update") != nullptr && other != nullptr)
      node->update(*other);
  });
}

// ---- memory

int conduit_node_is_data_external(const conduit_node* node) {
  return node != nullptr && node->is_external();
}

conduit_index_t conduit_node_total_bytes_compact(const conduit_node* node) {
  return node == nullptr ? 0 : static_cast<conduit_index_t>(node->compact_bytes());
}

conduit_index_t conduit_node_total_strided_bytes(const conduit_node* node) {
  if (node == nullptr) return 0;
  const Type& type = node->type;
  conduit_index_t bytes =
      type.num_elements > 0 ? (type.num_elements - 1) * type.stride + type.element_bytes : 0;
  for (const auto& one : node->children) bytes += conduit_node_total_strided_bytes(one.get());
  return bytes;
}

conduit_index_t conduit_node_total_bytes_allocated(const conduit_node* node) {
  if (node == nullptr) return 0;
  auto bytes = static_cast<conduit_index_t>(node->own_bytes);
  for (const auto& one : node->children) bytes += conduit_node_total_bytes_allocated(one.get());
  return bytes;
}

void* conduit_node_data_ptr(conduit_node* node) { return node == nullptr ? nullptr : node->data; }

void* conduit_node_element_ptr(conduit_node* node, conduit_index_t index) {
  if (node == nullptr || node->data == nullptr) return nullptr;
  return const_cast<char*>(node->element(index));
}

void* conduit_node_fetch_path_data_ptr(conduit_node* node, const char* path) {
  return conduit_node_data_ptr(existing(node, path, __func__));
}

void* conduit_node_fetch_path_element_ptr(conduit_node* node, const char* path,
                                          conduit_index_t index) {
  return conduit_node_element_ptr(existing(node, path, __func__), index);
}

// ---- texts

static void set_text(Node* node, const char* path, const char* value, bool external) {
  guarded("conduit_node_set_char8_str", [&] {
    Node* there = target(node, path, "conduit_node_set_char8_str");
    if (there == nullptr) return;
    if (value == nullptr) {
      INSITU_ERROR("conduit_node_set_char8_str: " + shown(there) + ": the text is NULL");
    } else if (external) {
      const auto length = static_cast<conduit_index_t>(std::strlen(value)) + 1;
      there->set_external(const_cast<char*>(value), {CONDUIT_CHAR8_STR_ID, length, 0, 1, 1, 0});
    } else {
      there->set_text(value);
    }
  });
}

void conduit_node_set_char8_str(conduit_node* node, const char* value) {
  set_text(node, nullptr, value, false);
}
void conduit_node_set_path_char8_str(conduit_node* node, const char* path, const char* value) {
  set_text(node, path, value, false);
}
void conduit_node_set_external_char8_str(conduit_node* node, char* value) {
  set_text(node, nullptr, value, true);
}
void conduit_node_set_path_external_char8_str(conduit_node* node, const char* path, char* value) {
  set_text(node, path, value, true);
}
char* conduit_node_as_char8_str(conduit_node* node) { return get_text(node, nullptr, __func__); }
char* conduit_node_fetch_path_as_char8_str(conduit_node* node, const char* path) {
  return get_text(node, path, __func__);
}

// ---- numbers

#define DETAILS                                                                 \
  conduit_index_t num_elements, conduit_index_t offset, conduit_index_t stride, \
      conduit_index_t element_bytes, conduit_index_t endianness
#define DETAILED(T) (Type{id_of<T>(), num_elements, offset, stride, element_bytes, endianness})
#define DEFINE_TYPE(t, T)                                                                      \
  void conduit_node_set_##t(conduit_node* node, T value) {                                     \
    put(node, nullptr, &value, array_of<T>(1), false);                                         \
  }                                                                                            \
  void conduit_node_set_##t##_ptr(conduit_node* node, T* data, conduit_index_t n) {            \
    put(node, nullptr, data, array_of<T>(n), false);                                           \
  }                                                                                            \
  void conduit_node_set_##t##_ptr_detailed(conduit_node* node, T* data, DETAILS) {             \
    put(node, nullptr, data, DETAILED(T), false);                                              \
  }                                                                                            \
  void conduit_node_set_external_##t##_ptr(conduit_node* node, T* data, conduit_index_t n) {   \
    put(node, nullptr, data, array_of<T>(n), true);                                            \
  }                                                                                            \
  void conduit_node_set_external_##t##_ptr_detailed(conduit_node* node, T* data, DETAILS) {    \
    put(node, nullptr, data, DETAILED(T), true);                                               \
  }                                                                                            \
  void conduit_node_set_path_##t(conduit_node* node, const char* path, T value) {              \
    put(node, path, &value, array_of<T>(1), false);                                            \
  }                                                                                            \
  void conduit_node_set_path_##t##_ptr(conduit_node* node, const char* path, T* data,          \
                                       conduit_index_t n) {                                    \
    put(node, path, data, array_of<T>(n), false);                                              \
  }                                                                                            \
  void conduit_node_set_path_##t##_ptr_detailed(conduit_node* node, const char* path, T* data, \
                                                DETAILS) {                                     \
    put(node, path, data, DETAILED(T), false);                                                 \
  }                                                                                            \
  void conduit_node_set_path_external_##t##_ptr(conduit_node* node, const char* path, T* data, \
                                                conduit_index_t n) {                           \
    put(node, path, data, array_of<T>(n), true);                                               \
  }                                                                                            \
  void conduit_node_set_path_external_##t##_ptr_detailed(conduit_node* node, const char* path, \
                                                         T* data, DETAILS) {                   \
    put(node, path, data, DETAILED(T), true);                                                  \
  }                                                                                            \
  T conduit_node_as_##t(conduit_node* node) { return get<T>(node, nullptr, __func__); }        \
  T* conduit_node_as_##t##_ptr(conduit_node* node) {                                           \
    return get_pointer<T>(node, nullptr, __func__);                                            \
  }                                                                                            \
  T conduit_node_fetch_path_as_##t(conduit_node* node, const char* path) {                     \
    return get<T>(node, path, __func__);                                                       \
  }                                                                                            \
  T* conduit_node_fetch_path_as_##t##_ptr(conduit_node* node, const char* path) {              \
    return get_pointer<T>(node, path, __func__);                                               \
  }
CONDUIT_FIXED_TYPES(DEFINE_TYPE)
CONDUIT_NATIVE_TYPES(DEFINE_TYPE)

// ---- datatypes

int conduit_datatype_sizeof_index_t(void) { return sizeof(conduit_index_t); }
conduit_index_t conduit_datatype_id(const conduit_datatype* type) { return type->id; }
char* conduit_datatype_name(const conduit_datatype* type) {
  return duplicate(insitu::type_name(type->id));
}
void conduit_datatype_name_destroy(char* name) { std::free(name); }
conduit_index_t conduit_datatype_number_of_elements(const conduit_datatype* type) {
  return type->num_elements;
}
conduit_index_t conduit_datatype_offset(const conduit_datatype* type) { return type->offset; }
conduit_index_t conduit_datatype_stride(const conduit_datatype* type) { return type->stride; }
conduit_index_t conduit_datatype_element_bytes(const conduit_datatype* type) {
  return type->element_bytes;
}
conduit_index_t conduit_datatype_endianness(const conduit_datatype* type) {
  return type->endianness;
}
conduit_index_t conduit_datatype_element_index(const conduit_datatype* type,
                                               conduit_index_t index) {
  return type->offset + index * type->stride;
}

int conduit_datatype_is_empty(const conduit_datatype* type) { return type->id == CONDUIT_EMPTY_ID; }
int conduit_datatype_is_object(const conduit_datatype* type) {
  return type->id == CONDUIT_OBJECT_ID;
}
int conduit_datatype_is_list(const conduit_datatype* type) { return type->id == CONDUIT_LIST_ID; }
int conduit_datatype_is_number(const conduit_datatype* type) { return type->is_number(); }
int conduit_datatype_is_floating_point(const conduit_datatype* type) {
  return type->id == CONDUIT_FLOAT32_ID || type->id == CONDUIT_FLOAT64_ID;
}
int conduit_datatype_is_signed_integer(const conduit_datatype* type) {
  return type->id >= CONDUIT_INT8_ID && type->id <= CONDUIT_INT64_ID;
}
int conduit_datatype_is_unsigned_integer(const conduit_datatype* type) {
  return type->id >= CONDUIT_UINT8_ID && type->id <= CONDUIT_UINT64_ID;
}
int conduit_datatype_is_integer(const conduit_datatype* type) {
  return type->id >= CONDUIT_INT8_ID && type->id <= CONDUIT_UINT64_ID;
}
int conduit_datatype_is_index_t(const conduit_datatype* type) {
  return type->id == id_of<conduit_index_t>();
}
int conduit_datatype_is_string(const conduit_datatype* type) {
  return type->id == CONDUIT_CHAR8_STR_ID;
}
int conduit_datatype_is_char8_str(const conduit_datatype* type) {
  return type->id == CONDUIT_CHAR8_STR_ID;
}
int conduit_datatype_is_big_endian(const conduit_datatype* type) {
  return type->swapped() != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}
int conduit_datatype_is_little_endian(const conduit_datatype* type) {
  return !conduit_datatype_is_big_endian(type);
}
int conduit_datatype_endianness_matches_machine(const conduit_datatype* type) {
  return !type->swapped();
}

#define DEFINE_IS(name, T) \
  int conduit_datatype_is_##name(const conduit_datatype* type) { return type->id == id_of<T>(); }
CONDUIT_FIXED_TYPES(DEFINE_IS)
CONDUIT_NATIVE_TYPES(DEFINE_IS)

// ---- for insitu itself

// A node at one call: insitu/ascent/conduit_reader.py has the same structure.
struct insitu_node_view {
  conduit_index_t id, num_elements, stride, element_bytes, swapped, n_children;
  const void* first;  // element
  const char* name;
};

CONDUIT_API void insitu_node_look(const conduit_node* node, insitu_node_view* view) {
  const Type& type = node->type;
  view->id = type.id;
  view->num_elements = type.num_elements;
  view->stride = type.stride;
  view->element_bytes = type.element_bytes;
  view->swapped = type.swapped();
  view->n_children = static_cast<conduit_index_t>(node->children.size());
  view->first = node->data == nullptr ? nullptr : node->element(0);
  view->name = node->name.c_str();
}

}  // extern "C"
