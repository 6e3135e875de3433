#include "service.hpp"

#include "difyd/base/clock.hpp"

namespace difyd::front {
namespace {

http::response make_response(const reply& from) {
  http::response out;
  out.status = from.status;
  out.headers.set("Content-Type", from.type);
  out.headers.set("Cache-Control", "no-store");
  out.body = from.body;
  return out;
}

void add_age(http::response& out, const answers& ready) {
  const auto age = ready.source ? boot_time() - ready.source->published : std::chrono::milliseconds(-1);
  out.headers.set("Difyd-Verdict-Age", age.count() < 0 ? "none" : std::to_string(age.count() / 1000));
}

http::response plain(int status, const char* text) {
  return make_response({status, "text/plain; charset=utf-8", text});
}

bool known_path(std::string_view path, bool with_status) {
  return path == "/healthz" || path == "/readyz" || path == "/metrics" || (with_status && path == "/status");
}

http::response status_response(const served& now) {
  if (now.status.empty()) return plain(503, "nothing published yet\n");
  return make_response({200, "application/json", now.status});
}

http::response answer_health(const http::request& asked, const served& now, bool with_status) {
  const auto path = asked.path();
  if (!known_path(path, with_status)) return plain(404, "not found\n");
  if (asked.method != "GET" && asked.method != "HEAD") {
    auto refused = plain(405, "method not allowed\n");
    refused.headers.set("Allow", "GET, HEAD");
    return refused;
  }
  if (path == "/status") return status_response(now);
  if (path == "/metrics")
    return make_response(
        {200, "text/plain; version=0.0.4; charset=utf-8", make_metrics(now.ready.source, boot_time())});
  auto out = make_response(path == "/healthz" ? now.ready.healthz : now.ready.readyz);
  add_age(out, now.ready);
  return out;
}

http::response answer_maintenance(const http::request& asked, const served& now) {
  const auto& source = now.ready.source;
  // Told to let go between accept and answer: the page of before is still the right one.
  const auto page = source && source->maintenance ? *source->maintenance : maintenance_page{};
  http::response out;
  if (!page.health_path.empty() && asked.path() == page.health_path) {
    out = plain(200, "ok\n");
  } else {
    out = make_response(make_page(page, asked.headers.get("Accept"), now.own_page));
    out.headers.set("Retry-After", std::to_string(page.retry_after));
    out.headers.set("Vary", "Accept");
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

port_rules health_port(cell<served>& current, wanted_port fallback, bool with_status) {
  port_rules rules;
  rules.wanted = [fallback](const served& now) { return std::optional(wanted_for_health(now, fallback)); };
  rules.answer = [&current, with_status](const http::request& asked, const http::peer&) {
    return ready_made(answer_health(asked, *current.get(), with_status));
  };
  return rules;
}

port_rules maintenance_port(cell<served>& current) {
  port_rules rules;
  rules.wanted = wanted_for_maintenance;
  rules.answer = [&current](const http::request& asked, const http::peer&) {
    return ready_made(answer_maintenance(asked, *current.get()));
  };
  rules.options.idle_timeout = std::chrono::seconds(5);
  return rules;
}

}  // namespace difyd::front
