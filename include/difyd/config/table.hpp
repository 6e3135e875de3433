// The table of keys: parser, checks, the commented reference and printing come from it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "difyd/config/settings.hpp"

namespace difyd::config {

// Where a key's value lives. The alternative decides how the text is read: a duration is a
// number with ms, s, m or h ("90s"; 0 alone is fine).
using slot = std::variant<std::string& (*)(settings&), int& (*)(settings&), bool& (*)(settings&),
                          duration& (*)(settings&), std::optional<difyd::version>& (*)(settings&),
                          std::optional<text_list>& (*)(settings&), text_map& (*)(settings&)>;

enum class form {
  any,
  name,  // lower-case letters, digits, - and _, starting with a letter or digit
  absolute_path,
  folder,           // absolute path; a URL is refused by name
  url_of_version,   // http or https, with {version} in it
  hash_of_version,  // a map of versions to SHA-256
  proxy,            // http://, https:// or socks5h://
  address,          // host:port
  engine,           // unix:///path or tcp://host[:port]
  choice,           // one of `range`, separated by |
  between,          // `range` is "low..high", for numbers and durations
  refused,          // known, but must not be given: `range` says what to do instead
};

struct key {
  std::string_view path = {};  // "database.port"
  slot where;
  std::string_view fallback = {};  // the default as written in YAML; empty: none
  form wants = form::any;
  std::string_view range = {};
  bool required = false;
  std::string_view example = {};      // shown in the reference where there is no default
  std::string_view description = {};  // sentences for the reference and the manual
};

// In the order of the reference.
std::span<const key> table();

// Every key at its default.
settings defaults();

// "text", "number", "true or false", "duration", "version", "list of texts", "map of texts".
std::string_view type_name(const key& row);

// The commented reference: config/difyd.yaml is this text.
std::string reference();

// The same as a list: [{"key", "type", "required", "default", "allowed", "example", "description"}];
// default, allowed and example only where there is one.
std::string reference_json();

}  // namespace difyd::config
