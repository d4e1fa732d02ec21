// Byte orders.
#pragma once

#include <string>

#include "conduit_core.hpp"

namespace conduit {

class Endianness {
 public:
  enum EndianEnum {
    DEFAULT_ID = CONDUIT_ENDIANNESS_DEFAULT_ID,  // the machine's
    BIG_ID = CONDUIT_ENDIANNESS_BIG_ID,
    LITTLE_ID = CONDUIT_ENDIANNESS_LITTLE_ID
  };

  static index_t machine_default() {
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? BIG_ID : LITTLE_ID;
  }
  static std::string id_to_name(index_t id) {
    return id == BIG_ID ? "big" : id == LITTLE_ID ? "little" : "default";
  }
  static index_t name_to_id(const std::string& name) {
    return name == "big" ? BIG_ID : name == "little" ? LITTLE_ID : DEFAULT_ID;
  }
};

}  // namespace conduit
