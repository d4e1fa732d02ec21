// Binds the coder of headers.
#include "header_bindings.hpp"

#include <optional>

#include "header_coder.hpp"

namespace py = pybind11;
using namespace pybind11::literals;

namespace insitu::headers {

static std::string bytes_of(const py::handle& text) {
  const auto bytes = py::reinterpret_steal<py::bytes>(
      PyUnicode_AsEncodedString(text.ptr(), "utf-8", "surrogatepass"));
  if (!bytes) throw py::error_already_set();
  return bytes;
}

static py::object text_of(const std::string& bytes) {
  auto text = py::reinterpret_steal<py::object>(
      PyUnicode_DecodeUTF8(bytes.data(), static_cast<py::ssize_t>(bytes.size()), "surrogatepass"));
  if (!text) {
    PyErr_Clear();
    throw Wrong("headers: a text that is no UTF-8");
  }
  return text;
}

static Wide wide_of(const py::handle& number) {
  int overflow = 0;
  const long long small = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
  if (!overflow && !(small == -1 && PyErr_Occurred())) return small;
  PyErr_Clear();
  const unsigned long long large = PyLong_AsUnsignedLongLong(number.ptr());
  if (PyErr_Occurred()) throw py::error_already_set();
  return static_cast<Wide>(large);
}

static py::int_ number_of(Wide number) {
  if (number < 0) return py::int_(static_cast<long long>(number));
  if (number >> 64 != 0) throw Wrong("headers: a number of more than 64 bits");
  return py::int_(static_cast<unsigned long long>(number));
}

static Value value_of(const py::handle& object) {
  if (PyUnicode_Check(object.ptr())) return {true, 0, bytes_of(object)};
  return {false, wide_of(object), {}};
}

static py::object py_value(Values& values, char kind, const std::string& place,
                           const py::object& wanted, const py::sequence& expected) {
  std::vector<Value> likely;
  for (const auto one : expected) likely.push_back(value_of(one));
  if (likely.empty()) likely.push_back({kind == 's' || kind == 'z', 0, {}});
  std::optional<Value> given;
  if (!wanted.is_none()) given = value_of(wanted);
  const Value found = values.value(kind, place, given ? &*given : nullptr, likely);
  return found.is_text ? text_of(found.text) : py::object(number_of(found.number));
}

template <typename Layers>
static void bind_layers(py::module_& m, const char* name) {
  py::class_<Layers, std::shared_ptr<Layers>>(m, name)
      .def(py::init<std::shared_ptr<Layers>>(), "below"_a = nullptr)
      .def("copy", [](const Layers& layers) { return Layers(layers); });
}

void bind(py::module_& m) {
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const Wrong& wrong) {
      const py::object kind = py::module_::import("insitu.codecs.errors").attr("FrameError");
      PyErr_SetString(kind.ptr(), wrong.what());
    }
  });
  bind_layers<Recent>(m, "Recent");
  bind_layers<Chances>(m, "Chances");
  py::class_<Coder, std::shared_ptr<Coder>>(m, "Encoder")
      .def(py::init<>())
      .def("finish", [](Coder& coder) { return py::bytes(coder.finish()); });
  m.def("Decoder", [](const py::bytes& data) { return std::make_shared<Coder>(data); }, "data"_a);
  m.def(
      "trust",
      [](Chances& chances, int most) {
        chances.for_each([most](Chance& chance) { chance.seen = std::min(chance.seen, most); });
      },
      "chances"_a, "most"_a);
  py::class_<Values>(m, "Values")
      .def(py::init([](std::shared_ptr<Coder> coder, std::shared_ptr<Chances> chances,
                       std::shared_ptr<Recent> recent, const py::object& limit) {
             const py::object take = limit.attr("take");
             return Values(std::move(coder), std::move(chances), std::move(recent),
                           [take](int64_t n) { take(n); });
           }),
           "coder"_a, "chances"_a, "recent"_a, "limit"_a)
      .def(
          "flag",
          [](Values& values, const std::string& key, bool wanted,
             const std::optional<std::string>& like) {
            return values.flag(key, wanted, like ? &*like : nullptr);
          },
          "key"_a, "wanted"_a, "like"_a = std::nullopt)
      .def("value", &py_value, "kind"_a, "place"_a, "wanted"_a, "expected"_a)
      .def(
          "number",
          [](Values& values, const std::string& place, const py::int_& wanted) {
            return number_of(values.number(place, wide_of(wanted)));
          },
          "place"_a, "wanted"_a)
      .def(
          "text",
          [](Values& values, const std::string& place, const py::str& wanted) {
            return text_of(values.text(place, bytes_of(wanted)));
          },
          "place"_a, "wanted"_a)
      .def("tree", &Values::tree, "key"_a, "n_bits"_a, "wanted"_a);
}

}  // namespace insitu::headers
