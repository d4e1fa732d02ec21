// Binds the hash-grid network: evaluation and training.
#include <pybind11/pybind11.h>

namespace insitu {
void bind_network(pybind11::module_&) {}
}  // namespace insitu
