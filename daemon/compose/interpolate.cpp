#include "interpolate.hpp"

#include <algorithm>
#include <charconv>

#include "rules.hpp"
#include "scalar.hpp"

namespace difyd::compose {
namespace {

enum class cast { none, integer, real, boolean };
using cast_rules = rules<cast>;

const cast_rules& casts() {
  static const cast_rules table{
      {"services.*.cpu_count", cast::integer},
      {"services.*.cpu_percent", cast::real},
      {"services.*.cpu_period", cast::integer},
      {"services.*.cpu_quota", cast::integer},
      {"services.*.cpu_rt_period", cast::integer},
      {"services.*.cpu_rt_runtime", cast::integer},
      {"services.*.cpus", cast::real},
      {"services.*.cpu_shares", cast::integer},
      {"services.*.init", cast::boolean},
      {"services.*.deploy.replicas", cast::integer},
      {"services.*.deploy.update_config.parallelism", cast::integer},
      {"services.*.deploy.update_config.max_failure_ratio", cast::real},
      {"services.*.deploy.rollback_config.parallelism", cast::integer},
      {"services.*.deploy.rollback_config.max_failure_ratio", cast::real},
      {"services.*.deploy.restart_policy.max_attempts", cast::integer},
      {"services.*.deploy.placement.max_replicas_per_node", cast::integer},
      {"services.*.healthcheck.retries", cast::integer},
      {"services.*.healthcheck.disable", cast::boolean},
      {"services.*.oom_kill_disable", cast::boolean},
      {"services.*.oom_score_adj", cast::integer},
      {"services.*.pids_limit", cast::integer},
      {"services.*.ports.*.target", cast::integer},
      {"services.*.privileged", cast::boolean},
      {"services.*.read_only", cast::boolean},
      {"services.*.scale", cast::integer},
      {"services.*.stdin_open", cast::boolean},
      {"services.*.tty", cast::boolean},
      {"services.*.ulimits.*", cast::integer},
      {"services.*.ulimits.*.hard", cast::integer},
      {"services.*.ulimits.*.soft", cast::integer},
      {"services.*.volumes.*.read_only", cast::boolean},
      {"services.*.volumes.*.volume.nocopy", cast::boolean},
      {"networks.*.external", cast::boolean},
      {"networks.*.internal", cast::boolean},
      {"networks.*.attachable", cast::boolean},
      {"networks.*.enable_ipv4", cast::boolean},
      {"networks.*.enable_ipv6", cast::boolean},
      {"volumes.*.external", cast::boolean},
      {"secrets.*.external", cast::boolean},
      {"configs.*.external", cast::boolean},
  };
  return table;
}

class interpolator {
 public:
  interpolator(workspace& w, const lookup& find) : w_(w), find_(find) {}

  void visit(node& n, const cast_rules* at, const trail& path) {
    if (n.is == kind::text) return visit_text(n, at, path);
    for (std::size_t i = 0; i < n.fields.size(); ++i) {
      auto& f = n.fields[i];
      const std::string index = n.is == kind::sequence ? "[" + std::to_string(i) + "]" : std::string{};
      const std::string_view key = n.is == kind::sequence ? std::string_view(index) : f.key;
      visit(f.value, below(at, f.key), {&path, key});
    }
  }

 private:
  void visit_text(node& n, const cast_rules* at, const trail& path) {
    if (n.text.find('$') != std::string_view::npos) n.text = w_.keep(substituted(n, path));
    if (at && at->action != cast::none) n = cast_text(n, at->action, path);
  }

  std::string substituted(const node& n, const trail& path) {
    try {
      return substitute(n.text, find_, unset_);
    } catch (const invalid_template& e) {
      stop(w_, n.at, "compose-invalid", "invalid interpolation format for " + path.text() + ": " + e.what(),
           "You may need to escape any $ with another $");
    } catch (const template_error& e) {
      stop(w_, n.at, "compose-invalid", "error while interpolating " + path.text() + ": " + e.what(),
           "Set it in the environment or in the env file");
    }
  }

  node cast_text(const node& n, cast to, const trail& path) {
    const auto wrong = [&](std::string_view type) {
      refuse(w_, n.at,
             "error while interpolating " + path.text() + ": failed to cast to expected type: invalid " +
                 std::string(type) + ": \"" + std::string(n.text) + "\"",
             type == "boolean" ? "Write true or false" : "Write a " + std::string(type));
    };
    if (to == cast::boolean) {
      const auto on = cast_boolean(w_, n.text);
      if (!on) wrong("boolean");
      return make_boolean(*on, n.at);
    }
    std::string_view digits = n.text;
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const char* const end = digits.data() + digits.size();
    if (to == cast::integer) {
      std::int64_t number = 0;
      const auto [stopped, error] = std::from_chars(digits.data(), end, number);
      if (digits.empty() || error != std::errc{} || stopped != end) wrong("whole number");
      return make_integer(number, w_.keep(std::to_string(number)), n.at);
    }
    node real = make(kind::real, n.at);
    const auto [stopped, error] = std::from_chars(digits.data(), end, real.real);
    if (digits.empty() || error != std::errc{} || stopped != end) wrong("number");
    real.text = w_.keep(go_float(real.real));
    return real;
  }

  workspace& w_;
  const lookup& find_;
  unset_warning unset_ = [this](std::string_view name) {
    w_.warn("The \"" + std::string(name) + "\" variable is not set. Defaulting to a blank string.");
  };
};

}  // namespace

std::optional<bool> cast_boolean(workspace& w, std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower == "true") return true;
  if (lower == "false") return false;
  const bool on = lower == "y" || lower == "yes" || lower == "on";
  const bool off = lower == "n" || lower == "no" || lower == "off";
  if (!on && !off) return std::nullopt;
  w.warn("\"" + std::string(text) + "\" for boolean is not supported by YAML 1.2, please use `" +
         (on ? "true" : "false") + "`");
  return on;
}

void interpolate(workspace& w, node& document, const lookup& find) {
  interpolator(w, find).visit(document, &casts(), {});
}

}  // namespace difyd::compose
