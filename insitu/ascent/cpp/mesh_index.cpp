// What stands in the root file of a mesh: names, types and numbers of components, and where in the
// files of the domains each is.

#include <initializer_list>
#include <stdexcept>
#include <string>

#include "conduit_blueprint_mesh.h"
#include "node.hpp"

using insitu::Node;

namespace {

void put(Node& node, const char* path, conduit_index_t value) {
  node.fetch(path)->set(&value, {CONDUIT_INT64_ID, 1, 0, 8, 8, 0});
}

// The text at a path, or nothing.
std::string text(const Node& node, const char* path) {
  const Node* const found = node.find(path);
  return found != nullptr && found->type.id == CONDUIT_CHAR8_STR_ID ? found->text() : "";
}

void copy(const Node& from, Node& to, std::initializer_list<const char*> paths) {
  for (const char* path : paths)
    if (const Node* const found = from.find(path)) to.fetch(path)->set_tree(*found, false);
}

// Calls one(name, its node, its entry) for all of a kind; the entry has the path already.
template <typename One>
void each(const Node& mesh, Node& index, const std::string& kind, const std::string& where,
          One one) {
  const Node* const all = mesh.find(kind);
  if (all == nullptr) return;
  for (const auto& node : all->children) {
    Node& entry = *index.fetch(kind)->add_child(node->name);
    one(*node, entry);
    entry.fetch("path")->set_text((where + kind + "/" + node->name).c_str());
  }
}

void coordset(const Node& node, Node& entry) {
  const std::string type = text(node, "type");
  entry.fetch("type")->set_text(type.c_str());
  Node& axes = *entry.fetch("coord_system/axes");
  if (const Node* const values = node.find("values")) {
    for (const auto& one : values->children) axes.add_child(one->name);
  } else if (const Node* const dims = node.find("dims")) {
    const Node* const origin = node.find("origin");
    for (std::size_t i = 0; i < dims->children.size(); ++i) {
      const bool named = origin != nullptr && i < origin->children.size();
      axes.add_child(named ? origin->children[i]->name : std::string(1, "xyz"[i % 3]));
    }
  }
  const bool cylinder = axes.child("r") != nullptr && axes.child("theta") == nullptr;
  const char* system = cylinder                       ? "cylindrical"
                       : axes.child("phi") != nullptr ? "spherical"
                                                      : "cartesian";
  entry.fetch("coord_system/type")->set_text(system);
}

void field(const Node& node, Node& entry) {
  const Node* const values = node.find("values");
  const bool several = values != nullptr && values->is_group();
  put(entry, "number_of_components",
      several ? static_cast<conduit_index_t>(values->children.size()) : 1);
  copy(node, entry, {"topology", "association", "basis", "matset", "volume_dependent"});
}

// The mesh, or its first domain.
const Node& first_domain(const Node& mesh) {
  const bool single = mesh.children.empty() || mesh.child("coordsets") != nullptr;
  return single ? mesh : *mesh.children[0];
}

}  // namespace

extern "C" void conduit_blueprint_mesh_generate_index(const conduit_node* mesh,
                                                      const char* ref_path,
                                                      conduit_index_t num_domains,
                                                      conduit_node* result) {
  try {
    if (mesh == nullptr || result == nullptr) throw std::runtime_error("a node is NULL");
    const Node& domain = first_domain(*mesh);
    std::string where = ref_path == nullptr ? "" : ref_path;
    if (!where.empty() && where.back() != '/') where += '/';
    Node index;
    put(index, "state/number_of_domains", num_domains);
    copy(domain, index, {"state/cycle", "state/time"});
    index.fetch("state/path")->set_text((where + "state").c_str());
    each(domain, index, "coordsets", where, coordset);
    each(domain, index, "topologies", where, [](const Node& node, Node& entry) {
      copy(node, entry, {"type", "coordset", "grid_function"});
    });
    each(domain, index, "matsets", where,
         [](const Node& node, Node& entry) { copy(node, entry, {"topology", "material_map"}); });
    each(domain, index, "fields", where, field);
    for (const char* kind : {"adjsets", "nestsets"})
      each(domain, index, kind, where,
           [](const Node& node, Node& entry) { copy(node, entry, {"topology", "association"}); });
    result->take(index);
  } catch (const std::exception& error) {
    INSITU_ERROR(std::string("conduit_blueprint_mesh_generate_index: ") + error.what());
  }
}
