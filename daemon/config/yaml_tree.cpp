#include "difyd/config/yaml_tree.hpp"

#include <yaml.h>

#include <algorithm>

namespace difyd::config {
namespace {

constexpr int deepest = 16;

position at(const yaml_mark_t& mark) { return {mark.line + 1, mark.column + 1}; }

class event {
 public:
  event() = default;
  event(const event&) = delete;
  event& operator=(const event&) = delete;
  ~event() {
    if (filled_) yaml_event_delete(&raw_);
  }
  bool next(yaml_parser_t& parser) {
    if (filled_) yaml_event_delete(&raw_);
    filled_ = yaml_parser_parse(&parser, &raw_) != 0;
    return filled_;
  }
  const yaml_event_t& get() const { return raw_; }

 private:
  yaml_event_t raw_{};
  bool filled_ = false;
};

bool null_text(const yaml_event_t& scalar) {
  if (scalar.data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return false;
  const std::string text(reinterpret_cast<const char*>(scalar.data.scalar.value), scalar.data.scalar.length);
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

bool decorated(const yaml_event_t& e) {
  if (e.type == YAML_SCALAR_EVENT) return e.data.scalar.anchor || e.data.scalar.tag;
  if (e.type == YAML_MAPPING_START_EVENT) return e.data.mapping_start.anchor || e.data.mapping_start.tag;
  if (e.type == YAML_SEQUENCE_START_EVENT) return e.data.sequence_start.anchor || e.data.sequence_start.tag;
  return false;
}

class composer {
 public:
  explicit composer(const std::string& text) {
    yaml_parser_initialize(&parser_);
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  composer(const composer&) = delete;
  composer& operator=(const composer&) = delete;
  ~composer() { yaml_parser_delete(&parser_); }

  node document() {
    advance();  // stream start
    advance();
    if (current().type == YAML_STREAM_END_EVENT) return {};
    advance();
    node root = value(0);
    advance();  // document end
    advance();
    if (current().type != YAML_STREAM_END_EVENT) refuse("a second document");
    return root;
  }

 private:
  const yaml_event_t& current() const { return event_.get(); }

  [[noreturn]] void refuse(std::string cause) const {
    throw syntax_error{at(current().start_mark), std::move(cause)};
  }

  void advance() {
    if (event_.next(parser_)) return;
    const bool scanner = parser_.error == YAML_SCANNER_ERROR || parser_.error == YAML_PARSER_ERROR;
    const std::string problem = parser_.problem ? parser_.problem : "not readable as YAML";
    throw syntax_error{scanner ? at(parser_.problem_mark) : position{at(parser_.mark)}, problem};
  }

  std::string scalar_text() const {
    const auto& scalar = current().data.scalar;
    return {reinterpret_cast<const char*>(scalar.value), scalar.length};
  }

  node value(int depth) {
    if (depth > deepest) refuse("nested too deeply");
    if (current().type == YAML_ALIAS_EVENT) refuse("aliases are not supported here");
    if (decorated(current())) refuse("anchors and tags are not supported here");
    node result;
    result.at = at(current().start_mark);
    switch (current().type) {
      case YAML_SCALAR_EVENT:
        result.is = null_text(current()) ? node::kind::null : node::kind::scalar;
        result.text = scalar_text();
        break;
      case YAML_SEQUENCE_START_EVENT:
        result.is = node::kind::list;
        for (advance(); current().type != YAML_SEQUENCE_END_EVENT; advance())
          result.items.push_back(value(depth + 1));
        break;
      case YAML_MAPPING_START_EVENT:
        result.is = node::kind::map;
        for (advance(); current().type != YAML_MAPPING_END_EVENT; advance()) entry(result, depth);
        break;
      default:
        refuse("unexpected content");
    }
    return result;
  }

  void entry(node& map, int depth) {
    if (current().type != YAML_SCALAR_EVENT || decorated(current())) refuse("a key must be a plain text");
    const position where = at(current().start_mark);
    std::string key = scalar_text();
    const bool twice = std::ranges::find(map.items, key, &node::key) != map.items.end();
    if (twice) refuse("key \"" + key + "\" is given twice");
    advance();
    node child = value(depth + 1);
    child.key = std::move(key);
    child.key_at = where;
    map.items.push_back(std::move(child));
  }

  yaml_parser_t parser_{};
  event event_;
};

}  // namespace

std::expected<node, syntax_error> read_yaml(const std::string& text) {
  try {
    return composer(text).document();
  } catch (syntax_error& error) {
    return std::unexpected(std::move(error));
  }
}

}  // namespace difyd::config
