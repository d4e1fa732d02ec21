// NumPy arrays of sparse grids, as both files of bindings take them.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "sparse_bands.hpp"

namespace insitu::sparse {

namespace py = pybind11;

using Singles = py::array_t<float, py::array::c_style | py::array::forcecast>;
using Wholes = py::array_t<int32_t, py::array::c_style | py::array::forcecast>;
using Splits = std::vector<int>;
using NormPair = std::pair<std::vector<double>, std::vector<double>>;

template <typename Array>
inline Bands bands_of(const Array& values, const Splits& splits, int ends = 0) {
  if (values.ndim() != 3) throw py::value_error("expected an array of shape (nz, ny, nx)");
  return Bands({values.shape(2), values.shape(1), values.shape(0)}, splits, ends);
}

template <typename T>
inline py::array_t<T> block(const Bands& bands) {
  return py::array_t<T>({bands.shape[2], bands.shape[1], bands.shape[0]});
}

inline Norms norms_of(const NormPair& norms, const Bands& bands) {
  const auto longest =
      static_cast<std::size_t>(*std::max_element(bands.steps.begin(), bands.steps.end()) + 1);
  if (norms.first.size() < longest || norms.second.size() < longest)
    throw py::value_error("norms: too few");
  return {norms.first, norms.second};
}

}  // namespace insitu::sparse
