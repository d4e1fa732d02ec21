// Binds the sparse grid's transform: samples to coefficients, and back.
#include <array>
#include <vector>

#include "sparse_arrays.hpp"
#include "sparse_errors.hpp"
#include "sparse_join.hpp"
#include "sparse_quantise.hpp"
#include "sparse_split.hpp"

namespace py = pybind11;
using namespace pybind11::literals;

namespace insitu::sparse {

static Singles py_analyse(const Singles& values, const Splits& splits, int ends) {
  const Bands bands = bands_of(values, splits, ends);
  auto out = block<float>(bands);
  const float* from = values.data();
  float* c = out.mutable_data();
  py::gil_scoped_release release;
  analyse(
      bands,
      [&](long z, long y, float* to) {
        std::copy_n(from + bands.index(0, y, z), bands.shape[0], to);
      },
      c);
  return out;
}

// Coefficients of (raw - origin) / unit, and whether all of that is finite.
template <typename T>
static py::tuple py_analyse_scaled(const py::array_t<T, py::array::c_style>& raw, double origin,
                                   double unit, const Splits& splits, int ends) {
  const Bands bands = bands_of(raw, splits, ends);
  auto out = block<float>(bands);
  const T* from = raw.data();
  float* c = out.mutable_data();
  bool finite = true;
  {
    py::gil_scoped_release release;
    const Scale<T> scale{origin, unit};
    analyse(
        bands,
        [&](long z, long y, float* to) {
          scale(from + bands.index(0, y, z), bands.shape[0], to);
          finite &= all_finite(to, bands.shape[0]);
        },
        c);
  }
  return py::make_tuple(out, finite);
}

// (raw - origin) / unit, and whether all of it is finite.
template <typename T>
static py::tuple py_scale(const py::array_t<T, py::array::c_style>& raw, double origin,
                          double unit) {
  if (raw.ndim() != 3) throw py::value_error("expected an array of shape (nz, ny, nx)");
  constexpr long kTogether = 2048;  // samples of a loop, so that what it leaves stays in the cache
  py::array_t<float> out({raw.shape(0), raw.shape(1), raw.shape(2)});
  bool finite = true;
  {
    const T* from = raw.data();
    float* to = out.mutable_data();
    const long count = raw.size();
    py::gil_scoped_release release;
    const Scale<T> scale{origin, unit};
    for (long begin = 0; begin < count; begin += kTogether) {
      const long n = std::min(kTogether, count - begin);
      scale(from + begin, n, to + begin);
      finite &= all_finite(to + begin, n);
    }
  }
  return py::make_tuple(out, finite);
}

// What is not zero, and where.
struct Few {
  std::vector<int32_t> places;
  std::vector<float> values;

  void add(long place, float value) {
    if (value == 0.0f) return;  // also -0
    places.push_back(static_cast<int32_t>(place));
    values.push_back(value);
  }
  py::tuple arrays() const {
    return py::make_tuple(py::array_t<int32_t>(places.size(), places.data()),
                          py::array_t<float>(values.size(), values.data()));
  }
};

static void check_places(const Bands& bands) {
  if (bands.count() >= 1L << 31) throw py::value_error("shape: 2^31 samples or more");
}

static Few few_of(const float* v, long count) {
  Few few;
  for_each_other(reinterpret_cast<const int32_t*>(v), count, [&](long i) { few.add(i, v[i]); });
  return few;
}

static py::tuple py_support(const Singles& values) {
  check_places(bands_of(values, {}));
  const float* v = values.data();
  const long count = values.size();
  Few few;
  {
    py::gil_scoped_release release;
    few = few_of(v, count);
  }
  return few.arrays();
}

static py::tuple py_decoded(const Wholes& numbers, const Splits& splits, const NormPair& norm_pair,
                            float delta, float one, float more) {
  const Bands bands = bands_of(numbers, splits);
  const Norms norms = norms_of(norm_pair, bands);
  check_places(bands);
  const int32_t* q = numbers.data();
  Few few;
  {
    py::gil_scoped_release release;
    dequantise_each(bands, norms, q, delta, {one, more},
                    [&](long i, float value) { few.add(i, value); });
  }
  return few.arrays();
}

static void check_few(const Bands& bands, const Wholes& places, const Singles& values) {
  check_places(bands);
  if (places.ndim() != 1 || values.ndim() != 1 || places.size() != values.size())
    throw py::value_error("places, values: expected two arrays of one length");
  const int32_t* at = places.data();
  for (long i = 0; i < places.size(); ++i)
    if (at[i] < 0 || at[i] >= bands.count())
      throw py::value_error("places: expected numbers within the block");
}

static Singles py_synthesise(const Singles& coefficients, const Splits& splits, int ends) {
  const Bands bands = bands_of(coefficients, splits, ends);
  check_places(bands);
  auto out = block<float>(bands);
  const float* c = coefficients.data();
  float* to = out.mutable_data();
  py::gil_scoped_release release;
  const Few few = few_of(c, bands.count());
  synthesise_rows(bands, few.places.data(), few.values.data(), static_cast<long>(few.places.size()),
                  [&](long z, long y, const float* row) {
                    std::copy_n(row, bands.shape[0], to + bands.index(0, y, z));
                  });
  return out;
}

static Singles py_samples(const Wholes& places, const Singles& values,
                          const std::array<long, 3>& shape, const Splits& splits, int ends) {
  const Bands bands({shape[2], shape[1], shape[0]}, splits, ends);
  check_few(bands, places, values);
  auto out = block<float>(bands);
  const int32_t* at = places.data();
  const float* v = values.data();
  float* to = out.mutable_data();
  const long count = places.size();
  py::gil_scoped_release release;
  synthesise_rows(bands, at, v, count, [&](long z, long y, const float* row) {
    std::copy_n(row, bands.shape[0], to + bands.index(0, y, z));
  });
  return out;
}

// Of the samples that a block owns, without those on faces that were added to them: sum of squared
// errors, largest, number of finite raw samples.
template <typename T>
static py::tuple py_errors(const Wholes& places, const Singles& values, const Splits& splits,
                           int ends, const py::array_t<T, py::array::c_style>& raw, double origin,
                           double extent) {
  if (raw.ndim() != 3) throw py::value_error("raw: expected an array of shape (nz, ny, nx)");
  const bool half = ends & kHalfCells;
  Size3 shape, low;
  for (int a = 0; a < 3; ++a) {
    low[a] = half && (ends >> 2 * a & 1);
    shape[a] = raw.shape(2 - a) + low[a] + (half && (ends >> (2 * a + 1) & 1));
  }
  const Bands bands(shape, splits, ends);
  check_few(bands, places, values);
  const int32_t* at = places.data();
  const float* v = values.data();
  const T* truth = raw.data();
  const long count = places.size(), nx = raw.shape(2), ny = raw.shape(1), nz = raw.shape(0);
  ErrorSum<T> errors(origin, extent);
  {
    py::gil_scoped_release release;
    synthesise_rows(bands, at, v, count, [&](long z, long y, const float* row) {
      z -= low[2];
      y -= low[1];
      if (z >= 0 && z < nz && y >= 0 && y < ny)
        errors.add(row + low[0], truth + nx * (y + ny * z), nx);
    });
  }
  return py::make_tuple(errors.squares(), errors.most(), errors.count());
}

// Of decoded values themselves.
static py::tuple py_differences(const Singles& decoded, const Singles& raw) {
  if (decoded.size() != raw.size()) throw py::value_error("decoded, raw: of different sizes");
  ErrorSum<float> errors(0.0, 1.0);
  {
    py::gil_scoped_release release;
    errors.add(decoded.data(), raw.data(), raw.size());
  }
  return py::make_tuple(errors.squares(), errors.most(), errors.count());
}

}  // namespace insitu::sparse

namespace insitu {

void bind_sparse_transform(py::module_& m) {
  m.def("sparse_analyse", &sparse::py_analyse, "values"_a, "splits"_a, "ends"_a = 0);
  m.def("sparse_analyse_scaled", &sparse::py_analyse_scaled<float>, "raw"_a.noconvert(), "origin"_a,
        "unit"_a, "splits"_a, "ends"_a);
  m.def("sparse_analyse_scaled", &sparse::py_analyse_scaled<double>, "raw"_a, "origin"_a, "unit"_a,
        "splits"_a, "ends"_a);
  m.def("sparse_scale", &sparse::py_scale<float>, "raw"_a.noconvert(), "origin"_a, "unit"_a);
  m.def("sparse_scale", &sparse::py_scale<double>, "raw"_a, "origin"_a, "unit"_a);
  m.def("sparse_support", &sparse::py_support, "values"_a);
  m.def("sparse_decoded", &sparse::py_decoded, "numbers"_a, "splits"_a, "norms"_a, "delta"_a,
        "one"_a, "more"_a);
  m.def("sparse_synthesise", &sparse::py_synthesise, "coefficients"_a, "splits"_a, "ends"_a = 0);
  m.def("sparse_samples", &sparse::py_samples, "places"_a, "values"_a, "shape"_a, "splits"_a,
        "ends"_a);
  m.def("sparse_errors", &sparse::py_errors<float>, "places"_a, "values"_a, "splits"_a, "ends"_a,
        "raw"_a.noconvert(), "origin"_a, "extent"_a);
  m.def("sparse_errors", &sparse::py_errors<double>, "places"_a, "values"_a, "splits"_a, "ends"_a,
        "raw"_a, "origin"_a, "extent"_a);
  m.def("sparse_differences", &sparse::py_differences, "decoded"_a, "raw"_a);
}

}  // namespace insitu
