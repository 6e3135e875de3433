// Writes one struct to a sink: the visitor that describe() is given. Empty values are left out
// as Go's omitempty does.
#pragma once

#include <algorithm>
#include <concepts>
#include <difyd/compose/project.hpp>
#include <optional>
#include <vector>

#include "key_order.hpp"
#include "sink.hpp"

namespace difyd::compose {

struct emit_options {
  bool omit_true_create_host_path = false;  // epoch 4
  bool octal_mode = true;                   // since v2.34; a number before
};

void emit(sink& to, const value& v);

class emitter {
 public:
  emitter(sink& to, const emit_options& options) : to_(to), options_(options) {}

  void text(std::string_view key, const std::string& t);
  void loose(std::string_view key, const std::string& t) { text(key, t); }
  void text_or_flag(std::string_view key, const std::string& t) { text(key, t); }
  void untagged_text(std::string_view key, std::string_view go_name, const std::string& t);
  void untagged_bytes(std::string_view key, std::string_view go_name, byte_count n);
  void flag(std::string_view key, bool on);
  void flag_by_default(std::string_view key, bool on);
  void create_host_path(std::string_view key, bool on);
  void always(std::string_view key, bool on);
  void maybe_flag(std::string_view key, const std::optional<bool>& on);
  void real(std::string_view key, float n);
  void bytes(std::string_view key, byte_count n);
  void time(std::string_view key, duration d);
  void maybe_time(std::string_view key, const std::optional<duration>& d);
  void mode(std::string_view key, const std::optional<std::int64_t>& m);
  void list(std::string_view key, const text_list& l);
  void list_or_text(std::string_view key, const text_list& l) { list(key, l); }
  void loose_list(std::string_view key, const text_list& l) { list(key, l); }
  void test(std::string_view key, const text_list& l) { list(key, l); }
  void map(std::string_view key, const text_map& m);
  void ssh(std::string_view key, const text_map& m);
  void environment(std::string_view key, const environment_map& m);
  void command(std::string_view key, const std::optional<text_list>& l);
  void hosts(std::string_view key, const std::map<std::string, text_list, std::less<>>& h);
  void ulimits(std::string_view key, const std::map<std::string, ulimit, std::less<>>& u);
  void device_count(std::string_view key, std::int64_t n) { number(key, n); }
  void generic_resources(std::string_view key, const std::vector<generic_resource>& g);
  void preferences(std::string_view key, const text_list& p);
  void content(std::string_view key, const file_object& f);
  void tree(std::string_view key, const std::optional<value>& v);
  void extensions(const std::map<std::string, value, std::less<>>& e);
  void extensions(const extension_list& e);
  void ignored(std::string_view) {}

  template <std::integral I>
  void number(std::string_view key, I n) {
    if (n == 0) return;
    to_.key(key);
    to_.integer(static_cast<std::int64_t>(n));
  }

  template <std::integral I>
  void maybe_number(std::string_view key, const std::optional<I>& n) {
    if (!n) return;
    to_.key(key);
    to_.integer(static_cast<std::int64_t>(*n));
  }

  template <std::integral I>
  void untagged_number(std::string_view key, std::string_view go_name, I n) {
    to_.key(to_.is_yaml() ? key : go_name);
    to_.integer(static_cast<std::int64_t>(n));
  }

  template <class T>
  void maybe_object(std::string_view key, const std::optional<T>& o) {
    object(key, o);
  }

  template <class T>
  void object(std::string_view key, const std::optional<T>& o) {
    if (!o) return;
    to_.key(key);
    write(*o);
  }

  // A struct by value: Go's JSON writes it even when it is empty, go-yaml does not.
  template <class T>
  void member(std::string_view key, const T& o) {
    if (to_.is_yaml() && o == T{}) return;
    to_.key(key);
    write(o);
  }

  template <class T>
  void objects(std::string_view key, const std::vector<T>& all) {
    if (all.empty()) return;
    to_.key(key);
    to_.begin_list();
    for (const auto& o : all) write(o);
    to_.end_list();
  }

  template <class T>
  void object_map(std::string_view key, const std::map<std::string, T, std::less<>>& all) {
    if (all.empty()) return;
    to_.key(key);
    to_.begin_map();
    for (const auto* entry : in_order(all)) {
      const auto& [name, o] = *entry;
      to_.key(name);
      write(o);
    }
    to_.end_map();
  }

  template <class T>
  void maybe_object_map(std::string_view key,
                        const std::map<std::string, std::optional<T>, std::less<>>& all) {
    if (all.empty()) return;
    to_.key(key);
    to_.begin_map();
    for (const auto* entry : in_order(all)) {
      const auto& [name, o] = *entry;
      to_.key(name);
      if (o)
        write(*o);
      else
        to_.null();
    }
    to_.end_map();
  }

  template <class T>
  void write(const T& o) {
    to_.begin_map();
    describe(*this, o);
    to_.end_map();
  }

 private:
  // JSON has the map's own bytewise order.
  template <class M>
  std::vector<const typename M::value_type*> in_order(const M& map) const {
    std::vector<const typename M::value_type*> entries;
    entries.reserve(map.size());
    for (const auto& entry : map) entries.push_back(&entry);
    if (to_.is_yaml())
      std::ranges::sort(entries, key_before, [](const auto* e) { return std::string_view(e->first); });
    return entries;
  }

  void texts(const text_list& l);

  sink& to_;
  const emit_options& options_;
};

}  // namespace difyd::compose
