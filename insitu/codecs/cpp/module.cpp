// Binds the coders of weights and of headers.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <tuple>
#include <vector>

#include "header_bindings.hpp"
#include "integers.hpp"

namespace py = pybind11;
using namespace pybind11::literals;

namespace insitu::coding {

using Integers = py::array_t<int32_t, py::array::c_style | py::array::forcecast>;

static py::bytes encode_all(const std::vector<std::tuple<Integers, int, int, int>>& arrays) {
  RangeEncoder coder;
  for (const auto& [values, shift, radius, mean] : arrays)
    encode(coder, values.data(), static_cast<std::size_t>(values.size()), {shift, radius, mean});
  std::string bytes;
  for (const uint32_t word : coder.finish())
    for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<char>(word >> 8 * i & 255));
  return bytes;
}

static std::vector<Integers> decode_all(
    const py::bytes& stream, const std::vector<std::tuple<py::ssize_t, int, int, int>>& arrays) {
  const std::string_view bytes = stream;
  RangeDecoder coder(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size() / 4);
  std::vector<Integers> decoded;
  for (const auto& [n, shift, radius, mean] : arrays) {
    Integers values(n);
    decode(coder, values.mutable_data(), static_cast<std::size_t>(n), {shift, radius, mean});
    decoded.push_back(std::move(values));
  }
  return decoded;
}

static std::tuple<int, int, int> shape_of_array(const Integers& values) {
  const Shape shape = shape_of(values.data(), static_cast<std::size_t>(values.size()));
  return {shape.shift, shape.radius, shape.mean};
}

static double bits_of(const Integers& values) {
  return bits({values.data(), values.data() + values.size()});
}

}  // namespace insitu::coding

PYBIND11_MODULE(_range_coder, m) {
  m.doc() = "Coding of integers near zero (insitu/codecs/entropy.py) and of headers (headers.py).";
  m.def("encode", &insitu::coding::encode_all, "arrays"_a,
        "Arrays (n,), each with shift, radius and mean of its Shape -> the stream. Raises "
        "ValueError for a value beyond its shape.");
  m.def("decode", &insitu::coding::decode_all, "stream"_a, "arrays"_a,
        "A stream, and (n, shift, radius, mean) of each array -> the arrays. Raises ValueError "
        "for a stream of no encoder.");
  m.def("shape_of", &insitu::coding::shape_of_array, "values"_a,
        "Shift, radius and mean of the Shape of values (n,) of magnitudes up to 2^30.");
  m.def("bits", &insitu::coding::bits_of, "values"_a,
        "The size of values (n,) in bits, by the entropy of their histogram.");
  insitu::headers::bind(m);
}
