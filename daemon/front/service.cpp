#include "service.hpp"

#include "difyd/base/clock.hpp"

namespace difyd::front {
namespace {

http::response make_response(int status, const std::string& type, const std::string& body) {
  http::response out;
  out.status = status;
  out.headers.add("Content-Type", type);
  out.headers.add("Cache-Control", "no-store");
  out.body = body;
  return out;
}

http::response make_response(const reply& from) { return make_response(from.status, from.type, from.body); }

http::response plain(int status, const char* text) {
  return make_response(status, "text/plain; charset=utf-8", text);
}

void add_age(http::response& out, const answers& ready) {
  const bool known = ready.source.has_value();
  out.headers.add("Difyd-Verdict-Age",
                  known ? std::to_string(age_of(*ready.source, boot_time()).count() / 1000) : "none");
}

// Which of several answers it was depends on these headers.
http::response varying(http::response out, const char* headers) {
  out.headers.set("Vary", headers);
  return out;
}

// An SSH tunnel ends here, too.
bool from_this_machine(const http::peer& from) {
  return from.address.starts_with("127.") || from.address.starts_with("[::1]:") ||
         from.address.starts_with("[::ffff:127.");
}

http::response status_response(const http::request& asked, const served& now) {
  const bool page = form_of(asked.headers.get("Accept")) == form::html && asked.headers.has("Accept") &&
                    asked.headers.get("Accept") != "*/*";
  const auto& text = page ? now.status_page : now.status;
  if (text.empty()) return plain(503, "nothing published yet\n");
  auto out =
      varying(make_response(200, page ? "text/html; charset=utf-8" : "application/json", text), "Accept");
  // Whatever a finding's text may hold, nothing of it runs and nothing is loaded.
  if (page) out.headers.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
  return out;
}

http::response not_allowed() {
  auto refused = plain(405, "method not allowed\n");
  refused.headers.set("Allow", "GET, HEAD");
  return refused;
}

bool known_path(std::string_view path, bool with_status) {
  return path == "/healthz" || path == "/readyz" || path == "/metrics" || (with_status && path == "/status");
}

http::response answer_health(const http::request& asked, const served& now, bool with_status) {
  const auto path = asked.path();
  if (!known_path(path, with_status)) return plain(404, "not found\n");
  if (asked.method != "GET" && asked.method != "HEAD") return not_allowed();
  if (path == "/metrics") return make_response(200, "text/plain; version=0.0.4; charset=utf-8", now.metrics);
  auto out = path == "/status" ? status_response(asked, now)
                               : make_response(path == "/healthz" ? now.ready.healthz : now.ready.readyz);
  add_age(out, now.ready);
  return out;
}

bool is_health_path(const http::request& asked, const served& now) {
  const auto& source = now.ready.source;
  if (!source || !source->maintenance) return false;
  const auto& path = source->maintenance->health_path;
  return !path.empty() && asked.path() == path;
}

http::response answer_maintenance(const http::request& asked, const served& now) {
  const auto& source = now.ready.source;
  http::response out = plain(200, "ok\n");
  if (!is_health_path(asked, now)) {
    // Told to let go between accept and answer: the page of before is still the right one.
    const auto& headers = asked.headers;
    const auto ready = now.maintenance ? *now.maintenance : make_pages({}, {}, {});
    out = varying(make_response(choose(ready, headers.get("Accept"), headers.get("Accept-Language"))),
                  "Accept, Accept-Language");
    const int wait = source && source->maintenance ? source->maintenance->retry_after : 1;
    out.headers.set("Retry-After", std::to_string(wait));
  }
  out.headers.set("Connection", "close");
  return out;
}

task<http::response> ready_made(http::response answer) { co_return answer; }

std::optional<wanted_port> wanted_for_maintenance(const served& now) {
  const auto& source = now.ready.source;
  if (!source || !source->maintenance || source->maintenance->port == 0) return std::nullopt;
  return wanted_port{source->maintenance->address, source->maintenance->port};
}

wanted_port wanted_for_health(const served& now, const wanted_port& fallback) {
  const auto& source = now.ready.source;
  if (!source || source->listen.empty()) return fallback;
  return parse_listen(source->listen).value_or(fallback);
}

}  // namespace

port_rules health_port(cell<served>& current, wanted_port fallback, bool status_for_all) {
  port_rules rules;
  rules.wanted = [fallback](const served& now) { return std::optional(wanted_for_health(now, fallback)); };
  rules.answer = [&current, status_for_all](const http::request& asked, const http::peer& from) {
    const auto now = current.get();
    const auto& source = now->ready.source;
    const bool with_status = status_for_all || (source && source->status_for_all) || from_this_machine(from);
    return ready_made(answer_health(asked, *now, with_status));
  };
  // Connections of its own: however many visitors read the page, a check finds room. A checker that
  // keeps its connection must not find it closed when it asks again; who only holds one gives it up
  // to the next who comes.
  rules.options.at_once = true;
  rules.options.max_connections = 256;
  rules.options.make_room = true;
  rules.options.idle_timeout = std::chrono::minutes(11);
  return rules;
}

port_rules maintenance_port(cell<served>& current) {
  port_rules rules;
  rules.wanted = wanted_for_maintenance;
  rules.answer = [&current](const http::request& asked, const http::peer&) {
    return ready_made(answer_maintenance(asked, *current.get()));
  };
  rules.options.at_once = true;
  rules.options.make_room = true;
  rules.options.max_connections = 512;
  rules.options.idle_timeout = std::chrono::seconds(5);
  return rules;
}

}  // namespace difyd::front
