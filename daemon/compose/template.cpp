#include "template.hpp"

namespace difyd::compose {
namespace {

constexpr std::size_t deepest = 100;

bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool in_name(char c) { return starts_name(c) || (c >= '0' && c <= '9'); }

std::size_t name_length(std::string_view text) {
  if (text.empty() || !starts_name(text[0])) return 0;
  std::size_t n = 1;
  while (n < text.size() && in_name(text[n])) ++n;
  return n;
}

// What stands between `${NAME` and its closing brace.
struct braced {
  std::string_view name;
  std::string_view op;     // "", "-", ":-", "?", ":?", "+", ":+"
  std::string_view word;   // default, message or replacement
  std::size_t length = 0;  // of the whole, from `$` to `}`
};

// The brace that closes the one at text[1]. The character after an opening brace never counts:
// `${N:-{}}` is whole. Without a balance the last brace of the line closes (both as in
// compose-go, whose expression is greedy).
std::size_t closing_brace(std::string_view text) {
  std::size_t open = 0;
  std::size_t last = std::string_view::npos;
  for (std::size_t i = 0; i < text.size() && text[i] != '\n'; ++i) {
    if (text[i] == '}') {
      last = i;
      if (open > 0 && --open == 0) return i;
    } else if (text[i] == '{') {
      ++open;
      ++i;
      if (i < text.size() && text[i] == '}') last = i;
      if (i < text.size() && text[i] == '\n') break;
    }
  }
  return last;
}

std::size_t operator_length(std::string_view rest) {
  const std::size_t colon = rest.starts_with(':') ? 1 : 0;
  if (rest.size() <= colon) return 0;
  const char c = rest[colon];
  return c == '-' || c == '?' || c == '+' ? colon + 1 : 0;
}

std::optional<braced> parse_braced(std::string_view text) {
  braced b;
  b.name = text.substr(2, name_length(text.substr(2)));
  if (b.name.empty()) return std::nullopt;
  const std::string_view rest = text.substr(2 + b.name.size());
  if (rest.starts_with('}')) {
    b.length = 3 + b.name.size();
    return b;
  }
  const std::size_t op = operator_length(rest);
  const std::size_t close = closing_brace(text);
  const std::size_t from = 2 + b.name.size() + op;
  if (op == 0 || close == std::string_view::npos || close < from) return std::nullopt;
  b.op = rest.substr(0, op);
  b.word = text.substr(from, close - from);
  b.length = close + 1;
  return b;
}

// What an error may show of a value that may hold a secret: `${`, the name and the rest of a
// short brace.
std::string broken_part(std::string_view rest) {
  constexpr std::size_t shown = 24;
  const std::size_t close = rest.find('}');
  if (close != std::string_view::npos && close < shown) return std::string(rest.substr(0, close + 1));
  return std::string(rest.substr(0, 2 + name_length(rest.substr(2)))) + "...";
}

class substitution {
 public:
  substitution(const lookup& find, const unset_warning& unset) : find_(find), unset_(unset) {}

  std::string run(std::string_view text, std::size_t depth) {
    if (depth > deepest) throw invalid_template("defaults are nested too deep");
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
      const auto dollar = text.find('$', i);
      out.append(text.substr(i, dollar - i));
      if (dollar == std::string_view::npos) break;
      i = dollar + one(text.substr(dollar), out, depth);
    }
    return out;
  }

 private:
  // Handles what starts with the `$` of `rest`; returns how much of it was used.
  std::size_t one(std::string_view rest, std::string& out, std::size_t depth) {
    if (rest.starts_with("$$")) {
      out.push_back('$');
      return 2;
    }
    if (rest.starts_with("${")) {
      const auto b = parse_braced(rest);
      if (!b) throw invalid_template(broken_part(rest));
      out.append(value_of(*b, depth));
      return b->length;
    }
    const std::size_t n = name_length(rest.substr(1));
    if (n == 0) {
      out.push_back('$');
      return 1;
    }
    out.append(plain(rest.substr(1, n)));
    return n + 1;
  }

  std::string plain(std::string_view name) {
    const auto value = find_(name);
    if (value) return std::string(*value);
    if (unset_) unset_(name);
    return {};
  }

  std::string value_of(const braced& b, std::size_t depth) {
    if (b.op.empty()) return plain(b.name);
    const auto value = find_(b.name);
    const bool counts = value && (b.op.size() == 1 || !value->empty());
    switch (b.op.back()) {
      case '-':
        return counts ? std::string(*value) : run(b.word, depth + 1);
      case '+':
        return counts ? run(b.word, depth + 1) : std::string(value.value_or(std::string_view{}));
      default:
        break;
    }
    if (counts) return std::string(*value);
    const std::string reason = run(b.word, depth + 1);
    throw template_error("required variable " + std::string(b.name) + " is missing a value" +
                         (reason.empty() ? "" : ": " + reason));
  }

  const lookup& find_;
  const unset_warning& unset_;
};

}  // namespace

std::string substitute(std::string_view text, const lookup& find, const unset_warning& unset) {
  return substitution(find, unset).run(text, 0);
}

}  // namespace difyd::compose
