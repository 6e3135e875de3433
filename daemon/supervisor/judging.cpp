#include "judging.hpp"

#include "difyd/base/log.hpp"
#include "difyd/health/judge.hpp"
#include "page.hpp"
#include "replacing.hpp"

namespace difyd::supervisor {
namespace {

void tell_wait(world& w, wait_teller& teller) {
  const auto now = std::chrono::steady_clock::now();
  if (!teller.worth_telling(w.waits, now)) return;
  w.events.tell(w.waits.operation, "service", services_text(w.waits), "waiting", reason_text(w.waits, now));
}

// The same wish has another time at each look.
void want_replacement(world& w, const std::optional<health::replacement>& wish) {
  const auto finding_of = [](const auto& each) { return each ? each->finding : std::string(); };
  if (finding_of(wish) != finding_of(*w.replacement_wanted.get())) w.replacement_wanted.set(wish);
}

}  // namespace

void publish_now(world& w) {
  const auto now = std::chrono::system_clock::now();
  const auto judged =
      health::judge(*w.findings.get(), situation_of(w), policy_of(w.settings), now, *w.replacements.get());
  const auto before = w.given.get();
  if (before->row != judged.given.row || before->reason != judged.given.reason)
    log::info("verdict", judged.given.reason, {{"row", std::to_string(judged.given.row)}});
  w.given.set(judged.given);
  want_replacement(w, judged.record);
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
