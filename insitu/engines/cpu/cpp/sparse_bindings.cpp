// Binds the sparse grid: rounding, coding, reading.
#include "sparse_arrays.hpp"
#include "sparse_coder.hpp"
#include "sparse_quantise.hpp"
#include "sparse_reader.hpp"
#include "team.hpp"

namespace py = pybind11;
using namespace pybind11::literals;

namespace insitu::sparse {

static py::tuple py_quantise(const Singles& coefficients, const Splits& splits,
                             const NormPair& norm_pair, float delta,
                             const std::array<float, 3>& rounding) {
  if (!(delta > 0)) throw py::value_error("delta: expected a number > 0");
  const Bands bands = bands_of(coefficients, splits);
  const Norms norms = norms_of(norm_pair, bands);
  auto out = block<int32_t>(bands);
  const float* c = coefficients.data();
  int32_t* q = out.mutable_data();
  Rounded rounded;
  {
    py::gil_scoped_release release;
    std::fill_n(q, bands.count(), 0);
    rounded = Quantiser(bands, norms, {rounding[0], rounding[1], rounding[2]}).run(c, delta, q);
  }
  return py::make_tuple(out, rounded.points.one, rounded.points.more, rounded.squares);
}

static py::tuple py_sizes(const Singles& coefficients, const Splits& splits,
                          const NormPair& norm_pair, float least) {
  const Bands bands = bands_of(coefficients, splits);
  const Norms norms = norms_of(norm_pair, bands);
  py::array_t<int64_t> out(1L << (8 + kSizeBits));
  const float* c = coefficients.data();
  int64_t* counts = out.mutable_data();
  const long rows = out.size();
  double squares = 0.0;
  {
    py::gil_scoped_release release;
    std::fill_n(counts, rows, 0);
    squares = count_sizes(bands, norms, c, least, counts);
  }
  return py::make_tuple(out, squares);
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
  m.def("sparse_quantise", &sparse::py_quantise, "coefficients"_a, "splits"_a, "norms"_a, "delta"_a,
        "rounding"_a);
  m.def("sparse_sizes", &sparse::py_sizes, "coefficients"_a, "splits"_a, "norms"_a, "least"_a);
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
