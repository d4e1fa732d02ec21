// Binds the sparse grid: transform, rounding, coding.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstring>

#include "sparse_coder.hpp"
#include "sparse_lifting.hpp"
#include "sparse_quantise.hpp"
#include "sparse_reader.hpp"
#include "team.hpp"

namespace py = pybind11;
using namespace pybind11::literals;

namespace insitu::sparse {

using Singles = py::array_t<float, py::array::c_style | py::array::forcecast>;
using Wholes = py::array_t<int32_t, py::array::c_style | py::array::forcecast>;
using Splits = std::vector<int>;

template <typename Array>
static Bands bands_of(const Array& values, const Splits& splits, int ends = 0) {
  if (values.ndim() != 3) throw py::value_error("expected an array of shape (nz, ny, nx)");
  return Bands({values.shape(2), values.shape(1), values.shape(0)}, splits, ends);
}

template <typename T>
static py::array_t<T> block(const Bands& bands) {
  return py::array_t<T>({bands.shape[2], bands.shape[1], bands.shape[0]});
}

static Norms norms_of(const std::pair<std::vector<double>, std::vector<double>>& norms,
                      const Bands& bands) {
  const auto longest =
      static_cast<std::size_t>(*std::max_element(bands.steps.begin(), bands.steps.end()) + 1);
  if (norms.first.size() < longest || norms.second.size() < longest)
    throw py::value_error("norms: too few");
  return {norms.first, norms.second};
}

static Singles py_analyse(const Singles& values, const Splits& splits, int ends) {
  const Bands bands = bands_of(values, splits, ends);
  auto out = block<float>(bands);
  std::copy_n(values.data(), values.size(), out.mutable_data());
  float* c = out.mutable_data();
  py::gil_scoped_release release;
  analyse(c, bands);
  return out;
}

static Singles py_synthesise(const Singles& coefficients, const Splits& splits, int ends) {
  const Bands bands = bands_of(coefficients, splits, ends);
  auto out = block<float>(bands);
  std::copy_n(coefficients.data(), coefficients.size(), out.mutable_data());
  float* c = out.mutable_data();
  py::gil_scoped_release release;
  synthesise(c, bands);
  return out;
}

using NormPair = std::pair<std::vector<double>, std::vector<double>>;

static py::tuple py_quantise(const Singles& coefficients, const Splits& splits,
                             const NormPair& norm_pair, float delta,
                             const std::array<float, 3>& rounding) {
  if (!(delta > 0)) throw py::value_error("delta: expected a number > 0");
  const Bands bands = bands_of(coefficients, splits);
  const Norms norms = norms_of(norm_pair, bands);
  auto out = block<int32_t>(bands);
  const float* c = coefficients.data();
  int32_t* q = out.mutable_data();
  Points points;
  {
    py::gil_scoped_release release;
    points = Quantiser(bands, norms, {rounding[0], rounding[1], rounding[2]}).run(c, delta, q);
  }
  return py::make_tuple(out, points.one, points.more);
}

static py::array_t<int64_t> py_sizes(const Singles& coefficients, const Splits& splits,
                                     const NormPair& norm_pair) {
  const Bands bands = bands_of(coefficients, splits);
  const Norms norms = norms_of(norm_pair, bands);
  py::array_t<int64_t> out(1L << (8 + kSizeBits));
  const float* c = coefficients.data();
  int64_t* counts = out.mutable_data();
  py::gil_scoped_release release;
  std::fill_n(counts, out.size(), 0);
  count_sizes(bands, norms, c, counts);
  return out;
}

// Whether all of some numbers are finite.
template <typename T>
static bool all_finite(const T* values, long count) {
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  constexpr Bits kExponent = sizeof(T) == 4 ? Bits{0x7f800000u} : Bits(0x7ff0000000000000u);
  Bits any = 0;
  for (long i = 0; i < count; ++i) {  // without branches, so that it is vectorised
    Bits bits;
    std::memcpy(&bits, values + i, sizeof(bits));
    any |= (bits & kExponent) == kExponent;
  }
  return any == 0;
}

static py::tuple py_support(const Singles& values) {
  std::vector<int32_t> places;
  std::vector<float> found;
  if (values.size() >= 1L << 31) throw py::value_error("values: 2^31 or more");
  const float* v = values.data();
  const auto* bits = reinterpret_cast<const int32_t*>(v);
  {
    py::gil_scoped_release release;
    for_each_other(bits, values.size(), [&](long i) {
      if (v[i] == 0.0f) return;  // -0
      places.push_back(static_cast<int32_t>(i));
      found.push_back(v[i]);
    });
  }
  return py::make_tuple(py::array_t<int32_t>(places.size(), places.data()),
                        py::array_t<float>(found.size(), found.data()));
}

constexpr long kTogether = 2048;  // samples of a loop, so that what it leaves stays in the cache

// (raw - origin) / unit, and whether all of it is finite.
template <typename T>
static py::tuple py_scale(const py::array_t<T, py::array::c_style>& raw, double origin,
                          double unit) {
  if (raw.ndim() != 3) throw py::value_error("expected an array of shape (nz, ny, nx)");
  py::array_t<float> out({raw.shape(0), raw.shape(1), raw.shape(2)});
  bool finite = true;
  {
    const T* from = raw.data();
    float* to = out.mutable_data();
    py::gil_scoped_release release;
    for (long begin = 0; begin < raw.size(); begin += kTogether) {
      const long end = std::min(begin + kTogether, static_cast<long>(raw.size()));
      for (long i = begin; i < end; ++i)
        to[i] = static_cast<float>((static_cast<double>(from[i]) - origin) / unit);
      finite &= all_finite(to + begin, end - begin);
    }
  }
  return py::make_tuple(out, finite);
}

// Of origin + extent * output as a T: sum of squares, largest, number of finite raw samples.
template <typename T>
static py::tuple py_errors(const Singles& outputs, const py::array_t<T, py::array::c_style>& raw,
                           double origin, double extent) {
  if (outputs.size() != raw.size()) throw py::value_error("outputs, raw: of different sizes");
  constexpr long kWide = 8;
  double sum = 0.0, most = 0.0;
  long count = 0;
  {
    const float* in = outputs.data();
    const T* truth = raw.data();
    py::gil_scoped_release release;
    double error[kTogether];
    for (long begin = 0; begin < raw.size(); begin += kTogether) {
      const long n = std::min(kTogether, static_cast<long>(raw.size()) - begin);
      for (long i = 0; i < n; ++i) {
        const T value = static_cast<T>(static_cast<double>(in[begin + i]) * extent + origin);
        error[i] = std::fabs(static_cast<double>(value) - static_cast<double>(truth[begin + i]));
      }
      count += n;
      if (!all_finite(truth + begin, n))
        for (long i = 0; i < n; ++i)
          if (!std::isfinite(truth[begin + i])) {
            error[i] = 0.0;
            --count;
          }
      for (long i = n; i % kWide; ++i) error[i] = 0.0;
      double squares[kWide] = {}, largest[kWide] = {};
      for (long i = 0; i < n; i += kWide)
        for (long lane = 0; lane < kWide; ++lane) {
          const double e = error[i + lane];
          squares[lane] += e * e;
          largest[lane] = e > largest[lane] ? e : largest[lane];
        }
      for (long lane = 0; lane < kWide; ++lane) {
        sum += squares[lane];
        most = std::max(most, largest[lane]);
      }
    }
  }
  return py::make_tuple(sum, most, count);
}

static Singles py_dequantise(const Wholes& numbers, const Splits& splits, const NormPair& norm_pair,
                             float delta, float one, float more) {
  const Bands bands = bands_of(numbers, splits);
  const Norms norms = norms_of(norm_pair, bands);
  auto out = block<float>(bands);
  dequantise(bands, norms, numbers.data(), delta, {one, more}, out.mutable_data());
  return out;
}

static void check_alike(const std::vector<Wholes>& arrays, const Wholes& first, std::size_t count) {
  if (arrays.size() != count) throw py::value_error("before: another number of components");
  for (const Wholes& array : arrays)
    if (array.ndim() != 3 || !std::equal(first.shape(), first.shape() + 3, array.shape()))
      throw py::value_error("components: arrays of different shapes");
}

// Whether a magnitude has more bits than can be coded.
static bool too_large(const int32_t* numbers, long count) {
  constexpr uint32_t kMost = (uint32_t{1} << (kMostExponent + 1)) - 1;
  uint32_t any = 0;
  for (long i = 0; i < count; ++i)  // without branches, so that it is vectorised
    any |= static_cast<uint32_t>(numbers[i]) + kMost > 2 * kMost;
  return any;
}

// weights: (sets, inputs) at first. contexts: (n, 3) of a slot, a context and its probability of 1,
// times 2^16, worth `seen` observations.
static std::shared_ptr<Start> make_start(const Wholes& weights, const Wholes& contexts, int seen,
                                         int decided, int patience) {
  if (weights.ndim() != 2 || weights.shape(0) != kSelectors || weights.shape(1) != kInputs)
    throw py::value_error("weights: expected shape (64, 8)");
  if (contexts.ndim() != 2 || contexts.shape(1) != 3)
    throw py::value_error("contexts: expected shape (n, 3)");
  auto start = std::make_shared<Start>(0, decided, patience);
  std::copy_n(weights.data(), weights.size(), start->weights.begin());
  for (long i = 0; i < contexts.shape(0); ++i) {
    const int32_t* one = contexts.data(i, 0);
    if (one[0] < 0 || one[0] >= kSlots || one[1] < 0 || one[1] >= kContexts || one[2] < 0 ||
        one[2] > 65535)
      throw py::value_error("contexts: a slot, context or probability out of range");
    start->set(one[0], one[1], one[2], seen);
  }
  return start;
}

// work(coding, start): a type whose `value` is the coding. start: of the latest one; none stands
// for the first coding.
template <typename Work>
static void with_coding(const Start* start, Work&& work) {
  if (start) work(std::integral_constant<int, kLatestCoding>{}, *start);
  else work(std::integral_constant<int, kFirstCoding>{}, Start::first());
}

static py::bytes py_encode(const std::vector<Wholes>& components, const Splits& splits,
                           const std::vector<Wholes>& before, const Start* start) {
  if (components.empty()) throw py::value_error("components: expected at least one");
  check_alike(components, components[0], components.size());
  if (!before.empty()) check_alike(before, components[0], components.size());
  const Bands bands = bands_of(components[0], splits);
  std::vector<uint8_t> bytes;
  for (const Wholes& array : components)
    if (too_large(array.data(), array.size()))
      throw py::value_error("components: a number is too large");
  {
    py::gil_scoped_release release;
    with_coding(start, [&](auto coding, const Start& from) {
      Encoder encoder(from);
      CoefficientCoder<Encoder, decltype(coding)::value> coder(bands, encoder);
      for (std::size_t k = 0; k < components.size(); ++k)
        coder.component(components[k].data(), before.empty() ? nullptr : before[k].data(),
                        k ? components[k - 1].data() : nullptr);
      bytes = encoder.finish();
    });
  }
  return py::bytes(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

static py::list py_decode(const std::string& bytes, const std::array<long, 3>& shape,
                          const Splits& splits, int count, const std::vector<Wholes>& before,
                          const Start* start) {
  const Bands bands({shape[2], shape[1], shape[0]}, splits);
  if (count < 1 || count > 16) throw py::value_error("components: expected 1..16");
  std::vector<Wholes> out;
  for (int k = 0; k < count; ++k) {
    out.push_back(block<int32_t>(bands));
    std::fill_n(out.back().mutable_data(), bands.count(), 0);
  }
  if (!before.empty()) check_alike(before, out[0], out.size());
  bool exhausted = false;
  {
    py::gil_scoped_release release;
    with_coding(start, [&](auto coding, const Start& from) {
      Decoder decoder(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), from);
      CoefficientCoder<Decoder, decltype(coding)::value> coder(bands, decoder);
      for (int k = 0; k < count; ++k)
        coder.component(const_cast<int32_t*>(out[k].data()),
                        before.empty() ? nullptr : before[k].data(),
                        k ? out[k - 1].data() : nullptr);
      exhausted = decoder.exhausted();
    });
  }
  if (exhausted) throw py::value_error("bytes: not those of a sparse grid of this shape");
  py::list list;
  for (Wholes& array : out) list.append(array);
  return list;
}

static std::shared_ptr<Reader> make_reader(const std::array<long, 3>& shape, const Splits& splits,
                                           bool vertex, int ends, int components,
                                           const Wholes& indices, const Singles& values) {
  const Bands bands(shape, splits, ends);
  if (components < 1 || components > 16) throw py::value_error("components: expected 1..16");
  if (indices.ndim() != 1 || values.ndim() != 1 || indices.size() != values.size())
    throw py::value_error("indices, values: expected two arrays of one length");
  if (bands.count() > (1L << 31) / components) throw py::value_error("shape: too many samples");
  const int32_t* at = indices.data();
  for (long i = 0; i < indices.size(); ++i)
    if (at[i] < 0 || at[i] >= components * bands.count() || (i && at[i] <= at[i - 1]))
      throw py::value_error("indices: expected increasing numbers within the block");
  const float* v = values.data();
  const long count = values.size();
  py::gil_scoped_release release;
  return std::make_shared<Reader>(bands, vertex, ends, components, at, v, count);
}

// work(begin, end) for parts of n items, on as many threads as have `least` items.
template <typename Work>
static void in_parts(long n, long least, int threads, Work&& work) {
  const int size = static_cast<int>(std::clamp<long>(n / least, 1, threads));
  run_team(size, [&](int i) {
    const Part part = part_of(n, i, size, 1);
    work(part.begin, part.end);
  });
}

static py::array_t<float> read_points(const Reader& reader, const Singles& points, bool slopes,
                                      int threads) {
  if (points.ndim() != 2 || points.shape(1) != 3)
    throw py::value_error("points: expected shape (n, 3)");
  const long n = points.shape(0), c = reader.components();
  auto out = slopes ? py::array_t<float>({n, c, 3L}) : py::array_t<float>({n, c});
  const float* p = points.data();
  float* to = out.mutable_data();
  py::gil_scoped_release release;
  in_parts(n, 1 << 14, threads, [&](long begin, long end) {
    if (!slopes) {
      reader.values(p + 3 * begin, end - begin, to + c * begin);
      return;
    }
    float values[16];
    for (long i = begin; i < end; ++i) reader.at(p + 3 * i, values, to + 3 * c * i);
  });
  return out;
}

static py::array_t<float> read_grid(const Reader& reader, const Singles& xs, const Singles& ys,
                                    const Singles& zs, int threads) {
  const long nx = xs.size(), ny = ys.size(), nz = zs.size(), c = reader.components();
  py::array_t<float> out({nz, ny, nx, c});
  float* to = out.mutable_data();
  const float *x = xs.data(), *y = ys.data(), *z = zs.data();
  py::gil_scoped_release release;
  if (nx && ny && nz)
    in_parts(nz * ny, std::max<long>((1 << 16) / nx, 1), threads, [&](long begin, long end) {
      reader.grid(x, nx, y, ny, z, begin, end, to + begin * nx * c);
    });
  return out;
}

}  // namespace insitu::sparse

namespace insitu {

void bind_sparse(py::module_& m) {
  py::class_<sparse::Reader, std::shared_ptr<sparse::Reader>>(m, "SparseReader", py::module_local(),
                                                              "A sparse grid, read at points.")
      .def(py::init(&sparse::make_reader), "shape"_a, "splits"_a, "vertex"_a, "ends"_a,
           "components"_a, "indices"_a, "values"_a)
      .def_property_readonly("nbytes", &sparse::Reader::nbytes, "Bytes held.")
      .def("at", &sparse::read_points, "points"_a, "slopes"_a = false, "threads"_a = 1)
      .def("grid", &sparse::read_grid, "xs"_a, "ys"_a, "zs"_a, "threads"_a = 1);
  m.def("sparse_analyse", &sparse::py_analyse, "values"_a, "splits"_a, "ends"_a = 0);
  m.def("sparse_synthesise", &sparse::py_synthesise, "coefficients"_a, "splits"_a, "ends"_a = 0);
  m.def("sparse_quantise", &sparse::py_quantise, "coefficients"_a, "splits"_a, "norms"_a, "delta"_a,
        "rounding"_a);
  m.def("sparse_sizes", &sparse::py_sizes, "coefficients"_a, "splits"_a, "norms"_a);
  m.def("sparse_support", &sparse::py_support, "values"_a);
  m.def("sparse_scale", &sparse::py_scale<float>, "raw"_a.noconvert(), "origin"_a, "unit"_a);
  m.def("sparse_scale", &sparse::py_scale<double>, "raw"_a, "origin"_a, "unit"_a);
  m.def("sparse_errors", &sparse::py_errors<float>, "outputs"_a, "raw"_a.noconvert(), "origin"_a,
        "extent"_a);
  m.def("sparse_errors", &sparse::py_errors<double>, "outputs"_a, "raw"_a, "origin"_a, "extent"_a);
  m.def("sparse_dequantise", &sparse::py_dequantise, "numbers"_a, "splits"_a, "norms"_a, "delta"_a,
        "one"_a, "more"_a);
  py::class_<sparse::Start, std::shared_ptr<sparse::Start>>(
      m, "SparseStart", py::module_local(), "What the coder of a sparse grid knows at first.")
      .def(py::init(&sparse::make_start), "weights"_a, "contexts"_a, "seen"_a, "decided"_a,
           "patience"_a);
  m.def("sparse_encode", &sparse::py_encode, "components"_a, "splits"_a, "before"_a, "start"_a);
  m.def("sparse_decode", &sparse::py_decode, "data"_a, "shape"_a, "splits"_a, "components"_a,
        "before"_a, "start"_a);
}

}  // namespace insitu
