#include "maintenance.hpp"

#include <unistd.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "difyd/base/durable_file.hpp"
#include "difyd/base/log.hpp"
#include "difyd/release/roles.hpp"
#include "engine_work.hpp"
#include "judging.hpp"
#include "operations.hpp"
#include "page.hpp"
#include "readiness.hpp"

namespace difyd::supervisor {
namespace {

std::string marker(const world& w) { return w.settings.state_dir + "/maintenance.json"; }

std::int64_t to_number(wall_time time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

operator_maintenance read(const std::string& text) {
  try {
    const auto from = nlohmann::json::parse(text);
    return {from.value("reason", ""), wall_time(std::chrono::seconds(from.value("since", std::int64_t{})))};
  } catch (const std::exception& cause) {
    log::warning("maintenance", "cannot read what it was switched on for", {{"cause", cause.what()}});
    return {{}, std::chrono::system_clock::now()};
  }
}

// Durable before anything changes: what is on stays on, whatever dies.
Result<> remember(const world& w, const std::optional<operator_maintenance>& value) {
  if (value) {
    const nlohmann::ordered_json out{{"since", to_number(value->since)}, {"reason", value->reason}};
    return write_durably(marker(w), out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n",
                         0600);
  }
  if (::unlink(marker(w).c_str()) != 0 && errno != ENOENT)
    return fail("file-io", "cannot remove " + marker(w) + ": " + std::strerror(errno));
  return {};
}

task<ended> close(world& w, std::string id, std::string reason) {
  const operator_maintenance value{std::move(reason), std::chrono::system_clock::now()};
  if (auto kept = remember(w, value); !kept) co_return failed_with(kept.error());
  w.maintenance = value;
  const auto release = *w.in_force.get();
  const std::string nginx = release ? release::nginx_service(release->project) : std::string();
  if (w.stands.get()->at != phase::serving || nginx.empty()) {
    publish_now(w);
    co_return done_as("maintenance is on; Dify stays closed when it comes up");
  }
  // The page takes the port as nginx lets it go.
  put_page_up(w, *release);
  publish_now(w);
  auto stopped = co_await stop_services(w, project_of(release), {nginx}, std::nullopt, id);
  if (!stopped) co_return failed_with(stopped.error());
  co_return done_as(
      "maintenance is on: visitors see the page, Dify runs behind it; "
      "difyd maintenance off lets them in again");
}

task<ended> open(world& w, std::string id) {
  if (auto kept = remember(w, std::nullopt); !kept) co_return failed_with(kept.error());
  const auto release = *w.in_force.get();
  if (!w.maintenance || w.stands.get()->at != phase::serving || !release) {
    w.maintenance.reset();
    publish_now(w);
    co_return done_as("maintenance is off");
  }
  // Nobody is sent here before nginx answers.
  w.maintenance->ending = true;
  auto done = co_await bring_all_up(w, release, id, false);
  if (done) done = co_await await_answers(w, release);
  w.maintenance.reset();
  if (!done) co_return failed_with(done.error());
  co_return done_as("maintenance is off, Dify answers");
}

}  // namespace

void remember_maintenance(world& w) {
  const auto text = read_file(marker(w), 64u << 10);
  if (!text && ::access(marker(w).c_str(), F_OK) != 0) return;
  w.maintenance = read(text ? *text : std::string());
}

bool closed(const world& w) { return w.maintenance && !w.maintenance->ending; }

bool kept_down(const world& w, std::string_view service) {
  const auto release = *w.in_force.get();
  return closed(w) && release && !service.empty() && service == release::nginx_service(release->project);
}

std::vector<std::string> services_to_run(const world& w, const release::release& what) {
  std::vector<std::string> result;
  const auto nginx = release::nginx_service(what.project);
  if (!closed(w) || nginx.empty()) return result;
  for (const auto& [name, service] : what.project.services)
    if (name != nginx) result.push_back(name);
  return result;
}

Result<> not_in_maintenance(const world& w, const std::string& what) {
  if (!w.maintenance) return {};
  return fail("maintenance-on", "cannot " + what + ": maintenance is on, and nginx's port is the page's",
              "Let visitors in first: difyd maintenance off. An upgrade shows a page of its own while Dify "
              "is down");
}

Result<control::accepted> request_maintenance(world& w, const control::maintenance_wish& wish) {
  const bool holding = w.stands.get()->at == phase::holding;
  if (wish.on && (holding || (w.book && (w.book->current().in_flight || w.book->current().restoring))))
    return fail("held",
                "cannot switch maintenance on: an upgrade or a restore is not finished, and the page is up",
                "See: difyd status");
  if (!wish.on)
    return submit_command(w, "maintenance",
                          [](world& of, std::string id) { return open(of, std::move(id)); });
  return submit_command(w, "maintenance", [reason = wish.reason](world& of, std::string id) {
    return close(of, std::move(id), reason);
  });
}

}  // namespace difyd::supervisor
