#include "yaml.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "scalar.hpp"
#include "yaml_events.hpp"

namespace difyd::compose {
namespace {

constexpr std::size_t few = 16;  // up to here a linear search beats a table

std::size_t count(const node& n) {
  std::size_t sum = 1;
  for (const auto& f : n.fields) sum += count(f.value);
  return sum;
}

struct anchored {
  node tree;
  std::size_t nodes = 0;
};

class composer {
 public:
  composer(workspace& w, std::uint16_t file, std::string_view text, const yaml_limits& limits)
      : w_(w), events_(w, file, text), limits_(limits) {}

  std::vector<node> documents() {
    std::vector<node> found;
    for (;;) {
      const auto type = events_.next().type;
      if (type == YAML_STREAM_END_EVENT) return found;
      if (type != YAML_DOCUMENT_START_EVENT) continue;
      anchors_.clear();
      found.push_back(compose(events_.next(), 0));
    }
  }

 private:
  void spend(std::size_t nodes, place at) {
    spent_ += nodes;
    if (spent_ > limits_.nodes)
      refuse(w_, at, "the file expands to more than " + std::to_string(limits_.nodes) + " values",
             "Use fewer aliases of aliases");
  }

  node compose(const yaml_event_t& event, std::size_t depth) {
    const place at = events_.at();
    if (depth > limits_.depth)
      refuse(w_, at, "nested deeper than " + std::to_string(limits_.depth) + " levels");
    if (event.type == YAML_ALIAS_EVENT) return alias(at);
    spend(1, at);
    const std::string anchor(events_.anchor());
    if (!anchor.empty()) open_.push_back(anchor);
    node n = content(event, depth, at);
    if (!anchor.empty()) {
      open_.pop_back();
      anchors_[anchor] = {n, count(n)};
    }
    return n;
  }

  node alias(place at) {
    const std::string name(events_.anchor());
    if (std::ranges::find(open_, name) != open_.end())
      stop(w_, at, "compose-syntax", "anchor '" + name + "' contains itself");
    const auto found = anchors_.find(name);
    if (found == anchors_.end())
      stop(w_, at, "compose-syntax", "unknown anchor '" + name + "' referenced",
           "Define it with &" + name + " before its first use in the same file");
    spend(found->second.nodes, at);
    return found->second.tree;
  }

  node content(const yaml_event_t& event, std::size_t depth, place at) {
    const std::string tag(events_.tag());
    node n;
    if (event.type == YAML_SCALAR_EVENT)
      n = scalar(event, tag, at);
    else if (event.type == YAML_SEQUENCE_START_EVENT)
      n = sequence(depth, at);
    else
      n = mapping(depth, at);
    if (tag == "!reset") n.asks = directive::reset;
    if (tag == "!override") n.asks = directive::replace;
    return n;
  }

  node scalar(const yaml_event_t& event, const std::string& tag, place at) {
    const auto& s = event.data.scalar;
    const std::string_view text = w_.keep({reinterpret_cast<const char*>(s.value), s.length});
    if (tag == "tag:yaml.org,2002:str" || tag == "!") return make_text(text, at);
    if (tag.empty() && !s.plain_implicit) return make_text(text, at);
    if (tag.starts_with("tag:yaml.org,2002:") || s.style == YAML_PLAIN_SCALAR_STYLE)
      return resolve_scalar(w_, text, at);
    return make_text(text, at);
  }

  node sequence(std::size_t depth, place at) {
    node list = make(kind::sequence, at);
    for (;;) {
      const auto& event = events_.next();
      if (event.type == YAML_SEQUENCE_END_EVENT) return list;
      node item = compose(event, depth + 1);
      const place here = item.at;
      list.fields.push_back({{}, here, std::move(item)});
    }
  }

  node mapping(std::size_t depth, place at) {
    node map = make(kind::mapping, at);
    std::unordered_map<std::string_view, std::uint32_t> seen;  // key -> line, once there are many
    node merged;
    std::uint32_t merged_in = 0;
    for (;;) {
      const auto& event = events_.next();
      if (event.type == YAML_MAPPING_END_EVENT) break;
      const bool merge = is_merge_key(event);
      const place here = events_.at();
      const node key = compose(event, depth + 1);
      if (merge && merged_in) defined_twice(key, merged_in);
      if (merge) merged_in = key.at.line;
      check_key(key, map, seen, merge);
      node value = compose(events_.next(), depth + 1);
      if (merge)
        merged = std::move(value);
      else
        map.fields.push_back({key.text, here, std::move(value)});
    }
    if (merged.is != kind::null || merged.at.line) merge_in(map, merged);
    return map;
  }

  static bool is_merge_key(const yaml_event_t& event) {
    if (event.type != YAML_SCALAR_EVENT) return false;
    const auto& s = event.data.scalar;
    return s.plain_implicit && s.style == YAML_PLAIN_SCALAR_STYLE && s.length == 2 && s.value[0] == '<' &&
           s.value[1] == '<';
  }

  void check_key(const node& key, const node& map, std::unordered_map<std::string_view, std::uint32_t>& seen,
                 bool merge) {
    if (key.is != kind::text)
      refuse(w_, key.at, "a key must be a string, not " + std::string(name_of(key.is)),
             key.is_scalar() ? "Put it in quotes: \"" + std::string(key.text) + "\"" : "");
    if (merge) return;
    std::uint32_t line = 0;
    if (map.fields.size() < few) {
      for (const auto& f : map.fields)
        if (f.key == key.text) line = f.at.line;
    } else {
      if (seen.empty())
        for (const auto& f : map.fields) seen.emplace(f.key, f.at.line);
      const auto [old, fresh] = seen.emplace(key.text, key.at.line);
      if (!fresh) line = old->second;
    }
    if (line) defined_twice(key, line);
  }

  [[noreturn]] void defined_twice(const node& key, std::uint32_t line) {
    stop(w_, key.at, "compose-syntax",
         "mapping key \"" + std::string(key.text) + "\" already defined at line " + std::to_string(line),
         key.text == "<<" ? "Write one: <<: [*a, *b]" : "Keep one of the two");
  }

  // `<<`: a mapping or a list of mappings; keys that are there win, then the first in the list.
  void merge_in(node& map, const node& from) {
    if (from.is == kind::sequence) {
      for (const auto& item : from.fields) merge_one(map, item.value);
    } else {
      merge_one(map, from);
    }
  }

  void merge_one(node& map, const node& from) {
    if (from.is != kind::mapping)
      refuse(w_, from.at, "`<<` needs a mapping or a list of mappings, not " + std::string(name_of(from.is)));
    if (map.fields.size() < few) {
      const std::size_t own = map.fields.size();
      for (const auto& f : from.fields) {
        const auto mine = map.fields.begin() + static_cast<std::ptrdiff_t>(own);
        if (std::none_of(map.fields.begin(), mine, [&](const field& m) { return m.key == f.key; }))
          map.fields.push_back(f);
      }
      return;
    }
    std::unordered_map<std::string_view, bool> mine;
    for (const auto& f : map.fields) mine.emplace(f.key, true);
    for (const auto& f : from.fields)
      if (!mine.contains(f.key)) map.fields.push_back(f);
  }

  workspace& w_;
  yaml_events events_;
  yaml_limits limits_;
  std::size_t spent_ = 0;
  std::map<std::string, anchored, std::less<>> anchors_;
  std::vector<std::string> open_;
};

}  // namespace

std::vector<node> parse_yaml(workspace& w, std::uint16_t file, std::string_view text,
                             const yaml_limits& limits) {
  const place top{0, 0, file};
  if (text.size() > limits.bytes)
    refuse(w, top, "larger than " + std::to_string(limits.bytes >> 20) + " MiB");
  return composer(w, file, text, limits).documents();
}

}  // namespace difyd::compose
