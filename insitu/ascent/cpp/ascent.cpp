// ascent.h: every call is handed to insitu/ascent/c_callbacks.py; nothing thrown leaves here.

#include "ascent_functions.h"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>

#include "conduit_utils.h"
#include "python.hpp"

namespace {

// One opened Ascent: Python knows it by its number, info is what it last said.
struct Opened {
  long long handle;
  conduit_node* info = conduit_node_create();

  Opened() {
    static std::atomic<long long> last{0};
    handle = ++last;
  }
  ~Opened() { conduit_node_destroy(info); }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
};

void say(const char* what, const char* text) {
  std::fprintf(stderr, "insitu: %s: %s\n", what, text);
  std::fflush(stderr);
}

void call(const char* what, void* ascent, const void* node) {
  auto* opened = static_cast<Opened*>(ascent);
  if (opened == nullptr) return say(what, "the Ascent is NULL");
  try {
    const std::string answer = insitu::call_python(what, opened->handle, node);
    if (!answer.empty()) conduit_node_parse(opened->info, answer.c_str(), "json");
  } catch (const std::exception& error) {
    if (dynamic_cast<const insitu::LastingError*>(&error) == nullptr) say(what, error.what());
    conduit_node_reset(opened->info);
    conduit_node_set_path_char8_str(opened->info, "status/message",
                                    (std::string("Ascent::") + what + " failed").c_str());
    conduit_node_set_path_char8_str(opened->info, "status/details", error.what());
  }
}

struct Timer {
  std::chrono::steady_clock::time_point since;
  bool running = false;
  double seconds = 0;
  long count = 0;
};

std::map<std::string, Timer>& timers() {
  static std::map<std::string, Timer> all;
  return all;
}

}  // namespace

extern "C" {

void ascent_about(conduit_node* result) {
  conduit_node_set_path_char8_str(result, "implementation", "insitu");
  conduit_node_set_path_char8_str(result, "version", INSITU_VERSION);
  conduit_node_set_path_char8_str(result, "default_runtime", "ascent");
  conduit_node_set_path_char8_str(result, "runtimes/ascent/status", "enabled");
}

void* ascent_create(void) {
  try {
    return new Opened;
  } catch (const std::exception& error) {
    say("create", error.what());
    return nullptr;
  }
}

void ascent_destroy(void* ascent) {
  if (ascent == nullptr) return;
  ascent_close(ascent);
  delete static_cast<Opened*>(ascent);
}

void ascent_open(void* ascent, conduit_node* options) { call("open", ascent, options); }
void ascent_publish(void* ascent, conduit_node* data) { call("publish", ascent, data); }
void ascent_execute(void* ascent, conduit_node* actions) { call("execute", ascent, actions); }
void ascent_close(void* ascent) { call("close", ascent, nullptr); }

conduit_node* ascent_info_ref(void* ascent) {
  return ascent == nullptr ? nullptr : static_cast<Opened*>(ascent)->info;
}

void ascent_info(void* ascent, conduit_node* result) {
  if (ascent != nullptr) conduit_node_set_node(result, static_cast<Opened*>(ascent)->info);
}

void ascent_timer_start(char* name) {
  Timer& timer = timers()[name];
  timer.since = std::chrono::steady_clock::now();
  timer.running = true;
}

void ascent_timer_stop(char* name) {
  Timer& timer = timers()[name];
  if (!timer.running) return;
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - timer.since;
  timer.running = false;
  timer.seconds += passed.count();
  ++timer.count;
}

void ascent_timer_write(void) {
  const char* rank = "0";
  for (const char* name : {"PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK"})
    if (const char* value = std::getenv(name)) rank = value;
  const std::string file = std::string("ascent_timers_") + rank + ".csv";
  std::FILE* out = std::fopen(file.c_str(), "w");
  if (out == nullptr) return say("timer_write", (file + ": " + std::strerror(errno)).c_str());
  std::fprintf(out, "name,seconds,count\n");
  for (const auto& [name, timer] : timers())
    std::fprintf(out, "%s,%.6f,%ld\n", name.c_str(), timer.seconds, timer.count);
  if (std::fclose(out) != 0) say("timer_write", (file + ": " + std::strerror(errno)).c_str());
}

// For libconduit: a text, to be freed, or NULL where it is not YAML.
CONDUIT_API char* insitu_yaml_to_json(const char* text) {
  try {
    return strdup(insitu::call_python("yaml", 0, text).c_str());
  } catch (const std::exception& error) {
    say("yaml", error.what());
    return nullptr;
  }
}

}  // extern "C"
