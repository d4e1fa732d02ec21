// Trees in files: JSON and YAML, by the file's ending where no protocol is given.
#pragma once

#include <string>

#include "conduit.hpp"
#include "conduit_relay.h"

namespace conduit {
namespace relay {
namespace io {

inline void about(Node& result) { conduit_relay_io_about(result.c()); }
inline std::string about() {
  Node result;
  io::about(result);
  return result.to_yaml();
}
inline void initialize() {}
inline void finalize() {}

inline void save(const Node& node, const std::string& path, const std::string& protocol) {
  node.save(path, protocol);
}
inline void save(const Node& node, const std::string& path) { save(node, path, ""); }
inline void save(const Node& node, const std::string& path, const char* protocol) {
  save(node, path, std::string(protocol));
}
// Options are of other protocols.
inline void save(const Node& node, const std::string& path, const Node&) { save(node, path); }
inline void save(const Node& node, const std::string& path, const std::string& protocol,
                 const Node&) {
  save(node, path, protocol);
}
// What is in the file stays, where the node has nothing in its place.
inline void save_merged(const Node& node, const std::string& path,
                        const std::string& protocol = "") {
  detail::checked_void([&] {
    conduit_relay_io_save_merged(const_cast<conduit_node*>(node.c()), path.c_str(),
                                 protocol.c_str(), nullptr);
  });
}

inline void load(const std::string& path, Node& node) { node.load(path); }
inline void load(const std::string& path, const std::string& protocol, Node& node) {
  node.load(path, protocol);
}
inline void load(const std::string& path, const char* protocol, Node& node) {
  node.load(path, protocol);
}
inline void load(const std::string& path, const Node&, Node& node) { node.load(path); }
inline void load(const std::string& path, const std::string& protocol, const Node&, Node& node) {
  node.load(path, protocol);
}
inline void load(const std::string& path, const std::string& protocol, int step, int domain,
                 Node& node) {
  detail::checked_void([&] {
    conduit_relay_io_load_step_and_domain(path.c_str(), protocol.c_str(), step, domain, nullptr,
                                          node.c());
  });
}
// What the file has replaces what is here; what only is here stays.
inline void load_merged(const std::string& path, Node& node) {
  Node read;
  read.load(path);
  node.update(read);
}
inline int query_number_of_steps(const std::string& path) {
  return conduit_relay_io_query_number_of_steps(path.c_str());
}
inline int query_number_of_domains(const std::string& path) {
  return conduit_relay_io_query_number_of_domains(path.c_str());
}

}  // namespace io
}  // namespace relay
}  // namespace conduit
