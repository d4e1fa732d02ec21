// Binds the ray marcher.
#include <pybind11/pybind11.h>

namespace insitu {
void bind_render(pybind11::module_&) {}
}  // namespace insitu
