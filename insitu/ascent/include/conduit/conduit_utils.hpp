// Who is told of what happens, and small helpers that simulations use.
//
// By default an error throws conduit::Error, a warning is printed to stderr, a note to stdout. A
// handler that is set here is told of what the C functions report, too; they let nothing thrown
// out.
#pragma once

#include <chrono>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>

#include "conduit_core.hpp"
#include "conduit_error.hpp"
#include "conduit_utils.h"
#include "conduit_utils_paths.hpp"

#define CONDUIT_EPSILON 1e-12
#define CONDUIT_UNUSED(var) (void)(var)

// `message` is what can be written to a stream: "a" << b.
#define CONDUIT_TELL_(handle, message)                              \
  {                                                                 \
    std::ostringstream conduit_told;                                \
    conduit_told << message;                                        \
    conduit::utils::handle(conduit_told.str(), __FILE__, __LINE__); \
  }
#define CONDUIT_INFO(message) CONDUIT_TELL_(handle_info, message)
#define CONDUIT_WARN(message) CONDUIT_TELL_(handle_warning, message)
#define CONDUIT_ERROR(message) CONDUIT_TELL_(handle_error, message)
#define CONDUIT_ASSERT(condition, message)   \
  {                                          \
    if (!(condition)) CONDUIT_ERROR(message) \
  }
#define CONDUIT_CHECK(condition, message)   \
  {                                         \
    if (!(condition)) CONDUIT_WARN(message) \
  }

namespace conduit {
namespace utils {

typedef void (*conduit_info_handler)(const std::string&, const std::string&, int);
typedef void (*conduit_warning_handler)(const std::string&, const std::string&, int);
typedef void (*conduit_error_handler)(const std::string&, const std::string&, int);

inline void default_info_handler(const std::string& message, const std::string& file, int line) {
  std::cout << "[" << file << " : " << line << "]\n" << message << std::endl;
}
inline void default_warning_handler(const std::string& message, const std::string& file, int line) {
  std::cerr << "[" << file << " : " << line << "]\n" << message << std::endl;
}
inline void default_error_handler(const std::string& message, const std::string& file, int line) {
  throw Error(message, file, line);
}

namespace detail {

// The handlers of this program.
struct Handlers {
  conduit_info_handler info = default_info_handler;
  conduit_warning_handler warning = default_warning_handler;
  conduit_error_handler error = default_error_handler;
};
inline Handlers& handlers() {
  static Handlers all;
  return all;
}

// For the C functions, through which nothing may be thrown.
template <conduit_error_handler Handlers::* which>
void tell(const char* message, const char* file, int line) {
  try {
    (handlers().*which)(message, file, line);
  } catch (const std::exception& error) {
    std::cerr << error.what() << std::endl;
  }
}

}  // namespace detail

inline void set_info_handler(conduit_info_handler handler) {
  detail::handlers().info = handler;
  conduit_utils_set_info_handler(detail::tell<&detail::Handlers::info>);
}
inline void set_warning_handler(conduit_warning_handler handler) {
  detail::handlers().warning = handler;
  conduit_utils_set_warning_handler(detail::tell<&detail::Handlers::warning>);
}
inline void set_error_handler(conduit_error_handler handler) {
  detail::handlers().error = handler;
  conduit_utils_set_error_handler(detail::tell<&detail::Handlers::error>);
}
inline conduit_info_handler info_handler() { return detail::handlers().info; }
inline conduit_warning_handler warning_handler() { return detail::handlers().warning; }
inline conduit_error_handler error_handler() { return detail::handlers().error; }

inline void handle_info(const std::string& message, const std::string& file, int line) {
  info_handler()(message, file, line);
}
inline void handle_warning(const std::string& message, const std::string& file, int line) {
  warning_handler()(message, file, line);
}
inline void handle_error(const std::string& message, const std::string& file, int line) {
  error_handler()(message, file, line);
}

// A text as it stands within a JSON string, and back.
std::string escape_special_chars(const std::string& input);
std::string unescape_special_chars(const std::string& input);

template <typename T>
T string_to_value(const std::string& text) {
  T value = T();
  std::istringstream(text) >> value;
  return value;
}
template <typename T>
std::string to_hex_string(T value) {
  std::ostringstream out;
  out << std::hex << value;
  return out.str();
}

inline void sleep(index_t milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

// Seconds since it was made or reset.
class Timer {
 public:
  explicit Timer() { reset(); }
  void reset() { start_ = std::chrono::steady_clock::now(); }
  float elapsed() const {
    return std::chrono::duration<float>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_;
};

}  // namespace utils
}  // namespace conduit
