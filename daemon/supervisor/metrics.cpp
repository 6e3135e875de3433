#include "metrics.hpp"

#include <algorithm>

#include "difyd/upgrade/step.hpp"
#include "metric_text.hpp"

namespace difyd::supervisor {
namespace {

constexpr std::size_t most_findings = 100;

double number(wall_time time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

void add_versions(metric_text& out, const metric_facts& facts) {
  const auto& now = facts.status;
  out.gauge("difyd_build_info", "1; the version of difyd.");
  out.sample(1, {{"version", now.program_version}});
  out.gauge("difyd_dify_info", "1; the deployed and the wanted version of Dify, and the schema revision.");
  out.sample(1, {{"project", now.project},
                 {"version", now.deployed},
                 {"wanted", now.wanted},
                 {"schema_revision", now.revision}});
}

void add_daemon(metric_text& out, const metric_facts& facts) {
  out.gauge("difyd_start_time_seconds", "When the supervisor started, as Unix time.");
  out.sample(number(facts.started));
  out.counter("difyd_cpu_seconds_total", "Processor time of the supervisor.");
  out.sample(facts.counts.cpu_seconds);
  out.gauge("difyd_resident_memory_bytes", "Resident memory of the supervisor.");
  out.sample(static_cast<double>(facts.counts.resident_bytes));
  out.gauge("difyd_phase_start_time_seconds", "When the phase began, as Unix time.");
  out.sample(number(facts.phase_since));
  out.gauge("difyd_lease_held", "1 while this machine holds the lease on the databases.");
  out.sample(facts.lease_held ? 1 : 0);
  out.gauge("difyd_maintenance_on", "1 while an operator has switched maintenance on.");
  out.sample(facts.status.maintenance.empty() ? 0 : 1);
  out.counter("difyd_unready_seconds_total",
              "Time that the supervisor has seen in which visitors were not served, since it started.");
  out.sample(facts.counts.unready_seconds);
  if (!facts.newest_backup) return;
  out.gauge("difyd_newest_backup_timestamp_seconds", "When the newest backup was taken, as Unix time.");
  out.sample(number(*facts.newest_backup));
}

void add_findings(metric_text& out, const std::vector<finding>& findings) {
  out.gauge("difyd_findings", "Findings by severity.");
  for (const auto level :
       {severity::ok, severity::info, severity::warning, severity::error, severity::critical})
    out.sample(static_cast<double>(std::ranges::count(findings, level, &finding::level)),
               {{"severity", std::string(to_text(level))}});
  std::vector<const finding*> worse;
  for (const auto& each : findings)
    if (each.level > severity::ok && worse.size() < most_findings) worse.push_back(&each);
  // A subject may have the same code only once: a second series of the same labels is none.
  std::ranges::sort(worse, {}, [](const finding* one) { return std::pair(one->subject, one->code); });
  const auto twice =
      std::ranges::unique(worse, {}, [](const finding* one) { return std::pair(one->subject, one->code); });
  worse.erase(twice.begin(), twice.end());
  out.gauge("difyd_finding", "1 for each finding that is worse than ok, the first hundred.");
  for (const auto* each : worse)
    out.sample(
        1,
        {{"subject", each->subject}, {"code", each->code}, {"severity", std::string(to_text(each->level))}});
}

void add_probes(metric_text& out, const metric_facts& facts) {
  out.gauge("difyd_probe_duration_seconds", "How long the last run of the probes took.");
  for (const auto& [name, run] : facts.probes)
    out.sample(std::chrono::duration<double>(run.took).count(), {{"probe", name}});
  out.gauge("difyd_probe_last_run_timestamp_seconds", "When it ended, as Unix time.");
  for (const auto& [name, run] : facts.probes) out.sample(number(run.ended), {{"probe", name}});
}

void add_services(metric_text& out, const metric_facts& facts) {
  out.gauge("difyd_service_ready",
            "1 for a service that runs and is not known to be unhealthy, or that has done its work.");
  for (const auto& each : facts.status.services) out.sample(each.ready ? 1 : 0, {{"service", each.service}});
  out.counter("difyd_service_restarts_total",
              "How often the supervisor has started a service again by itself, since it started.");
  for (const auto& each : facts.status.services) {
    const auto found = facts.counts.restarts.find(each.service);
    out.sample(found == facts.counts.restarts.end() ? 0 : static_cast<double>(found->second),
               {{"service", each.service}});
  }
}

// Of the upgrade that is in flight, else of the last one.
const std::vector<control::step_status>* steps_of(const metric_facts& facts) {
  const auto& operation = facts.status.operation;
  if (operation && operation->kind == "upgrade") return &operation->steps;
  return facts.history.empty() ? nullptr : &facts.history.back().steps;
}

void add_steps(metric_text& out, const metric_facts& facts) {
  const auto& operation = facts.status.operation;
  const bool upgrade = operation && operation->kind == "upgrade";
  const bool running = upgrade && operation->result.empty();
  out.gauge("difyd_upgrade_running", "1 while an upgrade is under way.");
  out.sample(running ? 1 : 0);
  out.gauge("difyd_upgrade_held", "1 while an upgrade is held for an operator to decide.");
  out.sample(upgrade && operation->result == "held" ? 1 : 0);
  const std::string now = running && !operation->steps.empty() && operation->steps.back().state == "begun"
                              ? operation->steps.back().step
                              : std::string();
  out.gauge("difyd_upgrade_step", "1 for the step that the upgrade under way is in.");
  for (const auto* step :
       {"admit", "prepare", "drain", "stop", "backup", "migrate", "start", "verify", "commit", "put-back"})
    out.sample(now == step ? 1 : 0, {{"step", step}});
  const auto* steps = steps_of(facts);
  if (!steps) return;
  std::map<std::string, double> seconds;  // one that was entered again counts as a whole
  for (const auto& each : *steps) seconds[each.step] += each.seconds;
  out.gauge("difyd_upgrade_step_duration_seconds",
            "How long the steps of the upgrade under way, else of the last one, have taken.");
  for (const auto& [step, took] : seconds) out.sample(took, {{"step", step}});
}

void add_history(metric_text& out, const metric_facts& facts) {
  out.gauge("difyd_history_upgrades", "Upgrades in the ledger's history by result.");
  for (const auto* result : {"done", "undone", "held"})
    out.sample(static_cast<double>(std::ranges::count(facts.history, result, &control::past_upgrade::result)),
               {{"result", result}});
  if (facts.history.empty()) return;
  const auto& last = facts.history.back();
  out.gauge("difyd_last_upgrade_duration_seconds", "How long the last upgrade took.");
  out.sample(last.seconds);
  out.gauge("difyd_last_upgrade_downtime_seconds", "How long Dify was down in it.");
  out.sample(last.downtime_seconds);
}

}  // namespace

std::string metrics_of(const metric_facts& facts) {
  metric_text out;
  add_versions(out, facts);
  add_daemon(out, facts);
  add_findings(out, facts.findings);
  add_probes(out, facts);
  add_services(out, facts);
  add_steps(out, facts);
  add_history(out, facts);
  return out.text();
}

}  // namespace difyd::supervisor
