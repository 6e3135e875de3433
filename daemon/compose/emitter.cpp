#include "emitter.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>

#include "units.hpp"

namespace difyd::compose {

void emit(sink& to, const value& v) {
  switch (v.is) {
    case value::kind::null:
      return to.null();
    case value::kind::boolean:
      return to.boolean(v.boolean);
    case value::kind::integer:
      return to.integer(v.integer);
    case value::kind::real:
      return to.real(v.real);
    case value::kind::text:
      return to.text(v.text);
    case value::kind::list:
      to.begin_list();
      for (const auto& item : v.items) emit(to, item);
      return to.end_list();
    case value::kind::map:
      break;
  }
  std::vector<std::size_t> order(v.keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto before = [&](std::string_view a, std::string_view b) {
    return to.is_yaml() ? key_before(a, b) : a < b;
  };
  std::ranges::sort(order, before, [&](std::size_t i) { return std::string_view(v.keys[i]); });
  to.begin_map();
  for (const auto i : order) {
    to.key(v.keys[i]);
    emit(to, v.items[i]);
  }
  to.end_map();
}

void emitter::text(std::string_view key, const std::string& t) {
  if (t.empty()) return;
  to_.key(key);
  to_.text(t);
}

void emitter::untagged_text(std::string_view key, std::string_view go_name, const std::string& t) {
  to_.key(to_.is_yaml() ? key : go_name);
  to_.text(t);
}

void emitter::untagged_bytes(std::string_view key, std::string_view go_name, byte_count n) {
  untagged_text(key, go_name, std::to_string(n));
}

void emitter::flag(std::string_view key, bool on) {
  if (on) always(key, on);
}

void emitter::flag_by_default(std::string_view key, bool on) {
  if (!on) always(key, on);
}

void emitter::create_host_path(std::string_view key, bool on) {
  if (options_.omit_true_create_host_path ? !on : on) always(key, on);
}

void emitter::always(std::string_view key, bool on) {
  to_.key(key);
  to_.boolean(on);
}

void emitter::maybe_flag(std::string_view key, const std::optional<bool>& on) {
  if (on) always(key, *on);
}

void emitter::real(std::string_view key, float n) {
  if (n == 0) return;
  to_.key(key);
  to_.real(n);
}

void emitter::bytes(std::string_view key, byte_count n) {
  if (n != 0) text(key, std::to_string(n));
}

void emitter::time(std::string_view key, duration d) {
  if (d != duration{}) text(key, print_duration(d));
}

void emitter::maybe_time(std::string_view key, const std::optional<duration>& d) {
  if (d) text(key, print_duration(*d));
}

void emitter::mode(std::string_view key, const std::optional<std::int64_t>& m) {
  if (!m) return;
  if (!options_.octal_mode) {
    to_.key(key);
    return to_.integer(*m);
  }
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *m, 8).ptr;
  text(key, "0" + std::string(digits.data(), end));
}

void emitter::texts(const text_list& l) {
  to_.begin_list();
  for (const auto& t : l) to_.text(t);
  to_.end_list();
}

void emitter::list(std::string_view key, const text_list& l) {
  if (l.empty()) return;
  to_.key(key);
  texts(l);
}

void emitter::map(std::string_view key, const text_map& m) {
  if (m.empty()) return;
  to_.key(key);
  to_.begin_map();
  for (const auto* entry : in_order(m)) {
    const auto& [name, t] = *entry;
    to_.key(name);
    to_.text(t);
  }
  to_.end_map();
}

void emitter::ssh(std::string_view key, const text_map& m) {
  text_list keys;
  for (const auto& [id, path] : m) keys.push_back(path.empty() ? id : id + ": " + path);
  list(key, keys);
}

void emitter::environment(std::string_view key, const environment_map& m) {
  if (m.empty()) return;
  to_.key(key);
  to_.begin_map();
  for (const auto* entry : in_order(m)) {
    const auto& [name, t] = *entry;
    to_.key(name);
    if (t)
      to_.text(*t);
    else
      to_.null();
  }
  to_.end_map();
}

// The one list whose absence Go's JSON writes.
void emitter::command(std::string_view key, const std::optional<text_list>& l) {
  if (!l && to_.is_yaml()) return;
  to_.key(key);
  if (l)
    texts(*l);
  else
    to_.null();
}

void emitter::hosts(std::string_view key, const std::map<std::string, text_list, std::less<>>& h) {
  text_list lines;
  for (const auto& [host, addresses] : h)
    for (const auto& address : addresses) lines.push_back(host + "=" + address);
  std::ranges::sort(lines);
  list(key, lines);
}

void emitter::ulimits(std::string_view key, const std::map<std::string, ulimit, std::less<>>& u) {
  if (u.empty()) return;
  to_.key(key);
  to_.begin_map();
  for (const auto* entry : in_order(u)) {
    const auto& [name, limit] = *entry;
    to_.key(name);
    if (limit.single != 0) {
      to_.integer(limit.single);
      continue;
    }
    to_.begin_map();
    for (const auto& [bound, n] : {std::pair{"soft", limit.soft}, std::pair{"hard", limit.hard}}) {
      if (n == 0 && !to_.is_yaml()) continue;
      to_.key(bound);
      to_.integer(n);
    }
    to_.end_map();
  }
  to_.end_map();
}

void emitter::generic_resources(std::string_view key, const std::vector<generic_resource>& g) {
  if (g.empty()) return;
  to_.key(key);
  to_.begin_list();
  for (const auto& r : g) {
    to_.begin_map();
    to_.key("discrete_resource_spec");
    to_.begin_map();
    text("kind", r.kind);
    number("value", r.value);
    to_.end_map();
    to_.end_map();
  }
  to_.end_list();
}

void emitter::preferences(std::string_view key, const text_list& p) {
  if (p.empty()) return;
  to_.key(key);
  to_.begin_list();
  for (const auto& spread : p) {
    to_.begin_map();
    text("spread", spread);
    to_.end_map();
  }
  to_.end_list();
}

// The value of a variable is never printed.
void emitter::content(std::string_view key, const file_object& f) {
  if (f.environment.empty()) text(key, f.content);
}

void emitter::tree(std::string_view key, const std::optional<value>& v) {
  if (!v) return;
  to_.key(key);
  emit(to_, *v);
}

// Extensions are for people: YAML shows them, JSON and the hash do not.
void emitter::extensions(const std::map<std::string, value, std::less<>>& e) {
  if (!to_.is_yaml()) return;
  for (const auto* entry : in_order(e)) {
    const auto& [name, v] = *entry;
    to_.key(name);
    emit(to_, v);
  }
}

void emitter::extensions(const extension_list& e) {
  if (e.empty() || !to_.is_yaml()) return;
  extensions(std::map<std::string, value, std::less<>>(e.begin(), e.end()));
}

}  // namespace difyd::compose
