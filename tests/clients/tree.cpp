// Everything that simulations use of conduit's C++ headers, for the sanitizers; no Python, no MPI.
// Ends with 0 if all went as it should.

#include <algorithm>
#include <cmath>
#include <conduit.hpp>
#include <conduit_blueprint.hpp>
#include <conduit_relay.hpp>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

using conduit::DataType;
using conduit::Node;

static int failures = 0;

#define CHECK(condition)                                                         \
  if (!(condition)) {                                                            \
    ++failures;                                                                  \
    std::cerr << __FILE__ << ":" << __LINE__ << ": " << #condition << std::endl; \
  }

template <typename Call>
static bool throws(Call call) {
  try {
    call();
  } catch (const conduit::Error& error) {
    return !error.message().empty() && std::string(error.what()).size() > error.message().size();
  }
  return false;
}

static std::string told;
static void keep(const std::string& message, const std::string&, int) { told = message; }

static void leaves() {
  Node n;
  n["int"] = 42;
  n["long long"] = 1LL << 40;
  n["float"] = 0.5f;
  n["flag"] = true;
  n["text"] = "a text";
  n["string"] = std::string("another");
  n["list"] = {1.0, 2.0, 3.0};
  n["vector"] = std::vector<int>{4, 5, 6};
  n["none"].set(std::vector<double>());
  CHECK(n["int"].dtype().is_int32() && n["int"].as_int() == 42 && n["int"].to_double() == 42);
  CHECK(n["long long"].dtype().is_int64() && n["long long"].as_long_long() == 1LL << 40);
  CHECK(n["float"].dtype().is_float32() && n["float"].as_float() == 0.5f);
  CHECK(n["flag"].dtype().is_int() && n["flag"].to_int() == 1);
  CHECK(n["text"].as_string() == "a text" && n["string"].dtype().is_string());
  CHECK(n["list"].as_float64_array().sum() == 6 && n["list"].number_of_elements() == 3);
  CHECK(n["vector"].as_int_ptr()[2] == 6);
  CHECK(n["none"].dtype().is_float64() && n["none"].dtype().number_of_elements() == 0);
  n["text"] = "17";
  CHECK(n["text"].to_int64() == 17);
  const Node& same = n;
  const double first = same["list"].to_value();
  const conduit::float64* all = same["list"].value();
  CHECK(first == 1 && all[1] == 2);
  conduit::int64_accessor converted = n["list"].as_int64_accessor();
  CHECK(converted[2] == 3 && converted.max() == 3);
  converted.set(2, 7);
  CHECK(n["list"].as_double_ptr()[2] == 7);
  Node ints;
  n["list"].to_int32_array(ints);
  CHECK(ints.dtype().is_int32() && ints.as_int32_array()[2] == 7);
}

static void memory() {
  Node n;
  std::vector<double> interleaved = {0, 10, 1, 11, 2, 12};
  n["copy"].set(interleaved.data(), 3, 0, 16);
  n["x"].set_external(interleaved.data(), 3, 0, 16);
  n["y"].set_external(interleaved.data(), 3, 8, 16);
  n.set_path_external("all", interleaved);
  interleaved[1] = 100;
  CHECK(n["copy"].is_compact() && !n["copy"].is_data_external());
  CHECK(!n["x"].is_compact() && n["y"].is_data_external());
  conduit::float64_array y = n["y"].value();
  CHECK(y[0] == 100 && y[2] == 12 && y.dtype().stride() == 16 && y.number_of_elements() == 3);
  CHECK(n["all"].as_float64_ptr() == interleaved.data());
  n["zeros"].set(DataType::float32(4));
  CHECK(n["zeros"].as_float32_array().count(0) == 4);
  n["zeros"].as_float32_ptr()[3] = 2;
  Node view, compact;
  view.set_external(n);
  view["zeros"].as_float32_ptr()[0] = 8;
  CHECK(n["zeros"].as_float32_array().sum() == 10);
  n.compact_to(compact);
  CHECK(compact["y"].is_compact() && compact["y"].as_float64_ptr()[0] == 100);
  CHECK(compact.total_bytes_compact() == (3 + 3 + 3 + 6) * 8 + 4 * 4);
  char text[] = "outside";
  n["text"].set_external_char8_str(text);
  text[0] = 'O';
  CHECK(n["text"].as_string() == "Outside");
  Node typed(DataType::int16(2), nullptr, false);
  CHECK(typed.dtype().is_short() && typed.dtype().bytes_compact() == 4);
}

static void trees() {
  Node n;
  n["a/b/c"] = 1;
  n["a/d"] = 2;
  n.add_child("with/slash") = 3;
  CHECK(n.has_path("a/b/c") && !n.has_path("a/x") && n.has_child("with/slash"));
  CHECK(n["a/b/c"].path() == "a/b/c" && n["a/b/c"].name() == "c");
  CHECK(n["a/b"].parent() == &n["a"] && n.is_root() && !n["a"].is_root());
  Node& list = n["list"];
  for (int i = 0; i < 5; ++i) list.append().set(i);
  CHECK(list.dtype().is_list() && list.number_of_children() == 5 && list[3].to_int() == 3);
  int sum = 0;
  for (const Node& child : list.children()) sum += child.to_int();
  CHECK(sum == 10);
  conduit::NodeConstIterator it = static_cast<const Node&>(n).children();
  std::vector<std::string> names;
  while (it.has_next()) {
    it.next();
    names.push_back(it.name());
  }
  CHECK(names == n.child_names() && names.size() == 3 && it.index() == 2);
  while (it.has_previous()) it.previous();
  CHECK(it.name() == "a");
  conduit::NodeChildIterator last =
      std::find_if(list.children().begin(), list.children().end(),
                   [](const Node& child) { return child.to_int() == 4; });
  CHECK(last != list.children().end() && last - list.children().begin() == 4);
  list.remove(0);
  CHECK(list.number_of_children() == 4 && list[0].to_int() == 1);
  n.rename_child("list", "renamed");
  n.remove("a/d");
  n.remove_child("with/slash");
  CHECK(n.number_of_children() == 2 && n["renamed"].number_of_children() == 4);

  Node copy = n, moved = std::move(copy), other;
  CHECK(copy.dtype().is_empty() && moved["a/b/c"].to_int() == 1);
  other["q"] = "r";
  other.swap(moved);
  CHECK(moved["q"].as_string() == "r" && other.has_path("renamed"));
  other.update(moved);
  CHECK(other.has_path("q") && other.has_path("a/b/c"));
  other = other["a"];  // a part becomes the whole
  CHECK(other["b/c"].to_int() == 1);
  std::vector<Node> several(3);
  several[1]["x"] = 1;
  several.resize(50);
  CHECK(several[1]["x"].to_int() == 1);
  several[1].reset();
  CHECK(several[1].dtype().is_empty());
  conduit_node* const c = conduit::c_node(&n);
  conduit_node_set_path_float64(c, "from/c", 2.5);
  CHECK(n["from/c"].as_double() == 2.5 && conduit::cpp_node(c) == &n);
}

static void comparisons() {
  Node a, b, info;
  a["x"] = {1.0, 2.0};
  a["name"] = "a";
  b = a;
  CHECK(!a.diff(b, info) && info["valid"].as_string() == "true");
  b["x"].as_double_ptr()[1] = 2.25;
  CHECK(a.diff(b, info) && !a.diff(b, info, 0.5));
  b = a;
  b["more"] = 1;
  CHECK(a.diff(b, info) && info["children/missing"].number_of_children() == 1);
  CHECK(!a.diff_compatible(b, info) && b.diff_compatible(a, info));
  CHECK(a.compatible(b) && b.compatible(a));
  b["x"] = {7.0};
  CHECK(a.compatible(b) && !b.compatible(a));
  double* const before = a["x"].as_double_ptr();
  a.update_compatible(b);
  CHECK(a["x"].as_double_ptr() == before && before[0] == 7 && before[1] == 2 &&
        !a.has_child("more"));
  a.update_external(b);
  CHECK(a["x"].as_double_ptr() == b["x"].as_double_ptr() && a.has_child("more"));
  CHECK(a.info()["mem_spaces"].number_of_children() == 3);
}

static void texts() {
  Node n, back;
  n["a/b"] = 1;
  n["v"] = {1.0, 2.5};
  CHECK(n["a"].to_json() == "\n{\n  \"b\": 1\n}");
  CHECK(n.to_yaml() == "\na:\n  b: 1\nv: [1.0, 2.5]\n");
  CHECK(n["a"].to_json("json", 0, 0, "", "") == "{\"b\": 1}");
  back.parse(n.to_json(), "json");
  Node info;
  CHECK(back["v"].as_float64_array()[1] == 2.5 && back["a/b"].to_int() == 1);
  conduit::relay::io::save(n, "tree_client.json");
  conduit::relay::io::load("tree_client.json", back);
  CHECK(back["v"].as_float64_array()[1] == 2.5);
  n.reset();
  n["c"] = 1;
  conduit::relay::io::save_merged(n, "tree_client.json");
  back.load("tree_client.json");
  CHECK(back.has_path("a/b") && back.has_path("c"));
  {
    std::ofstream("tree_client.json") << "{cut off";
  }
  CHECK(throws([&] { conduit::relay::io::save_merged(n, "tree_client.json"); }));
  CHECK(conduit::utils::file_size("tree_client.json") == 8);  // it stays for whoever mends it
  CHECK(conduit::utils::remove_file("tree_client.json"));
  using conduit::relay::io::blueprint::detail::numbered;
  CHECK(numbered("50%s/m_%06d.json", 3) == "50%s/m_000003.json");
  CHECK(numbered("m%d", 12) == "m12" && numbered("100%", 0) == "100%");
  CHECK(conduit::utils::unescape_special_chars(conduit::utils::escape_special_chars("\"\n")) ==
        "\"\n");
  CHECK(!conduit::about().empty());
}

static void mistakes() {
  Node n;
  n["text"] = "x";
  const Node& same = n;
  CHECK(throws([&] { n.fetch_existing("a/b"); }));
  CHECK(throws([&] { same["a"]; }));
  CHECK(throws([&] { n.child(5); }));
  CHECK(throws([&] { n.remove("nothing"); }));
  CHECK(throws([&] { n.set(static_cast<double*>(nullptr), 2); }));
  CHECK(throws([&] { n["x"].set_external(static_cast<double*>(nullptr), 2); }));
  CHECK(throws([&] { n.parse("{", "json"); }));
  CHECK(throws([&] { n.save("tree_client.silo"); }));
  CHECK(throws([] { CONDUIT_ERROR("number " << 5) }));
  conduit::utils::set_warning_handler(keep);
  CHECK(n["text"].as_float64() == 0 && told.find("char8_str") != std::string::npos);
  told.clear();
  CHECK(n["text"].as_float64_ptr() == nullptr && !told.empty());
  conduit::utils::set_warning_handler(conduit::utils::default_warning_handler);
  conduit::utils::set_error_handler(keep);
  told.clear();
  conduit_node_fetch_existing(n.c(), "nothing");  // in C
  CHECK(told.find("nothing") != std::string::npos);
  conduit::utils::set_error_handler(conduit::utils::default_error_handler);
  conduit::utils::set_info_handler(keep);
  CONDUIT_INFO("all is " << "well")
  CHECK(told == "all is well");
  conduit::utils::set_info_handler(conduit::utils::default_info_handler);
}

static void paths() {
  std::string first, rest;
  conduit::utils::split_path("a/b/c", first, rest);
  CHECK(first == "a" && rest == "b/c");
  conduit::utils::rsplit_file_path("a/b/c", first, rest);
  CHECK(first == "c" && rest == "a/b");
  CHECK(conduit::utils::join_file_path("a/", "b") == "a/b");
  CHECK(conduit::utils::join_path("a", "b") == "a/b");
  std::vector<std::string> parts;
  conduit::utils::split_string("x,y,", ',', parts);
  CHECK(parts.size() == 3 && parts[1] == "y");
  CHECK(conduit::utils::is_directory(".") && !conduit::utils::is_file("no such file"));
  const conduit::utils::Timer timer;
  CHECK(timer.elapsed() >= 0 && timer.elapsed() < 60);
}

static void meshes() {
  namespace mesh = conduit::blueprint::mesh;
  Node info;
  for (const char* type :
       {"uniform", "rectilinear", "structured", "points", "lines", "tets", "hexs"}) {
    Node n;
    mesh::examples::braid(type, 4, 3, 5, n);
    CHECK(mesh::verify(n, info) && n["fields/braid/values"].number_of_elements() == 60);
    CHECK(n["fields/radial/values"].number_of_elements() > 0);
  }
  for (const char* type : {"tris", "quads"}) {
    Node n;
    mesh::examples::basic(type, 4, 3, 0, n);
    CHECK(mesh::verify(n, info));
    const int cells = type[0] == 't' ? 12 : 6;
    CHECK(n["fields/field/values"].number_of_elements() == cells);
  }
  Node n, domains, index;
  mesh::examples::braid("hexs", 3, 3, 3, n);
  CHECK(throws([] {
    Node none;
    mesh::examples::braid("wedges", 3, 3, 3, none);
  }));
  CHECK(!mesh::is_multi_domain(n) && mesh::number_of_domains(n) == 1);
  mesh::to_multi_domain(n, domains);
  domains.append().set_external(n);
  CHECK(mesh::is_multi_domain(domains) && mesh::domains(domains).size() == 2);
  mesh::generate_index(domains, "mesh", 2, index);
  CHECK(index["fields/vel/number_of_components"].to_int() == 3);
  CHECK(index["fields/braid/path"].as_string() == "mesh/fields/braid");
  CHECK(index["coordsets/coords/coord_system/axes"].number_of_children() == 3);
  CHECK(index["state/number_of_domains"].to_int() == 2);
  n["fields/braid/topology"] = "other";
  CHECK(!mesh::verify(n, info) && info["errors"].number_of_children() == 1);
  CHECK(!conduit::blueprint::verify("mesh/field", n["fields"], info));

  Node xyz, other;
  conduit::blueprint::mcarray::examples::xyz("interleaved_mixed", 5, xyz);
  CHECK(conduit::blueprint::mcarray::verify(xyz, info));
  CHECK(conduit::blueprint::mcarray::is_interleaved(xyz) && xyz["y"].dtype().is_float32());
  CHECK(conduit::blueprint::mcarray::to_contiguous(xyz, other));
  CHECK(other.is_contiguous() && other["y"].as_float32_array().sum() == 10);
  Node copy = other;
  CHECK(conduit::blueprint::mcarray::to_interleaved(copy, xyz) && xyz["z"].to_double() == 3);
  conduit::blueprint::table::examples::basic(2, 2, 2, n);
  CHECK(conduit::blueprint::table::verify(n, info));
}

int main() {
  leaves();
  memory();
  trees();
  comparisons();
  texts();
  mistakes();
  paths();
  meshes();
  if (failures == 0) std::cout << "8 passed, 0 failed" << std::endl;
  return failures != 0;
}
