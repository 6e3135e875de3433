#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "scalar.hpp"
#include "sink.hpp"

namespace difyd::compose {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

struct sign {
  std::uint32_t code = 0;
  std::size_t length = 1;
};

// The character at t[0]; of a broken sequence, its first byte.
sign first_sign(std::string_view t) {
  const auto lead = static_cast<unsigned char>(t[0]);
  const std::size_t length = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (length == 1 || length > t.size()) return {lead, 1};
  std::uint32_t code = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(t[i]);
    if ((next & 0xC0U) != 0x80U) return {lead, 1};
    code = code << 6 | (next & 0x3FU);
  }
  return {code, length};
}

// Beyond ASCII: what go-yaml escapes (all above U+FFFF too), and what YAML takes for a line break.
bool is_escaped(sign s) {
  return s.length > 1 &&
         (s.code < 0xA0 || s.code > 0xFFFD || s.code == 0xFEFF || s.code == 0x2028 || s.code == 0x2029);
}

bool needs_escapes(std::string_view t) {
  while (!t.empty()) {
    const auto s = first_sign(t);
    if (is_escaped(s)) return true;
    t.remove_prefix(s.length);
  }
  return false;
}

void append_hex(std::string& out, std::uint32_t code) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  const int width = code > 0xFFFF ? 8 : code > 0xFF ? 4 : 2;
  out += code > 0xFFFF ? "\\U" : code > 0xFF ? "\\u" : "\\x";
  for (int shift = 4 * (width - 1); shift >= 0; shift -= 4) out += digits[code >> shift & 0xFU];
}

// Words of YAML 1.1 that other readers take for booleans.
bool is_old_boolean(std::string_view t) {
  static constexpr std::array words{"y", "Y", "yes", "Yes", "YES", "on",  "On",  "ON",
                                    "n", "N", "no",  "No",  "NO",  "off", "Off", "OFF"};
  return std::ranges::find(words, t) != words.end();
}

// 1:20 is a number in YAML 1.1: [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?
bool is_base_60(std::string_view t) {
  if (t.starts_with('-') || t.starts_with('+')) t.remove_prefix(1);
  if (t.empty() || t[0] < '0' || t[0] > '9' || t.find(':') == std::string_view::npos) return false;
  return t.find_first_not_of("0123456789:._") == std::string_view::npos && t.back() != ':';
}

bool resolves_to_text(std::string_view t) {
  workspace scratch;
  return resolve_scalar(scratch, t, {}).is == kind::text;
}

// What the YAML grammar allows outside quotes in a block.
bool may_be_plain(std::string_view t) {
  if (t.empty() || t.front() == ' ' || t.back() == ' ' || t.starts_with("---") || t.starts_with("..."))
    return false;
  static constexpr std::string_view indicators = "#,[]{}&*!|>'\"%@`";
  if (indicators.find(t.front()) != std::string_view::npos) return false;
  const bool alone = t.size() == 1 || t[1] == ' ';
  if (alone && (t.front() == '-' || t.front() == '?' || t.front() == ':')) return false;
  for (std::size_t i = 0; i < t.size(); ++i) {
    if (is_control(t[i])) return false;
    if (t[i] == ':' && (i + 1 == t.size() || t[i + 1] == ' ')) return false;
    if (t[i] == '#' && i > 0 && t[i - 1] == ' ') return false;
  }
  return true;
}

bool may_be_literal(std::string_view t) {
  if (t.find(" \n") != std::string_view::npos) return false;
  return std::ranges::none_of(t, [](char c) { return is_control(c) && c != '\n' && c != '\t'; });
}

void append_double_quoted(std::string& out, std::string_view t) {
  using namespace std::string_view_literals;
  static constexpr auto named = "\0\a\b\t\n\v\f\r\x1b\"\\"sv;
  static constexpr auto names = "0abtnvfre\"\\"sv;
  out += '"';
  while (!t.empty()) {
    const auto s = first_sign(t);
    const auto known = named.find(t[0]);
    if (known != std::string_view::npos)
      (out += '\\') += names[known];
    else if (is_escaped(s) || is_control(t[0]))
      append_hex(out, s.code);
    else
      out.append(t.substr(0, s.length));
    t.remove_prefix(s.length);
  }
  out += '"';
}

void append_single_quoted(std::string& out, std::string_view t) {
  out += '\'';
  for (const char c : t) out.append(c == '\'' ? 2 : 1, c);
  out += '\'';
}

class yaml_writer final : public sink {
 public:
  explicit yaml_writer(std::string& out) : out_(out) {}

  void begin_map() override { open(false); }
  void begin_list() override { open(true); }
  void end_map() override { close("{}"); }
  void end_list() override { close("[]"); }

  void key(std::string_view name) override {
    start_line();
    write_text(name);
    out_ += ':';
    after_key_ = true;
  }

  void text(std::string_view t) override {
    place_value();
    write_text(t);
    out_ += '\n';
  }

  void literal(std::string_view t) override {
    place_value();
    out_ += t;
    out_ += '\n';
  }

  bool is_yaml() const override { return true; }

 private:
  struct level {
    bool list = false;
    bool empty = true;
    std::size_t indent = 0;
  };

  void open(bool list) {
    std::size_t indent = levels_.empty() ? 0 : levels_.back().indent + 2;
    if (!levels_.empty() && levels_.back().list && !after_key_) {
      start_line();
      out_ += "- ";
      on_dash_ = true;
    }
    levels_.push_back({list, true, indent});
    // Its first entry ends the line of the key, or goes on after the dash.
    pending_key_ = std::exchange(after_key_, false);
  }

  void close(std::string_view empty) {
    const bool was_empty = levels_.back().empty;
    levels_.pop_back();
    if (!was_empty) return;
    if (std::exchange(pending_key_, false)) out_ += ' ';
    on_dash_ = false;
    out_ += empty;
    out_ += '\n';
  }

  void start_line() {
    auto& top = levels_.back();
    top.empty = false;
    if (std::exchange(pending_key_, false)) out_ += '\n';
    if (std::exchange(on_dash_, false)) return;
    out_.append(top.indent, ' ');
  }

  void place_value() {
    if (levels_.empty()) return;
    if (std::exchange(after_key_, false)) {
      out_ += ' ';
    } else if (levels_.back().list) {
      start_line();
      out_ += "- ";
    }
  }

  // go-yaml's choice: double quotes for what would not be read back as a string, single quotes
  // for what the grammar does not allow outside quotes.
  void write_text(std::string_view t) {
    if (needs_escapes(t)) return append_double_quoted(out_, t);
    if (t.find('\n') != std::string_view::npos && may_be_literal(t)) return write_literal(t);
    const bool is_text = resolves_to_text(t) && !is_old_boolean(t) && !is_base_60(t);
    if (is_text && may_be_plain(t))
      out_ += t;
    else if (is_text && std::ranges::none_of(t, is_control))
      append_single_quoted(out_, t);
    else
      append_double_quoted(out_, t);
  }

  void write_literal(std::string_view t) {
    const std::size_t indent = levels_.empty() ? 2 : levels_.back().indent + 2;
    out_ += '|';
    if (t.front() == ' ' || t.front() == '\n') out_ += '2';
    if (!t.ends_with('\n'))
      out_ += '-';
    else if (t.size() == 1 || t[t.size() - 2] == '\n')
      out_ += '+';
    if (t.ends_with('\n')) t.remove_suffix(1);
    for (;;) {
      const auto line = t.substr(0, t.find('\n'));
      out_ += '\n';
      if (!line.empty()) out_.append(indent, ' ').append(line);
      if (line.size() == t.size()) return;
      t.remove_prefix(line.size() + 1);
    }
  }

  std::string& out_;
  std::vector<level> levels_;
  bool after_key_ = false;
  bool pending_key_ = false;
  bool on_dash_ = false;
};

}  // namespace

std::unique_ptr<sink> yaml_sink(std::string& out) { return std::make_unique<yaml_writer>(out); }

}  // namespace difyd::compose
