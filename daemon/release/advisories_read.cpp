// config/advisories.yaml -> advisory_book.
#include <algorithm>

#include "difyd/base/durable_file.hpp"
#include "difyd/base/text.hpp"
#include "difyd/config/yaml_tree.hpp"
#include "difyd/release/advisories.hpp"

namespace difyd::release {
namespace {

using config::node;

constexpr std::size_t largest = 1u << 20;
constexpr int known_format = 1;

// Thrown inside this file only.
struct wrong {
  config::position at;
  std::string cause;
  std::string code = "advisories-invalid";
  std::string remedy = {};
};

const node* find(const node& map, std::string_view key) {
  const auto each = std::ranges::find(map.items, key, &node::key);
  return each == map.items.end() ? nullptr : &*each;
}

const node& need(const node& map, std::string_view key) {
  if (const node* found = find(map, key)) return *found;
  throw wrong{map.at, std::string(key) + " is missing"};
}

const std::string& text_of(const node& value, std::string_view what) {
  if (value.is != node::kind::scalar || trim(value.text).empty())
    throw wrong{value.at, std::string(what) + " wants a text"};
  return value.text;
}

// Folded texts of YAML end with a newline.
std::string need_text(const node& map, std::string_view key) {
  return std::string(trim(text_of(need(map, key), key)));
}

void only(const node& map, std::string_view what, const std::vector<std::string>& keys) {
  if (map.is != node::kind::map) throw wrong{map.at, std::string(what) + " wants a map of keys"};
  for (const auto& each : map.items) {
    if (std::ranges::find(keys, each.key) != keys.end()) continue;
    const std::string guess = closest(each.key, keys);
    throw wrong{each.key_at, "unknown key " + each.key, "advisories-invalid",
                guess.empty() ? "It takes " + join(keys, ", ") : "Did you mean " + guess + "?"};
  }
}

version version_of(const node& value, std::string_view text) {
  auto read = parse_version(text);
  if (!read) throw wrong{value.at, read.error().message, "advisories-invalid", read.error().remedy};
  return *read;
}

version_range range_of(const node& map, std::string_view key) {
  version_range range;
  const node& value = need(map, key);
  for (const auto& word : split(text_of(value, key), ' ')) {
    if (word.empty()) continue;
    std::string_view sign;
    for (const std::string_view each : {"<=", ">=", "<", ">"})
      if (sign.empty() && word.starts_with(each)) sign = each;
    if (sign.empty())
      throw wrong{value.at, std::string(key) + " wants comparisons such as \">=1.4.0 <1.9.2\""};
    range.bounds.push_back({sign, version_of(value, std::string_view(word).substr(sign.size()))});
  }
  return range;
}

environment_condition condition_of(const node& value) {
  const std::string text(trim(text_of(value, "when")));
  const auto sign = text.find('=');
  environment_condition made{text.substr(0, sign), std::nullopt};
  if (sign != std::string::npos) made.value = text.substr(sign + 1);
  const bool name = !made.key.empty() && std::ranges::all_of(made.key, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
  if (!name || (made.value && made.value->empty()))
    throw wrong{value.at, "when wants KEY or KEY=VALUE of the environment"};
  return made;
}

advisory_kind kind_of(const node& map) {
  const node& value = need(map, "kind");
  for (const auto kind : advisory_kinds)
    if (to_text(kind) == text_of(value, "kind")) return kind;
  throw wrong{value.at, "unknown kind " + value.text + ": stop, before, after, value, manual or note"};
}

// What only some kinds take.
void read_parts(const node& map, advisory& made) {
  const bool job = made.kind == advisory_kind::before || made.kind == advisory_kind::after;
  const auto belongs = [&](const char* key, bool here) {
    if (const node* given = find(map, key); given && !here)
      throw wrong{given->key_at,
                  std::string(key) + " does not belong to kind " + std::string(to_text(made.kind))};
  };
  belongs("service", job);
  belongs("commands", job);
  belongs("key", made.kind == advisory_kind::value);
  belongs("value", made.kind == advisory_kind::value);
  if (job) {
    made.service = need_text(map, "service");
    const node& commands = need(map, "commands");
    if (commands.is != node::kind::list || commands.items.empty())
      throw wrong{commands.at, "commands wants a list of texts"};
    for (const auto& each : commands.items) made.commands.push_back(text_of(each, "a command"));
  }
  if (made.kind == advisory_kind::value) {
    made.key = need_text(map, "key");
    if (find(map, "value")) made.value = need_text(map, "value");
  }
}

advisory advisory_of(const node& map) {
  only(map, "an advisory",
       {"id", "kind", "from", "to", "when", "text", "service", "commands", "key", "value", "source"});
  advisory made;
  made.id = need_text(map, "id");
  const node& id = need(map, "id");
  for (const char c : made.id)
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'))
      throw wrong{id.at, "id takes lower-case letters, digits, - and ."};
  if (made.id == unknown_release) throw wrong{id.at, made.id + " is difyd's own id"};
  made.kind = kind_of(map);
  made.from = range_of(map, "from");
  made.to = range_of(map, "to");
  if (const node* when = find(map, "when")) made.when = condition_of(*when);
  made.text = need_text(map, "text");
  made.source = need_text(map, "source");
  read_parts(map, made);
  return made;
}

void check_format(const node& root) {
  const node& value = need(root, "format");
  const std::string& text = text_of(value, "format");
  if (text == std::to_string(known_format)) return;
  const bool number = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!number || text.starts_with('0')) throw wrong{value.at, "format wants a number"};
  throw wrong{value.at,
              "it has format " + text + ", and this difyd reads format " + std::to_string(known_format),
              "advisories-format", "Update difyd, or put back the file that came with it"};
}

advisory_book book_of(const node& root) {
  if (root.is != node::kind::map) throw wrong{root.at, "it is not a map of keys"};
  // First, so that the keys of a newer format are not called mistakes.
  check_format(root);
  only(root, "the file", {"format", "newest_known", "advisories", "renamed_keys"});
  advisory_book book;
  book.newest_known = version_of(need(root, "newest_known"), need_text(root, "newest_known"));
  const node& list = need(root, "advisories");
  if (list.is != node::kind::list) throw wrong{list.at, "advisories wants a list"};
  for (const auto& each : list.items) {
    advisory made = advisory_of(each);
    if (std::ranges::find(book.advisories, made.id, &advisory::id) != book.advisories.end())
      throw wrong{need(each, "id").at, "id " + made.id + " is given twice"};
    book.advisories.push_back(std::move(made));
  }
  if (const node* renamed = find(root, "renamed_keys")) {
    if (renamed->is != node::kind::map) throw wrong{renamed->at, "renamed_keys wants a map of keys"};
    for (const auto& each : renamed->items) book.renamed_keys[each.key] = text_of(each, each.key);
  }
  return book;
}

std::unexpected<Error> refused(const std::string& path, const wrong& what) {
  return fail(what.code,
              "cannot use " + path + ":" + std::to_string(what.at.line) + ":" +
                  std::to_string(what.at.column) + ": " + what.cause,
              what.remedy);
}

}  // namespace

Result<advisory_book> parse_advisories(const std::string& text, const std::string& path) {
  const auto root = config::read_yaml(text);
  if (!root) return refused(path, {root.error().at, root.error().cause});
  try {
    return book_of(*root);
  } catch (const wrong& what) {
    return refused(path, what);
  }
}

Result<advisory_book> load_advisories(const std::string& path) {
  const auto text = read_file(path, largest);
  if (!text)
    return fail("advisories-unreadable", text.error().message,
                "Install advisories.yaml there, or name it in the configuration: releases.advisories");
  return parse_advisories(*text, path);
}

}  // namespace difyd::release
