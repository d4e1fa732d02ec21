// A leaf's elements as an array of their own type, in place: of any offset and stride.
#pragma once

#include <initializer_list>
#include <limits>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "conduit_data_type.hpp"

namespace conduit {

namespace detail {

// What is asked of all elements of an Array, which has element(i) and number_of_elements().
template <typename Array, typename T>
class Reductions {
 public:
  // Of no elements, the ends of the range of T.
  T min() const {
    T least = std::numeric_limits<T>::max();
    each([&](T value) { least = value < least ? value : least; });
    return least;
  }
  T max() const {
    T most = std::numeric_limits<T>::lowest();
    each([&](T value) { most = value > most ? value : most; });
    return most;
  }
  T sum() const {
    T total = 0;
    each([&](T value) { total = static_cast<T>(total + value); });
    return total;
  }
  float64 mean() const {
    float64 total = 0;
    each([&](T value) { total += static_cast<float64>(value); });
    return total / static_cast<float64>(self().number_of_elements());
  }
  index_t count(T wanted) const {
    index_t found = 0;
    each([&](T value) { found += value == wanted; });
    return found;
  }

 private:
  const Array& self() const { return static_cast<const Array&>(*this); }
  template <typename Action>
  void each(Action action) const {
    for (index_t i = 0; i < self().number_of_elements(); ++i) action(self().element(i));
  }
};

}  // namespace detail

template <typename T>
class DataArray : public detail::Reductions<DataArray<T>, T> {
 public:
  typedef T ElementType;

  DataArray() = default;
  DataArray(void* data, const DataType& type) : data_(static_cast<char*>(data)), type_(type) {}
  DataArray(const void* data, const DataType& type) : DataArray(const_cast<void*>(data), type) {}

  T& element(index_t i) const { return *reinterpret_cast<T*>(data_ + type_.element_index(i)); }
  T& operator[](index_t i) const { return element(i); }
  void* element_ptr(index_t i) const { return data_ + type_.element_index(i); }
  void* data_ptr() const { return data_; }
  const DataType& dtype() const { return type_; }
  index_t number_of_elements() const { return type_.number_of_elements(); }

  void fill(T value) {
    for (index_t i = 0; i < number_of_elements(); ++i) element(i) = value;
  }
  template <typename V>
  void set(index_t i, V value) {
    element(i) = static_cast<T>(value);
  }
  // As many as there are values, which must not be more than there are elements.
  template <typename V>
  void set(const V* values, index_t count) {
    for (index_t i = 0; i < count; ++i) element(i) = static_cast<T>(values[i]);
  }
  template <typename V>
  void set(const std::vector<V>& values) {
    set(values.data(), static_cast<index_t>(values.size()));
  }
  template <typename V>
  void set(std::initializer_list<V> values) {
    set(values.begin(), static_cast<index_t>(values.size()));
  }
  template <typename V>
  void set(const DataArray<V>& values) {
    for (index_t i = 0; i < values.number_of_elements(); ++i)
      element(i) = static_cast<T>(values[i]);
  }

  void to_json_stream(std::ostream& out) const {
    const index_t n = number_of_elements();
    if (n != 1) out << "[";
    for (index_t i = 0; i < n; ++i) out << (i > 0 ? ", " : "") << +element(i);
    if (n != 1) out << "]";
  }
  std::string to_json() const {
    std::ostringstream out;
    out.precision(std::numeric_limits<T>::max_digits10);
    to_json_stream(out);
    return out.str();
  }
  std::string to_yaml() const { return to_json(); }
  std::string to_string() const { return to_json(); }

 private:
  char* data_ = nullptr;
  DataType type_;
};

#define CONDUIT_ARRAY_(name, T) typedef DataArray<T> name##_array;
CONDUIT_CXX_NAMES(CONDUIT_ARRAY_)
#undef CONDUIT_ARRAY_

}  // namespace conduit
