// What a leaf holds: type, number of elements, and where they lie, in bytes.
#pragma once

#include <string>
#include <type_traits>

#include "conduit_core.hpp"
#include "conduit_endianness.hpp"

namespace conduit {

namespace detail {

// Conduit's number for a C++ type: by its kind and its size.
template <typename T>
constexpr index_t id_of() {
  static_assert(std::is_arithmetic<T>::value && sizeof(T) <= 8, "not a type that a leaf can hold");
  return std::is_floating_point<T>::value
             ? (sizeof(T) == 4 ? CONDUIT_FLOAT32_ID : CONDUIT_FLOAT64_ID)
             : (std::is_signed<T>::value ? CONDUIT_INT8_ID : CONDUIT_UINT8_ID) +
                   (sizeof(T) == 1   ? 0
                    : sizeof(T) == 2 ? 1
                    : sizeof(T) == 4 ? 2
                                     : 3);
}

}  // namespace detail

// The members are those of conduit_datatype, in its order: the library reads them in place.
class DataType {
 public:
  enum TypeID {
    EMPTY_ID = CONDUIT_EMPTY_ID,
    OBJECT_ID = CONDUIT_OBJECT_ID,
    LIST_ID = CONDUIT_LIST_ID,
    INT8_ID = CONDUIT_INT8_ID,
    INT16_ID = CONDUIT_INT16_ID,
    INT32_ID = CONDUIT_INT32_ID,
    INT64_ID = CONDUIT_INT64_ID,
    UINT8_ID = CONDUIT_UINT8_ID,
    UINT16_ID = CONDUIT_UINT16_ID,
    UINT32_ID = CONDUIT_UINT32_ID,
    UINT64_ID = CONDUIT_UINT64_ID,
    FLOAT32_ID = CONDUIT_FLOAT32_ID,
    FLOAT64_ID = CONDUIT_FLOAT64_ID,
    CHAR8_STR_ID = CONDUIT_CHAR8_STR_ID
  };

  DataType() = default;
  explicit DataType(conduit::index_t id, conduit::index_t elements = 0)
      : id_(id),
        elements_(elements),
        stride_(default_bytes(id)),
        element_bytes_(default_bytes(id)) {}
  DataType(conduit::index_t id, conduit::index_t elements, conduit::index_t offset,
           conduit::index_t stride, conduit::index_t element_bytes, conduit::index_t endianness)
      : id_(id),
        elements_(elements),
        offset_(offset),
        stride_(stride),
        element_bytes_(element_bytes),
        endianness_(endianness) {}
  DataType(const std::string& name, conduit::index_t elements, conduit::index_t offset,
           conduit::index_t stride, conduit::index_t element_bytes, conduit::index_t endianness)
      : DataType(name_to_id(name), elements, offset, stride, element_bytes, endianness) {}

  static DataType empty() { return DataType(); }
  static DataType object() { return DataType(OBJECT_ID); }
  static DataType list() { return DataType(LIST_ID); }
  static DataType char8_str(conduit::index_t elements = 1, conduit::index_t offset = 0,
                            conduit::index_t stride = 1, conduit::index_t element_bytes = 1,
                            conduit::index_t endianness = Endianness::DEFAULT_ID) {
    return DataType(CHAR8_STR_ID, elements, offset, stride, element_bytes, endianness);
  }

  // One for each type of number: DataType::float64(elements, offset, stride, ...).
#define CONDUIT_MAKE_(name, T)                                                            \
  static DataType name(conduit::index_t elements = 1, conduit::index_t offset = 0,        \
                       conduit::index_t stride = sizeof(T),                               \
                       conduit::index_t element_bytes = sizeof(T),                        \
                       conduit::index_t endianness = Endianness::DEFAULT_ID) {            \
    return DataType(conduit::detail::id_of<T>(), elements, offset, stride, element_bytes, \
                    endianness);                                                          \
  }
  CONDUIT_MAKE_(int8, conduit::int8)
  CONDUIT_MAKE_(int16, conduit::int16)
  CONDUIT_MAKE_(int32, conduit::int32)
  CONDUIT_MAKE_(int64, conduit::int64)
  CONDUIT_MAKE_(uint8, conduit::uint8)
  CONDUIT_MAKE_(uint16, conduit::uint16)
  CONDUIT_MAKE_(uint32, conduit::uint32)
  CONDUIT_MAKE_(uint64, conduit::uint64)
  CONDUIT_MAKE_(float32, conduit::float32)
  CONDUIT_MAKE_(float64, conduit::float64)
  CONDUIT_MAKE_(index_t, conduit::index_t)
  CONDUIT_MAKE_(c_char, char)
  CONDUIT_MAKE_(c_short, short)
  CONDUIT_MAKE_(c_int, int)
  CONDUIT_MAKE_(c_long, long)
  CONDUIT_MAKE_(c_long_long, long long)
  CONDUIT_MAKE_(c_signed_char, signed char)
  CONDUIT_MAKE_(c_signed_short, signed short)
  CONDUIT_MAKE_(c_signed_int, signed int)
  CONDUIT_MAKE_(c_signed_long, signed long)
  CONDUIT_MAKE_(c_unsigned_char, unsigned char)
  CONDUIT_MAKE_(c_unsigned_short, unsigned short)
  CONDUIT_MAKE_(c_unsigned_int, unsigned int)
  CONDUIT_MAKE_(c_unsigned_long, unsigned long)
  CONDUIT_MAKE_(c_unsigned_long_long, unsigned long long)
  CONDUIT_MAKE_(c_float, float)
  CONDUIT_MAKE_(c_double, double)
#undef CONDUIT_MAKE_

  void reset() { *this = DataType(); }
  void set(const DataType& other) { *this = other; }
  void set(conduit::index_t id, conduit::index_t elements, conduit::index_t offset,
           conduit::index_t stride, conduit::index_t element_bytes, conduit::index_t endianness) {
    *this = DataType(id, elements, offset, stride, element_bytes, endianness);
  }
  void set_id(conduit::index_t value) { id_ = value; }
  void set_number_of_elements(conduit::index_t value) { elements_ = value; }
  void set_offset(conduit::index_t value) { offset_ = value; }
  void set_stride(conduit::index_t value) { stride_ = value; }
  void set_element_bytes(conduit::index_t value) { element_bytes_ = value; }
  void set_endianness(conduit::index_t value) { endianness_ = value; }

  conduit::index_t id() const { return id_; }
  std::string name() const { return id_to_name(id_); }
  conduit::index_t number_of_elements() const { return elements_; }
  conduit::index_t offset() const { return offset_; }
  conduit::index_t stride() const { return stride_; }
  conduit::index_t element_bytes() const { return element_bytes_; }
  conduit::index_t endianness() const { return endianness_; }
  conduit::index_t element_index(conduit::index_t i) const { return offset_ + i * stride_; }
  conduit::index_t bytes_compact() const { return elements_ * element_bytes_; }
  conduit::index_t strided_bytes() const {
    return elements_ > 0 ? (elements_ - 1) * stride_ + element_bytes_ : 0;
  }
  // From the beginning of the memory, the offset included.
  conduit::index_t spanned_bytes() const { return offset_ + strided_bytes(); }
  bool is_compact() const { return id_ > LIST_ID && spanned_bytes() == bytes_compact(); }
  // Whether the other's elements have room here.
  bool compatible(const DataType& other) const {
    return id_ == other.id_ && element_bytes_ == other.element_bytes_ &&
           elements_ >= other.elements_;
  }
  bool equals(const DataType& other) const {
    return id_ == other.id_ && elements_ == other.elements_ && offset_ == other.offset_ &&
           stride_ == other.stride_ && element_bytes_ == other.element_bytes_ &&
           endianness_ == other.endianness_;
  }
  void compact_to(DataType& result) const {
    result = DataType(id_, elements_, 0, element_bytes_, element_bytes_, endianness_);
  }

  bool is_empty() const { return id_ == EMPTY_ID; }
  bool is_object() const { return id_ == OBJECT_ID; }
  bool is_list() const { return id_ == LIST_ID; }
  bool is_number() const { return id_ >= INT8_ID && id_ <= FLOAT64_ID; }
  bool is_floating_point() const { return id_ == FLOAT32_ID || id_ == FLOAT64_ID; }
  bool is_integer() const { return id_ >= INT8_ID && id_ <= UINT64_ID; }
  bool is_signed_integer() const { return id_ >= INT8_ID && id_ <= INT64_ID; }
  bool is_unsigned_integer() const { return id_ >= UINT8_ID && id_ <= UINT64_ID; }
  bool is_string() const { return id_ == CHAR8_STR_ID; }
  bool is_char8_str() const { return id_ == CHAR8_STR_ID; }
#define CONDUIT_IS_(name, T) \
  bool is_##name() const { return id_ == conduit::detail::id_of<T>(); }
  CONDUIT_CXX_NAMES(CONDUIT_IS_)
#undef CONDUIT_IS_

  bool is_big_endian() const {
    const conduit::index_t machine = Endianness::machine_default();
    return (endianness_ == Endianness::DEFAULT_ID ? machine : endianness_) == Endianness::BIG_ID;
  }
  bool is_little_endian() const { return !is_big_endian(); }
  bool endianness_matches_machine() const {
    return is_big_endian() == (Endianness::machine_default() == Endianness::BIG_ID);
  }

  static int sizeof_index_t() { return sizeof(conduit::index_t); }
  static const char* id_to_name(conduit::index_t id) {
    return id >= EMPTY_ID && id <= CHAR8_STR_ID ? names()[id] : "unknown";
  }
  // EMPTY_ID for a name that is none.
  static conduit::index_t name_to_id(const std::string& name) {
    for (conduit::index_t id = EMPTY_ID; id <= CHAR8_STR_ID; ++id)
      if (name == names()[id]) return id;
    return EMPTY_ID;
  }
  // Of one element.
  static conduit::index_t default_bytes(conduit::index_t id) {
    static const conduit::index_t bytes[] = {0, 0, 0, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 1};
    return id >= EMPTY_ID && id <= CHAR8_STR_ID ? bytes[id] : 0;
  }
  static conduit::index_t default_bytes(const std::string& name) {
    return default_bytes(name_to_id(name));
  }
  static DataType default_dtype(conduit::index_t id) { return DataType(id, id > LIST_ID ? 1 : 0); }
  static DataType default_dtype(const std::string& name) { return default_dtype(name_to_id(name)); }

  std::string to_json() const {
    std::string text = "{\"dtype\":\"" + name() + "\"";
    if (id_ > LIST_ID) {
      text += ", \"number_of_elements\": " + std::to_string(elements_) +
              ", \"offset\": " + std::to_string(offset_) +
              ", \"stride\": " + std::to_string(stride_) +
              ", \"element_bytes\": " + std::to_string(element_bytes_) + ", \"endianness\": \"" +
              (is_big_endian() ? "big" : "little") + "\"";
    }
    return text + "}";
  }
  std::string to_string() const { return to_json(); }

 private:
  static const char* const* names() {
    static const char* const all[] = {"empty",  "object",  "list",    "int8",     "int16",
                                      "int32",  "int64",   "uint8",   "uint16",   "uint32",
                                      "uint64", "float32", "float64", "char8_str"};
    return all;
  }

  conduit::index_t id_ = EMPTY_ID;
  conduit::index_t elements_ = 0;
  conduit::index_t offset_ = 0;
  conduit::index_t stride_ = 0;
  conduit::index_t element_bytes_ = 0;
  conduit::index_t endianness_ = Endianness::DEFAULT_ID;
};

}  // namespace conduit
