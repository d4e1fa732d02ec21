// Meshes in files: a root file, <name>.cycle_<cycle>.root, with the index, and beside it a file per
// domain, in a folder where there are several. In JSON ("json", the default here) or YAML.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "conduit_blueprint_mesh.hpp"
#include "conduit_relay_io.hpp"

namespace conduit {
namespace relay {
namespace io {
namespace blueprint {

namespace detail {

inline std::string six_digits(index_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "%06lld", static_cast<long long>(number));
  return text;
}

// A file's pattern with a domain's number in the place of %d or %06d. All else stays: the pattern
// comes out of a file, and is no format for printf.
inline std::string numbered(const std::string& pattern, index_t number) {
  for (std::size_t at = pattern.find('%'); at != std::string::npos;
       at = pattern.find('%', at + 1)) {
    const std::size_t end = pattern.find_first_not_of("0123456789", at + 1);
    if (end == std::string::npos || pattern[end] != 'd' || end - at > 3) continue;
    std::string digits = std::to_string(number);
    const std::size_t width = end == at + 1 ? 0 : std::stoul(pattern.substr(at + 1, end - at - 1));
    if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
    return pattern.substr(0, at) + digits + pattern.substr(end + 1);
  }
  return pattern;
}

// The last part of a path.
inline std::string file_name(const std::string& path) {
  std::string name, folder;
  utils::rsplit_file_path(path, name, folder);
  return name;
}

}  // namespace detail

inline void write_mesh(const Node& mesh, const std::string& path,
                       const std::string& protocol = "json") {
  namespace meshes = conduit::blueprint::mesh;
  const std::vector<const Node*> domains = meshes::domains(mesh);
  if (domains.empty()) return;
  std::string stem = path;
  if (domains[0]->has_path("state/cycle"))
    stem += ".cycle_" + detail::six_digits(domains[0]->fetch("state/cycle").to_int64());
  Node root;
  const index_t count = static_cast<index_t>(domains.size());
  meshes::generate_index(*domains[0], "mesh", count, root["blueprint_index/mesh"]);
  const bool several = count > 1;
  if (several) utils::create_directory(stem);
  const std::string name = detail::file_name(stem);
  for (index_t i = 0; i < count; ++i) {
    Node file;
    file["mesh"].set_external(*domains[static_cast<std::size_t>(i)]);
    const std::string target = several ? stem + "/domain_" + detail::six_digits(i) + "." + protocol
                                       : stem + "." + protocol;
    io::save(file, target, protocol);
  }
  root["protocol/name"] = protocol;
  root["protocol/version"] = "0.9.2";
  root["number_of_files"] = count;
  root["number_of_trees"] = count;
  root["file_pattern"] = several ? name + "/domain_%06d." + protocol : name + "." + protocol;
  root["tree_pattern"] = "";
  io::save(root, stem + ".root", protocol);
}
inline void write_mesh(const Node& mesh, const std::string& path, const std::string& protocol,
                       const Node&) {
  write_mesh(mesh, path, protocol);
}

inline void read_mesh(const std::string& root_file, Node& mesh) {
  Node root;
  std::string folder, name;
  utils::rsplit_file_path(root_file, name, folder);
  // JSON is YAML, too; the file's ending does not say which it is.
  io::load(root_file, "yaml", root);
  const std::string protocol = root["protocol/name"].as_string();
  const std::string pattern = root["file_pattern"].as_string();
  const index_t count = root["number_of_files"].to_int64();
  mesh.reset();
  for (index_t i = 0; i < count; ++i) {
    Node file;
    io::load(utils::join_file_path(folder, detail::numbered(pattern, i)), protocol, file);
    (count > 1 ? mesh.append() : mesh).move(file["mesh"]);
  }
}
inline void read_mesh(const std::string& root_file, const Node&, Node& mesh) {
  read_mesh(root_file, mesh);
}

// Conduit's names for the same, which replace what is there.
inline void save_mesh(const Node& mesh, const std::string& path,
                      const std::string& protocol = "json") {
  write_mesh(mesh, path, protocol);
}
inline void save_mesh(const Node& mesh, const std::string& path, const std::string& protocol,
                      const Node&) {
  write_mesh(mesh, path, protocol);
}
inline void load_mesh(const std::string& root_file, Node& mesh) { read_mesh(root_file, mesh); }

}  // namespace blueprint
}  // namespace io
}  // namespace relay
}  // namespace conduit
