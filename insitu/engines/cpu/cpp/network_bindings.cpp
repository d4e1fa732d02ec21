// Binds the networks: layout, evaluation, errors, training.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>

#include "evaluate.hpp"
#include "measure.hpp"
#include "trainer.hpp"

namespace py = pybind11;
using namespace pybind11::literals;

namespace insitu {

using Floats = py::array_t<float, py::array::c_style | py::array::forcecast>;
using NetworkPtr = std::shared_ptr<Network>;
using Doubles = std::vector<double>;

static void check_params(const Network& net, const Floats& params) {
  if (params.ndim() != 1 || static_cast<std::size_t>(params.size()) != net.n_params)
    throw py::value_error("params: expected shape (" + std::to_string(net.n_params) + ",)");
}

static void check_points(const Floats& points) {
  if (points.ndim() != 2 || points.shape(1) != 3)
    throw py::value_error("points: expected shape (n, 3)");
}

static void check_count(const char* name, const Doubles& values, int count) {
  if (values.size() != static_cast<std::size_t>(count))
    throw py::value_error(std::string(name) + ": expected one value per component");
}

static py::array_t<float> py_evaluate(const Network& net, const Floats& params,
                                      const Floats& points, int threads) {
  check_params(net, params);
  check_points(points);
  const long n = points.shape(0);
  py::array_t<float> out({n, static_cast<long>(net.n_outputs)});
  const float *p = params.data(), *x = points.data();
  float* y = out.mutable_data();
  py::gil_scoped_release release;
  const Transposed transposed(net, p);
  share_out(n, threads, [&](int, Part part) {
    Workspace work(net);
    evaluate(net, p, transposed, x + 3 * part.begin, part.end - part.begin, work,
             y + net.n_outputs * part.begin);
  });
  return out;
}

// Points of several networks in one call; those of network i end before ends[i].
static py::array_t<float> py_evaluate_blocks(const std::vector<NetworkPtr>& networks,
                                             const std::vector<Floats>& params,
                                             const Floats& points, const std::vector<long>& ends,
                                             int threads) {
  check_points(points);
  const long n = points.shape(0), blocks = static_cast<long>(networks.size());
  if (blocks == 0 || params.size() != networks.size() || ends.size() != networks.size())
    throw py::value_error("networks, params, ends: expected as many of each, at least one");
  if (!std::is_sorted(ends.begin(), ends.end()) || ends.front() < 0 || ends.back() != n)
    throw py::value_error("ends: expected an order that ends with the number of points");
  const long outputs = networks.front()->n_outputs;
  for (long i = 0; i < blocks; ++i) {
    check_params(*networks[i], params[i]);
    if (networks[i]->n_outputs != outputs)
      throw py::value_error("networks: expected the same number of outputs");
  }
  py::array_t<float> out({n, outputs});
  std::vector<const float*> p;
  for (const Floats& each : params) p.push_back(each.data());
  const float* x = points.data();
  float* y = out.mutable_data();
  py::gil_scoped_release release;
  share_out(n, threads, [&](int, Part part) {
    long i = std::upper_bound(ends.begin(), ends.end(), part.begin) - ends.begin();
    for (long begin = part.begin; begin < part.end; begin = std::max(begin, ends[i++])) {
      const long end = std::min(part.end, ends[i]);
      if (begin >= end) continue;
      Workspace work(*networks[i]);
      evaluate(*networks[i], p[i], Transposed(*networks[i], p[i]), x + 3 * begin, end - begin, work,
               y + outputs * begin);
    }
  });
  return out;
}

static py::array_t<float> py_evaluate_gradient(const Network& net, const Floats& params,
                                               const Floats& points, int threads) {
  check_params(net, params);
  check_points(points);
  const long n = points.shape(0);
  py::array_t<float> out({n, static_cast<long>(net.n_outputs), 3L});
  const float *p = params.data(), *x = points.data();
  float* y = out.mutable_data();
  py::gil_scoped_release release;
  const Transposed transposed(net, p);
  share_out(n, threads, [&](int, Part part) {
    Workspace work(net, true);
    evaluate_gradient(net, p, transposed, x + 3 * part.begin, part.end - part.begin, work,
                      y + 3 * net.n_outputs * part.begin);
  });
  return out;
}

static py::array_t<float> py_evaluate_grid(const Network& net, const Floats& params,
                                           const Floats& xs, const Floats& ys, const Floats& zs,
                                           int threads) {
  check_params(net, params);
  const Grid grid{xs.data(), ys.data(), zs.data(), xs.size(), ys.size(), zs.size()};
  const int outputs = net.n_outputs;
  py::array_t<float> out({grid.nz, grid.ny, grid.nx, static_cast<long>(outputs)});
  const float* p = params.data();
  float* values = out.mutable_data();
  py::gil_scoped_release release;
  share_out(grid.size(), threads, [&](int, Part part) {
    decode(net, p, grid, part, [&](long begin, long n, const float* y) {
      for (int o = 0; o < outputs; ++o)
        for (long s = 0; s < n; ++s) values[(begin + s) * outputs + o] = y[o * kChunk + s];
    });
  });
  return out;
}

static py::list py_measure(const Network* net, const Floats& params, const GridSampler& block,
                           const Doubles& low, const Doubles& extent, long begin, long end,
                           long every, int threads) {
  if (net) check_params(*net, params);
  check_count("low", low, block.components());
  check_count("extent", extent, block.components());
  if (begin < 0 || end > block.samples()) throw py::index_error("begin, end: not in the block");
  if (every < 1) throw py::value_error("every: expected at least 1");
  const float* p = params.data();
  std::vector<Errors> errors;
  {
    py::gil_scoped_release release;
    errors = measure(net, p, block, {low.data(), extent.data()}, {begin, end}, every, threads);
  }
  py::list out;
  for (const Errors& e : errors)
    out.append(
        py::dict("sum_of_squares"_a = e.sum_of_squares, "max"_a = e.max, "finite"_a = e.finite));
  return out;
}

static Component component_of(const py::handle& item) {
  // Nothing is converted here: a converted copy would be gone when the block is read.
  if (!py::isinstance<py::array>(item)) throw py::type_error("components: expected NumPy arrays");
  const auto array = py::reinterpret_borrow<py::array>(item);
  if (array.ndim() != 3) throw py::value_error("components: expected arrays of shape (nz, ny, nx)");
  const bool is_double = py::isinstance<py::array_t<double>>(array);
  if (!is_double && !py::isinstance<py::array_t<float>>(array))
    throw py::type_error("components: expected float32 or float64");
  Component c{static_cast<const char*>(array.data()), {}, is_double};
  for (int a = 0; a < 3; ++a) c.stride[a] = array.strides(a);
  return c;
}

using GhostLayers = std::array<std::array<long, 2>, 3>;

static std::shared_ptr<GridSampler> make_grid_sampler(const py::tuple& components,
                                                      const GhostLayers& ghost_layers,
                                                      const std::array<long, 3>& cells,
                                                      bool vertex) {
  auto block = std::make_shared<GridSampler>();
  block->vertex = vertex;
  for (int a = 0; a < 3; ++a) {
    block->cells[a] = cells[a];
    block->owned[a] = cells[a] + (vertex ? 1 : 0);
    block->ghost_low[a] = ghost_layers[a][0];
    block->shape[a] = block->owned[a] + ghost_layers[a][0] + ghost_layers[a][1];
    if (cells[a] < 1) throw py::value_error("cells: every axis needs at least one cell");
  }
  if (components.empty()) throw py::value_error("components: expected at least one array");
  for (const auto& item : components) {
    block->parts.push_back(component_of(item));
    const auto array = py::reinterpret_borrow<py::array>(item);
    for (int a = 0; a < 3; ++a)
      if (array.shape(a) != block->shape[a])
        throw py::value_error(
            "components: axis " + std::to_string(a) + " has " + std::to_string(array.shape(a)) +
            " samples, cells and ghost layers make " + std::to_string(block->shape[a]));
  }
  return block;
}

static py::dict py_statistics(const GridSampler& block, int component) {
  if (component < 0 || component >= block.components())
    throw py::index_error("component out of range");
  Statistics s;
  {
    py::gil_scoped_release release;
    s = statistics(block, component);
  }
  return py::dict("min"_a = s.min, "max"_a = s.max, "finite"_a = s.finite, "nan"_a = s.nan,
                  "inf"_a = s.inf);
}

static py::array_t<float> py_sample(const GridSampler& block, const Floats& points) {
  check_points(points);
  const long n = points.shape(0);
  py::array_t<float> out({n, static_cast<long>(block.components())});
  const float* in = points.data();
  float* values = out.mutable_data();
  py::gil_scoped_release release;
  block.sample(in, n, values);
  return out;
}

static std::shared_ptr<Trainer> make_trainer(NetworkPtr net, const Floats& params,
                                             std::shared_ptr<GridSampler> target,
                                             const Doubles& low, const Doubles& extent,
                                             const Doubles& error_scale, const py::dict& o) {
  check_params(*net, params);
  if (target->components() != net->n_outputs)
    throw py::value_error("target: its components are not the network's outputs");
  check_count("low", low, net->n_outputs);
  check_count("extent", extent, net->n_outputs);
  check_count("error_scale", error_scale, net->n_outputs);
  TrainingOptions options{};
  options.candidates = o["drawn"].cast<long>();
  options.chosen = o["chosen"].cast<long>();
  options.plateau = o["plateau"].cast<long>();
  options.threads = o["threads"].cast<int>();
  options.learning_rate = o["learning_rate"].cast<double>();
  options.final_rate = o["final_rate"].cast<double>();
  options.cosine = o["decay"].cast<std::string>() == "cosine";
  options.iterations = o["iterations"].cast<long>();
  options.seconds = o["seconds"].cast<double>();
  options.loss_threshold = o["loss_threshold"].cast<double>();
  options.error_threshold = o["error_threshold"].cast<double>();
  options.approach = o["approach"].cast<double>();
  options.average = o["average"].cast<double>();
  options.huber = o["huber"].cast<double>();
  options.beta1 = o["beta1"].cast<double>();
  options.beta2 = o["beta2"].cast<double>();
  options.epsilon = o["epsilon"].cast<double>();
  options.l2 = o["l2"].cast<double>();
  options.sampling = {o["seed"].cast<uint32_t>(), o["boundary_share"].cast<float>(),
                      o["boundary_sigma"].cast<float>()};
  if (o["batch"].cast<long>() < 1) throw py::value_error("batch: expected at least 1");
  if (options.chosen < 1 || options.chosen > options.candidates)
    throw py::value_error("chosen: expected 1 to all of the samples drawn");
  if (options.plateau < 0) throw py::value_error("plateau: expected at least 0");
  if (options.threads < 1) throw py::value_error("threads: expected at least 1");
  return std::make_shared<Trainer>(std::move(net), params.data(), std::move(target), low.data(),
                                   extent.data(), error_scale.data(), options);
}

static py::array_t<float> copy_of(const float* data, std::size_t size) {
  return py::array_t<float>(static_cast<py::ssize_t>(size), data);
}

static py::array_t<float> py_draw(uint32_t seed, double share, double sigma, uint32_t iteration,
                                  long batch) {
  const Sampling sampling{seed, static_cast<float>(share), static_cast<float>(sigma)};
  const long boundary = boundary_samples(sampling, batch);
  py::array_t<float> out({3L, batch});
  float* x = out.mutable_data();
  draw(sampling, iteration, 0, batch, boundary, x, x + batch, x + 2 * batch);
  return py::array_t<float>(out.attr("T"));
}

static void bind_layout(py::module_& m) {
  py::class_<Network, NetworkPtr>(m, "Network", py::module_local(),
                                  "Architecture and parameter layout, as in tiny-cuda-nn.")
      .def(py::init<const std::vector<float>&, int, int, int, int, int>(), "scales"_a,
           "n_features_per_level"_a, "log2_hashmap_size"_a, "n_neurons"_a, "n_hidden_layers"_a,
           "n_outputs"_a)
      .def_static("dense_grid", &Network::dense_grid, "resolution"_a, "n_features"_a,
                  "n_frequencies"_a, "n_neurons"_a, "n_hidden_layers"_a, "n_outputs"_a,
                  "One dense grid of features, Fourier features, an MLP.")
      .def_static("adaptive_grid", &Network::adaptive_grid, "n_grids"_a, "resolution"_a,
                  "n_features"_a, "n_neurons"_a, "n_hidden_layers"_a, "n_outputs"_a,
                  "Grids of features, each with a transform; an MLP.")
      .def_readonly("n_params", &Network::n_params)
      .def_readonly("n_mlp_params", &Network::n_mlp_params)
      .def_property_readonly("matrices",
                             [](const Network& n) {
                               py::list out;
                               for (const Matrix& x : n.matrices)
                                 out.append(py::make_tuple(x.rows, x.cols, x.offset));
                               return out;
                             })
      .def_property_readonly("levels", [](const Network& n) {
        py::list out;
        for (const Level& l : n.levels)
          out.append(py::make_tuple(l.scale[0], l.resolution[0], l.size,
                                    l.lookup == Lookup::kHashed, l.offset));
        return out;
      });
}

static void bind_training(py::module_& m) {
  py::class_<Trainer, std::shared_ptr<Trainer>>(m, "Trainer", py::module_local(),
                                                "The training loop of one network.")
      .def(py::init(&make_trainer), "network"_a, "params"_a, "target"_a, "low"_a, "extent"_a,
           "error_scale"_a, "options"_a, py::keep_alive<1, 4>())
      .def("run", &Trainer::run, "slice_seconds"_a, py::call_guard<py::gil_scoped_release>(),
           "Trains for a slice of time; True when training is done.")
      .def("step", &Trainer::step, py::call_guard<py::gil_scoped_release>())
      .def("compute_gradient", &Trainer::compute_gradient, py::call_guard<py::gil_scoped_release>(),
           "Adds loss and gradient of this iteration's batch, without updating the weights.")
      .def_readonly("iteration", &Trainer::iteration)
      .def_readonly("elapsed", &Trainer::elapsed)
      .def_property_readonly("exhausted", &Trainer::exhausted,
                             "Whether the step or time limit has been reached.")
      .def_property(
          "error_threshold", [](const Trainer& t) { return t.options.error_threshold; },
          [](Trainer& t, double value) { t.options.error_threshold = value; })
      .def_property_readonly("loss", &Trainer::loss)
      .def_property_readonly("root_mean_square", &Trainer::root_mean_square)
      .def_property_readonly(
          "params", [](const Trainer& t) { return copy_of(t.params(), t.network().n_params); })
      .def_property_readonly("gradient", [](const Trainer& t) {
        return copy_of(t.gradient().data(), t.network().n_params);
      });
  m.def("draw", &py_draw, "seed"_a, "boundary_share"_a, "boundary_sigma"_a, "iteration"_a,
        "batch"_a, "The batch (n, 3) of samples of this iteration.");
}

void bind_network(py::module_& m) {
  bind_layout(m);
  py::class_<GridSampler, std::shared_ptr<GridSampler>>(
      m, "GridSampler", py::module_local(),
      "A raw block, read in place by trilinear interpolation.")
      .def(py::init(&make_grid_sampler), "components"_a, "ghost_layers"_a, "cells"_a, "vertex"_a,
           py::keep_alive<1, 2>())
      .def_property_readonly("components", &GridSampler::components)
      .def("sample", &py_sample, "points"_a,
           "points (n, 3) in [0,1], order x y z -> values (n, components)")
      .def("statistics", &py_statistics, "component"_a)
      .def_property_readonly("samples", &GridSampler::samples, "Owned samples.");
  m.def("evaluate", &py_evaluate, "network"_a, "params"_a, "points"_a, "threads"_a = 1);
  m.def("evaluate_blocks", &py_evaluate_blocks, "networks"_a, "params"_a, "points"_a, "ends"_a,
        "threads"_a = 1, "Points of several networks, one network's after the other's.");
  m.def("evaluate_gradient", &py_evaluate_gradient, "network"_a, "params"_a, "points"_a,
        "threads"_a = 1);
  m.def("evaluate_grid", &py_evaluate_grid, "network"_a, "params"_a, "xs"_a, "ys"_a, "zs"_a,
        "threads"_a = 1);
  m.def("measure", &py_measure, "network"_a.none(true), "params"_a, "block"_a, "low"_a, "extent"_a,
        "begin"_a, "end"_a, "every"_a = 1, "threads"_a = 1,
        "Errors at owned samples begin .. end - 1, of each every-th 128 of them.");
  bind_training(m);
}

}  // namespace insitu
