#include "views.hpp"

#include "difyd/base/text.hpp"
#include "difyd/ledger/book.hpp"
#include "difyd/release/roles.hpp"
#include "known.hpp"
#include "migrations.hpp"
#include "page.hpp"
#include "probe_stack.hpp"
#include "probing.hpp"

namespace difyd::supervisor {
namespace {

double seconds_between(wall_time from, wall_time to) {
  return std::chrono::duration<double>(to - from).count();
}

control::service_status service_of(const std::string& name, const compose::project& project,
                                   const stack::observed& now) {
  control::service_status result;
  result.service = name;
  const std::string wanted = release::image_of(project, name);
  result.wanted_image = wanted;
  result.state = "missing";
  const auto containers = stack::containers_of(now, name);
  if (containers.empty()) return result;
  const auto& one = *containers.front();
  result.image = one.image;
  if (one.image == wanted) result.wanted_image.clear();
  result.container = one.name;
  result.state = one.state;
  result.health = one.health;
  result.exit_code = one.exit_code;
  result.since = one.running() ? one.started_at : one.finished_at;
  result.ready = one.running() && (one.health.empty() || one.health == "healthy");
  if (one.state == "exited" && one.exit_code == 0 && release::one_shot(project, name)) result.ready = true;
  return result;
}

std::string code_of(answer value, bool maintenance_is_200) {
  if (value == answer::ok) return "200";
  if (value == answer::maintenance && maintenance_is_200) return "200";
  return "503";
}

std::string url_of(const release_ptr& release) {
  if (!release) return {};
  const auto where = published_entrance(release->project);
  if (!where) return {};
  const bool six = where->asked.find(':') != std::string::npos;
  return "http://" + (six ? "[" + where->asked + "]" : where->asked) + ":" + std::to_string(where->port) +
         "/";
}

// The one that this process has run or runs, else the one that it has found in the ledger.
std::optional<control::operation_status> upgrade_shown(const world& w) {
  auto operation = *w.operation.get();
  if (!operation || operation->kind != "upgrade")
    return w.book ? operation_of(w.book->current()) : std::nullopt;
  auto& steps = operation->steps;
  if (operation->result.empty() && w.step_began && !steps.empty() && steps.back().state == "begun")
    steps.back().seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - *w.step_began).count();
  return operation;
}

std::string message_of(const world& w) {
  const std::string waits = waiting_text(w.waits, std::chrono::steady_clock::now());
  const std::string message = w.stands.get()->message;
  return message.empty() || waits.empty() ? message + waits : message + "; " + waits;
}

}  // namespace

control::status status_of(const world& w) {
  control::status result;
  const auto stands = w.stands.get();
  const auto release = *w.in_force.get();
  const auto given = w.given.get();
  result.program_version = DIFYD_VERSION;
  result.project = w.settings.project;
  result.phase = to_text(stands->at);
  result.message = message_of(w);
  result.options = stands->options;
  if (w.book && w.book->current().deployed) result.deployed = w.book->current().deployed->version.text();
  if (w.settings.version) result.wanted = w.settings.version->text();
  result.revision = *w.schema.get();
  result.lease = *w.lease_text.get();
  // "maintenance" is 200 for the autohealer, whatever it is for the load balancer.
  result.healthz = code_of(given->healthz, true);
  result.readyz = code_of(given->readyz, w.settings.maintenance.answer_health_path);
  result.reason = given->reason;
  result.url = url_of(release);
  result.started = to_rfc3339(w.started);
  if (w.maintenance) result.maintenance = to_rfc3339(w.maintenance->since);
  if (w.maintenance) result.maintenance_reason = w.maintenance->reason;
  if (release)
    for (const auto& each : services_of(release->project))
      result.services.push_back(service_of(each.name, release->project, *w.observed.get()));
  for (const auto& found : findings_now(w))
    if (found.level > severity::ok) result.findings.push_back(found);
  result.operation = upgrade_shown(w);
  return result;
}

std::vector<control::step_status> steps_of(const std::vector<ledger::journal_entry>& entries) {
  std::vector<control::step_status> steps;
  wall_time began{};
  for (const auto& entry : entries) {
    if (entry.state == ledger::entry_state::begin || steps.empty() || steps.back().step != entry.step) {
      began = entry.at;
      steps.push_back({entry.step, "interrupted", to_rfc3339(began), 0, {}});
    }
    if (entry.state == ledger::entry_state::begin) continue;
    steps.back().state = ledger::to_text(entry.state);
    steps.back().seconds = seconds_between(began, entry.at);
    steps.back().detail = entry.detail;
  }
  return steps;
}

std::optional<control::operation_status> operation_of(const ledger::record& book) {
  if (!book.in_flight) return std::nullopt;
  const auto& flight = *book.in_flight;
  control::operation_status result;
  result.id = flight.id;
  result.kind = "upgrade";
  if (flight.from) result.from = flight.from->text();
  result.to = flight.to.text();
  result.started = to_rfc3339(flight.started_at);
  if (held_upgrade(book)) result.result = "held";
  result.steps = steps_of(flight.entries);
  return result;
}

std::vector<control::migration> migrations_of(const ledger::record& book, const std::string& running,
                                              wall_time now) {
  std::vector<control::migration> result;
  for (const auto& each : book.migrations) {
    control::migration migration;
    migration.id = each.id;
    migration.upgrade = each.version.text();
    migration.from_revision = each.from.id;
    migration.to_revision = each.to.id;
    migration.started = to_rfc3339(each.started_at);
    migration.exit_code = each.exit_code.value_or(-1);
    migration.result = each.exit_code == 0 ? "done" : each.exit_code ? "failed" : "unknown";
    if (!without_end(each)) migration.seconds = seconds_between(each.started_at, each.ended_at);
    // An earlier run of the same upgrade has its end by the time that another one begins.
    if (without_end(each)) migration.result = each.id == running ? "running" : "interrupted";
    if (without_end(each) && each.id == running) migration.seconds = seconds_between(each.started_at, now);
    result.push_back(std::move(migration));
  }
  return result;
}

std::vector<control::owed_command> commands_of(const ledger::record& book, const std::string& running) {
  std::vector<control::owed_command> result;
  const auto* next = ledger::next_command(book);
  for (const auto& each : book.owed) {
    const char* state = !each.failure.empty()                      ? "failed"
                        : &each == next && running == each.command ? "running"
                                                                   : "waiting";
    result.push_back({each.advisory, each.service, each.command, state, each.failure});
  }
  return result;
}

std::vector<control::past_upgrade> history_of(const ledger::record& book) {
  std::vector<control::past_upgrade> result;
  for (const auto& each : book.history) {
    control::past_upgrade past;
    past.id = each.id;
    if (each.from) past.from = each.from->text();
    past.to = each.to.text();
    past.started = to_rfc3339(each.started_at);
    past.seconds = seconds_between(each.started_at, each.ended_at);
    past.result = ledger::to_text(each.result);
    past.reason = each.reason;
    std::optional<wall_time> down;
    for (const auto& step : each.steps) {
      past.steps.push_back({step.step,
                            std::string(ledger::to_text(step.state)),
                            to_rfc3339(step.began),
                            seconds_between(step.began, step.ended),
                            {}});
      if (step.step == "stop") down = step.began;
      if (down && each.from) past.downtime_seconds = seconds_between(*down, step.ended);
    }
    result.push_back(std::move(past));
  }
  return result;
}

}  // namespace difyd::supervisor
