#include "judging.hpp"

#include "difyd/base/log.hpp"
#include "difyd/health/judge.hpp"
#include "page.hpp"

namespace difyd::supervisor {
namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

health::policy policy_of(const config::health_settings& settings) {
  health::policy rules;
  rules.replace_grace = duration_cast<seconds>(settings.grace);
  rules.replace_at_most_every = duration_cast<seconds>(settings.replacement_interval);
  rules.migrate_window = duration_cast<seconds>(settings.migrate_assumed);
  rules.start_bound = duration_cast<seconds>(settings.starting_bound);
  return rules;
}

health::situation situation_of(const world& w) {
  health::situation now;
  now.current = w.stands.get()->at;
  now.phase_since = w.stands.get()->since;
  if (w.migrating) now.migrate_begun = w.migrating->begun;
  now.migrator_session = w.migrating.has_value();
  now.maintenance = w.maintenance.has_value();
  return now;
}

// Which replacements were asked for is not read from the share yet, and where that is not
// known none may be asked for: /healthz stays 200.
health::memory memory_of() { return {}; }

void tell_wait(world& w, wait_teller& teller) {
  const auto now = std::chrono::steady_clock::now();
  if (!teller.worth_telling(w.waits, now)) return;
  w.events.tell(w.waits.operation, "service", services_text(w.waits), "waiting", reason_text(w.waits, now));
}

}  // namespace

void publish_now(world& w) {
  const auto now = std::chrono::system_clock::now();
  const auto judged =
      health::judge(*w.findings.get(), situation_of(w), policy_of(w.settings.health), now, memory_of());
  const auto before = w.given.get();
  if (before->row != judged.given.row || before->reason != judged.given.reason)
    log::info("verdict", judged.given.reason, {{"row", std::to_string(judged.given.row)}});
  w.given.set(judged.given);
  front::publication publication;
  publication.says = judged.given;
  publication.listen = w.settings.listen.health;
  publication.readyz_in_maintenance = w.settings.maintenance.answer_health_path ? 200 : 503;
  publication.status_for_all = w.settings.listen.status;
  // Dify itself answers there.
  if (w.stands.get()->at == phase::serving && !w.maintenance) w.page.set(std::nullopt);
  publication.maintenance = page_now(w, judged.given);
  const auto published = front::publish(w.settings.runtime_dir + "/verdict.json", std::move(publication));
  if (!published) log::error("verdict", published.error().message);
}

task<void> keep_judging(world& w) {
  inherit_page(w);
  wait_teller teller;
  for (;;) {
    publish_now(w);
    tell_wait(w, teller);
    co_await pause(std::chrono::seconds(2));
  }
}

}  // namespace difyd::supervisor
