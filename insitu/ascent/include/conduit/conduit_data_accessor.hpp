// A leaf's elements as numbers of one type, whatever type they are of: each is converted when it is
// asked for.
#pragma once

#include <cstring>

#include "conduit_data_array.hpp"

namespace conduit {

namespace detail {

// Calls action(pointer of the element's type) for the type of this number; false where it is none.
template <typename Action>
bool with_type(index_t id, void* at, Action action) {
  switch (id) {
    case DataType::INT8_ID: action(static_cast<int8*>(at)); return true;
    case DataType::INT16_ID: action(static_cast<int16*>(at)); return true;
    case DataType::INT32_ID: action(static_cast<int32*>(at)); return true;
    case DataType::INT64_ID: action(static_cast<int64*>(at)); return true;
    case DataType::UINT8_ID: action(static_cast<uint8*>(at)); return true;
    case DataType::UINT16_ID: action(static_cast<uint16*>(at)); return true;
    case DataType::UINT32_ID: action(static_cast<uint32*>(at)); return true;
    case DataType::UINT64_ID: action(static_cast<uint64*>(at)); return true;
    case DataType::FLOAT32_ID: action(static_cast<float32*>(at)); return true;
    case DataType::FLOAT64_ID: action(static_cast<float64*>(at)); return true;
    default: return false;
  }
}

template <typename T>
struct Load {
  T& to;
  template <typename V>
  void operator()(const V* from) const {
    V value;  // may lie anywhere
    std::memcpy(&value, from, sizeof value);
    to = static_cast<T>(value);
  }
};
template <typename T>
struct Store {
  const T& from;
  template <typename V>
  void operator()(V* to) const {
    const V value = static_cast<V>(from);
    std::memcpy(to, &value, sizeof value);
  }
};

}  // namespace detail

template <typename T>
class DataAccessor : public detail::Reductions<DataAccessor<T>, T> {
 public:
  typedef T ElementType;

  DataAccessor() = default;
  DataAccessor(void* data, const DataType& type) : data_(static_cast<char*>(data)), type_(type) {}
  DataAccessor(const void* data, const DataType& type)
      : DataAccessor(const_cast<void*>(data), type) {}
  template <typename V>
  DataAccessor(const DataArray<V>& array) : DataAccessor(array.data_ptr(), array.dtype()) {}

  // 0 where the leaf holds no numbers.
  T element(index_t i) const {
    T value = 0;
    detail::with_type(type_.id(), data_ + type_.element_index(i), detail::Load<T>{value});
    return value;
  }
  T operator[](index_t i) const { return element(i); }
  void set(index_t i, T value) {
    detail::with_type(type_.id(), data_ + type_.element_index(i), detail::Store<T>{value});
  }
  void fill(T value) {
    for (index_t i = 0; i < number_of_elements(); ++i) set(i, value);
  }
  const void* element_ptr(index_t i) const { return data_ + type_.element_index(i); }
  const void* data_ptr() const { return data_; }
  const DataType& dtype() const { return type_; }
  index_t number_of_elements() const { return type_.number_of_elements(); }

 private:
  char* data_ = nullptr;
  DataType type_;
};

#define CONDUIT_ACCESSOR_(name, T) typedef DataAccessor<T> name##_accessor;
CONDUIT_CXX_NAMES(CONDUIT_ACCESSOR_)
#undef CONDUIT_ACCESSOR_

}  // namespace conduit
