#include "constraints.hpp"

#include <cmath>
#include <limits>
#include <set>

#include "rules.hpp"

namespace difyd::compose {
namespace {

enum class demand {
  nothing,
  keys,
  word,
  pull_policy,
  name,
  at_least_0,
  percent,
  oom_score,
  unique,
  not_boolean
};

struct constraint {
  demand what = demand::nothing;
  std::string_view words;  // keys, word: separated by blanks
};
using constraint_rules = rules<constraint>;

constexpr std::string_view orders = "start-first stop-first";

const constraint_rules& constraints() {
  static const constraint_rules table{
      {"models.*", {demand::keys, "model"}},
      {"networks.*.driver_opts.*", {demand::not_boolean, {}}},
      {"volumes.*.driver_opts.*", {demand::not_boolean, {}}},
      {"services.*.cgroup", {demand::word, "host private"}},
      {"services.*.container_name", {demand::name, {}}},
      {"services.*.cpu_count", {demand::at_least_0, {}}},
      {"services.*.cpu_percent", {demand::percent, {}}},
      {"services.*.depends_on.*", {demand::keys, "condition"}},
      {"services.*.depends_on.*.condition",
       {demand::word, "service_started service_healthy service_completed_successfully"}},
      {"services.*.deploy.replicas", {demand::at_least_0, {}}},
      {"services.*.deploy.resources.reservations.devices.*", {demand::keys, "capabilities"}},
      {"services.*.deploy.rollback_config.order", {demand::word, orders}},
      {"services.*.deploy.update_config.order", {demand::word, orders}},
      {"services.*.develop.watch.*", {demand::keys, "path action"}},
      {"services.*.develop.watch.*.action", {demand::word, "rebuild sync restart sync+restart sync+exec"}},
      {"services.*.devices.*", {demand::keys, "source"}},
      {"services.*.env_file.*", {demand::keys, "path"}},
      {"services.*.external_links", {demand::unique, {}}},
      {"services.*.extra_hosts", {demand::unique, {}}},
      {"services.*.group_add", {demand::unique, {}}},
      {"services.*.logging.options.*", {demand::not_boolean, {}}},
      {"services.*.oom_score_adj", {demand::oom_score, {}}},
      {"services.*.ports.*", {demand::keys, "target"}},
      {"services.*.post_start.*", {demand::keys, "command"}},
      {"services.*.pre_stop.*", {demand::keys, "command"}},
      {"services.*.provider", {demand::keys, "type"}},
      {"services.*.pull_policy", {demand::pull_policy, {}}},
      {"services.*.scale", {demand::at_least_0, {}}},
      {"services.*.security_opt", {demand::unique, {}}},
      {"services.*.volumes.*", {demand::keys, "type"}},
      {"services.*.volumes.*.type", {demand::word, "bind volume tmpfs cluster npipe image"}},
      {"services.*.volumes.*.bind.recursive", {demand::word, "enabled disabled writable readonly"}},
      {"services.*.volumes.*.bind.selinux", {demand::word, "z Z"}},
      {"services.*.volumes.*.tmpfs.size", {demand::at_least_0, {}}},
      {"services.*.volumes_from", {demand::unique, {}}},
  };
  return table;
}

// The next of several words that blanks separate; empty at the end.
std::string_view next_word(std::string_view& words) {
  const auto word = words.substr(0, words.find(' '));
  words.remove_prefix(std::min(words.size(), word.size() + 1));
  return word;
}

bool has_word(std::string_view words, std::string_view text) {
  while (!words.empty())
    if (next_word(words) == text) return true;
  return false;
}

std::string with_commas(std::string_view words) {
  std::string text;
  while (!words.empty()) text += (text.empty() ? "" : ", ") + std::string(next_word(words));
  return text;
}

// The schema's pattern is not anchored: one of these words somewhere is enough.
bool is_pull_policy(std::string_view text) {
  for (const auto* word :
       {"always", "never", "build", "if_not_present", "missing", "refresh", "daily", "weekly"})
    if (text.find(word) != std::string_view::npos) return true;
  const auto every = text.find("every_");
  if (every == std::string_view::npos) return false;
  const auto digits = text.substr(every + 6);
  const auto unit = digits.find_first_not_of("0123456789");
  return unit != 0 && unit != std::string_view::npos &&
         std::string_view("wdhms").find(digits[unit]) != std::string_view::npos;
}

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Neither is this one: a letter or digit, and one more character of a name behind it.
bool is_container_name(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const char next = text[i + 1];
    if (is_alphanumeric(text[i]) && (is_alphanumeric(next) || next == '_' || next == '.' || next == '-'))
      return true;
  }
  return false;
}

class checker {
 public:
  explicit checker(const workspace& w) : w_(w) {}

  void visit(const node& n, const constraint_rules* at, const trail& path) const {
    if (!at) return;
    if (at->action.what != demand::nothing) check(n, at->action, path);
    for (std::size_t i = 0; i < n.fields.size(); ++i) {
      const auto& f = n.fields[i];
      const auto* below_it = at->below(f.key);
      if (!below_it) continue;
      const std::string index = n.is == kind::sequence ? "[" + std::to_string(i) + "]" : std::string{};
      visit(f.value, below_it, {&path, n.is == kind::sequence ? std::string_view(index) : f.key});
    }
  }

 private:
  void check(const node& n, const constraint& c, const trail& path) const {
    switch (c.what) {
      case demand::keys:
        return keys(n, c.words, path);
      case demand::word:
        return word(n, c.words, path);
      case demand::unique:
        return unique(n, path);
      case demand::at_least_0:
        return within(n, 0, std::numeric_limits<std::int64_t>::max(), path);
      case demand::percent:
        return within(n, 0, 100, path);
      case demand::oom_score:
        return within(n, -1000, 1000, path);
      case demand::not_boolean:
        if (n.is == kind::boolean)
          refuse(w_, n.at, path.text() + " must be a string or a number, not a boolean", quoted(n.text));
        return;
      case demand::pull_policy:
        if (n.is == kind::text && !is_pull_policy(n.text))
          refuse(w_, n.at, path.text() + ": unknown pull policy \"" + std::string(n.text) + "\"",
                 "It is one of always, never, missing, build, daily, weekly, every_<n><wdhms>");
        return;
      case demand::name:
        if (n.is == kind::text && !is_container_name(n.text))
          refuse(w_, n.at, path.text() + ": \"" + std::string(n.text) + "\" is no name of a container",
                 "It has two or more letters, digits, '_', '.' and '-', a letter or digit first");
        return;
      case demand::nothing:
        return;
    }
  }

  static std::string quoted(std::string_view text) {
    return "Put it in quotes: \"" + std::string(text) + "\"";
  }

  void keys(const node& n, std::string_view wanted, const trail& path) const {
    if (n.is != kind::mapping) return;
    while (!wanted.empty())
      if (const auto key = next_word(wanted); !n.find(key))
        refuse(w_, n.at, path.text() + " needs " + std::string(key));
  }

  void word(const node& n, std::string_view words, const trail& path) const {
    if (n.is != kind::text || has_word(words, n.text)) return;
    refuse(w_, n.at, path.text() + ": \"" + std::string(n.text) + "\" is not known",
           "It is one of " + with_commas(words));
  }

  void unique(const node& n, const trail& path) const {
    if (n.is != kind::sequence) return;
    std::set<std::string_view> seen;
    for (const auto& f : n.fields)
      if (f.value.is == kind::text && !seen.insert(f.value.text).second)
        refuse(w_, f.value.at, path.text() + " lists \"" + std::string(f.value.text) + "\" twice",
               "Keep one");
  }

  void within(const node& n, std::int64_t least, std::int64_t most, const trail& path) const {
    if (n.is == kind::real && n.real != std::trunc(n.real))
      refuse(w_, n.at, path.text() + " must be a whole number, not " + std::string(n.text));
    if (n.is != kind::integer || (n.integer >= least && n.integer <= most)) return;
    const bool bounded = most != std::numeric_limits<std::int64_t>::max();
    refuse(w_, n.at,
           path.text() + " must be " +
               (bounded ? "from " + std::to_string(least) + " to " + std::to_string(most)
                        : "at least " + std::to_string(least)) +
               ", not " + std::string(n.text));
  }

  const workspace& w_;
};

}  // namespace

void check_constraints(const workspace& w, const node& model) { checker(w).visit(model, &constraints(), {}); }

}  // namespace difyd::compose
