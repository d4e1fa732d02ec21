// Binds Sampler, the common interface of networks and raw blocks.
#include "sampler.hpp"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

namespace py = pybind11;

namespace insitu {

using Points = py::array_t<float, py::array::c_style | py::array::forcecast>;

static py::array_t<float> sample(const Sampler& sampler, const Points& points) {
  if (points.ndim() != 2 || points.shape(1) != 3)
    throw py::value_error("points: expected shape (n, 3)");
  const long n = points.shape(0);
  py::array_t<float> out({n, static_cast<long>(sampler.components())});
  const float* in = points.data();
  float* values = out.mutable_data();
  {
    py::gil_scoped_release release;
    sampler.sample(in, n, values);
  }
  return out;
}

void bind_sampler(py::module_& m) {
  py::class_<Sampler, std::shared_ptr<Sampler>>(m, "Sampler", py::module_local(),
      "Gives values at points of the unit cube of one partition.")
      .def_property_readonly("components", &Sampler::components)
      .def("sample", &sample, py::arg("points"),
           "points (n, 3) float32 in [0,1], order x y z -> values (n, components) float32");
}

}  // namespace insitu
