#include "readiness.hpp"

#include <charconv>

#include "difyd/base/log.hpp"
#include "difyd/base/task_group.hpp"
#include "difyd/base/text.hpp"
#include "difyd/health/probes.hpp"
#include "difyd/http/client.hpp"
#include "difyd/release/roles.hpp"
#include "engine_work.hpp"
#include "leasing.hpp"
#include "maintenance.hpp"
#include "page.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

// What to ask a Dify service, by its image (Dify FACTS section f).
struct question {
  const char* repository;
  std::uint16_t port;
  const char* path;
};

constexpr question questions[] = {
    {"langgenius/dify-web", 3000, "/signin"},
    {"langgenius/dify-plugin-daemon", 5002, "/health/check"},
    {"langgenius/dify-sandbox", 8194, "/health"},
    {"semitechnologies/weaviate", 8080, "/v1/.well-known/ready"},
};

enum class state { ready, not_yet, ended };

struct judged {
  std::string service;
  state how = state::not_yet;
  std::string why;
};

std::string value_in(const compose::service& service, const char* key) {
  const auto found = service.environment.find(key);
  return found != service.environment.end() && found->second ? *found->second : std::string();
}

std::uint16_t number(const std::string& text, std::uint16_t otherwise) {
  std::uint16_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : otherwise;
}

judged from_answer(const std::string& service, const Result<http::response>& answer) {
  if (!answer) return {service, state::not_yet, answer.error().message};
  if (answer->status == 200) return {service, state::ready, {}};
  return {service, state::not_yet, "it answers with " + std::to_string(answer->status)};
}

task<judged> ask_redis(const compose::service& service, std::string address) {
  health::redis_target target;
  target.host = std::move(address);
  target.password = value_in(service, "REDISCLI_AUTH");
  const auto facts = co_await health::ask_redis(target, 3s);
  // Wrong credentials of ours are no reason to call it down.
  const bool answers = facts || facts.error().code == "redis-auth";
  co_return judged{service.name, answers ? state::ready : state::not_yet,
                   answers ? "" : facts.error().message};
}

// Runs, and the engine has not called it healthy (yet): asked itself where we know how.
task<judged> ask_service(world& w, const compose::service& service,
                         const stack::observed_container& container, std::string address) {
  const std::string repository = release::repository(service.image);
  if (repository == "langgenius/dify-api") {
    const std::string mode = value_in(service, "MODE");
    if (mode == "api" || mode.empty())
      co_return from_answer(
          service.name, co_await ask(w, address, number(value_in(service, "DIFY_PORT"), 5001), "/health"));
  }
  if (repository == "redis") co_return co_await ask_redis(service, address);
  for (const auto& each : questions)
    if (repository == each.repository)
      co_return from_answer(
          service.name,
          co_await ask(w, address, number(value_in(service, "SERVER_PORT"), each.port), each.path));
  if (container.health == "starting")
    co_return judged{service.name, state::not_yet, "its health check has not passed yet"};
  co_return judged{service.name, state::ready, {}};
}

task<judged> judge_service(world& w, release_ptr release, stack::observed now, std::string name) {
  const auto& service = release->project.services.at(name);
  if (compose::wanted_scale(service) == 0) co_return judged{name, state::ready, {}};
  const auto containers = stack::containers_of(now, name);
  if (containers.empty()) co_return judged{name, state::not_yet, "it has no container"};
  const auto& one = *containers.front();
  if (release::one_shot(release->project, name)) {
    if (one.state == "exited")
      co_return judged{name, one.exit_code == 0 ? state::ready : state::not_yet,
                       "it ended with " + std::to_string(one.exit_code)};
    co_return judged{name, state::not_yet, "it has not ended"};
  }
  if (!one.running())
    co_return judged{name, state::ended,
                     "it is " + one.state + " (exit code " + std::to_string(one.exit_code) + ")"};
  if (one.health == "healthy") co_return judged{name, state::ready, {}};
  if (one.health == "unhealthy") co_return judged{name, state::not_yet, "its health check fails"};
  co_return co_await ask_service(w, service, one, address_of(now, w.settings.project, name));
}

}  // namespace

std::string address_of(const stack::observed& now, const std::string& project, const std::string& service) {
  for (const auto* container : stack::containers_of(now, service)) {
    if (!container->running()) continue;
    if (const auto found = container->networks.find(project + "_default");
        found != container->networks.end() && !found->second.address.empty())
      return found->second.address;
    for (const auto& [name, endpoint] : container->networks)
      if (!endpoint.address.empty()) return endpoint.address;
  }
  return {};
}

task<Result<http::response>> ask(world& w, std::string host, std::uint16_t port, std::string path) {
  http::client client(w.executor, http::tcp_endpoint(std::move(host), port));
  http::request request;
  request.target = std::move(path);
  request.headers.set("Host", "localhost");
  http::send_options options;
  options.deadline = 5s;
  co_return co_await client.send(std::move(request), options);
}

namespace {

// A service whose dependency is a moment late ends (the plugin daemon without its database or
// Redis does) and counts on being started again; the engine's restart policy is ours to play.
class second_chances {
 public:
  // Waits 0.3, 0.6, 1.2, 2.4, 4.8 s before the next start; nullopt: the chances are used up.
  std::optional<bool> start_now(const std::string& service) {
    const auto now = std::chrono::steady_clock::now();
    auto& each = ended_.try_emplace(service, memory{now}).first->second;
    if (now < each.since + 300ms * (1 << each.starts)) return false;
    if (each.starts == 5) return std::nullopt;
    each = {now, each.starts + 1};
    return true;
  }

 private:
  struct memory {
    std::chrono::steady_clock::time_point since;
    int starts = 0;
  };
  std::map<std::string, memory> ended_;
};

task<Result<>> start_again(world& w, const stack::observed& now, const judged& ended,
                           second_chances& chances) {
  const auto start = chances.start_now(ended.service);
  if (!start)
    co_return fail("service-ended",
                   "cannot bring " + ended.service + " up: " + ended.why + ", time and again",
                   "Its output: difyd logs " + ended.service);
  if (!*start) co_return Result<>{};
  log::warning("start", "starting a service again that has ended",
               {{"service", ended.service}, {"why", ended.why}});
  if (w.stands.get()->at == phase::upgrading)
    if (auto ours = co_await still_ours(w); !ours) co_return ours;
  for (const auto* container : stack::containers_of(now, ended.service))
    if (auto started = co_await w.engine.containers.start(container->id); !started) co_return started;
  co_return Result<>{};
}

std::string text_of(const std::vector<awaited>& left) {
  std::vector<std::string> parts;
  for (const auto& each : left) parts.push_back(each.service + " (" + each.why + ")");
  return join(parts, ", ");
}

}  // namespace

task<Result<>> await_ready(world& w, release_ptr release, std::vector<std::string> services,
                           std::string operation, duration limit) {
  wait_scope scope(w.waits, std::move(operation), limit);
  const auto begun = std::chrono::steady_clock::now(), end = begun + limit;
  if (services.empty())
    for (const auto& [name, definition] : release->project.services) services.push_back(name);
  second_chances chances;
  for (;;) {
    auto now = co_await look(w, project_of(release));
    if (!now) co_return fail(now.error());
    std::vector<task<judged>> all;
    for (const auto& service : services) all.push_back(judge_service(w, release, *now, service));
    std::vector<awaited> left;
    for (auto& each : co_await when_all(std::move(all))) {
      if (each.how != state::ready) left.push_back({each.service, each.why});
      if (each.how != state::ended) continue;
      if (auto started = co_await start_again(w, *now, each, chances); !started) co_return started;
    }
    if (left.empty()) co_return Result<>{};
    scope.set(left);
    if (std::chrono::steady_clock::now() >= end)
      co_return fail(
          "not-ready",
          "cannot wait for the services any longer: not ready after " + to_text(limit) + ": " + text_of(left),
          "Their output: difyd logs");
    // What is there within tenths of a second is not kept waiting: Dify may be down meanwhile.
    co_await pause(std::chrono::steady_clock::now() - begun < 2s ? 50ms : 300ms);
  }
}

namespace {

task<Result<>> api_has_version(world& w, const release::release& what) {
  const std::string api = release::api_service(what.project);
  const std::string address = address_of(*w.observed.get(), w.settings.project, api);
  if (address.empty())
    co_return fail("api-unreachable", "cannot ask the api for its version: it does not run");
  auto health = co_await ask(w, address, 5001, "/health");
  if (!health) co_return fail(health.error());
  if (health->status != 200)
    co_return fail("api-unhealthy", "the api answers /health with " + std::to_string(health->status));
  const auto reported = health->headers.get("X-Version");
  if (!reported.empty() && reported != what.version.text())
    co_return fail("wrong-version",
                   "the api says that it is " + std::string(reported) + ", not " + what.version.text());
  co_return Result<>{};
}

task<Result<>> entrance_answers(world& w, const release::release& what) {
  const auto where = published_entrance(what.project);
  if (!where) co_return Result<>{};
  for (const auto* path : {"/console/api/ping", "/signin"}) {
    auto answer = co_await ask(w, where->asked, where->port, path);
    if (!answer) co_return fail(answer.error());
    if (answer->status != 200)
      co_return fail("entrance-failed", std::string("the published port answers ") + path + " with " +
                                            std::to_string(answer->status));
  }
  co_return Result<>{};
}

}  // namespace

task<Result<>> await_answers(world& w, release_ptr what) {
  const auto end = std::chrono::steady_clock::now() + w.settings.upgrade.verify_timeout;
  for (;;) {
    auto api = co_await api_has_version(w, *what);
    auto entrance = api && !closed(w) ? co_await entrance_answers(w, *what) : api;
    if (entrance || std::chrono::steady_clock::now() >= end) co_return entrance;
    co_await pause(500ms);
  }
}

}  // namespace difyd::supervisor
