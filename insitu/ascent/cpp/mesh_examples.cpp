// Meshes to try a program with: grids over -10 .. 10, as each kind of topology.

#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "conduit_blueprint_mesh.h"
#include "node.hpp"

using insitu::Node;

namespace {

using Index = conduit_index_t;
using Numbers = std::vector<double>;

constexpr double half = 10;  // of the length of an axis

void put(Node& node, const std::string& path, const Numbers& values) {
  node.fetch(path)->set(values.data(),
                        {CONDUIT_FLOAT64_ID, static_cast<Index>(values.size()), 0, 8, 8, 0});
}
void put(Node& node, const std::string& path, const std::vector<conduit_int32>& values) {
  node.fetch(path)->set(values.data(),
                        {CONDUIT_INT32_ID, static_cast<Index>(values.size()), 0, 4, 4, 0});
}
void put(Node& node, const std::string& path, Index value) {
  node.fetch(path)->set(&value, {CONDUIT_INT64_ID, 1, 0, 8, 8, 0});
}
void put(Node& node, const std::string& path, double value) { put(node, path, Numbers{value}); }
void put(Node& node, const std::string& path, const char* text) {
  node.fetch(path)->set_text(text);
}

// A grid of points, and how its cells are cut.
class Grid {
 public:
  Grid(const std::string& type, Index nx, Index ny, Index nz)
      : type_(type), n_{nx, ny, nz > 1 ? nz : 1}, axes_(nz > 1 ? 3 : 2) {
    if (nx < 2 || ny < 2) throw std::runtime_error("expected two or more points along x and y");
    if (axes_ == 2 && (type == "tets" || type == "hexs"))
      throw std::runtime_error("type '" + type + "' is 3-D: expected two or more points along z");
    if (axes_ == 3 && (type == "tris" || type == "quads"))
      throw std::runtime_error("type '" + type + "' is 2-D: expected 0 or 1 points along z");
  }

  Index points() const { return n_[0] * n_[1] * n_[2]; }
  Index elements() const { return elements_; }
  double x(int axis, Index i) const {
    if (axis >= axes_) return 0;
    return -half + 2 * half * static_cast<double>(i) / static_cast<double>(n_[axis] - 1);
  }
  template <typename Visit>
  void each_point(Visit visit) const {
    for (Index k = 0; k < n_[2]; ++k)
      for (Index j = 0; j < n_[1]; ++j)
        for (Index i = 0; i < n_[0]; ++i) visit(x(0, i), x(1, j), x(2, k));
  }

  void write(Node& mesh) {
    coordinates(*mesh.fetch("coordsets/coords"));
    topology(*mesh.fetch("topologies/mesh"));
  }

 private:
  std::string type_;
  Index n_[3];
  int axes_;
  Index elements_ = 1;

  bool on_axes() const { return type_ == "uniform" || type_ == "rectilinear"; }

  void coordinates(Node& set) const {
    if (type_ == "uniform") {
      put(set, "type", "uniform");
      for (int a = 0; a < axes_; ++a) {
        const std::string name(1, "xyz"[a]);
        put(set, std::string("dims/") + "ijk"[a], n_[a]);
        put(set, "origin/" + name, -half);
        put(set, "spacing/d" + name, x(a, 1) - x(a, 0));
      }
      return;
    }
    Numbers values[3];
    if (type_ == "rectilinear") {
      for (int a = 0; a < axes_; ++a)
        for (Index i = 0; i < n_[a]; ++i) values[a].push_back(x(a, i));
    } else {
      each_point([&](double px, double py, double pz) {
        values[0].push_back(px);
        values[1].push_back(py);
        values[2].push_back(pz);
      });
    }
    put(set, "type", type_ == "rectilinear" ? "rectilinear" : "explicit");
    for (int a = 0; a < axes_; ++a) put(set, std::string("values/") + "xyz"[a], values[a]);
  }

  void topology(Node& topo) {
    put(topo, "coordset", "coords");
    if (on_axes() || type_ == "structured") {
      put(topo, "type", type_.c_str());
      for (int a = 0; a < axes_; ++a) {
        elements_ *= n_[a] - 1;
        if (type_ == "structured") put(topo, std::string("elements/dims/") + "ijk"[a], n_[a] - 1);
      }
      return;
    }
    put(topo, "type", "unstructured");
    const char* shape = nullptr;
    const std::vector<conduit_int32> corners = cells(shape);
    put(topo, "elements/shape", shape);
    put(topo, "elements/connectivity", corners);
  }

  conduit_int32 point(Index i, Index j, Index k) const {
    return static_cast<conduit_int32>((k * n_[1] + j) * n_[0] + i);
  }

  // The corners of each element, one element behind the other.
  std::vector<conduit_int32> cells(const char*& shape) {
    std::vector<conduit_int32> all;
    if (type_ == "points") {
      shape = "point";
      elements_ = points();
      for (Index i = 0; i < elements_; ++i) all.push_back(static_cast<conduit_int32>(i));
      return all;
    }
    // Corners of a box are numbered around its bottom, then around its top.
    static const std::vector<std::vector<int>> quads = {{0, 1, 2, 3}};
    static const std::vector<std::vector<int>> tris = {{0, 1, 2}, {0, 2, 3}};
    static const std::vector<std::vector<int>> lines = {{0, 1}, {1, 2}, {2, 3}, {3, 0}};
    static const std::vector<std::vector<int>> hexs = {{0, 1, 2, 3, 4, 5, 6, 7}};
    static const std::vector<std::vector<int>> edges = {{0, 1}, {1, 2}, {2, 3}, {3, 0},
                                                        {4, 5}, {5, 6}, {6, 7}, {7, 4},
                                                        {0, 4}, {1, 5}, {2, 6}, {3, 7}};
    // Six around the diagonal from corner 0 to 6: faces of neighbouring boxes are cut alike.
    static const std::vector<std::vector<int>> tets = {{0, 1, 2, 6}, {0, 2, 3, 6}, {0, 3, 7, 6},
                                                       {0, 7, 4, 6}, {0, 4, 5, 6}, {0, 5, 1, 6}};
    const std::vector<std::vector<int>>* cut = nullptr;
    if (type_ == "quads") shape = "quad", cut = &quads;
    else if (type_ == "tris") shape = "tri", cut = &tris;
    else if (type_ == "lines") shape = "line", cut = axes_ == 2 ? &lines : &edges;
    else if (type_ == "hexs") shape = "hex", cut = &hexs;
    else if (type_ == "tets") shape = "tet", cut = &tets;
    else
      throw std::runtime_error("type '" + type_ +
                               "': there are uniform, rectilinear, structured, points, lines, "
                               "tris, quads, tets, hexs");
    elements_ = 0;
    for (Index k = 0; k < std::max<Index>(n_[2] - 1, 1); ++k)
      for (Index j = 0; j < n_[1] - 1; ++j)
        for (Index i = 0; i < n_[0] - 1; ++i) {
          const Index up = axes_ == 3 ? k + 1 : k;
          const conduit_int32 corners[8] = {
              point(i, j, k),  point(i + 1, j, k),  point(i + 1, j + 1, k),  point(i, j + 1, k),
              point(i, j, up), point(i + 1, j, up), point(i + 1, j + 1, up), point(i, j + 1, up)};
          for (const auto& element : *cut) {
            ++elements_;
            for (const int corner : element) all.push_back(corners[corner]);
          }
        }
    return all;
  }
};

void add_field(Node& mesh, const char* name, const char* association, const Numbers& values) {
  Node& field = *mesh.fetch(std::string("fields/") + name);
  put(field, "association", association);
  put(field, "topology", "mesh");
  put(field, "values", values);
}

void braid(const char* type, Index nx, Index ny, Index nz, Node& mesh) {
  Grid grid(type, nx, ny, nz);
  grid.write(mesh);
  put(mesh, "state/time", 3.1415);
  put(mesh, "state/cycle", static_cast<Index>(100));
  Numbers strands, velocity[3];
  grid.each_point([&](double x, double y, double z) {
    // Two strands around the z axis.
    const double turn = std::atan2(y, x) - 0.3 * z, radius = std::hypot(x, y) / half;
    strands.push_back(10 * radius * std::cos(2 * turn) * std::exp(-radius * radius));
    velocity[0].push_back(-y);
    velocity[1].push_back(x);
    velocity[2].push_back(half);
  });
  add_field(mesh, "braid", "vertex", strands);
  Numbers radial;
  for (Index i = 0; i < grid.elements(); ++i)
    radial.push_back(half * static_cast<double>(i) / static_cast<double>(grid.elements()));
  add_field(mesh, "radial", "element", radial);
  put(mesh, "fields/vel/association", "vertex");
  put(mesh, "fields/vel/topology", "mesh");
  for (int a = 0; a < 3; ++a) put(mesh, std::string("fields/vel/values/") + "uvw"[a], velocity[a]);
}

void basic(const char* type, Index nx, Index ny, Index nz, Node& mesh) {
  Grid grid(type, nx, ny, nz);
  grid.write(mesh);
  Numbers number;
  for (Index i = 0; i < grid.elements(); ++i) number.push_back(static_cast<double>(i));
  add_field(mesh, "field", "element", number);
}

template <typename Fill>
void made(const char* what, Fill fill, const char* type, Index nx, Index ny, Index nz,
          Node* result) {
  try {
    if (type == nullptr || result == nullptr) throw std::runtime_error("an argument is NULL");
    Node mesh;
    fill(type, nx, ny, nz, mesh);
    result->take(mesh);
  } catch (const std::exception& error) {
    INSITU_ERROR(std::string(what) + ": " + error.what());
  }
}

}  // namespace

extern "C" {

void conduit_blueprint_mesh_examples_braid(const char* type, Index nx, Index ny, Index nz,
                                           conduit_node* result) {
  made(__func__, braid, type, nx, ny, nz, result);
}

void conduit_blueprint_mesh_examples_basic(const char* type, Index nx, Index ny, Index nz,
                                           conduit_node* result) {
  made(__func__, basic, type, nx, ny, nz, result);
}

}  // extern "C"
