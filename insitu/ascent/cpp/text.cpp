// Trees from text, and files of them: JSON here, YAML through libascent_mpi.so beside this library,
// where Python's parser is within reach.

#include <dlfcn.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "node.hpp"

using insitu::Node;
using insitu::Type;

namespace {

constexpr int deepest = 200;  // groups within groups that are read

// A reader of JSON that puts what it reads into nodes.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  void document(Node& node) {
    value(node, 0);
    blanks();
    if (at_ < text_.size()) refuse("something follows the value");
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;

  [[noreturn]] void refuse(const std::string& why) const {
    const auto line = 1 + std::count(text_.begin(), text_.begin() + static_cast<long>(at_), '\n');
    throw std::runtime_error("not valid JSON: line " + std::to_string(line) + ": " + why);
  }
  void blanks() {
    while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_]) != nullptr && text_[at_] != 0)
      ++at_;
  }
  char peek() {
    blanks();
    if (at_ == text_.size()) refuse("it ends too early");
    return text_[at_];
  }
  void expect(char wanted) {
    if (peek() != wanted) refuse(std::string("expected '") + wanted + "'");
    ++at_;
  }
  bool word(std::string_view wanted) {
    if (text_.substr(at_, wanted.size()) != wanted) return false;
    at_ += wanted.size();
    return true;
  }

  void value(Node& node, int depth) {
    if (depth > deepest) refuse("nested too deeply");
    const char next = peek();
    if (next == '{') {
      group(node, depth);
    } else if (next == '[') {
      list(node, depth);
    } else if (next == '"') {
      node.set_text(quoted().c_str());
    } else if (word("true")) {
      node.set_text("true");  // as Ascent writes its flags
    } else if (word("false")) {
      node.set_text("false");
    } else if (word("null")) {
      node.reset();
    } else {
      number(node);
    }
  }

  void group(Node& node, int depth) {
    expect('{');
    node.reset();
    node.type.id = CONDUIT_OBJECT_ID;
    if (peek() == '}') {
      ++at_;
      return;
    }
    do {
      if (peek() != '"') refuse("expected a name in quotes");
      Node* child = node.fetch(quoted());
      if (child == nullptr) refuse("a name leads out of the tree");
      expect(':');
      value(*child, depth + 1);
    } while (more('}'));
  }

  bool more(char end) {
    const char next = peek();
    if (next != ',' && next != end) refuse(std::string("expected ',' or '") + end + "'");
    ++at_;
    return next == ',';
  }

  // Numbers become an array, in which null is NaN, as text_write.cpp has it.
  void list(Node& node, int depth) {
    expect('[');
    node.reset();
    node.type.id = CONDUIT_LIST_ID;
    if (peek() == ']') {
      ++at_;
      return;
    }
    bool numbers = true, integers = true, any = false;
    do {
      Node* child = node.append();
      value(*child, depth + 1);
      const bool one = child->type.is_number() && child->type.num_elements == 1;
      any = any || one;
      numbers = numbers && (one || child->type.id == CONDUIT_EMPTY_ID);
      integers = integers && child->is_integer();
    } while (more(']'));
    if (!numbers || !any) return;
    const auto n = static_cast<conduit_index_t>(node.children.size());
    if (integers) {
      std::vector<conduit_int64> all;
      for (const auto& child : node.children) all.push_back(child->integer(0));
      node.set(all.data(), Type{CONDUIT_INT64_ID, n, 0, 8, 8, 0});
    } else {
      std::vector<double> all;
      for (const auto& child : node.children)
        all.push_back(child->type.is_number() ? child->number(0) : std::nan(""));
      node.set(all.data(), Type{CONDUIT_FLOAT64_ID, n, 0, 8, 8, 0});
    }
  }

  void number(Node& node) {
    const char* const begin = text_.data() + at_;
    const char* const end = text_.data() + text_.size();
    conduit_int64 whole = 0;
    const auto integer = std::from_chars(begin, end, whole);
    double real = 0;
    const auto floating = std::from_chars(begin, end, real);
    if (floating.ec != std::errc()) refuse("expected a value");
    if (integer.ec == std::errc() && integer.ptr == floating.ptr)
      node.set(&whole, Type{CONDUIT_INT64_ID, 1, 0, 8, 8, 0});
    else node.set(&real, Type{CONDUIT_FLOAT64_ID, 1, 0, 8, 8, 0});
    at_ += static_cast<std::size_t>(floating.ptr - begin);
  }

  unsigned hexadecimal() {
    unsigned code = 0;
    if (at_ + 4 > text_.size()) refuse("it ends too early");
    const auto read = std::from_chars(text_.data() + at_, text_.data() + at_ + 4, code, 16);
    if (read.ptr != text_.data() + at_ + 4) refuse("expected four hexadecimal digits");
    at_ += 4;
    return code;
  }

  std::string quoted() {
    std::string out;
    ++at_;
    while (true) {
      if (at_ == text_.size()) refuse("a text without an end");
      const char c = text_[at_++];
      if (c == '"') return out;
      if (c != '\\') {
        out += c;
        continue;
      }
      if (at_ == text_.size()) refuse("a text without an end");
      const char escaped = text_[at_++];
      if (escaped == 'u') add_code(out, hexadecimal());
      else if (escaped == 0 || std::strchr("\"\\/bfnrt", escaped) == nullptr)
        refuse("an unknown escape");
      else out += unescaped(escaped);
    }
  }

  static char unescaped(char c) {
    switch (c) {
      case 'b': return '\b';
      case 'f': return '\f';
      case 'n': return '\n';
      case 'r': return '\r';
      case 't': return '\t';
      default: return c;
    }
  }

  // As UTF-8; two halves of a pair are joined.
  void add_code(std::string& out, unsigned code) {
    if (code >= 0xD800 && code < 0xDC00 && word("\\u")) {
      const unsigned low = hexadecimal();
      if (low < 0xDC00 || low >= 0xE000) refuse("half a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    const auto add = [&](unsigned bits) {
      out += static_cast<char>(bits);
    };
    if (code < 0x80) {
      add(code);
    } else if (code < 0x800) {
      add(0xC0 | code >> 6);
      add(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      add(0xE0 | code >> 12);
      add(0x80 | (code >> 6 & 0x3F));
      add(0x80 | (code & 0x3F));
    } else {
      add(0xF0 | code >> 18);
      add(0x80 | (code >> 12 & 0x3F));
      add(0x80 | (code >> 6 & 0x3F));
      add(0x80 | (code & 0x3F));
    }
  }
};

// YAML as JSON, by Python within libascent_mpi.so.
std::string json_of_yaml(const char* text) {
  using Convert = char* (*)(const char*);
  auto convert = reinterpret_cast<Convert>(dlsym(RTLD_DEFAULT, "insitu_yaml_to_json"));
  if (convert == nullptr) {
    Dl_info here{};
    dladdr(reinterpret_cast<const void*>(&json_of_yaml), &here);
    std::string file = here.dli_fname == nullptr ? "" : here.dli_fname;
    file = file.substr(0, file.rfind('/') + 1) + "libascent_mpi.so";
    void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw std::runtime_error(std::string("YAML: ") + dlerror());
    convert = reinterpret_cast<Convert>(dlsym(library, "insitu_yaml_to_json"));
    if (convert == nullptr) throw std::runtime_error("YAML: " + file + " is of another version");
  }
  char* json = convert(text);
  if (json == nullptr) throw std::runtime_error("not valid YAML");
  std::string result = json;
  std::free(json);
  return result;
}

void parse(Node& node, const char* text, const std::string& protocol) {
  // Read aside: a text that is refused leaves the node as it was.
  Node read;
  if (protocol == "yaml") insitu::parse_json(read, json_of_yaml(text));
  else if (protocol == "json" || protocol == "conduit_json") insitu::parse_json(read, text);
  else throw std::runtime_error("protocol '" + protocol + "': there are json and yaml");
  node.take(read);
}

// The protocol, or what the file's ending says.
std::string protocol_of(const char* protocol, const std::string& file) {
  if (protocol != nullptr && *protocol != 0) return protocol;
  const auto dot = file.rfind('.');
  const std::string ending = dot == std::string::npos ? "" : file.substr(dot + 1);
  return ending == "yml" ? "yaml" : ending;
}

template <typename Body>
void guarded(const char* what, Body body) {
  try {
    body();
  } catch (const std::exception& error) {
    INSITU_ERROR(std::string(what) + ": " + error.what());
  }
}

}  // namespace

namespace insitu {

void parse_json(Node& node, std::string_view text) { Reader(text).document(node); }

void load(Node& node, const char* file, const char* protocol) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) throw std::runtime_error(std::string(file) + ": cannot be read");
  parse(node, text.str().c_str(), protocol_of(protocol, file));
}

}  // namespace insitu

extern "C" {

void conduit_node_parse(conduit_node* node, const char* text, const char* protocol) {
  guarded(__func__, [&] {
    if (node == nullptr || text == nullptr) throw std::runtime_error("the node or text is NULL");
    parse(*node, text, protocol == nullptr ? "json" : protocol);
  });
}

void conduit_node_load(conduit_node* node, const char* file, const char* protocol) {
  guarded(__func__, [&] {
    if (node == nullptr || file == nullptr) throw std::runtime_error("the node or file is NULL");
    insitu::load(*node, file, protocol);
  });
}

void conduit_node_save(conduit_node* node, const char* file, const char* protocol) {
  guarded(__func__, [&] {
    if (node == nullptr || file == nullptr) throw std::runtime_error("the node or file is NULL");
    const std::string kind = protocol_of(protocol, file);
    if (kind != "json" && kind != "yaml")
      throw std::runtime_error("protocol '" + kind + "': there are json and yaml");
    const std::string aside = std::string(file) + ".part";
    std::ofstream out(aside, std::ios::binary);
    insitu::TextStyle style;
    style.json = kind == "json";
    style.leading = false;
    out << insitu::to_text(*node, style);
    out.close();
    if (!out || std::rename(aside.c_str(), file) != 0) {
      std::remove(aside.c_str());
      throw std::runtime_error(std::string(file) + ": cannot be written");
    }
  });
}

}  // extern "C"
