// The extension module; each part binds its own kernels.
#include <pybind11/pybind11.h>

#include "simd.hpp"

namespace py = pybind11;

namespace insitu {
void bind_network(py::module_&);
void bind_render(py::module_&);
void bind_raster(py::module_&);
void bind_sparse(py::module_&);
void bind_sparse_transform(py::module_&);
void bind_gaussians(py::module_&);
}  // namespace insitu

PYBIND11_MODULE(INSITU_MODULE, m) {
  m.doc() = "insitu native kernels (" INSITU_ISA ")";
  m.attr("isa") = INSITU_ISA;
  m.attr("lanes") = insitu::kLanes;
  insitu::bind_network(m);
  insitu::bind_render(m);
  insitu::bind_raster(m);
  insitu::bind_sparse(m);
  insitu::bind_sparse_transform(m);
  insitu::bind_gaussians(m);
}
