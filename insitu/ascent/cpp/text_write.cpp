// Trees as text: JSON and YAML, laid out as conduit lays them out.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "conduit_node.h"
#include "node.hpp"

using insitu::Node;
using insitu::TextStyle;

namespace {

void write_code(std::string& out, char c) {
  char code[8];
  std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
  out += code;
}

void write_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          write_code(out, c);
        } else if (c == '\xc2' && i + 1 < text.size() && text[i + 1] < '\xa0') {
          write_code(out, text[++i]);  // controls that take two bytes of UTF-8
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

std::string text_of(const Node& node) {
  const auto length = static_cast<std::size_t>(node.type.num_elements);
  return node.data == nullptr ? "" : std::string(node.text(), strnlen(node.text(), length));
}

// The shortest text that reads back as the same number. JSON has no number for NaN and infinities.
void write_number(std::string& out, const Node& node, conduit_index_t i, bool json) {
  char text[32];
  std::to_chars_result end{};
  if (node.type.id == CONDUIT_UINT64_ID) {
    end = std::to_chars(text, text + sizeof text, static_cast<unsigned long long>(node.integer(i)));
  } else if (node.is_integer()) {
    end = std::to_chars(text, text + sizeof text, node.integer(i));
  } else {
    const double value = node.number(i);
    if (!std::isfinite(value)) {
      out += json ? "null" : std::isnan(value) ? ".nan" : value > 0 ? ".inf" : "-.inf";
      return;
    }
    end = node.type.id == CONDUIT_FLOAT32_ID
              ? std::to_chars(text, text + sizeof text, static_cast<float>(value))
              : std::to_chars(text, text + sizeof text, value);
    // With a point, which YAML's floating-point numbers need.
    const std::string_view written(text, static_cast<std::size_t>(end.ptr - text));
    const auto exponent = std::min(written.find('e'), written.size());
    out += written.substr(0, exponent);
    if (written.find('.') == std::string_view::npos) out += ".0";
    out += written.substr(exponent);
    return;
  }
  out.append(text, end.ptr);
}

// Writes one tree in one style.
class Writer {
 public:
  explicit Writer(const TextStyle& style) : style_(style) {}

  std::string whole(const Node& node) {
    if (style_.json) {
      json(node, style_.depth);
    } else if (node.children.empty()) {
      leaf(node);
      out_ += style_.eoe;
    } else {
      if (style_.leading) out_ += style_.eoe;
      yaml(node, style_.depth);
    }
    return std::move(out_);
  }

 private:
  const TextStyle& style_;
  std::string out_;

  void indent(conduit_index_t depth) {
    for (conduit_index_t i = 0; i < depth * style_.indent; ++i) out_ += style_.pad;
  }

  void numbers(const Node& node) {
    const auto n = node.type.num_elements;
    const auto most = style_.most_elements;
    if (n == 1 && node.data != nullptr) return write_number(out_, node, 0, style_.json);
    out_ += '[';
    for (conduit_index_t i = 0; i < n && node.data != nullptr; ++i) {
      if (i > 0) out_ += ", ";
      if (most > 0 && n > most && i == most / 2) {
        out_ += "..., ";
        i = n - most / 2;
      }
      write_number(out_, node, i, style_.json);
    }
    out_ += ']';
  }

  void leaf(const Node& node) {
    if (node.type.id == CONDUIT_CHAR8_STR_ID) write_quoted(out_, text_of(node));
    else if (node.type.is_number()) numbers(node);
    else out_ += node.is_group() ? "{}" : node.is_list() ? "[]" : style_.json ? "null" : "";
  }

  // Calls `child` for each, or for the first and last where there are more than are shown.
  template <typename Child>
  void children(const Node& node, conduit_index_t depth, Child child) {
    const auto n = static_cast<conduit_index_t>(node.children.size());
    const auto most = style_.most_children > 0 ? style_.most_children : n;
    for (conduit_index_t i = 0; i < n; ++i) {
      if (n > most && i == (most + 1) / 2) {
        indent(depth);
        out_ += "... ( skipped " + std::to_string(n - most) + " children )" + style_.eoe;
        i = n - most / 2;
        if (i >= n) return;
      }
      child(*node.children[static_cast<std::size_t>(i)], i + 1 == n);
    }
  }

  void json(const Node& node, conduit_index_t depth) {
    if (node.children.empty()) return leaf(node);
    if (style_.leading || depth > style_.depth) out_ += style_.eoe;
    indent(depth);
    out_ += (node.is_group() ? "{" : "[") + style_.eoe;
    children(node, depth + 1, [&](const Node& child, bool last) {
      indent(depth + 1);
      if (node.is_group()) {
        write_quoted(out_, child.name);
        out_ += ": ";
      }
      json(child, depth + 1);
      if (!last) out_ += ',';
      out_ += style_.eoe;
    });
    indent(depth);
    out_ += node.is_group() ? '}' : ']';
  }

  void name(const Node& node) {
    const bool plain = !node.name.empty() &&
                       node.name.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                           "0123456789_-./") == std::string::npos &&
                       std::isalpha(static_cast<unsigned char>(node.name[0])) != 0;
    if (plain) out_ += node.name;
    else write_quoted(out_, node.name);
  }

  void yaml(const Node& node, conduit_index_t depth) {
    children(node, depth, [&](const Node& child, bool) {
      indent(depth);
      if (node.is_list()) {
        out_ += '-';
      } else {
        name(child);
        out_ += ':';
      }
      if (child.children.empty()) {
        out_ += ' ';
        leaf(child);
        out_ += style_.eoe;
      } else {
        out_ += style_.eoe;
        yaml(child, depth + 1);
      }
    });
  }
};

constexpr conduit_index_t summary_elements = 8, summary_children = 50;

// What options say of a style.
void read_options(const Node& options, TextStyle& style) {
  const auto number = [&](const char* name, conduit_index_t& value) {
    const Node* const found = options.find(name);
    if (found != nullptr && found->type.is_number() && found->type.num_elements > 0)
      value = found->integer(0);
  };
  const auto text = [&](const char* name, std::string& value) {
    const Node* const found = options.find(name);
    if (found != nullptr && found->type.id == CONDUIT_CHAR8_STR_ID) value = found->text();
  };
  std::string protocol = style.json ? "json" : "yaml";
  text("protocol", protocol);
  style.json = protocol.find("json") != std::string::npos;
  if (!style.json && protocol != "yaml")
    throw std::runtime_error("protocol '" + protocol + "': there are json and yaml");
  number("indent", style.indent);
  number("depth", style.depth);
  text("pad", style.pad);
  text("eoe", style.eoe);
  number("num_children_threshold", style.most_children);
  number("num_elements_threshold", style.most_elements);
}

char* written(const char* what, const Node* node, TextStyle style, const Node* options = nullptr) {
  try {
    if (node == nullptr) throw std::runtime_error("the node is NULL");
    if (options != nullptr) read_options(*options, style);
    return strdup(insitu::to_text(*node, style).c_str());
  } catch (const std::exception& error) {
    INSITU_ERROR(std::string(what) + ": " + error.what());
    return nullptr;
  }
}

TextStyle summary() {
  TextStyle style;
  style.most_elements = summary_elements;
  style.most_children = summary_children;
  return style;
}

TextStyle as_json() {
  TextStyle style;
  style.json = true;
  return style;
}

}  // namespace

namespace insitu {

std::string to_text(const Node& node, const TextStyle& style) { return Writer(style).whole(node); }

}  // namespace insitu

extern "C" {

void conduit_node_print(conduit_node* node) {
  TextStyle style = summary();
  style.leading = false;
  char* const text = written(__func__, node, style);
  if (text == nullptr) return;
  std::fputs(text, stdout);
  std::fflush(stdout);
  std::free(text);
}

void conduit_node_print_detailed(conduit_node* node) { conduit_node_print(node); }

char* conduit_node_to_json(const conduit_node* node) { return written(__func__, node, as_json()); }
char* conduit_node_to_yaml(const conduit_node* node) {
  return written(__func__, node, TextStyle());
}
char* conduit_node_to_string(const conduit_node* node) {
  return written(__func__, node, TextStyle());
}
char* conduit_node_to_summary_string(const conduit_node* node) {
  return written(__func__, node, summary());
}
char* conduit_node_to_json_with_options(const conduit_node* node, const conduit_node* options) {
  return written(__func__, node, as_json(), options);
}
char* conduit_node_to_yaml_with_options(const conduit_node* node, const conduit_node* options) {
  return written(__func__, node, TextStyle(), options);
}
char* conduit_node_to_string_with_options(const conduit_node* node, const conduit_node* options) {
  return written(__func__, node, TextStyle(), options);
}
char* conduit_node_to_summary_string_with_options(const conduit_node* node,
                                                  const conduit_node* options) {
  return written(__func__, node, summary(), options);
}

}  // extern "C"
