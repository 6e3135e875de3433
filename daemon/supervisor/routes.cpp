#include "routes.hpp"

#include <algorithm>
#include <charconv>
#include <deque>

#include "backing_up.hpp"
#include "difyd/control/plan.hpp"
#include "maintenance.hpp"
#include "migrations.hpp"
#include "operations.hpp"
#include "probing.hpp"
#include "restoring.hpp"
#include "views.hpp"

namespace difyd::supervisor {
namespace {

int status_of_error(const Error& error) {
  if (error.code.starts_with("no-such-") || error.code == "release-unknown") return 404;
  return control::bad_input(error.code) ? 400 : 409;
}

http::response refuse(const Error& error) {
  return http::json_response(status_of_error(error), control::to_json(error) + "\n");
}

template <class T>
http::response answer_with(const Result<T>& result, int status = 200) {
  if (!result) return refuse(result.error());
  return http::json_response(status, control::to_json(*result) + "\n");
}

// One event per line, from `since` on, for as long as the client stays.
http::response stream_events(world& w, const http::request& request) {
  std::uint64_t seen = w.events.last();
  if (const auto since = request.query("since"))
    std::from_chars(since->data(), since->data() + since->size(), seen);
  const std::string operation = request.query("operation").value_or("");
  struct cursor {
    std::uint64_t seen;
    std::string operation;
  };
  auto at = std::make_shared<cursor>(cursor{seen, operation});
  http::response response;
  response.headers.set("Content-Type", "application/x-ndjson");
  response.next = [&w, at]() -> task<std::optional<std::string>> {
    std::string lines;
    while (lines.empty()) {
      for (const auto& event : co_await w.events.after(at->seen)) {
        at->seen = event.sequence;
        if (at->operation.empty() || at->operation == event.operation)
          lines += control::to_json(event) + "\n";
      }
    }
    co_return lines;
  };
  return response;
}

// ID of /v1/migrations/ID/log, else empty.
std::string log_of(std::string_view path) {
  constexpr std::string_view prefix = "/v1/migrations/", suffix = "/log";
  if (path.size() <= prefix.size() + suffix.size()) return {};
  if (!path.starts_with(prefix) || !path.ends_with(suffix)) return {};
  return std::string(path.substr(prefix.size(), path.size() - prefix.size() - suffix.size()));
}

http::response migration_log(world& w, const http::request& request) {
  auto pieces = migration_output(w, log_of(request.path()), request.query("follow").has_value());
  if (!pieces) return refuse(pieces.error());
  auto response = http::text_response(200, "");
  response.next = std::move(*pieces);
  return response;
}

http::response no_route(const std::string& path) {
  return refuse({"no-such-route", "there is no " + path, "Begin with: GET /v1/status"});
}

// Before the operation is accepted: a name that is mistyped changes nothing.
Result<std::vector<std::string>> known_services(const world& w, const std::string& body) {
  auto services = control::parse_services_request(body);
  const auto release = *w.in_force.get();
  if (!services || !release) return services;
  std::vector<std::string> known;
  for (const auto& [name, definition] : release->project.services) known.push_back(name);
  for (const auto& name : *services)
    if (std::ranges::find(known, name) == known.end())
      return fail(control::unknown_service("restart", name, known));
  return services;
}

task<http::response> backups(world& w) {
  if (auto read = co_await read_backups(w); !read) co_return refuse(read.error());
  std::vector<control::backup> list;
  for (const auto& each : *w.backups.get()) list.push_back(view_of(each));
  co_return http::json_response(200, control::to_json(list) + "\n");
}

task<http::response> get(world& w, const http::request& request) {
  const std::string path(request.path());
  const ledger::record nothing;
  const ledger::record& book = w.book ? w.book->current() : nothing;
  if (path == "/v1/status") co_return http::json_response(200, control::to_json(status_of(w)) + "\n");
  if (path == "/v1/events") co_return stream_events(w, request);
  if (path == "/v1/checks")
    co_return http::json_response(200, control::to_json(co_await probe_everything(w)) + "\n");
  if (path == "/v1/plan") co_return answer_with(co_await plan_of(w, request.query("version").value_or("")));
  if (path == "/v1/history") co_return http::json_response(200, control::to_json(history_of(book)) + "\n");
  if (path == "/v1/migrations")
    co_return http::json_response(
        200, control::to_json(migrations_of(book, w.migrating ? w.migrating->upgrade : "",
                                            std::chrono::system_clock::now())) +
                 "\n");
  if (path == "/v1/advisories")
    co_return http::json_response(200, control::to_json(commands_of(book, w.command)) + "\n");
  if (path == "/v1/restore")
    co_return answer_with(co_await plan_restore(w, request.query("backup").value_or("")));
  if (path == "/v1/backups") co_return co_await backups(w);
  co_return migration_log(w, request);
}

http::response post(world& w, const http::request& request) {
  const std::string path(request.path());
  if (path == "/v1/upgrade") {
    const auto wish = control::parse_upgrade_request(request.body);
    return wish ? answer_with(request_upgrade(w, *wish), 202) : refuse(wish.error());
  }
  if (path == "/v1/resume") return answer_with(request_resume(w), 202);
  if (path == "/v1/repin") {
    const auto wish = control::parse_upgrade_request(request.body);
    return wish ? answer_with(request_repin(w, wish->version), 202) : refuse(wish.error());
  }
  if (path == "/v1/rehearse") {
    const auto wish = control::parse_upgrade_request(request.body);
    const auto backup = control::parse_backup_request(request.body);
    if (!wish || !backup) return refuse(wish ? backup.error() : wish.error());
    return answer_with(request_rehearsal(w, wish->version, *backup), 202);
  }
  if (path == "/v1/abort") return answer_with(request_abort(w), 202);
  if (path == "/v1/backup") return answer_with(request_backup(w), 202);
  if (path == "/v1/backup/verify") {
    const auto id = control::parse_backup_request(request.body);
    return id ? answer_with(request_verify(w, *id), 202) : refuse(id.error());
  }
  if (path == "/v1/rollback") {
    const auto id = control::parse_backup_request(request.body);
    if (!id) return refuse(id.error());
    return answer_with(id->empty() ? request_rollback(w) : request_restore(w, *id), 202);
  }
  if (path == "/v1/advisories/run" || path == "/v1/advisories/drop") {
    const auto id = control::parse_advisory_request(request.body);
    const auto what = path.ends_with("run") ? command_wish::run : command_wish::drop;
    return id ? answer_with(request_commands(w, *id, what), 202) : refuse(id.error());
  }
  if (path == "/v1/maintenance") {
    const auto wish = control::parse_maintenance_request(request.body);
    return wish ? answer_with(request_maintenance(w, *wish), 202) : refuse(wish.error());
  }
  if (path == "/v1/stack/up") return answer_with(request_up(w), 202);
  if (path == "/v1/stack/down") return answer_with(request_down(w), 202);
  if (path == "/v1/stack/restart") {
    auto services = known_services(w, request.body);
    return services ? answer_with(request_restart(w, std::move(*services)), 202) : refuse(services.error());
  }
  return no_route(path);
}

enum class takes { nothing, reading, posting };

takes what_takes(std::string_view path) {
  for (const auto* known : {"/v1/status", "/v1/events", "/v1/checks", "/v1/plan", "/v1/history",
                            "/v1/migrations", "/v1/backups", "/v1/restore", "/v1/advisories"})
    if (path == known) return takes::reading;
  for (const auto* known :
       {"/v1/upgrade", "/v1/rehearse", "/v1/resume", "/v1/repin", "/v1/abort", "/v1/backup",
        "/v1/backup/verify", "/v1/rollback", "/v1/advisories/run", "/v1/advisories/drop", "/v1/maintenance",
        "/v1/stack/up", "/v1/stack/down", "/v1/stack/restart"})
    if (path == known) return takes::posting;
  return log_of(path).empty() ? takes::nothing : takes::reading;
}

task<http::response> route(world& w, const http::request& request) {
  const std::string path(request.path());
  const auto known = what_takes(path);
  if (known == takes::nothing) co_return no_route(path);
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (reads && known == takes::reading) co_return co_await get(w, request);
  if (request.method == "POST" && known == takes::posting) co_return post(w, request);
  const std::string allowed = known == takes::reading ? "GET, HEAD" : "POST";
  const Error error{"method-not-allowed", path + " does not take " + request.method, "It takes " + allowed};
  auto response = http::json_response(405, control::to_json(error) + "\n");
  response.headers.set("Allow", allowed);
  co_return response;
}

}  // namespace

http::handler make_routes(world& w) {
  return [&w](const http::request& request, const http::peer&) { return route(w, request); };
}

}  // namespace difyd::supervisor
