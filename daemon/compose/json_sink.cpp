#include <array>
#include <charconv>
#include <cmath>

#include "sink.hpp"

namespace difyd::compose {
namespace {

constexpr std::string_view hex = "0123456789abcdef";

// Length of the UTF-8 sequence at t[0]; 0 = invalid.
std::size_t sequence_length(std::string_view t) {
  const auto at = [&](std::size_t i) { return i < t.size() ? static_cast<unsigned char>(t[i]) : 0U; };
  const auto tail = [&](std::size_t i) { return (at(i) & 0xC0U) == 0x80U; };
  const unsigned lead = at(0);
  if (lead >= 0xC2 && lead <= 0xDF && tail(1)) return 2;
  if ((lead & 0xF0U) == 0xE0 && tail(1) && tail(2)) {
    const bool short_form = lead == 0xE0 && at(1) < 0xA0;
    const bool surrogate = lead == 0xED && at(1) >= 0xA0;
    return short_form || surrogate ? 0 : 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4 && tail(1) && tail(2) && tail(3)) {
    const bool short_form = lead == 0xF0 && at(1) < 0x90;
    const bool beyond = lead == 0xF4 && at(1) >= 0x90;
    return short_form || beyond ? 0 : 4;
  }
  return 0;
}

bool plain(unsigned char c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

void append_ascii(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\b':
      out += "\\b";
      return;  // Go 1.22 and newer
    case '\f':
      out += "\\f";
      return;
    default:
      break;
  }
  const auto u = static_cast<unsigned char>(c);
  out += "\\u00";
  out += hex[u >> 4];
  out += hex[u & 0xF];
}

// Go's escaping: HTML characters and U+2028/9 too; invalid UTF-8 becomes U+FFFD.
void append_quoted(std::string& out, std::string_view t) {
  out += '"';
  while (!t.empty()) {
    std::size_t n = 0;
    while (n < t.size() && plain(static_cast<unsigned char>(t[n]))) ++n;
    out.append(t.substr(0, n));
    t.remove_prefix(n);
    if (t.empty()) break;
    std::size_t used = 1;
    if (static_cast<unsigned char>(t[0]) < 0x80) {
      append_ascii(out, t[0]);
    } else if ((used = sequence_length(t)) == 0) {
      out += "\\ufffd";
      used = 1;
    } else if (t.starts_with("\xE2\x80\xA8") || t.starts_with("\xE2\x80\xA9")) {
      out += t[2] == '\xA8' ? "\\u2028" : "\\u2029";
    } else {
      out.append(t.substr(0, used));
    }
    t.remove_prefix(used);
  }
  out += '"';
}

class json_writer final : public sink {
 public:
  json_writer(std::string& out, bool indented) : out_(out), indented_(indented) {}

  void begin_map() override { open('{'); }
  void end_map() override { close('}'); }
  void begin_list() override { open('['); }
  void end_list() override { close(']'); }

  void key(std::string_view name) override {
    separate();
    append_quoted(out_, name);
    out_ += indented_ ? ": " : ":";
    after_key_ = true;
  }

  void text(std::string_view t) override {
    separate();
    append_quoted(out_, t);
  }

  void literal(std::string_view t) override {
    separate();
    out_ += t;
  }

  bool is_yaml() const override { return false; }

 private:
  void separate() {
    if (after_key_) {
      after_key_ = false;
      return;
    }
    if (depth_ == 0) return;
    if (!fresh_) out_ += ',';
    fresh_ = false;
    new_line();
  }

  void open(char c) {
    separate();
    out_ += c;
    ++depth_;
    fresh_ = true;
  }

  void close(char c) {
    --depth_;
    if (!fresh_) new_line();
    fresh_ = false;
    out_ += c;
  }

  void new_line() {
    if (!indented_) return;
    out_ += '\n';
    out_.append(2 * depth_, ' ');
  }

  std::string& out_;
  bool indented_;
  bool fresh_ = false;
  bool after_key_ = false;
  std::size_t depth_ = 0;
};

// encoding/json: decimal form from 1e-6 up to 1e21, else an exponent without leading zeros.
template <class F>
std::string go_number(F n) {
  std::array<char, 64> text{};
  const F size = std::abs(n);
  const bool exponent = n != 0 && (size < F(1e-6) || size >= F(1e21));
  const auto format = exponent ? std::chars_format::scientific : std::chars_format::fixed;
  std::string s(text.data(), std::to_chars(text.data(), text.data() + text.size(), n, format).ptr);
  if (const auto e = s.find("e-0"); e != std::string::npos) s.erase(e + 2, 1);
  return s;
}

}  // namespace

void sink::real(float n) { literal(go_number(n)); }
void sink::real(double n) { literal(go_number(n)); }

std::unique_ptr<sink> json_sink(std::string& out, bool indented) {
  return std::make_unique<json_writer>(out, indented);
}

}  // namespace difyd::compose
