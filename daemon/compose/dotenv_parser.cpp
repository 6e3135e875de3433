#include "dotenv_parser.hpp"

#include <algorithm>
#include <charconv>

namespace difyd::compose {
namespace {

// The length of the blank that `t` begins with, 0 for none; line breaks are none. A no-break space
// is one: it comes along where lines are copied from a web page.
std::size_t blank_length(std::string_view t) {
  if (t.empty()) return 0;
  const char c = t.front();
  if (c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f') return 1;
  return t.starts_with("\xC2\x85") || t.starts_with("\xC2\xA0") ? 2 : 0;
}

// The length of the space of Unicode that `t` begins with.
std::size_t space_length(std::string_view t) {
  if (const auto blank = blank_length(t)) return blank;
  if (t.starts_with('\n')) return 1;
  if (t.size() < 3) return 0;
  const auto sign = t.substr(0, 3);
  const auto last = static_cast<unsigned char>(sign[2]);
  const bool general = sign.starts_with("\xE2\x80") &&
                       ((last >= 0x80 && last <= 0x8A) || last == 0xA8 || last == 0xA9 || last == 0xAF);
  return general || sign == "\xE1\x9A\x80" || sign == "\xE2\x81\x9F" || sign == "\xE3\x80\x80" ? 3 : 0;
}

std::string_view trim_left(std::string_view t) {
  while (const auto blank = blank_length(t)) t.remove_prefix(blank);
  return t;
}

std::string_view trim_right(std::string_view t) {
  for (std::size_t n = 1; n <= 3 && n <= t.size();) {
    if (space_length(t.substr(t.size() - n)) == n) {
      t.remove_suffix(n);
      n = 1;
    } else {
      ++n;
    }
  }
  return t;
}

// Letters beyond ASCII are letters for compose too.
bool in_key(char c) {
  const auto u = static_cast<unsigned char>(c);
  return (u >= '0' && u <= '9') || (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || u >= 0x80 ||
         c == '_' || c == '.' || c == '-' || c == '[' || c == ']';
}

std::string_view without_mark(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else {
    out.push_back(static_cast<char>(0xC0 | (code >> 6)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
}

// What follows `\0`: three octal digits of a byte's size are a character; of all else only the 0 is
// lost, as docker compose does it. Returns how many digits it took.
std::size_t expand_octal(std::string_view t, std::string& out) {
  const std::size_t digits = std::min(t.find_first_not_of("0123456789"), std::min<std::size_t>(t.size(), 3));
  unsigned code = 0;
  const auto [end, error] = std::from_chars(t.data(), t.data() + digits, code, 8);
  if (digits == 3 && end == t.data() + digits && code <= 0xFF) {
    append_utf8(out, code);
  } else {
    out.push_back('\\');
    out.append(t.substr(0, digits));
  }
  return digits;
}

// Backslash escapes inside double quotes; `\$` becomes `$$`, which interpolation turns into `$`.
std::string expand_escapes(std::string_view t) {
  static constexpr std::string_view letters = "abfnrtv\"\\";
  static constexpr std::string_view meaning = "\a\b\f\n\r\t\v\"\\";
  std::string out;
  for (std::size_t i = 0; i < t.size(); ++i) {
    const char next = t[i] == '\\' && i + 1 < t.size() ? t[i + 1] : '\0';
    const auto known = next ? letters.find(next) : std::string_view::npos;
    if (known != std::string_view::npos) {
      out.push_back(meaning[known]);
      ++i;
    } else if (next == '$') {
      out += "$$";
      ++i;
    } else if (next == '0') {
      i += 1 + expand_octal(t.substr(i + 2), out);
    } else {
      out.push_back(t[i]);
    }
  }
  return out;
}

class parser {
 public:
  parser(workspace& w, std::uint16_t file, std::string_view text, const lookup& find, text_map known)
      : w_(w), file_(file), text_(text), left_(text), find_(find), found_(std::move(known)) {}

  text_map run() {
    while (skip_to_statement()) {
      const std::string_view key = read_key();
      if (bare_) {
        if (const auto value = find_(key)) found_.insert_or_assign(std::string(key), std::string(*value));
      } else {
        std::string value = read_value();
        found_.insert_or_assign(std::string(key), std::move(value));
      }
    }
    return std::move(found_);
  }

 private:
  place here(std::string_view at) const {
    const auto offset = static_cast<std::size_t>(at.data() - text_.data());
    const std::string_view before = text_.substr(0, offset);
    const auto line = static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n') + 1);
    const auto newline = before.rfind('\n');
    const auto column = offset - (newline == std::string_view::npos ? 0 : newline + 1) + 1;
    return {line, static_cast<std::uint16_t>(std::min<std::size_t>(column, 65535)), file_};
  }

  [[noreturn]] void refuse_line(std::string_view at, const std::string& cause,
                                std::string remedy = {}) const {
    stop(w_, here(at), "compose-syntax", cause, std::move(remedy));
  }

  bool skip_to_statement() {
    for (;;) {
      while (const auto space = space_length(left_)) left_.remove_prefix(space);
      if (left_.empty()) return false;
      if (left_.front() != '#') return true;
      const auto end = left_.find('\n');
      if (end == std::string_view::npos) return false;
      left_.remove_prefix(end);
    }
  }

  // Reads up to `=`, `:` or the end of the line; bare_ tells that there was no separator.
  std::string_view read_key() {
    const std::string_view statement = left_;
    if (left_.starts_with("export") && left_.size() > 6 &&
        (left_[6] == '\n' || blank_length(left_.substr(6)) == 1))
      left_ = trim_left(left_.substr(6));
    std::size_t i = 0;
    while (i < left_.size() && (in_key(left_[i]) || blank_length(left_.substr(i)) == 1)) ++i;
    bare_ = i == left_.size() || left_[i] == '\n';
    if (!bare_ && left_[i] != '=' && left_[i] != ':')
      refuse_line(left_.substr(i),
                  "unexpected character \"" + std::string(1, left_[i]) + "\" in a variable name",
                  "A line is KEY=value; a value of several lines needs quotes");
    const std::string_view key = trim_right(left_.substr(0, i));
    if (key.find(' ') != std::string_view::npos)
      refuse_line(statement, "key cannot contain a space", "A line is KEY=value");
    left_ = trim_left(left_.substr(std::min(i + 1, left_.size())));
    return key;
  }

  std::string read_value() {
    if (!left_.starts_with('"') && !left_.starts_with('\'')) return read_unquoted();
    const std::string_view at = left_;
    const char quote = left_.front();
    std::string raw;
    for (std::size_t i = 1; i < left_.size(); ++i) {
      const char c = left_[i];
      if (c == '\\' && i + 1 < left_.size()) {
        if (left_[i + 1] != quote) raw.push_back('\\');
        raw.push_back(left_[i + 1]);
        ++i;
      } else if (c == quote) {
        left_.remove_prefix(i + 1);
        return quote == '"' ? expand(expand_escapes(raw), at) : raw;
      } else {
        raw.push_back(c);
      }
    }
    refuse_line(at, "unterminated quoted value " + std::string(1, quote) + "...", "Close the quote");
  }

  std::string read_unquoted() {
    const std::string_view at = left_;
    std::string_view value = left_.substr(0, left_.find('\n'));
    left_.remove_prefix(std::min(value.size() + 1, left_.size()));
    value = trim_right(value.substr(0, value.find(" #")));
    return expand(value, at);
  }

  std::string expand(std::string_view value, std::string_view at) {
    if (value.find('$') == std::string_view::npos) return std::string(value);
    try {
      return substitute(
          value, [this](std::string_view name) { return known(name); },
          [this](std::string_view name) { warn_unset(name); });
    } catch (const invalid_template&) {
      refuse_line(at, "invalid interpolation format", "You may need to escape any $ with another $");
    } catch (const template_error& e) {
      refuse_line(at, e.what());
    }
  }

  std::optional<std::string_view> known(std::string_view name) const {
    if (auto value = find_(name)) return value;
    const auto own = found_.find(name);
    if (own == found_.end()) return std::nullopt;
    return own->second;
  }

  void warn_unset(std::string_view name) {
    w_.warn("The \"" + std::string(name) + "\" variable is not set. Defaulting to a blank string.");
  }

  workspace& w_;
  std::uint16_t file_;
  std::string_view text_;
  std::string_view left_;
  const lookup& find_;
  text_map found_;
  bool bare_ = false;
};

}  // namespace

text_map parse_dotenv(workspace& w, std::uint16_t file, std::string_view text, const lookup& find,
                      text_map known) {
  return parser(w, file, without_mark(text), find, std::move(known)).run();
}

text_map parse_raw_env(workspace& w, std::uint16_t file, std::string_view text, const lookup& find) {
  text_map found;
  std::uint32_t line = 0;
  for (std::string_view left = without_mark(text); !left.empty();) {
    std::string_view statement = left.substr(0, left.find('\n'));
    left.remove_prefix(std::min(statement.size() + 1, left.size()));
    ++line;
    if (statement.ends_with('\r')) statement.remove_suffix(1);
    statement = trim_left(statement);
    if (statement.empty() || statement.front() == '#') continue;
    const std::string_view key = statement.substr(0, statement.find('='));
    if (key.empty()) stop(w, {line, 1, file}, "compose-syntax", "no variable name before '='");
    if (key.find_first_of(" \t") != std::string_view::npos)
      stop(w, {line, 1, file}, "compose-syntax", "variable '" + std::string(key) + "' contains whitespaces");
    if (key.size() < statement.size())
      found.insert_or_assign(std::string(key), std::string(statement.substr(key.size() + 1)));
    else if (const auto value = find(key))
      found.insert_or_assign(std::string(key), std::string(*value));
  }
  return found;
}

}  // namespace difyd::compose
