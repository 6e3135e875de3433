// The tree that the loader works on, and what one load shares: memory, file names, warnings.
// Text lives in the workspace, so a tree is copied without copying its text.
#pragma once

#include <cstdint>
#include <difyd/base/error.hpp>
#include <difyd/compose/parts.hpp>
#include <difyd/compose/value.hpp>
#include <exception>
#include <memory_resource>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace difyd::compose {

// Line and column count from 1; line 0 = no place (made by the loader).
struct place {
  std::uint32_t line = 0;
  std::uint16_t column = 0;
  std::uint16_t file = 0;  // index into workspace::files
};

enum class kind : std::uint8_t { null, boolean, integer, real, text, time, sequence, mapping };

// `!reset` and `!override` of a file that is laid over another.
enum class directive : std::uint8_t { none, reset, replace };

struct field;

struct node {
  kind is = kind::null;
  directive asks = directive::none;
  bool boolean = false;
  place at;
  std::string_view text;  // of a scalar, as Go prints it
  union {
    std::int64_t integer = 0;
    double real;
  };
  std::vector<field> fields;  // of a mapping; of a sequence with empty keys

  bool is_scalar() const { return is != kind::sequence && is != kind::mapping; }
  node* find(std::string_view key);
  const node* find(std::string_view key) const;
  node& set(std::string_view key, node value);  // replaces or appends
  bool erase(std::string_view key);
};

struct field {
  std::string_view key;
  place at;
  node value;
};

node make_text(std::string_view text, place at);
node make_boolean(bool on, place at);
node make_integer(std::int64_t n, std::string_view text, place at);
node make(kind is, place at);
// The node as an extension value; numbers and strings keep their kind.
value to_value(const node& n);
// "a mapping", "a list", "a string", ... for messages
std::string_view name_of(kind is);
bool same(const node& a, const node& b);

// Thrown inside this module only; load() turns it into a Result.
struct broken : std::exception {
  explicit broken(Error e) : error(std::move(e)) {}
  const char* what() const noexcept override { return error.message.c_str(); }
  Error error;
};

struct workspace {
  std::vector<std::string> files;
  text_list warnings;

  std::string_view keep(std::string_view text);
  std::uint16_t add_file(std::string name);
  std::string where(place at) const;  // "file:line:column", or the file alone
  void warn(std::string sentence);    // each one once

 private:
  std::pmr::monotonic_buffer_resource memory_;
  std::set<std::string, std::less<>> warned_;
};

// Text of a file as an error shows it: \n and \x1b for what would break the line or steer a terminal.
std::string on_one_line(std::string_view text);

// "cannot load <where>: <cause>"
[[noreturn]] void stop(const workspace& w, place at, std::string code, const std::string& cause,
                       std::string remedy = {});
// The usual case: code "compose-invalid".
[[noreturn]] void refuse(const workspace& w, place at, const std::string& cause, std::string remedy = {});

// A path into the tree, kept on the stack while it is walked: services.api.ports
struct trail {
  const trail* up = nullptr;
  std::string_view key;
  std::string text() const;
};

}  // namespace difyd::compose
