#include "daemon_commands.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "difyd/base/text.hpp"
#include "difyd/config/load.hpp"
#include "difyd/control/client.hpp"
#include "difyd/control/plan.hpp"
#include "difyd/health/codes.hpp"
#include "difyd/health/render.hpp"
#include "progress.hpp"
#include "render.hpp"

namespace difyd::cli {
namespace {

using namespace std::chrono_literals;

// The daemon may have to fetch the release first, and has its own bound for that.
constexpr auto plan_limit = 1h;

void put(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  if (text.empty() || text.back() != '\n') std::fputc('\n', stdout);
}

// GET, then the daemon's own JSON or the rendered value.
template <class T>
task<int> show(options given, std::string path, Result<T> (*parse)(std::string_view),
               std::string (*render)(const T&), duration limit = 30s) {
  control::client daemon = daemon_of(given);
  auto answer = co_await daemon.get(std::move(path), limit);
  if (!answer) co_return report(answer.error(), exit_code_of(answer.error()));
  if (given.json) {
    put(*answer);
    co_return succeeded;
  }
  auto value = parse(*answer);
  if (!value) co_return report(value.error());
  put(render(*value));
  co_return succeeded;
}

task<int> services(options given) {
  control::client daemon = daemon_of(given);
  auto answer = co_await daemon.get("/v1/status");
  if (!answer) co_return report(answer.error(), exit_code_of(answer.error()));
  auto status = control::parse_status(*answer);
  if (!status) co_return report(status.error());
  put(given.json ? control::to_json(status->services) : render_services(status->services));
  co_return succeeded;
}

task<int> act(options given, std::string path, std::string body, bool wait) {
  const bool upgrade = path == "/v1/upgrade" || path == "/v1/resume";
  control::client daemon = daemon_of(given);
  auto answer = co_await daemon.post(std::move(path), std::move(body));
  if (!answer) co_return report(answer.error(), exit_code_of(answer.error()));
  auto what = control::parse_accepted(*answer);
  if (!what) co_return report(what.error());
  if (wait)
    co_return co_await follow_operation(
        daemon, *what, given.json,
        upgrade ? upgrade_goes_on : "the daemon goes on with it; see: difyd status");
  put(given.json ? *answer
                 : "accepted as " + what->operation + "; follow it with: difyd " +
                       (upgrade ? "upgrade --follow" : "status"));
  co_return succeeded;
}

task<Result<std::string>> newest_migration(control::client& daemon) {
  auto answer = co_await daemon.get("/v1/migrations");
  if (!answer) co_return fail(answer.error());
  auto all = control::parse_migrations(*answer);
  if (!all) co_return fail(all.error());
  if (all->empty()) co_return fail("no-such-migration", "no migration has been run");
  co_return all->back().id;
}

// Hands over to the program that has the probes and their libraries.
int check_without_daemon(const options& given) {
  if (const auto good = config::load(given.config, config::this_process()); !good)
    return report(good.error(), exit_code_of(good.error()));
  const std::string program = program_path("difyd-supervisor");
  std::vector<std::string> words{program, "--check", "--config", given.config};
  if (given.json) words.push_back("--json");
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execv(program.c_str(), arguments.data());
  return report(
      {"program-missing", "cannot run " + program + ": " + std::strerror(errno), "Install difyd again"});
}

task<int> check_with_daemon(options given, bool& answered) {
  control::client daemon = daemon_of(given);
  auto answer = co_await daemon.get("/v1/checks", 60s);
  answered = answer.has_value() || answer.error().code != "daemon-not-running";
  if (!answer) co_return answered ? report(answer.error(), exit_code_of(answer.error())) : no_daemon;
  auto findings = control::parse_findings(*answer);
  if (!findings) co_return report(findings.error());
  put(given.json ? health::render_json(*findings)
                 : health::render_text(*findings, ::isatty(STDOUT_FILENO) == 1));
  co_return health::exit_code(*findings);
}

// A typed answer on a terminal; nobody can give one elsewhere.
bool agrees_to(const std::string& version) {
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1 || answers_in_json()) return false;
  std::printf("\nDify stops, and %s comes back as it was then. Type %s to go on: ", version.c_str(),
              version.c_str());
  std::fflush(stdout);
  std::string typed;
  for (int c; (c = std::getchar()) != EOF && c != '\n';) typed += static_cast<char>(c);
  return trim(typed) == version;
}

Error not_agreed(const control::restore_plan& plan) {
  return {"not-agreed", "nothing was restored: nobody agreed to it",
          "Where there is no terminal: difyd rollback --restore " + plan.backup + " --yes"};
}

}  // namespace

int show_status(const options& given) {
  return run_to_end(show<control::status>(given, "/v1/status", control::parse_status, render));
}

int show_services(const options& given) { return run_to_end(services(given)); }

int show_plan(const options& given, const std::string& version) {
  return run_to_end(show<control::plan>(given, "/v1/plan?version=" + percent_encode(version),
                                        control::parse_plan, render, plan_limit));
}

int show_migrations(const options& given) {
  return run_to_end(
      show<std::vector<control::migration>>(given, "/v1/migrations", control::parse_migrations, render));
}

int show_history(const options& given) {
  return run_to_end(
      show<std::vector<control::past_upgrade>>(given, "/v1/history", control::parse_history, render));
}

int show_migration_log(const options& given, const std::string& id, bool follow) {
  return run_to_end([](options o, std::string which, bool on) -> task<int> {
    control::client daemon = daemon_of(o);
    if (which.empty()) {
      auto newest = co_await newest_migration(daemon);
      if (!newest) co_return report(newest.error(), exit_code_of(newest.error()));
      which = *newest;
    }
    std::string all;
    const auto take = [&](std::string_view bytes) {
      if (!o.json) {
        std::fwrite(bytes.data(), 1, bytes.size(), stdout);
        std::fflush(stdout);
        return;
      }
      all += bytes;
      if (!on) return;
      for (std::size_t end; (end = all.find('\n')) != std::string::npos; all.erase(0, end + 1))
        put(control::line_json(which, all.substr(0, end)));
    };
    auto ended = co_await daemon.stream(
        "/v1/migrations/" + percent_encode(which) + "/log" + (on ? "?follow" : ""), take);
    if (!ended) co_return report(ended.error(), exit_code_of(ended.error()));
    if (o.json && !on) put(control::log_json(which, all));
    if (o.json && on && !all.empty()) put(control::line_json(which, all));
    co_return succeeded;
  }(given, id, follow));
}

int start_upgrade(const options& given, const control::upgrade_wish& wish, bool wait) {
  return run_to_end(act(given, "/v1/upgrade", control::upgrade_request(wish), wait));
}

int rehearse(const options& given, const std::string& version, const std::string& backup, bool wait) {
  return run_to_end(act(given, "/v1/rehearse", control::rehearsal_request(version, backup), wait));
}

int resume_upgrade(const options& given, bool wait) {
  return run_to_end(act(given, "/v1/resume", "{}", wait));
}

int attach_to_upgrade(const options& given) {
  return run_to_end([](options o) -> task<int> {
    control::client daemon = daemon_of(o);
    co_return co_await follow_upgrade(daemon, o.json);
  }(given));
}

int abort_upgrade(const options& given) {
  return run_to_end([](options o) -> task<int> {
    control::client daemon = daemon_of(o);
    auto answer = co_await daemon.post("/v1/abort", "{}");
    if (!answer) co_return report(answer.error(), exit_code_of(answer.error()));
    auto what = control::parse_accepted(*answer);
    if (!what) co_return report(what.error());
    co_return co_await follow_abort(daemon, *what, o.json);
  }(given));
}

int show_backups(const options& given) {
  return run_to_end(
      show<std::vector<control::backup>>(given, "/v1/backups", control::parse_backups, render, 60s));
}

int show_commands(const options& given) {
  return run_to_end(
      show<std::vector<control::owed_command>>(given, "/v1/advisories", control::parse_commands, render));
}

int change_commands(const options& given, const std::string& verb, const std::string& advisory) {
  return run_to_end(act(given, "/v1/advisories/" + verb, control::advisory_request(advisory), true));
}

int take_backup(const options& given, bool wait) { return run_to_end(act(given, "/v1/backup", "{}", wait)); }

int verify_backup(const options& given, const std::string& id) {
  return run_to_end(act(given, "/v1/backup/verify", control::backup_request(id), true));
}

int rollback(const options& given, bool wait) {
  return run_to_end([](options o, bool follow) -> task<int> {
    const int code = co_await act(o, "/v1/rollback", "{}", follow);
    // Going back is what was asked for.
    co_return code == undone ? int(succeeded) : code;
  }(given, wait));
}

int restore(const options& given, const std::string& backup, bool yes, bool wait) {
  return run_to_end([](options o, std::string id, bool agreed, bool follow) -> task<int> {
    control::client daemon = daemon_of(o);
    auto answer = co_await daemon.get("/v1/restore?backup=" + percent_encode(id), 60s);
    if (!answer) co_return report(answer.error(), exit_code_of(answer.error()));
    auto plan = control::parse_restore_plan(*answer);
    if (!plan) co_return report(plan.error());
    if (!o.json) put(render(*plan));
    if (!agreed && !agrees_to(plan->version)) co_return report(not_agreed(*plan), usage_error);
    co_return co_await act(o, "/v1/rollback", control::backup_request(plan->backup), follow);
  }(given, backup, yes, wait));
}

int repin(const options& given, const std::string& version, bool wait) {
  return run_to_end(act(given, "/v1/repin", control::upgrade_request({version, {}, {}}), wait));
}

int change_maintenance(const options& given, const control::maintenance_wish& wish, bool wait) {
  return run_to_end(act(given, "/v1/maintenance", control::maintenance_request(wish), wait));
}

int show_maintenance(const options& given) {
  return run_to_end([](options o) -> task<int> {
    control::client daemon = daemon_of(o);
    auto answer = co_await daemon.get("/v1/status");
    if (!answer) co_return report(answer.error(), exit_code_of(answer.error()));
    const auto status = control::parse_status(*answer);
    if (!status) co_return report(status.error());
    put(o.json ? maintenance_json(*status) : maintenance_text(*status));
    co_return succeeded;
  }(given));
}

int stack_up(const options& given, bool wait) { return run_to_end(act(given, "/v1/stack/up", "{}", wait)); }
int stack_down(const options& given, bool wait) {
  return run_to_end(act(given, "/v1/stack/down", "{}", wait));
}

int stack_restart(const options& given, const std::vector<std::string>& services, bool wait) {
  return run_to_end(act(given, "/v1/stack/restart", control::services_request(services), wait));
}

int check(const options& given) {
  bool answered = false;
  const int code = run_to_end(check_with_daemon(given, answered));
  return answered ? code : check_without_daemon(given);
}

int show_codes() {
  put(health::render_codes());
  return 0;
}

}  // namespace difyd::cli
