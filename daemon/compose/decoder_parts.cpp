#include <algorithm>
#include <charconv>

#include "decoder.hpp"
#include "environment.hpp"

namespace difyd::compose {
namespace {

// "[::1]" -> "::1"
std::string without_brackets(std::string_view ip) {
  if (ip.size() > 1 && ip.front() == '[' && ip.back() == ']') ip = ip.substr(1, ip.size() - 2);
  return std::string(ip);
}

}  // namespace

void decoder::add_host(const std::string& line, const node& n, std::string_view key,
                       std::map<std::string, text_list, std::less<>>& to) const {
  auto cut = line.find('=');
  if (cut == std::string::npos) cut = line.find(':');
  if (cut == std::string::npos)
    wrong(n, key, ": invalid additional host, missing IP: " + line, "Write host=address");
  const std::string host = line.substr(0, cut);
  if (host.empty() || host.find(':') != std::string::npos) wrong(n, key, ": bad host name '" + host + "'");
  for (std::string_view left = std::string_view(line).substr(cut + 1);;) {
    const auto comma = left.find(',');
    to[host].push_back(without_brackets(left.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    left.remove_prefix(comma + 1);
  }
}

void decoder::hosts(std::string_view key, std::map<std::string, text_list, std::less<>>& to) {
  const node* n = take(key);
  if (!n) return;
  if (n->is != kind::mapping && n->is != kind::sequence) wrong_type(*n, key, "a mapping or a list");
  for (const auto& f : n->fields) {
    if (n->is == kind::sequence) {
      add_host(scalar_text(f.value, key), f.value, key, to);
    } else if (f.value.is == kind::sequence) {
      for (const auto& item : f.value.fields)
        to[std::string(f.key)].push_back(without_brackets(scalar_text(item.value, key)));
    } else {
      add_host(std::string(f.key) + "=" + scalar_text(f.value, key), f.value, key, to);
    }
  }
}

ulimit decoder::ulimit_of(const node& n, std::string_view key) const {
  ulimit limit;
  if (n.is != kind::mapping) {
    limit.single = integer_of(n, key);
    return limit;
  }
  for (const auto& f : n.fields) {
    if (f.key == "soft")
      limit.soft = integer_of(f.value, key);
    else if (f.key == "hard")
      limit.hard = integer_of(f.value, key);
    else if (!f.key.starts_with("x-"))
      wrong(f.value, key, ": additional property " + std::string(f.key) + " is not allowed",
            "A limit has soft and hard");
  }
  if (!n.find("soft") || !n.find("hard")) wrong(n, key, " needs both soft and hard");
  return limit;
}

void decoder::ulimits(std::string_view key, std::map<std::string, ulimit, std::less<>>& to) {
  const node* n = take(key);
  if (!n) return;
  expect(*n, kind::mapping, key);
  for (const auto& f : n->fields)
    to.emplace(std::string(f.key), ulimit_of(f.value, "ulimits." + std::string(f.key)));
}

void decoder::device_count(std::string_view key, std::int64_t& to) {
  const node* n = take(key);
  if (!n) return;
  if (n->is == kind::text && (n->text == "all" || n->text == "ALL" || n->text == "All"))
    to = -1;
  else
    to = integer_of(*n, key);
}

void decoder::generic_resources(std::string_view key, std::vector<generic_resource>& to) {
  const node* n = take(key);
  if (!n) return;
  expect(*n, kind::sequence, key);
  for (const auto& f : n->fields) {
    const node* spec = f.value.find("discrete_resource_spec");
    if (!spec) continue;
    generic_resource g;
    if (const node* name = spec->find("kind")) g.kind = name->text;
    if (const node* amount = spec->find("value")) g.value = integer_of(*amount, key);
    to.push_back(std::move(g));
  }
}

void decoder::preferences(std::string_view key, text_list& to) {
  const node* n = take(key);
  if (!n) return;
  expect(*n, kind::sequence, key);
  for (const auto& f : n->fields) {
    const node* spread = f.value.find("spread");
    to.push_back(spread ? scalar_text(*spread, key) : std::string{});
  }
}

void decoder::content(std::string_view key, file_object& to) {
  text(key, to.content);
  if (const node* resolved = from_.find(value_of_variable)) to.content = resolved->text;
}

}  // namespace difyd::compose
