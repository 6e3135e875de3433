#include "page.hpp"

#include <algorithm>
#include <charconv>

#include "difyd/release/roles.hpp"
#include "engine_work.hpp"
#include "judging.hpp"
#include "load_release.hpp"

namespace difyd::supervisor {
namespace {

bool nginx_runs(const world& w, const compose::project& project) {
  const auto now = w.observed.get();
  const auto containers = stack::containers_of(*now, release::nginx_service(project));
  return std::ranges::any_of(containers, [](const auto* each) { return each->running(); });
}

}  // namespace

std::optional<std::uint16_t> published_port(const compose::project& project) {
  const auto nginx = project.services.find(release::nginx_service(project));
  if (nginx == project.services.end()) return std::nullopt;
  for (const auto& port : nginx->second.ports) {
    std::uint16_t number = 0;
    const auto& text = port.published;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    // The second port that nginx publishes is TLS: nothing that we could answer there.
    if (error == std::errc() && end == text.data() + text.size() && port.target != 443) return number;
  }
  return std::nullopt;
}

page_words words_of(phase at, const std::optional<ledger::journal>& flight, bool restoring) {
  const std::string upgrade = flight ? "The upgrade to " + flight->to.text() : std::string();
  const bool going_back = flight && !flight->entries.empty() && flight->entries.back().step == "put-back";
  if (restoring && at == phase::upgrading) return {"Dify is being restored", "A backup is being put back."};
  if (restoring && at == phase::holding)
    return {"Dify is down for maintenance",
            "The restore of a backup did not finish. An operator has to decide how it goes on."};
  switch (at) {
    case phase::upgrading:
      if (going_back) return {"Dify is being started again", upgrade + " was given up."};
      return {"Dify is being upgraded", flight ? upgrade + " is under way." : std::string()};
    case phase::holding:
      return {"Dify is down for maintenance", (flight ? upgrade + " did not finish. " : std::string()) +
                                                  "An operator has to decide how it goes on."};
    case phase::stopped:
      return {"Dify is stopped", "An operator has stopped it."};
    default:
      return {"Dify is starting", {}};
  }
}

std::optional<front::maintenance_page> page_now(const world& w, const verdict& given) {
  auto page = *w.page.get();
  if (!page) return page;
  const auto flight = w.book ? w.book->current().in_flight : std::nullopt;
  auto at = w.stands.get()->at;
  if (at == phase::starting && stopped_by_operator(w))
    at = phase::stopped;  // the start has yet to find it out
  const auto words = words_of(at, flight, w.book && w.book->current().restoring);
  page->title = words.title;
  page->detail = words.detail;
  // The load balancer's check is answered where the page is to be shown through it, not for a stack
  // that is stopped or starting.
  if (given.readyz != answer::maintenance) page->health_path.clear();
  return page;
}

void put_page_up(world& w, const release::release& what) {
  const auto port = published_port(what.project);
  const auto& settings = w.settings.maintenance;
  if (!settings.page || !port || *w.page.get()) return;
  front::maintenance_page page;
  page.port = *port;
  if (settings.answer_health_path) page.health_path = settings.health_path;
  page.since = std::chrono::system_clock::now();
  page.retry_after =
      static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(settings.retry_after).count());
  page.file = settings.page_file;
  w.page.set(std::move(page));
  publish_now(w);
}

task<void> put_page_up_while_down(world& w) {
  co_await know_release(w);
  const auto release = *w.in_force.get();
  if (!release || !co_await look(w)) co_return;
  if (nginx_runs(w, release->project)) {
    w.page.set(std::nullopt);
    publish_now(w);
  } else {
    put_page_up(w, *release);
  }
}

void inherit_page(world& w) {
  const auto former = front::read_publication(w.settings.runtime_dir + "/verdict.json");
  if (!former || !former->maintenance || !w.settings.maintenance.page) return;
  auto page = *former->maintenance;
  if (w.settings.maintenance.answer_health_path) page.health_path = w.settings.maintenance.health_path;
  w.page.set(std::move(page));
}

task<Result<>> take_page_down(world& w, const release::release& what) {
  const auto port = published_port(what.project);
  if (!*w.page.get()) co_return Result<>{};
  w.page.set(std::nullopt);
  publish_now(w);
  if (!port || nginx_runs(w, what.project)) co_return Result<>{};
  co_return co_await front::wait_until_port_free("0.0.0.0", *port, std::chrono::seconds(10));
}

}  // namespace difyd::supervisor
