// What node.value() and node.to_value() give: it becomes whatever type is asked for, as in
// double* x = node["x"].value(), int n = node["n"].to_value().
#pragma once

#include "conduit_data_accessor.hpp"
#include "conduit_data_array.hpp"

namespace conduit {

namespace detail {

// N is Node or const Node. Numbers are converted; pointers and arrays are of the leaf's own type.
template <typename N>
class Value {
 public:
  explicit Value(N& node) : node_(node) {}
  template <typename Other>
  Value(const Value<Other>& other) : node_(other.node()) {}
  N& node() const { return node_; }

#define CONDUIT_VALUE_(T)                                                    \
  operator T() const { return node_.template to_number<T>(); }               \
  operator T*() const { return const_cast<T*>(node_.template as_ptr<T>()); } \
  operator DataArray<T>() const { return node_.template as_array<T>(); }     \
  operator DataAccessor<T>() const { return node_.template as_accessor<T>(); }
  CONDUIT_CXX_TYPES(CONDUIT_VALUE_)
#undef CONDUIT_VALUE_

 private:
  N& node_;
};

}  // namespace detail

}  // namespace conduit
