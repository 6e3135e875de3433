#include "difyd/base/text.hpp"
#include "difyd/health/probes.hpp"

namespace difyd::health {
namespace {

constexpr duration slow{2000};

finding make(std::string subject, std::string code, severity level, std::string detail,
             std::string remedy = {}) {
  return {std::move(subject), std::move(code), level, std::move(detail), std::move(remedy), false, {}};
}

finding failed(std::string subject, std::string code, severity level, const Error& error) {
  return make(std::move(subject), std::move(code), level, error.message, error.remedy);
}

}  // namespace

finding judge_engine(const Result<engine::engine_version>& version, duration took) {
  if (!version) {
    const auto error = engine::naming_address(version.error(), "engine.host");
    if (engine::is_unreachable(error) || error.code == "deadline-exceeded")
      return make("engine", "engine-away", severity::critical, error.message,
                  error.remedy.empty() ? "Start it: systemctl start docker" : error.remedy);
    return failed("engine", "engine-unusable", severity::error, error);
  }
  const std::string text = "Docker Engine " + version->server + ", API " + version->api;
  if (took > slow)
    return make("engine", "engine-slow", severity::warning,
                text + " takes " + to_text(took) + " for a trivial call",
                "Look at the machine's load and disk (journalctl -u docker)");
  return make("engine", "engine-ok", severity::ok, text + ", answers in " + to_text(took));
}

finding judge_redis(const redis_target& target, const Result<redis_facts>& facts) {
  if (!facts && facts.error().code == "deadline-exceeded")
    return make("redis", "redis-silent", severity::error, facts.error().message,
                "A firewall that drops packets, or a Redis that is frozen: look at its load and memory");
  if (!facts) return failed("redis", facts.error().code, severity::error, facts.error());
  const std::string where = target.host + ":" + std::to_string(target.port);
  const std::string text = "Redis " + facts->version + " at " + where;
  if (facts->role == "slave")
    return make("redis", "redis-replica", severity::error, text + " is a read-only replica",
                "Point difyd at the primary");
  if (facts->memory_max > 0 && facts->memory_policy.starts_with("allkeys-"))
    return make("redis", "redis-evicts", severity::warning,
                text + " may drop queued tasks when its memory is full (" + facts->memory_policy + ")",
                "Set maxmemory-policy to noeviction or to one that begins with volatile-");
  if (facts->memory_max > 0 && facts->memory_used > facts->memory_max / 10 * 9)
    return make("redis", "redis-full", severity::warning,
                text + " uses " + bytes_text(facts->memory_used) + " of " + bytes_text(facts->memory_max),
                "Raise maxmemory");
  return make("redis", "redis-ok", severity::ok, text + ", " + bytes_text(facts->memory_used) + " used");
}

finding judge_port(const port_target& target, const Result<int>& status, duration took) {
  const std::string where = target.address + ":" + std::to_string(target.port) + target.path;
  if (!status)
    return make(target.subject, "port-away", severity::error, status.error().message,
                "Look at nginx: difyd logs nginx");
  const std::string text = where + " answers " + std::to_string(*status);
  if (*status >= 500)
    return make(target.subject, "port-error", severity::error, text,
                "Look at what is behind nginx: difyd ps");
  if (*status >= 400)
    return make(target.subject, "port-unexpected", severity::warning, text,
                "Look at nginx: difyd logs nginx");
  return make(target.subject, "port-answers", severity::ok, text + " in " + to_text(took));
}

}  // namespace difyd::health
