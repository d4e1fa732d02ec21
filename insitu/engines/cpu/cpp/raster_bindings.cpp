// Binds the rasterizer.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <string>

#include "raster.hpp"

namespace py = pybind11;

namespace insitu {

template <typename T>
using Array = py::array_t<T, py::array::c_style | py::array::forcecast>;

static void check_shape(const py::array& array, const char* name, long rows, long columns) {
  const bool fits = columns ? array.ndim() == 2 && array.shape(1) == columns : array.ndim() == 1;
  if (!fits || (rows >= 0 && array.shape(0) != rows))
    throw py::value_error(std::string(name) + ": unexpected shape");
}

static void check_corners(const Triangles& triangles) {
  for (long i = 0; i < 3 * triangles.count; ++i)
    if (triangles.corners[i] < 0 || triangles.corners[i] >= triangles.n_points)
      throw py::value_error("triangles: " + std::to_string(triangles.corners[i]) +
                            " is not one of " + std::to_string(triangles.n_points) + " points");
}

static void rasterize(const Array<double>& points, const Array<int64_t>& corners,
                      const std::optional<Array<float>>& normals,
                      const std::optional<Array<float>>& values, const Array<float>& table,
                      const std::pair<float, float>& range, const std::array<float, 3>& color,
                      bool lit, const Vec3& eye, const Vec3& forward, const Vec3& right,
                      const Vec3& up, const std::pair<long, long>& size,
                      const std::array<long, 4>& rectangle, double near, int threads,
                      py::array_t<float, py::array::c_style> rgba,
                      py::array_t<float, py::array::c_style> depth) {
  const Rectangle area{rectangle[0], rectangle[1], rectangle[2], rectangle[3]};
  if (area.y0 < 0 || area.x0 < 0 || area.y1 > size.second || area.x1 > size.first ||
      area.y1 < area.y0 || area.x1 < area.x0)
    throw py::value_error("rectangle: not within the image");
  check_shape(points, "points", -1, 3);
  check_shape(corners, "triangles", -1, 3);
  check_shape(table, "table", -1, 4);
  if (table.shape(0) < 2) throw py::value_error("table: expected two rows or more");
  if (normals) check_shape(*normals, "normals", points.shape(0), 3);
  if (values) check_shape(*values, "values", points.shape(0), 0);
  const long height = area.y1 - area.y0, width = area.x1 - area.x0;
  if (depth.ndim() != 2 || depth.shape(0) != height || depth.shape(1) != width ||
      rgba.ndim() != 3 || rgba.shape(0) != height || rgba.shape(1) != width || rgba.shape(2) != 4)
    throw py::value_error("rgba, depth: expected shapes (h, w, 4) and (h, w) of the rectangle");
  if (!(near > 0.0)) throw py::value_error("near: must be positive");
  const Triangles triangles{points.data(),
                            points.shape(0),
                            corners.data(),
                            corners.shape(0),
                            normals ? normals->data() : nullptr,
                            values ? values->data() : nullptr};
  check_corners(triangles);
  const Paint paint{color, table.data(), table.shape(0), range.first, range.second, lit};
  const View view{eye, forward, right, up, size.first, size.second};
  float *pixels = rgba.mutable_data(), *distances = depth.mutable_data();
  py::gil_scoped_release release;
  Rasterizer(triangles, paint, view, near).draw(area, std::max(1, threads), pixels, distances);
}

void bind_raster(py::module_& m) {
  m.def("rasterize", &rasterize, py::arg("points"), py::arg("triangles"), py::arg("normals"),
        py::arg("values"), py::arg("table"), py::arg("range"), py::arg("color"), py::arg("lit"),
        py::arg("eye"), py::arg("forward"), py::arg("right"), py::arg("up"), py::arg("size"),
        py::arg("rectangle"), py::arg("near"), py::arg("threads"), py::arg("rgba").noconvert(),
        py::arg("depth").noconvert(),
        "Triangles (m, 3) of points (n, 3), drawn into rgba (h, w, 4) and depth (h, w) float32 of "
        "a rectangle (y0, y1, x0, x1) of an image of size (width, height), where they are nearer "
        "than depth. normals (n, 3) or None; values (n,) to be looked up in table (rows, 4) over "
        "range, or None for one color; lit: else colours are as they are.");
}

}  // namespace insitu
