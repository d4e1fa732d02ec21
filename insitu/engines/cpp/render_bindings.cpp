// Binds the ray marcher.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>

#include "march.hpp"

namespace py = pybind11;

namespace insitu {

using Doubles = py::array_t<double, py::array::c_style | py::array::forcecast>;
using Floats = py::array_t<float, py::array::c_style | py::array::forcecast>;

static Axis make_axis(const Doubles& nodes, const char* name) {
  if (nodes.ndim() != 1 || nodes.shape(0) < 2)
    throw py::value_error(std::string(name) + ": expected at least two nodes, shape (n + 1,)");
  for (long i = 0; i + 1 < nodes.shape(0); ++i)
    if (!(nodes.at(i) < nodes.at(i + 1)))
      throw py::value_error(std::string(name) + ": nodes must increase");
  return Axis(nodes.data(), nodes.shape(0));
}

static void check_march(const Sampler& sampler, const View& view, const Rectangle& area,
                        const Floats& table, const std::pair<float, float>& range,
                        const MarchOptions& options) {
  if (area.y0 < 0 || area.x0 < 0 || area.y1 > view.height || area.x1 > view.width ||
      area.y1 < area.y0 || area.x1 < area.x0)
    throw py::value_error("rectangle: not within the image");
  if (table.ndim() != 2 || table.shape(0) < 2 || table.shape(1) != 4)
    throw py::value_error("table: expected shape (n, 4), n >= 2");
  if (!(range.first <= range.second)) throw py::value_error("range: expected lo <= hi");
  if (!(options.step > 0.0)) throw py::value_error("step: must be positive");
  if (options.component < -1 || options.component >= sampler.components())
    throw py::value_error("component: " + std::to_string(options.component) + " of " +
                          std::to_string(sampler.components()));
}

static py::array_t<float> march(const Sampler& sampler, const Doubles& x, const Doubles& y,
                                const Doubles& z, const Vec3& domain_lo, const Vec3& domain_hi,
                                const Vec3& eye, const Vec3& forward, const Vec3& right,
                                const Vec3& up, const std::pair<long, long>& size,
                                const std::array<long, 4>& rectangle, const Floats& table,
                                const std::pair<float, float>& range, double step, int component,
                                float opaque) {
  const std::array<Axis, 3> axes{make_axis(x, "x"), make_axis(y, "y"), make_axis(z, "z")};
  const Box box{{x.at(0), y.at(0), z.at(0)},
                {x.at(x.size() - 1), y.at(y.size() - 1), z.at(z.size() - 1)}};
  const View view{eye, forward, right, up, size.first, size.second};
  const Rectangle area{rectangle[0], rectangle[1], rectangle[2], rectangle[3]};
  const MarchOptions options{step, component, opaque};
  check_march(sampler, view, area, table, range, options);
  py::array_t<float> out({area.y1 - area.y0, area.x1 - area.x0, 4L});
  float* pixels = out.mutable_data();
  const TransferTable transfer{table.data(), table.shape(0), range.first, range.second};
  {
    py::gil_scoped_release release;
    std::fill(pixels, pixels + out.size(), 0.0f);
    Marcher(sampler, axes, box, {domain_lo, domain_hi}, view, transfer, options)
        .march(area, pixels);
  }
  return out;
}

void bind_render(py::module_& m) {
  m.def("march", &march, py::arg("sampler"), py::arg("x"), py::arg("y"), py::arg("z"),
        py::arg("domain_lo"), py::arg("domain_hi"), py::arg("eye"), py::arg("forward"),
        py::arg("right"), py::arg("up"), py::arg("size"), py::arg("rectangle"), py::arg("table"),
        py::arg("range"), py::arg("step"), py::arg("component"), py::arg("opaque"),
        "One box's share of a volume rendering: rectangle (y0, y1, x0, x1) of an image of size "
        "(width, height) -> premultiplied RGBA (y1 - y0, x1 - x0, 4) float32. component -1 is "
        "the magnitude; table (n, 4) holds the alpha of one step.");
}

}  // namespace insitu
