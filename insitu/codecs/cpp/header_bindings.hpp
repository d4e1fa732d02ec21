// The coder of headers in Python.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace insitu::headers {

void bind(pybind11::module_& m);

}  // namespace insitu::headers
