// The tree in which a simulation describes its mesh: conduit::Node, over the C interface.
//
// A node is empty, a group of named children, a list, or a leaf. A Node that is declared owns its
// tree; a Node& that fetch(), operator[] and the like give is a part of one, as long as that is
// there. Both are a conduit_node in place, so that c_node() and cpp_node() cost nothing.
//
// Mistakes go to utils::handle_error, which by default throws conduit::Error; a leaf asked for as a
// type that it is not, to utils::handle_warning, with 0 or a null pointer as the answer.
#pragma once

#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "conduit_cxx_bridge.h"
#include "conduit_data_accessor.hpp"
#include "conduit_data_array.hpp"
#include "conduit_data_type.hpp"
#include "conduit_node_iterator.hpp"
#include "conduit_node_value.hpp"
#include "conduit_utils.hpp"

namespace conduit {

namespace detail {

// A text that the library made, which is freed here.
inline std::string taken(char* text) {
  const std::string result = text == nullptr ? "" : text;
  std::free(text);
  return result;
}

// Has the mistakes of one call told here and not in the library, through which nothing may be
// thrown.
class Watch {
 public:
  explicit Watch(utils::conduit_error_handler handler) : handler_(handler) {
    insitu_errors_begin();
  }
  // Whether all went well.
  bool done() const {
    const char* const error = insitu_errors_end();
    if (error != nullptr) handler_(error, "conduit_node.hpp", 0);
    return error == nullptr;
  }

 private:
  utils::conduit_error_handler handler_;
};

// What `call` returns; told as an error, or as a warning, if it is a mistake.
template <typename Call>
auto checked(Call call, utils::conduit_error_handler handler = utils::handle_error)
    -> decltype(call()) {
  const Watch watch(handler);
  const auto result = call();
  watch.done();
  return result;
}
template <typename Call>
void checked_void(Call call) {
  const Watch watch(utils::handle_error);
  call();
  watch.done();
}

}  // namespace detail

class Node {
 public:
  typedef detail::Value<Node> Value;
  typedef detail::Value<const Node> ConstValue;

  Node() { insitu_node_construct(room_, sizeof room_); }
  ~Node() { insitu_node_destruct(room_); }
  Node(const Node& other) : Node() { set(other); }
  Node(Node&& other) : Node() { move(other); }
  explicit Node(const DataType& type) : Node() { set(type); }
  Node(const DataType& type, void* data, bool external) : Node() {
    external ? set_external(type, data) : set(type, data);
  }

  // ---- the tree

  Node& fetch(const std::string& path) {
    return of([&] { return conduit_node_fetch(c(), path.c_str()); });
  }
  const Node& fetch(const std::string& path) const { return fetch_existing(path); }
  Node& fetch_existing(const std::string& path) {
    return of([&] { return conduit_node_fetch_existing(c(), path.c_str()); });
  }
  const Node& fetch_existing(const std::string& path) const { return self().fetch_existing(path); }
  Node* fetch_ptr(const std::string& path) { return &fetch(path); }
  const Node* fetch_ptr(const std::string& path) const { return &fetch(path); }
  Node& operator[](const std::string& path) { return fetch(path); }
  const Node& operator[](const std::string& path) const { return fetch(path); }
  Node& operator[](index_t index) { return child(index); }
  const Node& operator[](index_t index) const { return child(index); }

  Node& child(index_t index) {
    return of([&] { return conduit_node_child(c(), index); });
  }
  const Node& child(index_t index) const { return self().child(index); }
  // The child of exactly this name, which may contain "/".
  Node& child(const std::string& name) {
    return of([&] { return conduit_node_child_by_name(c(), name.c_str()); });
  }
  const Node& child(const std::string& name) const { return self().child(name); }
  Node* child_ptr(index_t index) { return &child(index); }
  const Node* child_ptr(index_t index) const { return &child(index); }
  Node& add_child(const std::string& name) {
    return of([&] { return conduit_node_add_child(c(), name.c_str()); });
  }
  Node& append() {
    return of([&] { return conduit_node_append(c()); });
  }
  NodeIterator children() { return NodeIterator(this); }
  NodeConstIterator children() const { return NodeConstIterator(this); }
  index_t number_of_children() const { return conduit_node_number_of_children(self().c()); }
  index_t number_of_elements() const { return dtype().number_of_elements(); }
  std::vector<std::string> child_names() const {
    std::vector<std::string> names;
    for (index_t i = 0; dtype().is_object() && i < number_of_children(); ++i)
      names.push_back(child(i).name());
    return names;
  }
  bool has_child(const std::string& name) const {
    return conduit_node_has_child(c(), name.c_str()) != 0;
  }
  bool has_path(const std::string& path) const {
    return conduit_node_has_path(c(), path.c_str()) != 0;
  }
  std::string name() const { return detail::taken(conduit_node_name(c())); }
  std::string path() const { return detail::taken(conduit_node_path(c())); }
  bool is_root() const { return conduit_node_is_root(self().c()) != 0; }
  Node* parent() { return reinterpret_cast<Node*>(conduit_node_parent(c())); }
  const Node* parent() const { return self().parent(); }

  void remove(index_t index) {
    detail::checked_void([&] { conduit_node_remove_child(c(), index); });
  }
  void remove(const std::string& path) {
    detail::checked_void([&] { conduit_node_remove_path(c(), path.c_str()); });
  }
  void remove_child(index_t index) { remove(index); }
  void remove_child(const std::string& name) {
    detail::checked_void([&] { conduit_node_remove_child_by_name(c(), name.c_str()); });
  }
  void rename_child(const std::string& current_name, const std::string& new_name) {
    detail::checked_void(
        [&] { conduit_node_rename_child(c(), current_name.c_str(), new_name.c_str()); });
  }
  // Empty again, and still its parent's child.
  void reset() { conduit_node_reset(c()); }
  // Takes the other's content; swaps it.
  void move(Node& other) { conduit_node_move(c(), other.c()); }
  void swap(Node& other) { conduit_node_swap(c(), other.c()); }
  // A list of so many leaves of this type, in memory of their own.
  void list_of(const DataType& type, index_t entries) {
    set(DataType::list());
    for (index_t i = 0; i < entries; ++i) append().set(type);
  }

  // ---- questions

  const DataType& dtype() const {
    return *reinterpret_cast<const DataType*>(conduit_node_dtype(c()));
  }
  bool is_data_external() const { return conduit_node_is_data_external(c()) != 0; }
  bool is_compact() const { return conduit_node_is_compact(c()) != 0; }
  bool is_contiguous() const { return conduit_node_is_contiguous(c()) != 0; }
  bool contiguous_with(const Node& other) const {
    return conduit_node_contiguous_with_node(c(), other.c()) != 0;
  }
  bool contiguous_with(void* address) const {
    return conduit_node_contiguous_with_address(c(), address) != 0;
  }
  // Whether the other's leaves have room in those of the same paths here.
  bool compatible(const Node& other) const { return conduit_node_compatible(c(), other.c()) != 0; }
  // True where they differ; `info` is told in what.
  bool diff(const Node& other, Node& info, float64 epsilon = CONDUIT_EPSILON) const {
    return conduit_node_diff(c(), other.c(), info.c(), epsilon) != 0;
  }
  // The same of what is here: the other may have more.
  bool diff_compatible(const Node& other, Node& info, float64 epsilon = CONDUIT_EPSILON) const {
    return conduit_node_diff_compatible(c(), other.c(), info.c(), epsilon) != 0;
  }
  // Bytes.
  index_t total_strided_bytes() const { return conduit_node_total_strided_bytes(c()); }
  index_t total_bytes_compact() const { return conduit_node_total_bytes_compact(c()); }
  index_t total_bytes_allocated() const { return conduit_node_total_bytes_allocated(c()); }
  index_t allocated_bytes() const {
    return dtype().is_list() || dtype().is_object() ? 0 : total_bytes_allocated();
  }
  void info(Node& result) const { conduit_node_info(c(), result.c()); }
  Node info() const {
    Node result;
    info(result);
    return result;
  }

  // ---- text: protocols are "json" and "yaml"

  std::string to_yaml() const { return detail::taken(conduit_node_to_yaml(c())); }
  std::string to_json() const { return detail::taken(conduit_node_to_json(c())); }
  std::string to_string() const { return to_yaml(); }
  std::string to_summary_string() const {
    return detail::taken(conduit_node_to_summary_string(c()));
  }
  std::string to_yaml(const Node& options) const {
    return detail::taken(conduit_node_to_yaml_with_options(c(), options.c()));
  }
  std::string to_json(const Node& options) const {
    return detail::taken(conduit_node_to_json_with_options(c(), options.c()));
  }
  std::string to_string(const Node& options) const {
    return detail::taken(conduit_node_to_string_with_options(c(), options.c()));
  }
  std::string to_summary_string(const Node& options) const {
    return detail::taken(conduit_node_to_summary_string_with_options(c(), options.c()));
  }
  // Spaces per level, the level to begin at, what a space is, and what ends a line.
  std::string to_string(const std::string& protocol, index_t indent = 2, index_t depth = 0,
                        const std::string& pad = " ", const std::string& eoe = "\n") const {
    Node options;
    options["protocol"] = protocol;
    options["indent"] = indent;
    options["depth"] = depth;
    options["pad"] = pad;
    options["eoe"] = eoe;
    return to_string(options);
  }
  std::string to_json(const std::string& protocol, index_t indent = 2, index_t depth = 0,
                      const std::string& pad = " ", const std::string& eoe = "\n") const {
    return to_string(protocol, indent, depth, pad, eoe);
  }
  std::string to_yaml(const std::string& protocol, index_t indent = 2, index_t depth = 0,
                      const std::string& pad = " ", const std::string& eoe = "\n") const {
    return to_string(protocol, indent, depth, pad, eoe);
  }
  void to_json_stream(std::ostream& out, const std::string& protocol = "json") const {
    out << to_string(protocol);
  }
  void to_yaml_stream(std::ostream& out, const std::string& protocol = "yaml") const {
    out << to_string(protocol);
  }
  void to_string_stream(std::ostream& out, const std::string& protocol = "yaml") const {
    out << to_string(protocol);
  }
  void to_summary_string_stream(std::ostream& out) const { out << to_summary_string(); }
  void print() const { conduit_node_print(self().c()); }
  void print_detailed() const { conduit_node_print_detailed(self().c()); }
  void parse(const std::string& text, const std::string& protocol = "yaml") {
    detail::checked_void([&] { conduit_node_parse(c(), text.c_str(), protocol.c_str()); });
  }
  void generate(const std::string& text, const std::string& protocol = "json") {
    parse(text, protocol);
  }
  void load(const std::string& file, const std::string& protocol = "") {
    detail::checked_void([&] { conduit_node_load(c(), file.c_str(), protocol.c_str()); });
  }
  void save(const std::string& file, const std::string& protocol = "") const {
    detail::checked_void([&] { conduit_node_save(self().c(), file.c_str(), protocol.c_str()); });
  }

  // ---- set: copies, in memory of the node's own

  void set(const Node& other) {
    detail::checked_void([&] { conduit_node_set_node(c(), other.self().c()); });
  }
  // Zeros, an empty group or list; or a copy of what lies at `data`.
  void set(const DataType& type, const void* data = nullptr) {
    detail::checked_void(
        [&] { insitu_node_set(c(), reinterpret_cast<const conduit_datatype*>(&type), data); });
  }
  void set(const std::string& text) { set_char8_str(text.c_str()); }
  void set(const char* text) { set_char8_str(text); }
  void set_string(const std::string& text) { set(text); }
  void set_char8_str(const char* text) {
    detail::checked_void([&] { conduit_node_set_char8_str(c(), text); });
  }
  void set_node(const Node& other) { set(other); }
  void set_dtype(const DataType& type) { set(type); }
  void set_data_using_dtype(const DataType& type, void* data) { set(type, data); }
  void set_path_node(const std::string& path, const Node& other) { fetch(path).set(other); }
  void set_path_dtype(const std::string& path, const DataType& type) { fetch(path).set(type); }
  void set_path_char8_str(const std::string& path, const char* text) { fetch(path).set(text); }
  void set_path_string(const std::string& path, const std::string& text) { fetch(path).set(text); }

  // ---- set_external: leaves on memory that stays the caller's

  // A tree of its own, its leaves on the other's memory.
  void set_external(const Node& other) {
    detail::checked_void([&] { conduit_node_set_external_node(c(), other.self().c()); });
  }
  void set_external(const DataType& type, void* data) {
    detail::checked_void([&] {
      insitu_node_set_external(c(), reinterpret_cast<const conduit_datatype*>(&type), data);
    });
  }
  void set_external_node(const Node& other) { set_external(other); }
  void set_external_data_using_dtype(const DataType& type, void* data) { set_external(type, data); }
  void set_external_char8_str(char* text) {
    detail::checked_void([&] { conduit_node_set_external_char8_str(c(), text); });
  }
  void set_path_external_node(const std::string& path, const Node& other) {
    fetch(path).set_external(other);
  }
  void set_path_external_char8_str(const std::string& path, char* text) {
    fetch(path).set_external_char8_str(text);
  }

#define CONDUIT_DETAILS_(T)                                                          \
  index_t offset = 0, index_t stride = sizeof(T), index_t element_bytes = sizeof(T), \
          index_t endianness = Endianness::DEFAULT_ID
#define CONDUIT_TYPE_(T) \
  DataType(detail::id_of<T>(), elements, offset, stride, element_bytes, endianness)

  // For every type: a number, a pointer with offset and stride in bytes, what holds several.
#define CONDUIT_SET_(T)                                                                      \
  void set(T value) { set(DataType(detail::id_of<T>(), 1), &value); }                        \
  void set(const std::vector<T>& values) { set_elements(values.data(), values.size()); }     \
  void set(std::initializer_list<T> values) { set_elements(values.begin(), values.size()); } \
  void set(const DataArray<T>& array) { set(array.dtype(), array.data_ptr()); }              \
  void set_external(std::vector<T>& values) {                                                \
    set_external(DataType(detail::id_of<T>(), static_cast<index_t>(values.size())),          \
                 values.data());                                                             \
  }                                                                                          \
  void set_external(const DataArray<T>& array) { set_external(array.dtype(), array.data_ptr()); }
  CONDUIT_CXX_TYPES(CONDUIT_SET_)
#undef CONDUIT_SET_
  // A pointer to char with no number of elements is a text.
#define CONDUIT_SET_POINTER_(T, or_one)                                   \
  void set(const T* data, index_t elements or_one, CONDUIT_DETAILS_(T)) { \
    set(CONDUIT_TYPE_(T), required(data, elements));                      \
  }                                                                       \
  void set_external(T* data, index_t elements = 1, CONDUIT_DETAILS_(T)) { \
    set_external(CONDUIT_TYPE_(T), data);                                 \
  }
#define CONDUIT_SET_POINTER_OR_ONE_(T) CONDUIT_SET_POINTER_(T, = 1)
  CONDUIT_SET_POINTER_OR_ONE_(signed char)
  CONDUIT_SET_POINTER_OR_ONE_(unsigned char)
  CONDUIT_SET_POINTER_OR_ONE_(short)
  CONDUIT_SET_POINTER_OR_ONE_(unsigned short)
  CONDUIT_SET_POINTER_OR_ONE_(int)
  CONDUIT_SET_POINTER_OR_ONE_(unsigned int)
  CONDUIT_SET_POINTER_OR_ONE_(long)
  CONDUIT_SET_POINTER_OR_ONE_(unsigned long)
  CONDUIT_SET_POINTER_OR_ONE_(long long)
  CONDUIT_SET_POINTER_OR_ONE_(unsigned long long)
  CONDUIT_SET_POINTER_OR_ONE_(float)
  CONDUIT_SET_POINTER_OR_ONE_(double)
#undef CONDUIT_SET_POINTER_OR_ONE_
#undef CONDUIT_SET_POINTER_
  void set_char_ptr(const char* data, index_t elements, CONDUIT_DETAILS_(char)) {
    set(CONDUIT_TYPE_(char), required(data, elements));
  }
  void set_external_char_ptr(char* data, index_t elements = 1, CONDUIT_DETAILS_(char)) {
    set_external(CONDUIT_TYPE_(char), data);
  }

  // The same under names of the type: set_float64, set_path_external_int32_ptr, ...
#define CONDUIT_SET_NAMED_(name, T)                                                           \
  void set_##name(T value) { set(value); }                                                    \
  void set_path_##name(const std::string& path, T value) { fetch(path).set(value); }          \
  void set_##name##_ptr(const T* data, index_t elements = 1, CONDUIT_DETAILS_(T)) {           \
    set(CONDUIT_TYPE_(T), required(data, elements));                                          \
  }                                                                                           \
  void set_path_##name##_ptr(const std::string& path, const T* data, index_t elements = 1,    \
                             CONDUIT_DETAILS_(T)) {                                           \
    fetch(path).set(CONDUIT_TYPE_(T), required(data, elements));                              \
  }                                                                                           \
  void set_external_##name##_ptr(T* data, index_t elements = 1, CONDUIT_DETAILS_(T)) {        \
    set_external(CONDUIT_TYPE_(T), data);                                                     \
  }                                                                                           \
  void set_path_external_##name##_ptr(const std::string& path, T* data, index_t elements = 1, \
                                      CONDUIT_DETAILS_(T)) {                                  \
    fetch(path).set_external(CONDUIT_TYPE_(T), data);                                         \
  }                                                                                           \
  void set_##name##_array(const DataArray<T>& array) { set(array); }                          \
  void set_path_##name##_array(const std::string& path, const DataArray<T>& array) {          \
    fetch(path).set(array);                                                                   \
  }                                                                                           \
  void set_external_##name##_array(const DataArray<T>& array) { set_external(array); }        \
  void set_##name##_vector(const std::vector<T>& values) { set(values); }                     \
  void set_path_##name##_vector(const std::string& path, const std::vector<T>& values) {      \
    fetch(path).set(values);                                                                  \
  }                                                                                           \
  void set_external_##name##_vector(std::vector<T>& values) { set_external(values); }         \
  void set_path_external_##name##_vector(const std::string& path, std::vector<T>& values) {   \
    fetch(path).set_external(values);                                                         \
  }
  CONDUIT_SET_NAMED_(int8, int8)
  CONDUIT_SET_NAMED_(int16, int16)
  CONDUIT_SET_NAMED_(int32, int32)
  CONDUIT_SET_NAMED_(int64, int64)
  CONDUIT_SET_NAMED_(uint8, uint8)
  CONDUIT_SET_NAMED_(uint16, uint16)
  CONDUIT_SET_NAMED_(uint32, uint32)
  CONDUIT_SET_NAMED_(uint64, uint64)
  CONDUIT_SET_NAMED_(float32, float32)
  CONDUIT_SET_NAMED_(float64, float64)
#undef CONDUIT_SET_NAMED_
#undef CONDUIT_TYPE_
#undef CONDUIT_DETAILS_

  // At a path: whatever set and set_external take.
  template <typename... Values>
  void set_path(const std::string& path, Values&&... values) {
    fetch(path).set(std::forward<Values>(values)...);
  }
  template <typename T>
  void set_path(const std::string& path, std::initializer_list<T> values) {
    fetch(path).set(values);
  }
  template <typename... Values>
  void set_path_external(const std::string& path, Values&&... values) {
    fetch(path).set_external(std::forward<Values>(values)...);
  }

  Node& operator=(const Node& other) { return assigned(other); }
  Node& operator=(const DataType& type) { return assigned(type); }
  Node& operator=(const std::string& text) { return assigned(text); }
  Node& operator=(const char* text) { return assigned(text); }
#define CONDUIT_ASSIGN_(T)                                                      \
  Node& operator=(T value) { return assigned(value); }                          \
  Node& operator=(const std::vector<T>& values) { return assigned(values); }    \
  Node& operator=(std::initializer_list<T> values) { return assigned(values); } \
  Node& operator=(const DataArray<T>& values) { return assigned(values); }
  CONDUIT_CXX_TYPES(CONDUIT_ASSIGN_)
#undef CONDUIT_ASSIGN_

  // What the other has replaces what is here; what only is here stays.
  void update(const Node& other) {
    detail::checked_void([&] { conduit_node_update(c(), other.c()); });
  }
  // The same where types and sizes agree, in the memory that is here.
  void update_compatible(const Node& other) {
    detail::checked_void([&] { conduit_node_update_compatible(c(), other.c()); });
  }
  // The same, with leaves on the other's memory.
  void update_external(Node& other) {
    detail::checked_void([&] { conduit_node_update_external(c(), other.c()); });
  }
  void compact_to(Node& result) const { conduit_node_compact_to(c(), result.c()); }

  // ---- leaves

  Value value() { return Value(*this); }
  ConstValue value() const { return ConstValue(*this); }
  Value to_value() { return Value(*this); }
  ConstValue to_value() const { return ConstValue(*this); }

  char* as_char8_str() {
    return detail::checked([&] { return conduit_node_as_char8_str(c()); }, utils::handle_warning);
  }
  const char* as_char8_str() const { return self().as_char8_str(); }
  std::string as_string() const {
    const char* const text = as_char8_str();
    return text == nullptr ? "" : text;
  }
  void* data_ptr() { return conduit_node_data_ptr(c()); }
  const void* data_ptr() const { return self().data_ptr(); }
  void* element_ptr(index_t index) { return conduit_node_element_ptr(c(), index); }
  const void* element_ptr(index_t index) const { return self().element_ptr(index); }

  // as_float64(): the first element, of this type; as_float64_ptr(): its address;
  // as_float64_array(): all; as_float64_accessor(): all, of whatever type, converted.
  // to_float64(): the first element, converted, also from a text.
#define CONDUIT_AS_(name, T)                                                      \
  T as_##name() const {                                                           \
    const T* const first = as_ptr<T>();                                           \
    return first == nullptr ? static_cast<T>(0) : *first;                         \
  }                                                                               \
  T* as_##name##_ptr() { return const_cast<T*>(as_ptr<T>()); }                    \
  const T* as_##name##_ptr() const { return as_ptr<T>(); }                        \
  DataArray<T> as_##name##_array() { return as_array<T>(); }                      \
  const DataArray<T> as_##name##_array() const { return as_array<T>(); }          \
  DataAccessor<T> as_##name##_accessor() { return as_accessor<T>(); }             \
  const DataAccessor<T> as_##name##_accessor() const { return as_accessor<T>(); } \
  T to_##name() const { return to_number<T>(); }                                  \
  void to_##name##_array(Node& result) const { to_array<T>(result); }
  CONDUIT_CXX_NAMES(CONDUIT_AS_)
#undef CONDUIT_AS_

  // Null, with a warning, where the leaf is of another type.
  template <typename T>
  const T* as_ptr() const {
    if (!expect<T>("as a pointer")) return nullptr;
    return static_cast<const T*>(element_ptr(0));
  }
  template <typename T>
  DataArray<T> as_array() const {
    return expect<T>("as an array") ? DataArray<T>(data_ptr(), dtype()) : DataArray<T>();
  }
  template <typename T>
  DataAccessor<T> as_accessor() const {
    return DataAccessor<T>(data_ptr(), dtype());
  }
  // 0, with a warning, of what is neither a number nor a text of one.
  template <typename T>
  T to_number() const {
    T result = T();
    const bool there = number_of_elements() > 0 && data_ptr() != nullptr;
    if (there && dtype().is_string()) return static_cast<T>(std::strtod(as_char8_str(), nullptr));
    if (!there || !detail::with_type(dtype().id(), self().element_ptr(0), detail::Load<T>{result}))
      CONDUIT_WARN("'" << path() << "' is no number but " << dtype().name())
    return result;
  }
  template <typename T>
  void to_array(Node& result) const {
    const DataAccessor<T> from = as_accessor<T>();
    std::vector<T> values(static_cast<std::size_t>(number_of_elements()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = from[static_cast<index_t>(i)];
    result.set(values);
  }

  conduit_node* c() { return reinterpret_cast<conduit_node*>(this); }
  const conduit_node* c() const { return reinterpret_cast<const conduit_node*>(this); }

 private:
  // C functions that do not change a node, and do not say so.
  Node& self() const { return const_cast<Node&>(*this); }

  template <typename Call>
  static Node& of(Call call) {
    conduit_node* const found = detail::checked(call);
    if (found == nullptr) throw Error("there is no such node", __FILE__, __LINE__);
    return *reinterpret_cast<Node*>(found);
  }
  template <typename Value>
  Node& assigned(const Value& value) {
    set(value);
    return *this;
  }
  template <typename T>
  void set_elements(const T* first, std::size_t count) {
    static const T nothing = T();
    set(DataType(detail::id_of<T>(), static_cast<index_t>(count)), count > 0 ? first : &nothing);
  }
  template <typename T>
  const T* required(const T* data, index_t elements) const {
    if (data == nullptr && elements > 0) CONDUIT_ERROR("'" << path() << "': the pointer is NULL")
    return data;
  }
  template <typename T>
  bool expect(const char* how) const {
    if (dtype().id() == detail::id_of<T>()) return true;
    CONDUIT_WARN("'" << path() << "' is " << dtype().name() << ", not "
                     << DataType::id_to_name(detail::id_of<T>()) << ", and was asked for " << how)
    return false;
  }

  // A conduit_node of the library's, in place; other Nodes are on nodes that the library made.
  alignas(8) unsigned char room_[INSITU_NODE_BYTES];
};

static_assert(sizeof(DataType) == 6 * sizeof(index_t), "as conduit_datatype");

inline std::string about() {
  Node result;
  conduit_about(result.c());
  return result.to_yaml();
}
inline void about(Node& result) { conduit_about(result.c()); }

namespace utils {

inline std::string escape_special_chars(const std::string& input) {
  Node text;
  text.set(input);
  const std::string quoted = text.to_json("json", 0, 0, "", "");
  return quoted.substr(1, quoted.size() - 2);
}
inline std::string unescape_special_chars(const std::string& input) {
  Node text;
  text.parse("\"" + input + "\"", "json");
  return text.as_string();
}

}  // namespace utils
}  // namespace conduit
