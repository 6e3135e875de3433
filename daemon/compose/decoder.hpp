// Reads one mapping of the tree into one struct: the visitor that describe() is given.
#pragma once

#include <concepts>
#include <difyd/compose/project.hpp>
#include <utility>

#include "tree.hpp"

namespace difyd::compose {

class decoder {
 public:
  decoder(workspace& w, const node& from, const trail& path);

  void text(std::string_view key, std::string& to);
  void loose(std::string_view key, std::string& to);  // a number is a string too
  void text_or_flag(std::string_view key, std::string& to);
  void flag(std::string_view key, bool& to);
  void flag_by_default(std::string_view key, bool& to) { flag(key, to); }
  void untagged_text(std::string_view key, std::string_view, std::string& to) { text(key, to); }
  void untagged_bytes(std::string_view key, std::string_view, byte_count& to) { bytes(key, to); }
  void create_host_path(std::string_view key, bool& to) { flag(key, to); }
  void always(std::string_view key, bool& to);  // a boolean proper: no quotes
  void maybe_flag(std::string_view key, std::optional<bool>& to);
  void real(std::string_view key, float& to);
  void bytes(std::string_view key, byte_count& to);
  void time(std::string_view key, duration& to);
  void maybe_time(std::string_view key, std::optional<duration>& to);
  void mode(std::string_view key, std::optional<std::int64_t>& to);
  void list(std::string_view key, text_list& to);
  void list_or_text(std::string_view key, text_list& to);
  void loose_list(std::string_view key, text_list& to);  // of strings and numbers
  void map(std::string_view key, text_map& to);
  void ssh(std::string_view key, text_map& to) { map(key, to); }
  void environment(std::string_view key, environment_map& to);
  void command(std::string_view key, std::optional<text_list>& to);
  void test(std::string_view key, text_list& to);
  void hosts(std::string_view key, std::map<std::string, text_list, std::less<>>& to);
  void ulimits(std::string_view key, std::map<std::string, ulimit, std::less<>>& to);
  void device_count(std::string_view key, std::int64_t& to);
  void generic_resources(std::string_view key, std::vector<generic_resource>& to);
  void preferences(std::string_view key, text_list& to);
  void content(std::string_view key, file_object& to);
  void tree(std::string_view key, std::optional<value>& to);
  void extensions(std::map<std::string, value, std::less<>>& to);
  void extensions(extension_list& to);
  void ignored(std::string_view key) { take(key); }

  template <std::integral I>
  void number(std::string_view key, I& to) {
    if (const node* n = take(key)) to = fitting<I>(*n, key);
  }

  template <std::integral I>
  void maybe_number(std::string_view key, std::optional<I>& to) {
    if (const node* n = take(key)) to = fitting<I>(*n, key);
  }

  template <std::integral I>
  void untagged_number(std::string_view key, std::string_view, I& to) {
    number(key, to);
  }

  template <class T>
  void object(std::string_view key, std::optional<T>& to) {
    if (const node* n = take(key)) to.emplace(read<T>(*n, {&path_, key}));
  }

  // The few that may be null.
  template <class T>
  void maybe_object(std::string_view key, std::optional<T>& to) {
    const node* n = take(key);
    if (n && n->is != kind::null) to.emplace(read<T>(*n, {&path_, key}));
  }

  template <class T>
  void member(std::string_view key, T& to) {
    if (const node* n = take(key)) to = read<T>(*n, {&path_, key});
  }

  template <class T>
  void objects(std::string_view key, std::vector<T>& to) {
    const node* n = take(key);
    if (!n) return;
    expect(*n, kind::sequence, key);
    to.reserve(n->fields.size());
    for (std::size_t i = 0; i < n->fields.size(); ++i) {
      const trail list{&path_, key};
      const std::string index = "[" + std::to_string(i) + "]";
      to.push_back(read<T>(n->fields[i].value, {&list, index}));
    }
  }

  template <class T>
  void object_map(std::string_view key, std::map<std::string, T, std::less<>>& to) {
    const node* n = take(key);
    if (!n) return;
    expect(*n, kind::mapping, key);
    const trail map{&path_, key};
    for (const auto& f : n->fields) to.emplace(std::string(f.key), read<T>(f.value, {&map, f.key}));
  }

  template <class T>
  void maybe_object_map(std::string_view key, std::map<std::string, std::optional<T>, std::less<>>& to) {
    const node* n = take(key);
    if (!n) return;
    expect(*n, kind::mapping, key);
    const trail map{&path_, key};
    for (const auto& f : n->fields) {
      auto& slot = to[std::string(f.key)];
      if (f.value.is != kind::null) slot = read<T>(f.value, {&map, f.key});
    }
  }

  // After describe(): what was not asked for is unknown.
  void finish() const;

 private:
  template <class T>
  T read(const node& n, const trail& path) {
    decoder below(w_, n, path);
    T to{};
    describe(below, to);
    below.finish();
    return to;
  }

  template <std::integral I>
  I fitting(const node& n, std::string_view key) const {
    const std::int64_t number = integer_of(n, key);
    if (!std::in_range<I>(number)) wrong(n, key, ": " + std::to_string(number) + " is out of range");
    return static_cast<I>(number);
  }

  const node* take(std::string_view key);
  void expect(const node& n, kind is, std::string_view key) const;
  [[noreturn]] void wrong_type(const node& n, std::string_view key, std::string_view wanted) const;
  [[noreturn]] void wrong(const node& n, std::string_view key, const std::string& why,
                          std::string remedy = {}) const;
  void pairs(const node& from, std::string_view key, environment_map& to) const;
  std::string scalar_text(const node& n, std::string_view key) const;
  std::string scalar_text(const node& n, const trail& at) const;
  std::int64_t integer_of(const node& n, std::string_view key) const;
  duration time_of(const node& n, std::string_view key) const;
  ulimit ulimit_of(const node& n, std::string_view key) const;
  void add_host(const std::string& line, const node& n, std::string_view key,
                std::map<std::string, text_list, std::less<>>& to) const;

  workspace& w_;
  const node& from_;
  const trail& path_;
  std::vector<std::string_view> known_;
};

}  // namespace difyd::compose
