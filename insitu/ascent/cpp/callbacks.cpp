// The program's functions that actions call by name. ascent_cxx_bridge.h.

#include <cstdio>
#include <exception>
#include <iterator>
#include <map>
#include <string>

#include "ascent_cxx_bridge.h"

namespace {

using CallCommand = void (*)(insitu_function, conduit_node*, conduit_node*);
using CallCondition = int (*)(insitu_function);

struct Callback {
  CallCommand command = nullptr;
  CallCondition condition = nullptr;
  insitu_function function = nullptr;
};

// By name: commands, and conditions.
std::map<std::string, Callback>& all(bool conditions) {
  static std::map<std::string, Callback> kinds[2];
  return kinds[conditions ? 1 : 0];
}

int add(bool condition, const char* name, const Callback& callback) {
  if (all(!condition).count(name) > 0) return 0;
  return all(condition).emplace(name, callback).second ? 1 : 0;
}

// Nothing thrown may pass: the caller is Python's, or C's.
template <typename Call>
int guarded(const char* name, int otherwise, Call call) {
  try {
    return call();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "insitu: callback '%s': %s\n", name, error.what());
  } catch (...) {
    std::fprintf(stderr, "insitu: callback '%s': an exception\n", name);
  }
  return otherwise;
}

}  // namespace

extern "C" {

int insitu_register_command(const char* name, CallCommand call, insitu_function function) {
  return add(false, name, {call, nullptr, function});
}

int insitu_register_condition(const char* name, CallCondition call, insitu_function function) {
  return add(true, name, {nullptr, call, function});
}

int insitu_call_command(const char* name, conduit_node* params, conduit_node* output) {
  const auto found = all(false).find(name);
  if (found == all(false).end()) return 0;
  return guarded(name, 0, [&] {
    found->second.command(found->second.function, params, output);
    return 1;
  });
}

int insitu_call_condition(const char* name) {
  const auto found = all(true).find(name);
  if (found == all(true).end()) return -1;
  return guarded(name, -1, [&] { return found->second.condition(found->second.function); });
}

int insitu_callback_count(int conditions) { return static_cast<int>(all(conditions != 0).size()); }

const char* insitu_callback_name(int conditions, int index) {
  return std::next(all(conditions != 0).begin(), index)->first.c_str();
}

void insitu_reset_callbacks(void) {
  all(false).clear();
  all(true).clear();
}

}  // extern "C"
