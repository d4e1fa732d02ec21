// The tree and its memory.

#include "node.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace {

constexpr bool machine_is_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

template <typename T, typename R>
R load(const char* at, bool swapped) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, at, sizeof(T));
  if (swapped) std::reverse(bytes, bytes + sizeof(T));
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return static_cast<R>(value);
}

// A floating-point value as an integer, at the nearest end where it has no room.
template <typename T>
long long truncated(const char* at, bool swapped) {
  const double value = load<T, double>(at, swapped);
  if (!(value > -9.2e18)) return value != value ? 0 : INT64_MIN;
  return value < 9.2e18 ? static_cast<long long>(value) : INT64_MAX;
}

}  // namespace

namespace insitu {

conduit_index_t element_bytes(conduit_index_t id) {
  switch (id) {
    case CONDUIT_INT8_ID:
    case CONDUIT_UINT8_ID:
    case CONDUIT_CHAR8_STR_ID: return 1;
    case CONDUIT_INT16_ID:
    case CONDUIT_UINT16_ID: return 2;
    case CONDUIT_INT32_ID:
    case CONDUIT_UINT32_ID:
    case CONDUIT_FLOAT32_ID: return 4;
    case CONDUIT_INT64_ID:
    case CONDUIT_UINT64_ID:
    case CONDUIT_FLOAT64_ID: return 8;
    default: return 0;
  }
}

const char* type_name(conduit_index_t id) {
  static const char* const names[] = {
      "empty", "object", "list",   "int8",   "int16",   "int32",   "int64",
      "uint8", "uint16", "uint32", "uint64", "float32", "float64", "char8_str",
  };
  return id >= 0 && id <= CONDUIT_CHAR8_STR_ID ? names[id] : "unknown";
}

}  // namespace insitu

bool conduit_datatype_impl::swapped() const {
  if (endianness == CONDUIT_ENDIANNESS_DEFAULT_ID) return false;
  return (endianness == CONDUIT_ENDIANNESS_BIG_ID) != machine_is_big;
}

conduit_node_impl::~conduit_node_impl() = default;

conduit_node_impl::Node* conduit_node_impl::child(std::string_view wanted) const {
  if (!is_group()) return nullptr;
  for (const auto& one : children)
    if (one->name == wanted) return one.get();
  return nullptr;
}

conduit_node_impl::Node* conduit_node_impl::find(std::string_view path) const {
  const Node* here = this;
  while (!path.empty() && here != nullptr) {
    const auto end = std::min(path.find('/'), path.size());
    const auto part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (part.empty()) continue;
    here = part == ".." ? here->parent : here->child(part);
  }
  return const_cast<Node*>(here);
}

conduit_node_impl::Node* conduit_node_impl::fetch(std::string_view path) {
  Node* here = this;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    const auto part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (part.empty()) continue;
    if (part == "..") {
      if (here->parent == nullptr) return nullptr;
      here = here->parent;
    } else {
      here = here->add_child(part);
    }
  }
  return here;
}

conduit_node_impl::Node* conduit_node_impl::add_child(std::string_view wanted) {
  if (Node* there = child(wanted)) return there;
  if (!is_group()) {
    reset();
    type.id = CONDUIT_OBJECT_ID;
  }
  children.push_back(std::make_unique<Node>());
  children.back()->parent = this;
  children.back()->name = wanted;
  return children.back().get();
}

conduit_node_impl::Node* conduit_node_impl::append() {
  if (!is_list()) {
    reset();
    type.id = CONDUIT_LIST_ID;
  }
  children.push_back(std::make_unique<Node>());
  children.back()->parent = this;
  return children.back().get();
}

void conduit_node_impl::reset() {
  children.clear();
  own.reset();
  own_bytes = 0;
  data = nullptr;
  type = Type{};
}

void conduit_node_impl::set(const void* source, const Type& from) {
  const auto width = static_cast<std::size_t>(from.element_bytes);
  const auto bytes = width * static_cast<std::size_t>(from.num_elements);
  // The source may lie in what is given up here.
  auto before = std::move(own);
  auto children_before = std::move(children);
  const bool fits = before != nullptr && own_bytes == bytes;
  auto fresh = fits ? nullptr : std::make_unique<char[]>(bytes);
  char* target = fits ? before.get() : fresh.get();
  const char* at = static_cast<const char*>(source) + from.offset;
  if (from.stride == from.element_bytes && !from.swapped()) {
    if (bytes > 0) std::memmove(target, at, bytes);
  } else {
    // Through another buffer only where source and target may overlap.
    std::vector<char> packed(bytes);
    for (std::size_t i = 0; i < static_cast<std::size_t>(from.num_elements); ++i) {
      char* element = packed.data() + i * width;
      std::memcpy(element, at + static_cast<conduit_index_t>(i) * from.stride, width);
      if (from.swapped()) std::reverse(element, element + width);
    }
    if (bytes > 0) std::memcpy(target, packed.data(), bytes);
  }
  own = fits ? std::move(before) : std::move(fresh);
  own_bytes = bytes;
  data = own.get();
  type = from;
  type.offset = 0;
  type.stride = from.element_bytes;
  type.endianness = CONDUIT_ENDIANNESS_DEFAULT_ID;
  children.clear();
}

void conduit_node_impl::set_text(const char* text) {
  const auto length = static_cast<conduit_index_t>(std::strlen(text)) + 1;
  set(text, Type{CONDUIT_CHAR8_STR_ID, length, 0, 1, 1, CONDUIT_ENDIANNESS_DEFAULT_ID});
}

void conduit_node_impl::set_external(void* source, const Type& from) {
  reset();
  data = source;
  type = from;
}

void conduit_node_impl::set_tree(const Node& other, bool external) {
  if (&other == this) return;
  if (!other.type.is_leaf()) {
    // The other may be part of what is given up here.
    std::vector<std::unique_ptr<Node>> made;
    for (const auto& one : other.children) {
      made.push_back(std::make_unique<Node>());
      made.back()->parent = this;
      made.back()->name = one->name;
      made.back()->set_tree(*one, external);
    }
    const auto id = other.type.id;
    reset();
    type.id = id;
    children = std::move(made);
  } else if (external) {
    set_external(other.data, Type(other.type));
  } else if (other.data != nullptr) {
    set(other.data, Type(other.type));
  } else {
    set("", Type{other.type.id, 0, 0, 1, other.type.element_bytes, 0});
  }
}

namespace {

// Copies the leaves of a tree to `at`, one after the other, and has those of the same tree `to` on
// them.
void pack(const conduit_node_impl& from, conduit_node_impl& to, char*& at) {
  for (std::size_t i = 0; i < from.children.size(); ++i)
    pack(*from.children[i], *to.children[i], at);
  if (!from.type.is_leaf()) return;
  const auto width = from.type.element_bytes;
  conduit_datatype_impl type = from.type;
  type.offset = 0;
  type.stride = width;
  to.set_external(at, type);
  for (conduit_index_t i = 0; i < type.num_elements; ++i, at += width)
    std::memcpy(at, from.element(i), static_cast<std::size_t>(width));
}

}  // namespace

void conduit_node_impl::set_compact(const Node& other) {
  if (other.type.is_leaf()) return set_tree(other, false);
  Node made;
  made.set_tree(other, true);
  made.own_bytes = other.compact_bytes();
  made.own = std::make_unique<char[]>(made.own_bytes);
  char* at = made.own.get();
  pack(other, made, at);
  take(made);
}

void conduit_node_impl::update(const Node& other) {
  if (other.is_group() && !other.children.empty()) {
    for (const auto& one : other.children) add_child(one->name)->update(*one);
  } else if (other.is_list() && is_list()) {
    for (std::size_t i = 0; i < other.children.size(); ++i)
      (i < children.size() ? children[i].get() : append())->update(*other.children[i]);
  } else if (other.type.id != CONDUIT_EMPTY_ID) {
    set_tree(other, false);
  }
}

void conduit_node_impl::take(Node& other) {
  if (&other == this) return;
  auto their_children = std::move(other.children);
  auto their_own = std::move(other.own);
  const auto bytes = other.own_bytes;
  void* const their_data = other.data;
  const Type their_type = other.type;
  other.children.clear();
  other.reset();
  reset();  // may end `other`, if that was below this node
  children = std::move(their_children);
  for (auto& one : children) one->parent = this;
  own = std::move(their_own);
  own_bytes = bytes;
  data = their_data;
  type = their_type;
}

const char* conduit_node_impl::element(conduit_index_t index) const {
  return static_cast<const char*>(data) + type.offset + index * type.stride;
}

double conduit_node_impl::number(conduit_index_t index) const {
  const char* at = element(index);
  const bool swapped = type.swapped();
  switch (type.id) {
    case CONDUIT_FLOAT32_ID: return load<float, double>(at, swapped);
    case CONDUIT_FLOAT64_ID: return load<double, double>(at, swapped);
    case CONDUIT_UINT64_ID: return load<std::uint64_t, double>(at, swapped);
    default: return static_cast<double>(integer(index));
  }
}

long long conduit_node_impl::integer(conduit_index_t index) const {
  const char* at = element(index);
  const bool swapped = type.swapped();
  switch (type.id) {
    case CONDUIT_INT8_ID: return load<std::int8_t, long long>(at, swapped);
    case CONDUIT_INT16_ID: return load<std::int16_t, long long>(at, swapped);
    case CONDUIT_INT32_ID: return load<std::int32_t, long long>(at, swapped);
    case CONDUIT_INT64_ID: return load<std::int64_t, long long>(at, swapped);
    case CONDUIT_UINT8_ID: return load<std::uint8_t, long long>(at, swapped);
    case CONDUIT_UINT16_ID: return load<std::uint16_t, long long>(at, swapped);
    case CONDUIT_UINT32_ID: return load<std::uint32_t, long long>(at, swapped);
    case CONDUIT_UINT64_ID: return load<std::uint64_t, long long>(at, swapped);
    case CONDUIT_FLOAT32_ID: return truncated<float>(at, swapped);
    case CONDUIT_FLOAT64_ID: return truncated<double>(at, swapped);
    default: return 0;
  }
}

std::size_t conduit_node_impl::compact_bytes() const {
  std::size_t bytes = static_cast<std::size_t>(type.num_elements * type.element_bytes);
  for (const auto& one : children) bytes += one->compact_bytes();
  return bytes;
}
