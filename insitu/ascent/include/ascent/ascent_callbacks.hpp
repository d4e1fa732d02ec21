// Functions of the program that actions name: a trigger's `callback`, which returns whether it
// fires, and commands, which take parameters and give results.
#pragma once

#include <conduit.hpp>
#include <string>
#include <vector>

#include "ascent_cxx_bridge.h"

namespace ascent {

namespace detail {

typedef void (*Command)(conduit::Node&, conduit::Node&);
typedef bool (*Condition)();

inline void call_command(insitu_function function, conduit_node* params, conduit_node* output) {
  reinterpret_cast<Command>(function)(conduit::cpp_node_ref(params), conduit::cpp_node_ref(output));
}
inline int call_condition(insitu_function function) {
  return reinterpret_cast<Condition>(function)() ? 1 : 0;
}
inline std::vector<std::string> callbacks(int conditions) {
  std::vector<std::string> names;
  for (int i = 0; i < insitu_callback_count(conditions); ++i)
    names.push_back(insitu_callback_name(conditions, i));
  return names;
}

}  // namespace detail

// A name that is there already is an error, as is one that is not there when it is called.
inline void register_callback(const std::string& name, detail::Command function) {
  if (!insitu_register_command(name.c_str(), detail::call_command,
                               reinterpret_cast<insitu_function>(function)))
    CONDUIT_ERROR("register_callback: there is a callback '" << name << "' already")
}
inline void register_callback(const std::string& name, detail::Condition function) {
  if (!insitu_register_condition(name.c_str(), detail::call_condition,
                                 reinterpret_cast<insitu_function>(function)))
    CONDUIT_ERROR("register_callback: there is a callback '" << name << "' already")
}

inline void execute_callback(const std::string& name, conduit::Node& params,
                             conduit::Node& output) {
  if (!insitu_call_command(name.c_str(), params.c(), output.c()))
    CONDUIT_ERROR("execute_callback: no command '" << name << "'")
}
inline bool execute_callback(const std::string& name) {
  const int answer = insitu_call_condition(name.c_str());
  if (answer < 0) CONDUIT_ERROR("execute_callback: no condition '" << name << "'")
  return answer > 0;
}

inline void get_void_callbacks(std::vector<std::string>& names) { names = detail::callbacks(0); }
inline void get_bool_callbacks(std::vector<std::string>& names) { names = detail::callbacks(1); }
inline void reset_callbacks() { insitu_reset_callbacks(); }

}  // namespace ascent
