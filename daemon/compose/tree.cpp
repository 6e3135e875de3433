#include "tree.hpp"

#include <algorithm>
#include <cstring>

namespace difyd::compose {

node* node::find(std::string_view key) {
  for (auto& f : fields)
    if (f.key == key) return &f.value;
  return nullptr;
}

const node* node::find(std::string_view key) const { return const_cast<node*>(this)->find(key); }

node& node::set(std::string_view key, node value) {
  if (node* old = find(key)) return *old = std::move(value);
  const place here = value.at;
  fields.push_back({key, here, std::move(value)});
  return fields.back().value;
}

bool node::erase(std::string_view key) {
  return std::erase_if(fields, [&](const field& f) { return f.key == key; }) > 0;
}

node make(kind is, place at) {
  node n;
  n.is = is;
  n.at = at;
  return n;
}

node make_text(std::string_view text, place at) {
  node n = make(kind::text, at);
  n.text = text;
  return n;
}

node make_boolean(bool on, place at) {
  node n = make(kind::boolean, at);
  n.boolean = on;
  n.text = on ? "true" : "false";
  return n;
}

node make_integer(std::int64_t number, std::string_view text, place at) {
  node n = make(kind::integer, at);
  n.integer = number;
  n.text = text;
  return n;
}

value to_value(const node& n) {
  value v;
  switch (n.is) {
    case kind::null:
      break;
    case kind::boolean:
      v.is = value::kind::boolean;
      v.boolean = n.boolean;
      break;
    case kind::integer:
      v.is = value::kind::integer;
      v.integer = n.integer;
      break;
    case kind::real:
      v.is = value::kind::real;
      v.real = n.real;
      break;
    case kind::text:
    case kind::time:
      v.is = value::kind::text;
      v.text = n.text;
      break;
    case kind::sequence:
    case kind::mapping:
      v.is = n.is == kind::mapping ? value::kind::map : value::kind::list;
      v.items.reserve(n.fields.size());
      for (const auto& f : n.fields) {
        if (n.is == kind::mapping) v.keys.emplace_back(f.key);
        v.items.push_back(to_value(f.value));
      }
  }
  return v;
}

std::string_view name_of(kind is) {
  switch (is) {
    case kind::null:
      return "empty";
    case kind::boolean:
      return "a boolean";
    case kind::integer:
      return "a whole number";
    case kind::real:
      return "a number";
    case kind::text:
      return "a string";
    case kind::time:
      return "a date";
    case kind::sequence:
      return "a list";
    case kind::mapping:
      return "a mapping";
  }
  return "";
}

bool same(const node& a, const node& b) {
  if (a.is != b.is || a.text != b.text || a.fields.size() != b.fields.size()) return false;
  if (a.is == kind::sequence)
    return std::ranges::equal(a.fields, b.fields, [](auto& x, auto& y) { return same(x.value, y.value); });
  return std::ranges::all_of(a.fields, [&](const field& f) {
    const node* other = b.find(f.key);
    return other && same(f.value, *other);
  });
}

std::string_view workspace::keep(std::string_view text) {
  if (text.empty()) return {};
  auto* copy = static_cast<char*>(memory_.allocate(text.size(), 1));
  std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

std::uint16_t workspace::add_file(std::string name) {
  files.push_back(std::move(name));
  return static_cast<std::uint16_t>(files.size() - 1);
}

std::string workspace::where(place at) const {
  std::string text = at.file < files.size() ? files[at.file] : std::string{};
  if (at.line == 0) return text;
  return text + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

void workspace::warn(std::string sentence) {
  if (warned_.insert(sentence).second) warnings.push_back(std::move(sentence));
}

std::string on_one_line(std::string_view text) {
  static constexpr std::string_view hex = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '\n')
      out += "\\n";
    else if (u < 0x20 || u == 0x7F)
      (out += "\\x").append({hex[u >> 4], hex[u & 0xF]});
    else
      out.push_back(c);
  }
  return out;
}

void stop(const workspace& w, place at, std::string code, const std::string& cause, std::string remedy) {
  throw broken({std::move(code), "cannot load " + w.where(at) + ": " + cause, std::move(remedy)});
}

void refuse(const workspace& w, place at, const std::string& cause, std::string remedy) {
  stop(w, at, "compose-invalid", cause, std::move(remedy));
}

std::string trail::text() const {
  if (!up) return std::string(key);
  const std::string above = up->text();
  if (above.empty()) return std::string(key);
  return key.starts_with('[') ? above + std::string(key) : above + "." + std::string(key);
}

}  // namespace difyd::compose
