// Checks of trees against the Blueprint conventions, as far as a renderer relies on them.
//
// In: a mesh of one domain, or a list or group of domains. Out: whether it keeps to them, and in
// `info` what is wrong, path by path.

#include <cstring>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

#include "conduit_blueprint.h"
#include "node.hpp"

using insitu::Node;

namespace {

using Names = std::initializer_list<const char*>;

// Collects what is wrong.
class Check {
 public:
  std::vector<std::string> errors;

  void wrong(const std::string& path, const std::string& text) {
    errors.push_back(path.empty() ? text : path + ": " + text);
  }

  // A group that must be there.
  const Node* group(const Node& node, const char* name, const std::string& path) {
    const Node* found = node.find(name);
    if (found == nullptr) wrong(join(path, name), "missing");
    else if (!found->is_group() || found->children.empty())
      wrong(join(path, name), "expected a group of names");
    else return found;
    return nullptr;
  }

  // A text that must be there, one of `choices` if there are any; empty where it is wrong.
  std::string text(const Node& node, const char* name, const std::string& path,
                   Names choices = {}) {
    const Node* found = node.find(name);
    if (found == nullptr || found->type.id != CONDUIT_CHAR8_STR_ID) {
      wrong(join(path, name), found == nullptr ? "missing" : "expected a text");
      return "";
    }
    const std::string value = found->text();
    std::string all;
    for (const char* choice : choices) {
      if (value == choice) return value;
      all += std::string(all.empty() ? "" : ", ") + choice;
    }
    if (choices.size() == 0) return value;
    wrong(join(path, name), "'" + value + "' is not one of " + all);
    return "";
  }

  void numbers(const Node& node, const char* name, const std::string& path) {
    const Node* found = node.find(name);
    if (found == nullptr || !found->type.is_number())
      wrong(join(path, name), found == nullptr ? "missing" : "expected numbers");
  }

  // An array, or components that are as long as each other.
  void components(const Node& node, const char* name, const std::string& path, bool same) {
    const Node* found = node.find(name);
    if (found == nullptr) return wrong(join(path, name), "missing");
    if (found->type.is_number()) return;
    if (!found->is_group() || found->children.empty())
      return wrong(join(path, name), "expected numbers, or components of numbers");
    for (const auto& part : found->children) {
      if (!part->type.is_number())
        wrong(join(join(path, name), part->name.c_str()), "expected numbers");
      else if (same && part->type.num_elements != found->children[0]->type.num_elements)
        wrong(join(join(path, name), part->name.c_str()), "longer or shorter than the first");
    }
  }

  static std::string join(const std::string& path, const char* name) {
    return path.empty() ? name : path + "/" + name;
  }
};

void coordset(Check& check, const Node& node, const std::string& path) {
  const std::string type = check.text(node, "type", path, {"uniform", "rectilinear", "explicit"});
  if (type == "uniform") {
    if (const Node* dims = check.group(node, "dims", path))
      check.numbers(*dims, "i", Check::join(path, "dims"));
  } else if (type == "rectilinear" || type == "explicit") {
    check.components(node, "values", path, type == "explicit");
  }
}

void elements(Check& check, const Node& node, const std::string& path) {
  const Node* found = check.group(node, "elements", path);
  if (found == nullptr) return;
  const std::string inside = Check::join(path, "elements");
  const std::string shape = check.text(*found, "shape", inside,
                                       {"point", "line", "tri", "quad", "tet", "hex", "wedge",
                                        "pyramid", "polygonal", "polyhedral", "mixed"});
  check.numbers(*found, "connectivity", inside);
  if (shape == "mixed") {
    check.group(*found, "shape_map", inside);
    check.numbers(*found, "shapes", inside);
    check.numbers(*found, "sizes", inside);
    check.numbers(*found, "offsets", inside);
  }
}

void topology(Check& check, const Node& node, const Node* domain, const std::string& path) {
  const std::string set = check.text(node, "coordset", path);
  if (domain != nullptr && !set.empty() && domain->find("coordsets/" + set) == nullptr)
    check.wrong(Check::join(path, "coordset"), "no coordset '" + set + "'");
  const std::string type = check.text(
      node, "type", path, {"points", "uniform", "rectilinear", "structured", "unstructured"});
  if (type == "unstructured") {
    elements(check, node, path);
  } else if (type == "structured") {
    if (const Node* found = check.group(node, "elements", path))
      check.group(*found, "dims", Check::join(path, "elements"));
  }
}

void field(Check& check, const Node& node, const Node* domain, const std::string& path) {
  if (node.find("association") != nullptr || node.find("basis") == nullptr)
    check.text(node, "association", path, {"vertex", "element"});
  if (node.find("matset") != nullptr) return;  // values of materials
  const std::string on = check.text(node, "topology", path);
  if (domain != nullptr && !on.empty() && domain->find("topologies/" + on) == nullptr)
    check.wrong(Check::join(path, "topology"), "no topology '" + on + "'");
  check.components(node, "values", path, true);
}

void domain(Check& check, const Node& node, const std::string& path) {
  if (const Node* all = check.group(node, "coordsets", path))
    for (const auto& one : all->children)
      coordset(check, *one, Check::join(path, ("coordsets/" + one->name).c_str()));
  if (const Node* all = check.group(node, "topologies", path))
    for (const auto& one : all->children)
      topology(check, *one, &node, Check::join(path, ("topologies/" + one->name).c_str()));
  if (node.find("fields") != nullptr)
    if (const Node* all = check.group(node, "fields", path))
      for (const auto& one : all->children)
        field(check, *one, &node, Check::join(path, ("fields/" + one->name).c_str()));
}

void mesh(Check& check, const Node& node) {
  if (node.type.id == CONDUIT_EMPTY_ID) return;  // a rank without domains
  const bool several =
      node.is_list() ||
      (node.is_group() && node.find("coordsets") == nullptr && node.find("topologies") == nullptr &&
       !node.children.empty() && node.children[0]->find("coordsets") != nullptr);
  if (!several) return domain(check, node, "");
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const std::string& name = node.children[i]->name;
    domain(check, *node.children[i], name.empty() ? "[" + std::to_string(i) + "]" : name);
  }
}

// What generate_index makes: paths of coordinate sets and topologies.
void index(Check& check, const Node& node) {
  for (const char* kind : {"coordsets", "topologies"})
    if (const Node* all = check.group(node, kind, ""))
      for (const auto& one : all->children) {
        const std::string path = std::string(kind) + "/" + one->name;
        check.text(*one, "type", path);
        check.text(*one, "path", path);
      }
}

int verify(const std::string& what, const Node* node, Node* info) {
  try {
    Check check;
    if (node == nullptr) check.wrong("", "the node is NULL");
    else if (what == "mesh") mesh(check, *node);
    else if (what == "coordset" || what == "mesh/coordset") coordset(check, *node, "");
    else if (what == "topology" || what == "mesh/topology") topology(check, *node, nullptr, "");
    else if (what == "field" || what == "mesh/field") field(check, *node, nullptr, "");
    else if (what == "index" || what == "mesh/index") index(check, *node);
    else if (what == "mcarray") return conduit_blueprint_mcarray_verify(node, info);
    else if (what == "table") return conduit_blueprint_table_verify(node, info);
    else
      check.wrong("", "no protocol '" + what +
                          "'; there are mesh, coordset, topology, field, index, mcarray, table");
    if (info != nullptr) {
      info->reset();
      info->fetch("valid")->set_text(check.errors.empty() ? "true" : "false");
      for (const auto& error : check.errors)
        info->fetch("errors")->append()->set_text(error.c_str());
    }
    return check.errors.empty();
  } catch (const std::exception& error) {
    INSITU_ERROR(std::string("conduit_blueprint_verify: ") + error.what());
    return 0;
  }
}

}  // namespace

extern "C" {

void conduit_blueprint_about(conduit_node* result) {
  conduit_about(result);
  conduit_node_set_path_char8_str(result, "protocols/mesh", "verify");
}

int conduit_blueprint_verify(const char* protocol, const conduit_node* node, conduit_node* info) {
  return verify(protocol, node, info);
}

int conduit_blueprint_mesh_verify(const conduit_node* node, conduit_node* info) {
  return verify("mesh", node, info);
}

int conduit_blueprint_mesh_verify_sub_protocol(const char* protocol, const conduit_node* node,
                                               conduit_node* info) {
  return verify(protocol, node, info);
}

}  // extern "C"
