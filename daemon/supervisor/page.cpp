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

entrance entrance_at(const std::string& address, std::uint16_t port) {
  if (address.empty() || address == "0.0.0.0") return {"0.0.0.0", "127.0.0.1", port};
  // The engine takes no IPv4 there.
  if (address == "::") return {address, "::1", port};
  return {address, address, port};
}

}  // namespace

std::optional<entrance> published_entrance(const compose::project& project) {
  const auto nginx = project.services.find(release::nginx_service(project));
  if (nginx == project.services.end()) return std::nullopt;
  for (const auto& port : nginx->second.ports) {
    std::uint16_t number = 0;
    const auto& text = port.published;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    // The second port that nginx publishes is TLS: nothing that we could answer there.
    if (error == std::errc() && end == text.data() + text.size() && port.target != 443)
      return entrance_at(port.host_ip, number);
  }
  return std::nullopt;
}

front::situation situation_of(const page_facts& facts) {
  using front::situation;
  switch (facts.at) {
    case phase::upgrading:
      if (facts.restoring) return situation::restoring;
      return facts.going_back ? situation::going_back : situation::upgrading;
    case phase::holding:
      if (facts.restoring) return situation::restore_held;
      return facts.upgrading ? situation::held : situation::closed;
    case phase::stopped:
      return situation::stopped;
    default:
      return facts.maintenance ? situation::closed : situation::starting;
  }
}

namespace {

page_facts facts_of(const world& w) {
  page_facts facts;
  facts.at = w.stands.get()->at;
  if (facts.at == phase::starting && stopped_by_operator(w))
    facts.at = phase::stopped;  // the start has yet to find it out
  facts.maintenance = w.maintenance.has_value();
  if (!w.book) return facts;
  const auto& book = w.book->current();
  facts.restoring = book.restoring.has_value();
  facts.upgrading = book.in_flight.has_value();
  facts.going_back = facts.upgrading && !book.in_flight->entries.empty() &&
                     book.in_flight->entries.back().step == "put-back";
  return facts;
}

}  // namespace

std::optional<front::maintenance_page> page_now(const world& w, const verdict& given) {
  auto page = *w.page.get();
  if (!page) return page;
  page->why = situation_of(facts_of(w));
  const bool moving = page->why == front::situation::upgrading || page->why == front::situation::restoring;
  page->step = moving ? w.step.name : std::string();
  page->step_boot = moving ? w.step.at : std::chrono::milliseconds(0);
  page->reason = w.maintenance ? w.maintenance->reason : std::string();
  page->file = w.own_page ? own_page_path(w) : std::string();
  // The load balancer's check is answered where the page is to be shown through it, not for a stack
  // that is stopped or starting.
  if (given.readyz != answer::maintenance) page->health_path.clear();
  return page;
}

std::string own_page_path(const world& w) {
  return w.settings.runtime_dir + "/" + std::string(front::own_page_file);
}

void put_page_up(world& w, const release::release& what) {
  const auto where = published_entrance(what.project);
  const auto& settings = w.settings.maintenance;
  if (!settings.page || !where || *w.page.get()) return;
  front::maintenance_page page;
  page.address = where->held;
  page.port = where->port;
  if (settings.answer_health_path) page.health_path = settings.health_path;
  page.since = std::chrono::system_clock::now();
  page.since_boot = boot_time();
  page.retry_after =
      static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(settings.retry_after).count());
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
  const auto where = published_entrance(what.project);
  if (!*w.page.get()) co_return Result<>{};
  w.page.set(std::nullopt);
  publish_now(w);
  if (!where || nginx_runs(w, what.project)) co_return Result<>{};
  co_return co_await front::wait_until_port_free(where->held, where->port, std::chrono::seconds(10));
}

}  // namespace difyd::supervisor
