// Python, whether the host has it or not.
//
// In: what insitu/ascent/c_callbacks.py is to do. Out: its answer, a text.
#pragma once

#include <stdexcept>
#include <string>

namespace insitu {

// A failure that has been told, and lasts.
struct LastingError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Have host.call(library, what, handle, address) done and return what it returns. Joins the
// interpreter of this process, or starts one. Takes and gives back the GIL.
//
// Throws std::runtime_error where there is no Python, or where it raised (the traceback is
// printed); LastingError at every call after one at which insitu could not be imported.
std::string call_python(const char* what, long long handle, const void* address);

}  // namespace insitu
