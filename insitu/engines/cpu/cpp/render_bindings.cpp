// Binds bricks and the ray marcher.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <string>

#include "march.hpp"
#include "sparse_bricks.hpp"

namespace py = pybind11;
using namespace pybind11::literals;

namespace insitu {

using Doubles = py::array_t<double, py::array::c_style | py::array::forcecast>;
using Floats = py::array_t<float, py::array::c_style | py::array::forcecast>;
using CachePtr = std::shared_ptr<BrickCache>;

// A block read by a Python function: read(lo, hi, component) -> (nz, ny, nx) of lattice points.
class PythonBricks : public BrickSource {
 public:
  PythonBricks(py::function read, int components)
      : read_(std::move(read)), components_(components) {}

  int components() const override { return components_; }

  void decode(const Index3& lo, const Index3& hi, int component, float* out) const override {
    py::gil_scoped_acquire acquire;
    const Floats values = read_(lo, hi, component).cast<Floats>();
    bool fits = values.ndim() == 3;
    for (int a = 0; fits && a < 3; ++a) fits = values.shape(2 - a) == hi[a] - lo[a];
    if (!fits) throw py::value_error("bricks: an array of another shape than was asked for");
    std::copy(values.data(), values.data() + values.size(), out);
  }

 private:
  py::function read_;
  int components_;
};

static SampleAxis make_axis(const Doubles& nodes, const char* name, long cells, bool vertex) {
  if (nodes.ndim() != 1 || nodes.shape(0) != cells + 1)
    throw py::value_error(std::string(name) + ": expected nodes of shape (" +
                          std::to_string(cells + 1) + ",)");
  for (long i = 0; i < cells; ++i)
    if (!(nodes.at(i) < nodes.at(i + 1)))
      throw py::value_error(std::string(name) + ": nodes must increase");
  return SampleAxis(nodes.data(), cells, vertex);
}

static void check_march(const Bricks& bricks, const View& view, const Rectangle& area,
                        const Floats& table, const std::pair<float, float>& range, double step,
                        const Box& domain, const MarchOptions& options) {
  if (area.y0 < 0 || area.x0 < 0 || area.y1 > view.height || area.x1 > view.width ||
      area.y1 < area.y0 || area.x1 < area.x0)
    throw py::value_error("rectangle: not within the image");
  if (table.ndim() != 2 || table.shape(0) < 2 || table.shape(1) != 4)
    throw py::value_error("table: expected shape (n, 4), n >= 2");
  if (!(range.first <= range.second)) throw py::value_error("range: expected lo <= hi");
  if (!(step > 0.0)) throw py::value_error("step: must be positive");
  double diagonal = 0.0;
  for (int a = 0; a < 3; ++a)
    diagonal += (domain.hi[a] - domain.lo[a]) * (domain.hi[a] - domain.lo[a]);
  if (std::sqrt(diagonal) / step > kMostSamples)
    throw py::value_error("step: more than 65000 samples on the domain's diagonal");
  if (options.component < kMagnitude || options.component >= bricks.components())
    throw py::value_error("component: " + std::to_string(options.component) + " of " +
                          std::to_string(bricks.components()));
  if (options.threads < 1) throw py::value_error("threads: expected at least 1");
}

static void check_cache(const Bricks& bricks, bool shading) {
  const std::size_t nbytes = bricks.largest(shading ? 1 : 0) * sizeof(float);
  if (bricks.cache().limit() < nbytes)
    throw py::value_error("brick cache: " + std::to_string(bricks.cache().limit()) +
                          " bytes hold no brick, which takes " + std::to_string(nbytes));
}

static py::array_t<float> march(Bricks& bricks, const Doubles& x, const Doubles& y,
                                const Doubles& z, const Vec3& domain_lo, const Vec3& domain_hi,
                                const Vec3& eye, const Vec3& forward, const Vec3& right,
                                const Vec3& up, const std::pair<long, long>& size,
                                const std::array<long, 4>& rectangle, const Floats& table,
                                const std::pair<float, float>& range, double step, int component,
                                float opaque, std::optional<float> flat, long jitter,
                                const std::optional<std::pair<Floats, Floats>>& surface,
                                int threads) {
  const Index3& cells = bricks.cells();
  const std::array<SampleAxis, 3> axes{make_axis(x, "x", cells[0], bricks.vertex()),
                                       make_axis(y, "y", cells[1], bricks.vertex()),
                                       make_axis(z, "z", cells[2], bricks.vertex())};
  const Box box{{x.at(0), y.at(0), z.at(0)},
                {x.at(x.size() - 1), y.at(y.size() - 1), z.at(z.size() - 1)}};
  const Box domain{domain_lo, domain_hi};
  const View view{eye, forward, right, up, size.first, size.second};
  const Rectangle area{rectangle[0], rectangle[1], rectangle[2], rectangle[3]};
  const MarchOptions options{component, opaque, flat.has_value(), flat.value_or(0.0f), threads};
  check_march(bricks, view, area, table, range, step, domain, options);
  check_cache(bricks, options.shading);
  Surface behind{nullptr, nullptr};
  if (surface) {
    const auto& [rgba, depth] = *surface;
    if (rgba.size() != 4 * area.height() * area.width() || 4 * depth.size() != rgba.size())
      throw py::value_error("surface: expected rgba (h, w, 4) and depth (h, w) of the rectangle");
    behind = {rgba.data(), depth.data()};
  }
  py::array_t<float> out({area.height(), area.width(), 4L});
  float* pixels = out.mutable_data();
  const TransferTable transfer(table.data(), table.shape(0), range.first, range.second);
  {
    py::gil_scoped_release release;
    const Rays rays(box, domain, view, step, jitter);
    std::fill(pixels, pixels + 4 * area.height() * area.width(), 0.0f);
    Marcher(bricks, axes, rays, transfer, options, area, behind).march(pixels);
  }
  return out;
}

static std::unique_ptr<Bricks> network_bricks(std::shared_ptr<Network> network,
                                              const py::array_t<float>& params,
                                              const std::vector<double>& low,
                                              const std::vector<double>& extent,
                                              const Index3& cells, bool vertex, CachePtr cache) {
  const std::size_t expected = network ? network->n_params : 0;
  const auto outputs = network ? static_cast<std::size_t>(network->n_outputs) : low.size();
  if (static_cast<std::size_t>(params.size()) < expected || low.size() != outputs ||
      extent.size() != outputs)
    throw py::value_error("network bricks: params, low, extent: not those of the network");
  auto source = std::make_unique<NetworkBricks>(std::move(network), params.data(), low, extent,
                                                cells, vertex);
  return std::make_unique<Bricks>(std::move(source), cells, vertex, std::move(cache));
}

static std::unique_ptr<Bricks> grid_bricks(std::shared_ptr<GridSampler> grid, CachePtr cache) {
  const Index3 cells{grid->cells[2], grid->cells[1], grid->cells[0]};
  const bool vertex = grid->vertex;
  return std::make_unique<Bricks>(std::make_unique<GridBricks>(std::move(grid)), cells, vertex,
                                  std::move(cache));
}

static std::unique_ptr<Bricks> python_bricks(py::function read, int components, const Index3& cells,
                                             bool vertex, CachePtr cache) {
  for (const long n : cells)
    if (n < 1) throw py::value_error("cells: every axis needs at least one cell");
  if (components < 1) throw py::value_error("components: expected at least 1");
  return std::make_unique<Bricks>(std::make_unique<PythonBricks>(std::move(read), components),
                                  cells, vertex, std::move(cache));
}

static std::unique_ptr<Bricks> sparse_bricks(std::shared_ptr<sparse::Reader> reader,
                                             const std::vector<double>& low,
                                             const std::vector<double>& extent, const Index3& cells,
                                             bool vertex, CachePtr cache) {
  const auto outputs = static_cast<std::size_t>(reader->components());
  if (low.size() != outputs || extent.size() != outputs)
    throw py::value_error("sparse bricks: low, extent: not those of the grid");
  for (const long n : cells)
    if (n < 1) throw py::value_error("cells: every axis needs at least one cell");
  auto source = std::make_unique<SparseBricks>(std::move(reader), low, extent, cells, vertex);
  return std::make_unique<Bricks>(std::move(source), cells, vertex, std::move(cache));
}

void bind_render(py::module_& m) {
  py::class_<BrickCache, CachePtr>(m, "BrickCache", py::module_local(),
                                   "Decoded bricks of all blocks, within a limit of bytes.")
      .def(py::init<std::size_t>(), "limit"_a)
      .def_property_readonly("limit", &BrickCache::limit)
      .def_property_readonly("used", &BrickCache::used, "Bytes currently held.")
      .def_property_readonly("peak", &BrickCache::peak, "Peak number of bytes held.")
      .def_property_readonly("decoded", &BrickCache::decoded, "Number of bricks decoded so far.");
  py::class_<Bricks>(m, "Bricks", py::module_local(),
                     "A block in bricks of about 32^3 cells, decoded on demand.")
      .def_static("of_network", &network_bricks, "network"_a.none(true), "params"_a.noconvert(),
                  "low"_a, "extent"_a, "cells"_a, "vertex"_a, "cache"_a, py::keep_alive<0, 2>())
      .def_static("of_grid", &grid_bricks, "sampler"_a, "cache"_a, py::keep_alive<0, 1>())
      .def_static("of_sparse", &sparse_bricks, "reader"_a, "low"_a, "extent"_a, "cells"_a,
                  "vertex"_a, "cache"_a)
      .def_static("of_python", &python_bricks, "read"_a, "components"_a, "cells"_a, "vertex"_a,
                  "cache"_a)
      .def_property_readonly("components", &Bricks::components)
      .def_property_readonly("total", &Bricks::total);
  m.def("march", &march, "bricks"_a, "x"_a, "y"_a, "z"_a, "domain_lo"_a, "domain_hi"_a, "eye"_a,
        "forward"_a, "right"_a, "up"_a, "size"_a, "rectangle"_a, "table"_a, "range"_a, "step"_a,
        "component"_a, "opaque"_a, "flat"_a = py::none(), "jitter"_a = -1, "surface"_a = py::none(),
        "threads"_a = 1,
        "One block's part of a volume rendering: rectangle (y0, y1, x0, x1) of an image of size "
        "(width, height) -> premultiplied RGBA (y1 - y0, x1 - x0, 4) float32. component -1 is "
        "the magnitude; table (n, 4) holds the alpha of one step; flat: shading's, none without; "
        "jitter: number of the frame, -1 without.");
}

}  // namespace insitu
