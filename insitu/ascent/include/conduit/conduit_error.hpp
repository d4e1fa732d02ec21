// The exception that mistakes raise by default.
#pragma once

#include <exception>
#include <iostream>
#include <sstream>
#include <string>

#include "conduit_core.hpp"

namespace conduit {

class Error : public std::exception {
 public:
  Error() : line_(0) {}
  Error(const std::string& message, const std::string& file, index_t line)
      : message_(message), file_(file), line_(line) {
    std::ostringstream all;
    all << "file: " << file << "\nline: " << line << "\nmessage: " << message << "\n";
    what_ = all.str();
  }

  std::string message() const { return message_; }
  void message(std::ostringstream& out) const { out << what_; }
  void print() const { std::cerr << what_; }
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::string message_, file_, what_;
  index_t line_;
};

}  // namespace conduit
