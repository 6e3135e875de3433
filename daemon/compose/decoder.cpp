#include "decoder.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <difyd/base/text.hpp>
#include <utility>

#include "environment.hpp"
#include "interpolate.hpp"
#include "units.hpp"

namespace difyd::compose {
namespace {

std::optional<std::int64_t> whole(std::string_view t, int base = 10) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), number, base);
  if (t.empty() || error != std::errc{} || end != t.data() + t.size()) return std::nullopt;
  return number;
}

}  // namespace

decoder::decoder(workspace& w, const node& from, const trail& path) : w_(w), from_(from), path_(path) {
  if (from.is != kind::mapping)
    refuse(w, from.at, path.text() + " must be a mapping, not " + std::string(name_of(from.is)));
  known_.reserve(16);
}

const node* decoder::take(std::string_view key) {
  known_.push_back(key);
  return from_.find(key);
}

void decoder::wrong(const node& n, std::string_view key, const std::string& why, std::string remedy) const {
  refuse(w_, n.at, trail{&path_, key}.text() + why, std::move(remedy));
}

void decoder::wrong_type(const node& n, std::string_view key, std::string_view wanted) const {
  const bool quotes = wanted == "a string" && n.is_scalar() && n.is != kind::null;
  wrong(n, key, " must be " + std::string(wanted) + ", not " + std::string(name_of(n.is)),
        quotes ? "Put it in quotes: \"" + std::string(n.text) + "\"" : "");
}

void decoder::expect(const node& n, kind is, std::string_view key) const {
  if (n.is != is) wrong_type(n, key, name_of(is));
}

void decoder::text(std::string_view key, std::string& to) {
  const node* n = take(key);
  if (!n) return;
  expect(*n, kind::text, key);
  to = n->text;
}

std::string decoder::scalar_text(const node& n, std::string_view key) const {
  return scalar_text(n, trail{&path_, key});
}

std::string decoder::scalar_text(const node& n, const trail& at) const {
  if (!n.is_scalar())
    refuse(w_, n.at, at.text() + " must be a string or a number, not " + std::string(name_of(n.is)));
  if (n.is == kind::time)
    refuse(w_, n.at, at.text() + " must be a string or a number, not a date", "Put it in quotes");
  return std::string(n.text);
}

void decoder::loose(std::string_view key, std::string& to) {
  if (const node* n = take(key)) to = scalar_text(*n, key);
}

void decoder::text_or_flag(std::string_view key, std::string& to) {
  const node* n = take(key);
  if (!n) return;
  if (n->is != kind::text && n->is != kind::boolean) wrong_type(*n, key, "a string or a boolean");
  to = n->text;
}

void decoder::flag(std::string_view key, bool& to) {
  std::optional<bool> read;
  maybe_flag(key, read);
  if (read) to = *read;
}

void decoder::maybe_flag(std::string_view key, std::optional<bool>& to) {
  const node* n = take(key);
  if (!n) return;
  if (n->is == kind::boolean)
    to = n->boolean;
  else if (n->is == kind::text && (to = cast_boolean(w_, n->text)))
    return;
  else
    wrong_type(*n, key, "a boolean (true or false)");
}

void decoder::always(std::string_view key, bool& to) {
  const node* n = take(key);
  if (!n) return;
  expect(*n, kind::boolean, key);
  to = n->boolean;
}

std::int64_t decoder::integer_of(const node& n, std::string_view key) const {
  if (n.is == kind::integer) return n.integer;
  if (n.is == kind::real && n.real == std::trunc(n.real) && std::abs(n.real) < 9e15)
    return static_cast<std::int64_t>(n.real);
  if (n.is == kind::text)
    if (const auto number = whole(n.text)) return *number;
  wrong_type(n, key, "a whole number");
}

void decoder::real(std::string_view key, float& to) {
  const node* n = take(key);
  if (!n) return;
  if (n->is == kind::integer)
    to = static_cast<float>(n->integer);
  else if (n->is == kind::real)
    to = static_cast<float>(n->real);
  else {
    const auto [end, error] = std::from_chars(n->text.data(), n->text.data() + n->text.size(), to);
    if (n->is != kind::text || n->text.empty() || error != std::errc{} ||
        end != n->text.data() + n->text.size())
      wrong_type(*n, key, "a number");
  }
}

void decoder::bytes(std::string_view key, byte_count& to) {
  const node* n = take(key);
  if (!n) return;
  if (n->is == kind::integer) {
    to = n->integer;
    return;
  }
  const auto size = n->is == kind::text ? parse_bytes(n->text) : std::nullopt;
  if (!size)
    wrong(*n, key, ": invalid size: '" + std::string(n->text) + "'",
          "Write a number with b, k, m or g: \"512m\"");
  to = *size;
}

duration decoder::time_of(const node& n, std::string_view key) const {
  static constexpr auto remedy = "Write it with units: \"90s\", \"1m30s\", \"500ms\"";
  if (n.is != kind::text)
    wrong(n, key, " must be a string with a unit, not " + std::string(name_of(n.is)), remedy);
  const auto time = parse_duration(n.text);
  if (!time) wrong(n, key, ": invalid duration \"" + std::string(n.text) + "\"", remedy);
  return *time;
}

void decoder::time(std::string_view key, duration& to) {
  if (const node* n = take(key)) to = time_of(*n, key);
}

void decoder::maybe_time(std::string_view key, std::optional<duration>& to) {
  if (const node* n = take(key)) to = time_of(*n, key);
}

void decoder::mode(std::string_view key, std::optional<std::int64_t>& to) {
  const node* n = take(key);
  if (!n) return;
  to = n->is == kind::integer ? std::optional(n->integer)
       : n->is == kind::text  ? whole(n->text, 8)
                              : std::nullopt;
  if (!to) wrong_type(*n, key, "an octal number");
}

void decoder::list(std::string_view key, text_list& to) {
  const node* n = take(key);
  if (!n) return;
  expect(*n, kind::sequence, key);
  to.reserve(n->fields.size());
  for (const auto& f : n->fields) {
    expect(f.value, kind::text, key);
    to.emplace_back(f.value.text);
  }
}

void decoder::list_or_text(std::string_view key, text_list& to) {
  const node* n = from_.find(key);
  if (!n || n->is != kind::text) return list(key, to);
  take(key);
  to.emplace_back(n->text);
}

void decoder::loose_list(std::string_view key, text_list& to) {
  const node* n = take(key);
  if (!n) return;
  expect(*n, kind::sequence, key);
  for (const auto& f : n->fields) to.push_back(scalar_text(f.value, key));
}

void decoder::map(std::string_view key, text_map& to) {
  const node* n = take(key);
  if (!n) return;
  environment_map read;
  pairs(*n, key, read);
  for (auto& [name, text] : read) to.emplace(name, std::move(text).value_or(""));
}

void decoder::environment(std::string_view key, environment_map& to) {
  const node* n = take(key);
  if (!n) return;
  pairs(*n, key, to);
  if (n->is != kind::sequence) return;
  for (const auto& f : n->fields) {
    const auto name = f.value.text.substr(0, f.value.text.find('='));
    if (name.ends_with(' ') || name.ends_with('\t'))
      wrong(f.value, key, ": the name \"" + std::string(name) + "\" ends with a space",
            "Write NAME=value without spaces around =");
  }
}

void decoder::pairs(const node& from, std::string_view key, environment_map& to) const {
  if (from.is != kind::mapping && from.is != kind::sequence) wrong_type(from, key, "a mapping or a list");
  const trail map{&path_, key};
  for (const auto& f : from.fields) {
    if (from.is == kind::mapping) {
      auto& slot = to[std::string(f.key)];
      if (f.value.is != kind::null) slot = scalar_text(f.value, trail{&map, f.key});
      continue;
    }
    if (f.value.is != kind::text) wrong_type(f.value, key, "a list of KEY=value strings");
    const std::string_view line = f.value.text;
    const auto equals = line.find('=');
    auto& slot = to[std::string(line.substr(0, equals))];
    slot =
        equals == std::string_view::npos ? std::nullopt : std::optional(std::string(line.substr(equals + 1)));
  }
}

void decoder::command(std::string_view key, std::optional<text_list>& to) {
  const node* n = take(key);
  if (!n || n->is == kind::null) return;
  if (n->is == kind::text) {
    to = split_command(n->text);
    if (!to) wrong(*n, key, ": invalid command line string", "Close its quotes, or write it as a list");
    return;
  }
  expect(*n, kind::sequence, key);
  to.emplace();
  for (const auto& f : n->fields) {
    expect(f.value, kind::text, key);
    to->emplace_back(f.value.text);
  }
}

void decoder::test(std::string_view key, text_list& to) {
  const node* n = take(key);
  if (!n) return;
  if (n->is == kind::text) {
    to = {"CMD-SHELL", std::string(n->text)};
    return;
  }
  expect(*n, kind::sequence, key);
  for (const auto& f : n->fields) {
    expect(f.value, kind::text, key);
    to.emplace_back(f.value.text);
  }
  if (!to.empty() && to[0] != "CMD" && to[0] != "CMD-SHELL" && to[0] != "NONE")
    wrong(n->fields[0].value, key, " must start either by \"CMD\", \"CMD-SHELL\" or \"NONE\"");
}

void decoder::tree(std::string_view key, std::optional<value>& to) {
  if (const node* n = take(key); n && n->is != kind::null) to = to_value(*n);
}

void decoder::extensions(std::map<std::string, value, std::less<>>& to) {
  for (const auto& f : from_.fields)
    if (f.key.starts_with("x-") && f.key != value_of_variable)
      to.emplace(std::string(f.key), to_value(f.value));
}

void decoder::extensions(extension_list& to) {
  for (const auto& f : from_.fields)
    if (f.key.starts_with("x-")) to.emplace_back(f.key, to_value(f.value));
}

void decoder::finish() const {
  for (const auto& f : from_.fields) {
    if (f.key.starts_with("x-") || std::ranges::find(known_, f.key) != known_.end()) continue;
    const std::string near = closest(f.key, {known_.begin(), known_.end()});
    const std::string where = path_.text().empty() ? "(root)" : path_.text();
    refuse(w_, f.at, where + ": additional property " + std::string(f.key) + " is not allowed",
           near.empty() ? "Keys of your own start with x-" : "Did you mean " + near + "?");
  }
}

}  // namespace difyd::compose
