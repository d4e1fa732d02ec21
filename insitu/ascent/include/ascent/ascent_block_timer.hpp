// Time spent in a block of code: ASCENT_BLOCK_TIMER(NAME), added up by name.
#pragma once

#include <string>

#include "ascent_functions.h"

#define ASCENT_BLOCK_TIMER(NAME) ascent::BlockTimer ASCENT_BLOCK_TIMER_##NAME(#NAME);

namespace ascent {

class BlockTimer {
 public:
  explicit BlockTimer(const std::string& name) : name_(name) { StartTimer(name_.c_str()); }
  ~BlockTimer() { StopTimer(name_.c_str()); }
  BlockTimer(const BlockTimer&) = delete;
  BlockTimer& operator=(const BlockTimer&) = delete;

  static void StartTimer(const char* name) { ascent_timer_start(const_cast<char*>(name)); }
  static void StopTimer(const char* name) { ascent_timer_stop(const_cast<char*>(name)); }
  // ascent_timers_<rank>.csv.
  static void WriteLogFile() { ascent_timer_write(); }

 private:
  std::string name_;
};

}  // namespace ascent
