// Binds sums of Gaussians: values and slopes at points, and training on points.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <limits>

#include "gaussian_trainer.hpp"

namespace py = pybind11;
using namespace pybind11::literals;

namespace insitu::gaussians {

using Floats = py::array_t<float, py::array::c_style | py::array::forcecast>;

static Layout layout_of(const Floats& params, int outputs, bool slopes) {
  if (outputs < 1 || outputs > Leaf::kMostOutputs)
    throw py::value_error("outputs: expected 1 to 16");
  Layout layout{0, outputs, slopes ? 4 : 1};
  if (params.ndim() != 1 || params.size() == 0 || params.size() % layout.rows() != 0 ||
      params.size() > std::numeric_limits<int>::max())
    throw py::value_error("params: expected a multiple of " + std::to_string(layout.rows()) +
                          " numbers");
  layout.n = static_cast<int>(params.size() / layout.rows());
  return layout;
}

static void check_points(const Floats& points) {
  if (points.ndim() != 2 || points.shape(1) != 3 ||
      points.shape(0) > std::numeric_limits<int>::max())
    throw py::value_error("points: expected shape (n, 3)");
}

static Floats py_evaluate(const Floats& params, int outputs, bool slopes, const Floats& points,
                          bool derivatives, int threads) {
  const Layout layout = layout_of(params, outputs, slopes);
  check_points(points);
  const long n = points.shape(0);
  Floats out(derivatives ? std::vector<long>{n, outputs, 3L} : std::vector<long>{n, outputs});
  const float *p = params.data(), *x = points.data();
  float* y = out.mutable_data();
  py::gil_scoped_release release;
  evaluate(layout, p, x, n, derivatives, threads, y);
  return out;
}

static std::unique_ptr<PointTrainer> make_trainer(const Floats& params, int outputs, bool slopes,
                                                  const Floats& points, const Floats& targets,
                                                  const Floats& rates, const Floats& error_scale,
                                                  int batch, unsigned seed, int threads) {
  const Layout layout = layout_of(params, outputs, slopes);
  check_points(points);
  const long n = points.shape(0);
  if (n < 1) throw py::value_error("points: expected at least one");
  if (targets.ndim() != 2 || targets.shape(0) != n || targets.shape(1) != outputs)
    throw py::value_error("targets: expected a row for each point, a column for each output");
  if (rates.size() != params.size()) throw py::value_error("rates: expected one of each parameter");
  if (error_scale.size() != outputs)
    throw py::value_error("error_scale: expected one value per component");
  if (batch < 1 || threads < 1) throw py::value_error("batch, threads: expected at least 1");
  return std::make_unique<PointTrainer>(layout, params.data(), points.data(), targets.data(),
                                        static_cast<int>(n), rates.data(), error_scale.data(),
                                        batch, seed, threads);
}

static Floats copy_of(const float* values, std::size_t n) {
  Floats out(static_cast<py::ssize_t>(n));
  std::copy_n(values, n, out.mutable_data());
  return out;
}

}  // namespace insitu::gaussians

namespace insitu {

void bind_gaussians(py::module_& m) {
  using namespace gaussians;
  m.def("evaluate_gaussians", &gaussians::py_evaluate, "params"_a, "outputs"_a, "slopes"_a,
        "points"_a, "derivatives"_a, "threads"_a);
  py::class_<PointTrainer>(m, "PointTrainer", py::module_local())
      .def(py::init(&gaussians::make_trainer), "params"_a, "outputs"_a, "slopes"_a, "points"_a,
           "targets"_a, "rates"_a, "error_scale"_a, "batch"_a, "seed"_a, "threads"_a)
      .def("compute_gradient",
           [](PointTrainer& t) {
             BatchErrors errors;
             {
               py::gil_scoped_release release;
               errors = t.compute_gradient();
             }
             return py::make_tuple(errors.loss, errors.squares, errors.count);
           })
      .def("update", &PointTrainer::update, "step_size"_a, "correction"_a, "beta1"_a, "beta2"_a,
           "epsilon"_a, py::call_guard<py::gil_scoped_release>())
      .def_property_readonly(
          "params", [](const PointTrainer& t) { return copy_of(t.params(), t.n_params()); })
      .def_property_readonly("gradient", [](const PointTrainer& t) {
        const auto total = t.gradient();
        return copy_of(total.data(), total.size());
      });
}

}  // namespace insitu
