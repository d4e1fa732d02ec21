// conduit_relay.h: trees in files.

#include "conduit_relay.h"

#include <sys/stat.h>

#include <stdexcept>
#include <string>

#include "conduit.h"
#include "node.hpp"

namespace {

void only_one(const char* what, int step, int domain) {
  if (step != 0 || domain != 0)
    throw std::runtime_error(std::string(what) + ": step " + std::to_string(step) + " of domain " +
                             std::to_string(domain) + ": JSON and YAML files have one of each");
}

template <typename Body>
void guarded(Body body) {
  try {
    body();
  } catch (const std::exception& error) {
    INSITU_ERROR(error.what());
  }
}

}  // namespace

extern "C" {

void conduit_relay_about(conduit_node* result) {
  conduit_about(result);
  for (const char* protocol : {"json", "yaml"})
    conduit_node_set_path_char8_str(result, (std::string("io/protocols/") + protocol).c_str(),
                                    "enabled");
}

void conduit_relay_io_about(conduit_node* result) {
  for (const char* protocol : {"json", "yaml"})
    conduit_node_set_path_char8_str(result, (std::string("protocols/") + protocol).c_str(),
                                    "enabled");
}

void conduit_relay_io_initialize(void) {}
void conduit_relay_io_finalize(void) {}

void conduit_relay_io_save(conduit_node* node, const char* path, const char* protocol,
                           conduit_node*) {
  conduit_node_save(node, path, protocol);
}

void conduit_relay_io_save_merged(conduit_node* node, const char* path, const char* protocol,
                                  conduit_node*) {
  guarded([&] {
    if (node == nullptr || path == nullptr) throw std::runtime_error("the node or file is NULL");
    insitu::Node all;
    struct stat there;
    // A file that cannot be read is not written over.
    if (stat(path, &there) == 0) insitu::load(all, path, protocol);
    all.update(*node);
    conduit_node_save(&all, path, protocol);
  });
}

void conduit_relay_io_load(const char* path, const char* protocol, conduit_node*,
                           conduit_node* node) {
  conduit_node_load(node, path, protocol);
}

void conduit_relay_io_load_step_and_domain(const char* path, const char* protocol, int step,
                                           int domain, conduit_node*, conduit_node* node) {
  guarded([&] {
    only_one("conduit_relay_io_load_step_and_domain", step, domain);
    conduit_node_load(node, path, protocol);
  });
}

int conduit_relay_io_query_number_of_steps(const char*) { return 1; }
int conduit_relay_io_query_number_of_domains(const char*) { return 1; }

}  // extern "C"
