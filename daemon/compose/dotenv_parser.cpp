#include "dotenv_parser.hpp"

#include <algorithm>

namespace difyd::compose {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }
bool is_space(char c) { return is_blank(c) || c == '\n'; }

std::string_view trim_left(std::string_view t) {
  while (!t.empty() && is_blank(t.front())) t.remove_prefix(1);
  return t;
}

std::string_view trim_right(std::string_view t) {
  while (!t.empty() && is_space(t.back())) t.remove_suffix(1);
  return t;
}

// Letters beyond ASCII are letters for compose too.
bool in_key(char c) {
  const auto u = static_cast<unsigned char>(c);
  return (u >= '0' && u <= '9') || (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || u >= 0x80 ||
         c == '_' || c == '.' || c == '-' || c == '[' || c == ']';
}

std::string without_carriage_returns(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::string clean;
  clean.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') clean.push_back(text[i]);
  return clean;
}

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else {
    out.push_back(static_cast<char>(0xC0 | (code >> 6)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
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
    } else if (next == '0' && i + 4 < t.size() &&
               t.substr(i + 2, 3).find_first_not_of("01234567") == std::string_view::npos) {
      append_utf8(
          out,
          static_cast<unsigned>((t[i + 2] - '0') * 64 + (t[i + 3] - '0') * 8 + (t[i + 4] - '0')) & 0xFFU);
      i += 4;
    } else {
      out.push_back(t[i]);
    }
  }
  return out;
}

class parser {
 public:
  parser(workspace& w, std::uint16_t file, std::string_view text, const lookup& find)
      : w_(w), file_(file), text_(text), left_(text), find_(find) {}

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
      while (!left_.empty() && is_space(left_.front())) left_.remove_prefix(1);
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
    if (left_.starts_with("export") && left_.size() > 6 && is_space(left_[6]))
      left_ = trim_left(left_.substr(6));
    std::size_t i = 0;
    while (i < left_.size() && (in_key(left_[i]) || is_blank(left_[i]))) ++i;
    bare_ = i == left_.size() || left_[i] == '\n';
    if (!bare_ && left_[i] != '=' && left_[i] != ':')
      refuse_line(left_.substr(i),
                  "unexpected character \"" + std::string(1, left_[i]) + "\" in a variable name",
                  "A line is KEY=value; a value of several lines needs quotes");
    const std::string_view key = trim_right(left_.substr(0, i));
    if (key.find(' ') != std::string_view::npos) refuse_line(statement, "key cannot contain a space");
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

text_map parse_dotenv(workspace& w, std::uint16_t file, std::string_view text, const lookup& find) {
  const std::string clean = without_carriage_returns(text);
  return parser(w, file, clean, find).run();
}

text_map parse_raw_env(workspace& w, std::uint16_t file, std::string_view text, const lookup& find) {
  const std::string clean = without_carriage_returns(text);
  text_map found;
  std::uint32_t line = 0;
  for (std::string_view left = clean; !left.empty();) {
    std::string_view statement = left.substr(0, left.find('\n'));
    left.remove_prefix(std::min(statement.size() + 1, left.size()));
    ++line;
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
