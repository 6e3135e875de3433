#include "redact.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "difyd/base/text.hpp"
#include "difyd/base/url.hpp"
#include "difyd/config/secret.hpp"

namespace difyd::cli {
namespace {

constexpr std::size_t shortest = 4;

std::string base64(std::string_view bytes) {
  constexpr char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    for (std::size_t j = 0; j < 4; ++j)
      result += i + j <= bytes.size() ? letters[group >> (18 - 6 * j) & 63] : '=';
  }
  return result;
}

// As it stands between the quotes of a JSON string.
std::string escaped(const std::string& text, bool ascii) {
  const auto quoted = nlohmann::json(text).dump(-1, ' ', ascii, nlohmann::json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.';
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// How long an escape of a JSON string, or of one in another one, is: \n, \", \\n and so on; 0 for none.
std::size_t escape_length(std::string_view text) {
  const auto end = text.find_first_not_of('\\');
  if (end == 0 || end == text.npos) return 0;
  return std::string_view("nrt\"'").find(text[end]) != text.npos ? end + 1 : 0;
}

// Ends a value that has no quotes.
bool ends_value(std::string_view text) {
  const char c = text[0];
  if (escape_length(text) > 0) return true;
  return c == '\n' || c == '\r' || is_blank(c) || c == '"' || c == '\'' || c == ',' || c == ';' || c == '&' ||
         c == '}' || c == ')' || c == ']' || c == '`' || c == '<';
}

// db.password, apiKey, secret-key -> API_KEY and so on, as environment variables are written.
std::string as_variable(std::string_view name) {
  std::string result;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool upper = c >= 'A' && c <= 'Z';
    const bool after_lower = i > 0 && name[i - 1] >= 'a' && name[i - 1] <= 'z';
    if (upper && after_lower) result += '_';
    result += c == '-' || c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return result;
}

// Names of files and of systemd's credentials say where a secret is, not what it is.
bool names_place(std::string_view variable) {
  for (const auto* end : {"_FILE", "_FILES", "_PATH", "_CREDENTIAL"})
    if (variable.ends_with(end)) return true;
  return false;
}

bool looks_secret(std::string_view name) {
  const auto variable = as_variable(name);
  if (names_place(variable)) return false;
  return config::names_secret(variable) || variable == "APIKEY" || variable == "PASSPHRASE" ||
         variable == "SESSIONID" || variable == "COOKIE";
}

// "primary key: id" is none, "key: " and a long word may be.
bool vague(std::string_view name) {
  const auto variable = as_variable(name);
  return variable == "KEY" || variable == "KEYS" || variable == "AUTH";
}
constexpr std::size_t shortest_of_vague = 12;

constexpr std::array<std::string_view, 17> token_beginnings = {
    "sk-",  "sk_",  "ghp_",  "gho_", "ghs_", "github_pat_", "glpat-", "xoxb-",   "xoxp-",
    "AKIA", "ASIA", "ya29.", "AIza", "eyJ",  "hf_",         "app-",   "dataset-"};
constexpr std::size_t shortest_token = 20;

class scanner {
 public:
  explicit scanner(std::string_view text) : text_(text) { result_.reserve(text.size()); }

  std::string run() {
    while (at_ < text_.size()) {
      if (take_private_key() || take_user_of_url()) continue;
      if (const auto escape = escape_length(rest()))
        copy(escape);
      else if (is_word(text_[at_]))
        take_word();
      else
        copy(1);
    }
    return std::move(result_);
  }

 private:
  std::string_view rest() const { return text_.substr(at_); }
  void copy(std::size_t count) {
    result_.append(text_.substr(at_, count));
    at_ += count;
  }
  void drop(std::size_t count) {
    if (count > 0) result_ += redacted;
    at_ += count;
  }

  bool take_private_key() {
    constexpr std::string_view begin = "-----BEGIN ", end = "-----END ";
    if (!rest().starts_with(begin)) return false;
    const auto title = rest().substr(0, 80);
    if (title.find("PRIVATE KEY") == title.npos) return false;
    auto length = rest().find(end);
    if (length == rest().npos) length = rest().size();
    drop(length);
    return true;
  }

  bool take_user_of_url() {
    if (!rest().starts_with("://")) return false;
    copy(3);
    std::size_t end = 0, at = std::string_view::npos;
    while (end < rest().size() && !ends_value(rest().substr(end)) && rest()[end] != '/' &&
           rest()[end] != '?') {
      if (rest()[end] == '@') at = end;
      ++end;
    }
    if (at != std::string_view::npos) drop(at);
    return true;
  }

  // Quotes, which in a log may be escaped themselves.
  std::size_t quotes_at(std::size_t from) const {
    std::size_t end = from;
    while (end < text_.size() && text_[end] == '\\') ++end;
    return end < text_.size() && (text_[end] == '"' || text_[end] == '\'') ? end + 1 - from : 0;
  }

  void take_word() {
    std::size_t length = 0;
    while (length < rest().size() && is_word(rest()[length])) ++length;
    const auto word = rest().substr(0, length);
    const auto lower = to_lower(word);
    if (is_token(word)) return drop(length);
    copy(length);
    if ((lower == "bearer" || lower == "basic") && at_ < text_.size() && is_blank(text_[at_]))
      return take_credential();
    if (looks_secret(word)) take_value(vague(word) ? shortest_of_vague : 0);
  }

  static bool is_token(std::string_view word) {
    return word.size() >= shortest_token &&
           std::ranges::any_of(token_beginnings, [&](auto begin) { return word.starts_with(begin); });
  }

  // In a sentence "basic" is followed by a word, not by eight characters with digits or capitals.
  void take_credential() {
    std::size_t blanks = 0, length = 0;
    while (blanks < rest().size() && is_blank(rest()[blanks])) ++blanks;
    while (blanks + length < rest().size() && !ends_value(rest().substr(blanks + length))) ++length;
    const auto value = rest().substr(blanks, length);
    const bool odd = std::ranges::any_of(value, [](char c) { return c < 'a' || c > 'z'; });
    copy(blanks);
    if (length >= 8 && odd && !rest().starts_with(redacted)) drop(length);
  }

  // After NAME: = or :, with or without quotes and blanks.
  void take_value(std::size_t least) {
    std::size_t here = at_ + quotes_at(at_);
    while (here < text_.size() && is_blank(text_[here])) ++here;
    if (here >= text_.size() || (text_[here] != '=' && text_[here] != ':')) return;
    ++here;
    while (here < text_.size() && is_blank(text_[here])) ++here;
    const std::size_t quotes = quotes_at(here);
    const std::string_view mark = text_.substr(here, quotes);
    copy(here + quotes - at_);
    if (rest().starts_with(redacted)) return copy(redacted.size());
    std::size_t length = 0;
    if (quotes > 0) {
      length = rest().find(mark);
      const auto line = rest().find('\n');
      length = std::min({length, line, rest().size()});
    } else {
      while (length < rest().size() && !ends_value(rest().substr(length))) ++length;
    }
    const auto value = rest().substr(0, length);
    if (value.size() < least) return copy(length);
    if (value == "true" || value == "false" || value == "null") return copy(length);
    // "Authorization: Bearer TOKEN": the scheme is no secret, what follows it is taken out above.
    if (to_lower(value) == "bearer" || to_lower(value) == "basic") return;
    drop(length);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string result_;
};

}  // namespace

void redactor::add(const std::string& secret) {
  const auto trimmed = std::string(trim(secret));
  if (trimmed.size() < shortest) return;
  for (const auto& form : {trimmed, percent_encode(trimmed), base64(trimmed), base64(trimmed + "\n")})
    known_.insert(form);
  // A log line in JSON may hold another one.
  for (const bool ascii : {false, true}) {
    const auto once = escaped(trimmed, ascii);
    known_.insert({once, escaped(once, false), escaped(once, true)});
  }
  // A secret of several lines, as a private key, is shown line by line.
  for (const auto& line : split(trimmed, '\n'))
    if (line.size() != trimmed.size() && trim(line).size() >= 16) known_.insert(std::string(trim(line)));
}

std::string redactor::clean(std::string_view text) const {
  std::string result(text);
  // One may be the beginning of another.
  std::vector<std::string_view> longest_first(known_.begin(), known_.end());
  std::ranges::sort(longest_first, std::greater(), &std::string_view::size);
  for (const auto& secret : longest_first) result = replaced(std::move(result), secret, redacted);
  return scanner(result).run();
}

}  // namespace difyd::cli
