// Texts cut at separators, paths in trees and in the file system.
#pragma once

#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "conduit_core.hpp"

namespace conduit {
namespace utils {

// What stands before and behind the first separator; all, and nothing, where there is none.
inline void split_string(const std::string& text, const std::string& separator, std::string& before,
                         std::string& behind) {
  const std::string all = text;  // the results may be the argument
  const std::size_t at = all.find(separator);
  before = all.substr(0, at);
  behind = at == std::string::npos ? "" : all.substr(at + separator.size());
}
inline void split_string(const std::string& text, char separator, std::vector<std::string>& parts) {
  parts.clear();
  std::size_t from = 0;
  while (from <= text.size() && !text.empty()) {
    const std::size_t to = std::min(text.find(separator, from), text.size());
    parts.push_back(text.substr(from, to - from));
    from = to + 1;
  }
}
// What stands behind and before the last separator; all, and nothing, where there is none.
inline void rsplit_string(const std::string& text, const std::string& separator,
                          std::string& behind, std::string& before) {
  const std::string all = text;
  const std::size_t at = all.rfind(separator);
  behind = at == std::string::npos ? all : all.substr(at + separator.size());
  before = at == std::string::npos ? "" : all.substr(0, at);
}

inline void split_path(const std::string& path, std::string& first, std::string& rest) {
  split_string(path, "/", first, rest);
}
inline void rsplit_path(const std::string& path, std::string& last, std::string& before) {
  rsplit_string(path, "/", last, before);
}
inline std::string join_path(const std::string& left, const std::string& right) {
  if (left.empty() || right.empty()) return left + right;
  return left.back() == '/' || right.front() == '/' ? left + right : left + "/" + right;
}

inline std::string file_path_separator() { return "/"; }
inline void split_file_path(const std::string& path, std::string& first, std::string& rest) {
  split_string(path, "/", first, rest);
}
inline void rsplit_file_path(const std::string& path, std::string& last, std::string& before) {
  rsplit_string(path, "/", last, before);
}
inline std::string join_file_path(const std::string& left, const std::string& right) {
  if (left.empty() || right.empty()) return left + right;
  return left.back() == '/' ? left + right : left + "/" + right;
}

inline bool is_file(const std::string& path) {
  struct stat found;
  return stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode);
}
inline bool is_directory(const std::string& path) {
  struct stat found;
  return stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode);
}
// Bytes; 0 where there is no such file.
inline index_t file_size(const std::string& path) {
  struct stat found;
  return stat(path.c_str(), &found) == 0 ? static_cast<index_t>(found.st_size) : 0;
}
inline bool create_directory(const std::string& path) {
  return is_directory(path) || mkdir(path.c_str(), 0777) == 0;
}
inline bool remove_file(const std::string& path) { return unlink(path.c_str()) == 0; }
// Only an empty one.
inline bool remove_directory(const std::string& path) { return rmdir(path.c_str()) == 0; }
inline bool remove_path_if_exists(const std::string& path) {
  struct stat found;
  return lstat(path.c_str(), &found) != 0 || std::remove(path.c_str()) == 0;
}
// Paths of what is in a folder, sorted; false where it cannot be read.
inline bool list_directory_contents(const std::string& folder, std::vector<std::string>& contents,
                                    bool ignore_dot = true) {
  contents.clear();
  DIR* const open = opendir(folder.c_str());
  if (open == nullptr) return false;
  while (const dirent* const entry = readdir(open)) {
    const std::string name = entry->d_name;
    if (!ignore_dot || (name != "." && name != "..")) contents.push_back(join_path(folder, name));
  }
  closedir(open);
  std::sort(contents.begin(), contents.end());
  return true;
}
// The exit status of a command.
inline int system_execute(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace utils
}  // namespace conduit
